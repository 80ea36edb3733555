"""Precedence and associativity, written out with all their parentheses."""

from typing import assert_never

import pytest

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import parse_text


def parsed(text: str) -> n.Expr:
    result = parse_text(f"algorithm a\nlet r = {text}\n")
    assert result.program is not None and not result.diagnostics, result.diagnostics
    (let,) = result.program.statements
    assert isinstance(let, n.Let)
    return let.value


def shape(expr: n.Expr) -> str:
    match expr:
        case n.Name(text):
            return text
        case n.Number(value):
            return repr(value)
        case n.Unary(sign, operand):
            return f"({sign} {shape(operand)})"
        case n.Binary(sign, left, right):
            return f"({shape(left)} {sign} {shape(right)})"
        case n.Adjoint(operand):
            return f"{shape(operand)}'"
        case n.Call(function, arguments):
            given = [
                (f"{a.keyword.text}=" if a.keyword else "") + shape(a.value) for a in arguments
            ]
            return f"{shape(function)}({', '.join(given)})"
        case n.PhaseSum(body):
            return f"(phases {shape(body)})"
        case _:
            assert_never(expr)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a * b / c @ d", "(((a * b) / c) @ d)"),
        ("A' @ A @ x", "((A' @ A) @ x)"),
        ("-x^2", "(- (x ^ 2))"),
        ("-a * b", "((- a) * b)"),
        ("a * -b", "(a * (- b))"),
        ("--a", "(- (- a))"),
        ("a^b^c", "(a ^ (b ^ c))"),
        ("a^-b^c", "(a ^ (- (b ^ c)))"),
        ("A'^2", "(A' ^ 2)"),
        ("A''", "A''"),
        ("f(x)'", "f(x)'"),
        ("split(N)(u)", "split(N)(u)"),
        ("(a + b)'", "(a + b)'"),
        ("not a == b", "(not (a == b))"),
        ("not not a", "(not (not a))"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("a or b or c", "((a or b) or c)"),
        ("a + 1 < b * 2", "((a + 1) < (b * 2))"),
        ("a >= b and c != d", "((a >= b) and (c != d))"),
        ("f(a, b + 1, key=c - d)", "f(a, (b + 1), key=(c - d))"),
        ("f()", "f()"),
        ("1e-3 + .5 + 5. + 12 + 1.5E2", "((((0.001 + 0.5) + 5.0) + 12) + 150.0)"),
        ("sum over phases mean(s^2)", "(phases mean((s ^ 2)))"),
        ("a + 0.01 * sum over phases b * c + d", "((a + (0.01 * (phases (b * c)))) + d)"),
        ("-sum over phases a", "(- (phases a))"),
        ("sum over phases a + sum over phases b", "((phases a) + (phases b))"),
        ("(sum over phases a) * b", "((phases a) * b)"),
        ("sum  over  phases -a", "(phases (- a))"),
        ("sum(a) * phases", "(sum(a) * phases)"),
        ("lambda * λ + ρ_1 - x̂ + x₁", "((((lambda * λ) + ρ_1) - x̂) + x₁)"),
        ("input + loss * phase", "(input + (loss * phase))"),
        ("complex(a, b)", "complex(a, b)"),
    ],
)
def test_shape(text: str, expected: str) -> None:
    assert shape(parsed(text)) == expected


def test_numbers_keep_their_kind() -> None:
    assert isinstance(parsed("12"), n.Number) and isinstance(parsed("12").value, int)
    assert isinstance(parsed("12.0").value, float)
    assert isinstance(parsed("1e2").value, float)


def test_names_are_in_normal_form() -> None:
    name = parsed("e\u0301")  # an e and an accent: one letter
    assert isinstance(name, n.Name)
    assert name.text == "\u00e9"
    assert name.span.text == "e\u0301"


def test_line_breaks_in_brackets_do_not_count() -> None:
    text = "(a  # the first\n  + b\n\n  + f(c,\nd))"
    assert shape(parsed(text)) == "((a + b) + f(c, d))"


def test_places() -> None:
    expr = parsed("(a + b) * f(c)' - (d)")
    assert isinstance(expr, n.Binary)
    assert expr.span.text == "(a + b) * f(c)' - (d)"
    assert expr.operator_span.text == "-"
    assert isinstance(expr.right, n.Name) and expr.right.span.text == "d"
    product = expr.left
    assert isinstance(product, n.Binary)
    assert product.span.text == "(a + b) * f(c)'"
    assert product.operator_span.text == "*"
    assert product.left.span.text == "a + b"
    assert isinstance(product.right, n.Adjoint)
    assert product.right.span.text == "f(c)'"
    call = product.right.operand
    assert isinstance(call, n.Call)
    assert (call.span.text, call.arguments[0].span.text) == ("f(c)", "c")


def test_places_of_keywords_signs_and_sums() -> None:
    call = parsed("f(a, key = -(b))")
    assert isinstance(call, n.Call)
    argument = call.arguments[1]
    assert argument.span.text == "key = -(b)"
    assert argument.keyword is not None and argument.keyword.span.text == "key"
    assert argument.value.span.text == "-(b)"
    total = parsed("sum over phases (a + b)")
    assert total.span.text == "sum over phases (a + b)"
