"""Checking tells the types of what is right on a page, whatever else on it is wrong."""

from __future__ import annotations

import pytest

from unroll_dsl.driver import Checked, check_source
from unroll_dsl.semantics.places import typed_at
from unroll_dsl.source import SourceFile

PAGE = """\
algorithm ista
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
learnable t : scalar > 0 = 0.5
learnable theta : scalar >= 0 = 0.1
state x : vector[n] = 0
phase (5):
    r = A @ x - y
    x <- soft(x - t * A' @ r, theta)
output x
"""


def _hover(checked: Checked, text: str, part: str | None = None) -> str:
    """The type of the expression at the last character of `part` within the line `text`."""
    assert checked.typed is not None
    assert checked.file is not None
    at = checked.file.text.index(text)
    at += text.index(part) + len(part) - 1 if part is not None else 0
    found = typed_at(checked.typed, at)
    assert found is not None
    return str(found[1])


def _checked(old: str, new: str) -> Checked:
    assert old in PAGE
    return check_source(SourceFile("page.unroll", PAGE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("output x", "output z"),  # a name that is not there
        ("theta)", "y)"),  # a call that does not type
        ("state x", "state x, u"),  # never updated
        ("= 0.5", "= -1"),  # a constraint that is violated
        ("scalar >= 0 = 0.1", "scaler >= 0 = 0.1"),  # no kind of space
        ("output x", "output = = x"),  # a line that cannot be read
        ("output x", ""),
    ],
)
def test_a_good_line_of_a_bad_page(old: str, new: str) -> None:
    checked = _checked(old, new)
    assert checked.has_errors
    assert checked.graph is None
    assert _hover(checked, "r = A @ x - y", "A @") == "vector[m]"
    assert _hover(checked, "r = A @ x - y", "x") == "vector[n]"
    assert _hover(checked, "t * A' @ r", "A'") == "matrix[n, m]"


def test_what_is_wrong_has_no_type_and_what_reads_it_neither() -> None:
    checked = _checked("r = A @ x - y", "r = A @ y - y")
    assert [d.code for d in checked.diagnostics] == ["U0301"]
    assert _hover(checked, "A @ y", "A @") == "unknown"
    assert _hover(checked, "t * A' @ r", "r") == "unknown"
    assert _hover(checked, "soft(x", "soft(x") == "vector[n]"


def test_a_whole_page_is_typed_too() -> None:
    checked = check_source(SourceFile("page.unroll", PAGE))
    assert checked.graph is not None
    assert _hover(checked, "soft(x - t", "soft(") == "vector[n]"
    assert _hover(checked, "soft(x - t", "- t") == "scalar"


def test_so_many_mistakes_that_checking_stops() -> None:
    names = "".join(f"    q{i} = missing_{i}\n" for i in range(300))
    checked = _checked("output x", f"{names}output x")
    assert checked.has_errors
    assert _hover(checked, "r = A @ x - y", "A @") == "vector[m]"


def test_between_expressions_there_is_none() -> None:
    checked = check_source(SourceFile("page.unroll", PAGE))
    assert checked.typed is not None
    assert typed_at(checked.typed, PAGE.index("dims")) is None
