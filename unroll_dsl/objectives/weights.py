"""Scalar factors as monomials, so that `(1/2) * 2 * lambda / L` comes out as `lambda / L`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.tidy import binary, negative, number, times


@dataclass(frozen=True, slots=True)
class Power:
    """A scalar formula to a whole power; equal texts are equal formulas."""

    text: str
    expr: n.Expr
    exponent: int


@dataclass(frozen=True, slots=True)
class Weight:
    """A number times powers of scalar formulas."""

    number: Fraction = Fraction(1)
    powers: tuple[Power, ...] = ()

    @staticmethod
    def of(expr: n.Expr | int | str) -> Weight:
        """The monomial that a scalar expression is; a sum is one factor."""
        match expr:
            case int():
                return Weight(Fraction(expr))
            case str():
                return Weight(Fraction(1), (Power(expr, n.Name(expr, number(0).span), 1),))
            case n.Number(value):
                return Weight(Fraction(str(value)))
            case n.Unary("-", operand):
                return Weight.of(operand) * Weight(Fraction(-1))
            case n.Binary("*", left, right):
                return Weight.of(left) * Weight.of(right)
            case n.Binary("/", left, right) if not _is_zero(right):
                return Weight.of(left) / Weight.of(right)
            case n.Binary("^", base, n.Number(value)) if isinstance(value, int):
                return Weight.of(base) ** value
            case _:
                return Weight(Fraction(1), (Power(expression_text(expr), expr, 1),))

    def __mul__(self, other: Weight) -> Weight:
        found = {power.text: power for power in self.powers}
        for power in other.powers:
            before = found.pop(power.text, None)
            exponent = power.exponent + (before.exponent if before else 0)
            if exponent:
                found[power.text] = Power(power.text, power.expr, exponent)
        return Weight(self.number * other.number, tuple(found.values()))

    def __truediv__(self, other: Weight) -> Weight:
        return self * other**-1

    def __pow__(self, exponent: int) -> Weight:
        powers = tuple(Power(p.text, p.expr, p.exponent * exponent) for p in self.powers)
        return Weight(self.number**exponent, powers if exponent else ())

    def root(self) -> Weight:
        """Its square root: exact where all powers are even."""
        top, bottom = isqrt(abs(self.number.numerator)), isqrt(self.number.denominator)
        square = Fraction(top**2, bottom**2) == self.number
        if square and all(p.exponent % 2 == 0 for p in self.powers):
            powers = tuple(Power(p.text, p.expr, p.exponent // 2) for p in self.powers)
            return Weight(Fraction(top, bottom), powers)
        expr = self.expr()
        argument = n.Argument(None, expr, expr.span)
        return Weight.of(n.Call(n.Name("sqrt", expr.span), (argument,), expr.span))

    @property
    def is_one(self) -> bool:
        return self.number == 1 and not self.powers

    @property
    def is_zero(self) -> bool:
        return self.number == 0

    def expr(self) -> n.Expr:
        """As a formula: `lambda / L`, `1 / (2 * n)`, `1/2`."""
        return _quotient(self._numerator(), self._denominator())

    def times(self, expr: n.Expr) -> n.Expr:
        """`expr` with the weight as a person writes it: `A' @ r / L`, `2 * lambda * x`."""
        if self.is_zero:
            return number(0)
        positive = Weight(abs(self.number), self.powers)
        numerator, denominator = positive._numerator(), positive._denominator()
        if denominator is not None and abs(self.number.numerator) == 1 and numerator is None:
            product = binary("/", expr, denominator)
        else:
            product = times(positive.expr(), expr)
        return negative(product) if self.number < 0 else product

    def _numerator(self) -> n.Expr | None:
        whole = float(self.number) if self._decimal else self.number.numerator
        return _product(whole, (p for p in self.powers if p.exponent > 0))

    def _denominator(self) -> n.Expr | None:
        whole = 1 if self._decimal else self.number.denominator
        return _product(whole, (p for p in self.powers if p.exponent < 0))

    @property
    def _decimal(self) -> bool:
        """Whether the number is better written as 0.1 than as 1/10."""
        return self.number.denominator > 9 and len(repr(float(self.number))) <= 6


ONE = Weight()


def _is_zero(expr: n.Expr) -> bool:
    return isinstance(expr, n.Number) and expr.value == 0


def _product(whole: int | float, powers: Iterable[Power]) -> n.Expr | None:
    result: n.Expr | None = None if whole == 1 else number(whole)
    for power in powers:
        exponent = abs(power.exponent)
        factor = power.expr
        if exponent != 1:
            factor = n.Binary("^", factor, number(exponent), factor.span, factor.span)
        result = factor if result is None else binary("*", result, factor)
    return result


def _quotient(numerator: n.Expr | None, denominator: n.Expr | None) -> n.Expr:
    if denominator is None:
        return numerator or number(1)
    if isinstance(denominator, n.Number) and numerator is not None:
        value = 1 / denominator.value
        if isinstance(numerator, n.Number):
            exact = numerator.value / denominator.value
            return _fraction(numerator, denominator, exact)
        if value == 0.5 or len(repr(value)) > 6:
            return binary("/", numerator, denominator)
    return binary("/", numerator or number(1), denominator)


def _fraction(numerator: n.Number, denominator: n.Number, exact: float) -> n.Expr:
    """`1/2` and `2/3` as they are, decimal fractions as decimals: 0.05."""
    if denominator.value <= 9:
        return binary("/", numerator, denominator)
    return number(exact)


def folded(expr: n.Expr) -> n.Expr:
    """The expression with the numbers of each product taken together: `2 * (1/2) * x` is x."""
    match expr:
        case n.Binary("*" | "/" as sign, left, right):
            first, second = folded(left), folded(right)
            product = binary(sign, first, second)
            if _numbers(product) < 2 or _has_map(product):
                return product
            return Weight.of(product).expr()
        case n.Binary("+", n.Number(a), n.Number(b)):
            return number(a + b)
        case n.Binary(sign, left, right):
            return binary(sign, folded(left), folded(right)) if sign in "+-@" else expr
        case n.Unary("-", operand):
            return negative(folded(operand))
        case n.Call(_, arguments):
            given = tuple(dataclasses.replace(a, value=folded(a.value)) for a in arguments)
            return dataclasses.replace(expr, arguments=given)
        case _:
            return expr


def _numbers(expr: n.Expr) -> int:
    match expr:
        case n.Number():
            return 1
        case n.Binary("*" | "/", left, right):
            return _numbers(left) + _numbers(right)
        case n.Unary("-", operand):
            return _numbers(operand)
    return 0


def _has_map(expr: n.Expr) -> bool:
    """Whether a factor is a product of maps, whose order counts."""
    match expr:
        case n.Binary("@"):
            return True
        case n.Binary("*" | "/", left, right):
            return _has_map(left) or _has_map(right)
    return False
