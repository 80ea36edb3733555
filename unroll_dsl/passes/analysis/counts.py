"""Polynomials in dimensions with rational coefficients: numbers of operations and of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from unroll_dsl.types import Dim, Shape
from unroll_dsl.types.dims import Monomial


@dataclass(frozen=True, slots=True)
class Count:
    """A sum of rational multiples of monomials in dimension symbols, in normal form."""

    terms: tuple[tuple[Monomial, Fraction], ...] = ()

    @staticmethod
    def of(value: Count | Dim | int | Fraction) -> Count:
        match value:
            case Count():
                return value
            case Dim(terms):
                return Count(tuple((m, Fraction(c)) for m, c in terms))
            case _:
                return Count((((), Fraction(value)),) if value else ())

    @staticmethod
    def entries(shape: Shape) -> Count:
        """The number of entries of an array."""
        total = Count.of(1)
        for dim in shape:
            total = total * dim
        return total

    def __add__(self, other: Count | Dim | int) -> Count:
        found = dict(self.terms)
        for monomial, coefficient in Count.of(other).terms:
            found[monomial] = found.get(monomial, Fraction()) + coefficient
        return _normal(found)

    def __mul__(self, other: Count | Dim | int | Fraction) -> Count:
        found: dict[Monomial, Fraction] = {}
        for m1, c1 in self.terms:
            for m2, c2 in Count.of(other).terms:
                key = tuple(sorted(m1 + m2))
                found[key] = found.get(key, Fraction()) + c1 * c2
        return _normal(found)

    def __rmul__(self, other: int | Fraction) -> Count:
        return self * other

    def substitute(self, sizes: Mapping[str, int]) -> Count:
        total = Count()
        for monomial, coefficient in self.terms:
            product = Count.of(coefficient)
            for symbol in monomial:
                size = sizes.get(symbol)
                product = product * (Dim.of(symbol) if size is None else size)
            total = total + product
        return total

    @property
    def value(self) -> int | None:
        """The number, rounded, or None where symbols remain."""
        if any(monomial for monomial, _ in self.terms):
            return None
        return round(sum(coefficient for _, coefficient in self.terms))

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        # the highest powers first
        ordered = sorted(self.terms, key=lambda term: (-len(term[0]), term[0]))
        words = ""
        for monomial, coefficient in ordered:
            size = abs(coefficient)
            factors = [] if size == 1 and monomial else [str(size)]
            factors += [
                symbol if monomial.count(symbol) == 1 else f"{symbol}^{monomial.count(symbol)}"
                for symbol in dict.fromkeys(monomial)
            ]
            sign = (
                ("-" if coefficient < 0 else "")
                if not words
                else (" - " if coefficient < 0 else " + ")
            )
            words += sign + " ".join(factors)
        return words


def _normal(terms: Mapping[Monomial, Fraction]) -> Count:
    return Count(tuple(sorted((m, c) for m, c in terms.items() if c)))
