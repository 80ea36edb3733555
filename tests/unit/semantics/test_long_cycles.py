"""Lets on a cycle are reported however many there are."""

from __future__ import annotations

from unroll_dsl.driver import check_source
from unroll_dsl.source import SourceFile


def test_a_long_cycle_of_lets_is_reported() -> None:
    count = 3000
    lets = "".join(f"let a{i} = a{(i + 1) % count} + y\n" for i in range(count))
    text = f"algorithm a\ndims n\ninput y : vector[n]\n{lets}output a0\n"
    assert "U0205" in {d.code for d in check_source(SourceFile("a", text)).diagnostics}
