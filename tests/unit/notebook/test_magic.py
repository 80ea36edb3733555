"""`%%unroll` cells, in a shell of IPython where there is one."""

import re
from html import unescape
from typing import Any

import pytest

from unroll_dsl.notebook.magic import run_cell
from unroll_dsl.notebook.marked import Marked
from unroll_dsl.spec import Spec

GOOD = "algorithm shrink\ndims n\ninput y : vector[n]\nfixed t : scalar >= 0 = 0.1\noutput soft(y, t)\n"
BAD = "algorithm shrink\ndims n\ninput y : vector[n]\noutput soft_threshold(y, 0.1)\n"


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_a_program_is_bound_to_its_name_or_another() -> None:
    names: dict[str, Any] = {}
    spec = run_cell("", GOOD, names)
    assert isinstance(spec, Spec) and names == {"shrink": spec}
    other = run_cell(" mine ", GOOD, names)
    assert names["mine"] is other
    with pytest.raises(ValueError, match="one name"):
        run_cell("my shrink", GOOD, names)


def test_what_is_wrong_stands_under_its_line() -> None:
    names: dict[str, Any] = {}
    marked = run_cell("", BAD, names)
    assert isinstance(marked, Marked) and not names
    lines = text_of(marked._repr_html_()).splitlines()
    at = lines.index("4  output soft_threshold(y, 0.1)")
    assert lines[at + 1] == "          ^^^^^^^^^^^^^^ nothing declares this"
    assert lines[at + 2].strip() == "U0201: unknown function `soft_threshold`"
    assert lines[at + 3].strip() == "help: soft thresholding is `soft(y, 0.1)`"
    assert "error[U0201]" in repr(marked)


def test_the_page_is_escaped() -> None:
    marked = run_cell("", "algorithm p\noutput a < b # <script>alert(1)</script>\n", {})
    assert "<script" not in marked._repr_html_()  # type: ignore[union-attr]


def test_the_extension_in_a_shell() -> None:
    shells = pytest.importorskip("IPython.core.interactiveshell")
    shell = shells.InteractiveShell()
    try:
        shell.run_line_magic("load_ext", "unroll_dsl")
        spec = shell.run_cell_magic("unroll", "mine", GOOD)
        assert shell.user_ns["mine"] is spec
        data, _ = shell.display_formatter.format(spec)
        assert "text/latex" in data and "text/html" not in data
        data, _ = shell.display_formatter.format(shell.run_cell_magic("unroll", "", BAD))
        assert "nothing declares this" in data["text/html"]
        assert "error[U0201]" in data["text/plain"]
    finally:
        shells.InteractiveShell.clear_instance()
