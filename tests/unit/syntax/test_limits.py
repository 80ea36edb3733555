"""Large, long and deep inputs: a clear answer, soon, and never a traceback."""

import time

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


def test_long_line() -> None:
    start = time.perf_counter()
    assert codes("algorithm a\nlet x = " + "a + " * 100_000 + "b\noutput y\n") == ["U0106"]
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("character", ["x", "(", "×", "\n", "'", " "])
def test_huge_text(character: str) -> None:
    start = time.perf_counter()
    assert codes(character * 10_000_000) == ["U0103"]
    assert time.perf_counter() - start < 0.5


def test_many_broken_lines() -> None:
    start = time.perf_counter()
    assert "U0142" in codes("algorithm a\n" + "let x = (a\n" * 90_000)
    assert "U0142" in codes("algorithm a\n" + "×\n" * 490_000)
    assert time.perf_counter() - start < 2


def test_the_cost_is_linear() -> None:
    """A block of many lines with errors throughout costs about as much as one without."""
    line = "    x <- a + b * c(d, e)\n"
    good = "algorithm a\nphase:\n" + line * 760
    bad = "algorithm a\nphase:\n" + (line * 40 + "    x <-\n") * 19
    assert codes(good) == []
    times = []
    for text in (good, bad):
        start = time.perf_counter()
        codes(text)
        times.append(time.perf_counter() - start)
    assert times[1] < 3 * times[0]
