"""Formulas of one entry in sympy and back: stationary points, convexity, derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from unroll_dsl.objectives.formulas import Unfit, walk, within
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text


def solved(
    pieces: Sequence[n.Expr], entry: str, rest: Sequence[str], seconds: int
) -> tuple[str, ...] | None:
    """The stationary points of 1/2 * (z - a)^2 + t * phi(z) on z > 0, of all pieces, as formulas in a, t and
    the parameters; None where sympy does not find them in time, or not in real terms."""
    found: list[str] = []
    for piece in pieces:
        texts = within(seconds, _solve, expression_text(piece), entry, tuple(rest))
        if texts is None:
            return None
        found += [text for text in texts if text not in found]
    return tuple(found)


def _solve(text: str, entry: str, rest: Sequence[str]) -> tuple[str, ...] | None:
    import sympy as sp

    from unroll_dsl.syntax.templates import template

    z, a, t = (sp.Symbol(word, positive=True) for word in (entry, "a_", "t_"))
    phi = to_sympy(template(text), entry, rest)
    s = sp.Symbol("s_", positive=True)
    equation = z - a + t * sp.diff(phi, z)
    root = equation.has(sp.sqrt(z)) or equation.has(z ** sp.Rational(-1, 2))
    if root:  # it does not come back from sqrt(t) by itself
        equation = equation.subs(z, s**2)
    unknown = s if root else z
    numerator = sp.numer(sp.together(equation))
    if not numerator.is_polynomial(unknown) or sp.degree(numerator, unknown) > 2:
        return None
    roots = sp.solve(numerator, unknown)
    points = [r**2 if root else r for r in roots]
    return tuple(from_sympy(sp.simplify(p)) for p in points)


def is_even(value: n.Expr, entry: str, rest: Sequence[str]) -> bool:
    """Whether phi(-x) is phi(x), at points drawn at random."""
    import random

    draw = random.Random(0)
    for _ in range(20):
        values = {word: draw.uniform(1.1, 3) for word in rest}
        x = draw.uniform(0, 4)
        left = evaluate(value, {**values, entry: x})
        right = evaluate(value, {**values, entry: -x})
        if abs(left - right) > 1e-9 * (1 + abs(left)):
            return False
    return True


def is_convex(value: n.Expr, entry: str, rest: Sequence[str]) -> bool:
    """Whether phi is convex where that is proved: a second derivative that is not negative for z > 0."""
    import sympy as sp

    try:
        z = sp.Symbol(entry, positive=True)
        phi = to_sympy(value, entry, rest)
        first, second = sp.diff(phi, z), sp.simplify(sp.diff(phi, z, 2))
        grows = sp.simplify(first).is_nonnegative
        return bool(second.is_nonnegative) and bool(grows)
    except (Unfit, NotImplementedError, TypeError):
        return False


def derivatives(value: n.Expr, entry: str, rest: Sequence[str]) -> tuple[str, str]:
    """The first and the second derivative at `z`, as formulas."""
    import sympy as sp

    z = sp.Symbol(entry, positive=True)
    phi = to_sympy(value, entry, rest)
    first = sp.simplify(sp.diff(phi, z))
    second = sp.simplify(sp.diff(first, z))
    tiny = sp.Symbol("max(z, 1e-12)", positive=True)
    return from_sympy(first.subs(z, tiny)), from_sympy(second.subs(z, tiny))


def breaks(value: n.Expr, entry: str, rest: Sequence[str]) -> Iterator[str]:
    """Where phi changes its formula: the other sides of comparisons with abs(t)."""
    for node in walk(value):
        match node:
            case n.Binary("<" | "<=" | ">" | ">=", left, right):
                sides = [e for e in (left, right) if not _reads(e, entry)]
                yield from (f"0 * a + ({expression_text(e)})" for e in sides)


def _reads(expr: n.Expr, entry: str) -> bool:
    return any(isinstance(e, n.Name) and e.text == entry for e in walk(expr))


_FUNCTIONS = ("sqrt", "log", "exp", "tanh", "sin", "cos", "softplus")


def to_sympy(expr: n.Expr, entry: str, rest: Sequence[str]) -> Any:
    """The formula for a positive entry: abs(t) is t. Parameters are positive."""
    import sympy as sp

    def turn(e: n.Expr) -> Any:
        match e:
            case n.Number(value):
                return sp.Rational(str(value))
            case n.Name(text) if text == entry or text in rest:
                return sp.Symbol(text, positive=True)
            case n.Unary("-", operand):
                return -turn(operand)
            case n.Binary("+", left, right):
                return turn(left) + turn(right)
            case n.Binary("-", left, right):
                return turn(left) - turn(right)
            case n.Binary("*", left, right):
                return turn(left) * turn(right)
            case n.Binary("/", left, right):
                return turn(left) / turn(right)
            case n.Binary("^", left, right):
                return turn(left) ** turn(right)
            case n.Binary(sign, left, right) if sign in ("<", "<=", ">", ">="):
                relation = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge}[sign]
                return relation(turn(left), turn(right))
            case n.Call(n.Name("abs"), (n.Argument(None, value),)):
                return turn(value)
            case n.Call(n.Name("softplus"), (n.Argument(None, value),)):
                return sp.log(1 + sp.exp(turn(value)))
            case n.Call(n.Name(word), (n.Argument(None, value),)) if word in _FUNCTIONS:
                return getattr(sp, word)(turn(value))
            case n.Call(n.Name("where"), (c, yes, no)):
                return sp.Piecewise((turn(yes.value), turn(c.value)), (turn(no.value), True))
        raise Unfit(f"`{expression_text(e)}` is not known to the algebra of penalties")

    return turn(expr)


def from_sympy(expr: Any) -> str:
    """A formula in the language; roots of what may be negative are those of its positive part."""
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):  # type: ignore[misc]  # sympy has no types
        def _print_Pow(self, e: Any, rational: bool = False) -> str:
            if e.exp == 1 / 2 or str(e.exp) == "1/2":
                return f"sqrt(relu({self._print(e.base)}))"
            if str(e.exp) == "-1/2":
                return f"(1 / sqrt(relu({self._print(e.base)})))"
            if e.exp == -1:
                return f"(1 / ({self._print(e.base)}))"
            return f"({self._print(e.base)})^({self._print(e.exp)})"

        def _print_Symbol(self, e: Any) -> str:
            return str({"a_": "a", "t_": "t"}.get(e.name, e.name))

        def _print_Piecewise(self, e: Any) -> str:
            text = self._print(e.args[-1].expr)
            for pair in reversed(e.args[:-1]):
                text = f"where({self._print(pair.cond)}, {self._print(pair.expr)}, {text})"
            return str(text)

    return str(Printer({"order": "none"}).doprint(expr))


def evaluate(expr: n.Expr, values: dict[str, float]) -> float:
    """A formula at numbers."""
    import math

    def turn(e: n.Expr) -> Any:
        match e:
            case n.Number(value):
                return value
            case n.Name(text) if text in values:
                return values[text]
            case n.Unary("-", operand):
                return -turn(operand)
            case n.Binary(sign, left, right):
                a, b = turn(left), turn(right)
                return _OPERATORS[sign](a, b)
            case n.Call(n.Name("where"), (c, yes, no)):
                return turn(yes.value) if turn(c.value) else turn(no.value)
            case n.Call(n.Name("softplus"), (x,)):
                return math.log1p(math.exp(turn(x.value)))
            case n.Call(n.Name("abs"), (x,)):
                return abs(turn(x.value))
            case n.Call(n.Name(word), (x,)) if word in _FUNCTIONS:
                return getattr(math, word)(turn(x.value))
        raise Unfit(f"`{expression_text(e)}` is not known to the algebra of penalties")

    try:
        return float(turn(expr))
    except (ValueError, ZeroDivisionError, OverflowError, KeyError):
        return math.nan


_OPERATORS: dict[str, Any] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a**b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
}  # fmt: skip
