"""Canonical text: no needless parentheses, and the same tree when read again."""

from pathlib import Path

import pytest

from unroll_dsl.syntax import expression_text, nodes, parse_text, same_tree, to_text

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.unroll"))


def expression(text: str) -> nodes.Expr:
    program = parse_text(f"algorithm a\nlet r = {text}\n").program
    assert program is not None
    (let,) = program.statements
    assert isinstance(let, nodes.Let)
    return let.value


@pytest.mark.parametrize(
    "text",
    [
        "a + b * c - d / e @ f",
        "(a + b) * c",
        "a - (b - c)",
        "a / (b * c)",
        "A' @ (A @ x - y)",
        "(A @ B)'",
        "(a^b)'",
        "A'^2",
        "(-x)^2",
        "-x^2",
        "-(a * b)",
        "-a * b",
        "a * -b",
        "a^b^c",
        "(a^b)^c",
        "2^-x",
        "2^(-x * y)",
        "not (a or b) and c",
        "(not a) + b",
        "(a < b) == c",
        "split(N)(u)",
        "f(a, key=b or c)",
        "0.01 * sum over phases a * b + c",
        "(sum over phases a) * b",
        "(a * sum over phases b) * c",
        "a * (b * sum over phases c)",
        "-sum over phases a",
        "(sum over phases a)'",
        "(sum over phases a)^2",
        "sum over phases (a + b)",
        "1e-05 + 1e+22 + 0.1 + 3",
    ],
)
def test_only_the_parentheses_that_are_needed(text: str) -> None:
    assert expression_text(expression(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("((a))", "a"),
        ("(a * b) + c", "a * b + c"),
        ("(f)(x)", "f(x)"),
        ("a*b", "a * b"),
        ("a + (sum over phases b)", "a + sum over phases b"),
        (".5 + 5.", "0.5 + 5.0"),
    ],
)
def test_others_are_left_out(text: str, expected: str) -> None:
    assert expression_text(expression(text)) == expected


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_target_programs_read_back(path: Path) -> None:
    first = parse_text(path.read_text(encoding="utf-8"), path.name).program
    assert first is not None
    again = parse_text(to_text(first), path.name)
    assert not again.diagnostics and again.program is not None
    assert same_tree(first, again.program)
    assert to_text(again.program) == to_text(first)


def test_same_tree_sees_differences() -> None:
    trees = [expression(text) for text in ("a + b", "a - b", "a + c", "f(a)", "f(k=a)", "1", "1.0")]
    for i, first in enumerate(trees):
        for j, second in enumerate(trees):
            assert same_tree(first, second) == (i == j)
