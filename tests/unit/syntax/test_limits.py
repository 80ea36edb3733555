"""Large, long and deep inputs: a clear answer, soon, and never a traceback."""

import sys

import pytest

from unroll_dsl.syntax import parse_text

DEEP = "algorithm a\nlet x = "


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in parse_text(text).diagnostics]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(" * 100 + "a" + ")" * 100, []),
        ("(" * 101 + "a" + ")" * 101, ["U0113"]),
        ("(" * 4000 + "a" + ")" * 4000, ["U0113"]),
        ("+".join("a" * 200), []),
        ("+".join("a" * 201), ["U0113"]),
        ("^".join("a" * 3000), ["U0113"]),
        ("-" * 3000 + "a", ["U0113"]),
        ("not " * 1000 + "a", ["U0113"]),
        ("a" + "'" * 3000, ["U0113"]),
        ("f" + "(a)" * 3000, ["U0113"]),
        ("sum over phases " * 500 + "a", ["U0113"]),
        (" < ".join("a" * 1000), ["U0137"]),
        ("f(" + ", ".join("a" * 2000) + ")", []),
        ("9" * 5000, ["U0132"]),
        ("0." + "9" * 5000, ["U0132"]),
    ],
)
def test_depth(expression: str, expected: list[str]) -> None:
    assert codes(f"{DEEP}{expression}\n") == expected


def effort(text: str) -> tuple[list[str], int]:
    """The codes of a text, and how many Python calls found them: a cost that no other load changes."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    codes("algorithm a\n")  # what is loaded once is not counted
    sys.setprofile(count)
    try:
        found = codes(text)
    finally:
        sys.setprofile(None)
    return found, calls


def test_long_line() -> None:
    found, calls = effort("algorithm a\nlet x = " + "a + " * 100_000 + "b\noutput y\n")
    assert found == ["U0106"]
    assert calls < 50_000  # the line has 200,000 tokens


@pytest.mark.parametrize("character", ["x", "(", "×", "\n", "'", " "])
def test_huge_text(character: str) -> None:
    found, calls = effort(character * 10_000_000)
    assert found == ["U0103"]
    assert calls < 1_000


@pytest.mark.parametrize("lines", ["let x = (a\n" * 90_000, "×\n" * 490_000])
def test_many_broken_lines(lines: str) -> None:
    found, calls = effort("algorithm a\n" + lines)
    assert "U0142" in found
    assert calls < 2_000_000


def test_the_cost_is_linear() -> None:
    """A block of many lines with errors throughout costs about as much as one without."""
    line = "    x <- a + b * c(d, e)\n"
    found, good = effort("algorithm a\nphase:\n" + line * 760)
    assert found == []
    _, bad = effort("algorithm a\nphase:\n" + (line * 40 + "    x <-\n") * 19)
    assert bad < 2 * good
