"""Dimensions: polynomials with integer coefficients in dimension symbols.

`m`, `8`, `n - 1` and `g * d` are dimensions. They are kept in a normal form, so that equal
dimensions are equal values.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_TERMS = 1000  # of a polynomial, multiplied out; that of a page has three or four
_DEGREE = 64
_LARGEST = 2**256  # of a coefficient: no array has nearly as many entries


class SizeTooLong(ArithmeticError):
    """A size that has no end when it is multiplied out: a product of forty sums has 2^40 terms."""


Monomial = tuple[str, ...]  # symbols in order, repeated for powers; () is the constant


@dataclass(frozen=True, slots=True)
class Dim:
    """A sum of integer multiples of monomials, in normal form (sorted, no zero coefficients)."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(value: int | str | Dim) -> Dim:
        match value:
            case Dim():
                return value
            case int():
                return Dim((((), value),) if value else ())
            case str():
                return Dim((((value,), 1),))

    @staticmethod
    def _from(terms: Mapping[Monomial, int]) -> Dim:
        for monomial, coefficient in terms.items():
            if len(monomial) > _DEGREE or abs(coefficient) > _LARGEST:
                raise SizeTooLong(
                    "a size has numbers of 256 bits and products of 64 symbols at most"
                )
        return Dim(tuple(sorted((m, c) for m, c in terms.items() if c)))

    def __add__(self, other: Dim | int) -> Dim:
        terms = dict(self.terms)
        for monomial, coefficient in Dim.of(other).terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return Dim._from(terms)

    def __neg__(self) -> Dim:
        return Dim(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Dim | int) -> Dim:
        return self + (-Dim.of(other))

    def __mul__(self, other: Dim | int) -> Dim:
        terms: dict[Monomial, int] = {}
        factors = Dim.of(other).terms
        if len(self.terms) * len(factors) > _TERMS:
            raise SizeTooLong(f"a size has {_TERMS} terms at most, when it is multiplied out")
        for m1, c1 in self.terms:
            for m2, c2 in factors:
                key = tuple(sorted(m1 + m2))
                terms[key] = terms.get(key, 0) + c1 * c2
        return Dim._from(terms)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(s for monomial, _ in self.terms for s in monomial)

    @property
    def value(self) -> int | None:
        """The integer that this is, or None where symbols remain."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == ():
            return self.terms[0][1]
        return None

    def over(self, factor: int | Dim) -> Dim | None:
        """A factor-th of it, or None where that is not a whole number whatever the symbols are.

        A factor is a number or a product of symbols, `2 * s`; none is found for a sum of them.
        """
        divisor = Dim.of(factor)
        if len(divisor.terms) != 1:
            return None
        ((symbols, number),) = divisor.terms
        terms: dict[Monomial, int] = {}
        for monomial, coefficient in self.terms:
            rest = Counter(monomial)
            rest.subtract(symbols)
            if coefficient % number or min(rest.values(), default=0) < 0:
                return None
            terms[tuple(sorted(rest.elements()))] = coefficient // number
        return Dim._from(terms)

    def substitute(self, sizes: Mapping[str, int | Dim]) -> Dim:
        total = Dim(())
        for monomial, coefficient in self.terms:
            product = Dim.of(coefficient)
            for symbol in monomial:
                product = product * Dim.of(sizes.get(symbol, symbol))
            total = total + product
        return total

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        # symbols first, the constant last: n - 1
        ordered = sorted(self.terms, key=lambda term: (term[0] == (), -len(term[0]), term[0]))
        text = ""
        for monomial, coefficient in ordered:
            factors = [str(abs(coefficient))] if abs(coefficient) != 1 or not monomial else []
            body = " * ".join(factors + list(monomial))
            if not text:
                text = f"-{body}" if coefficient < 0 else body
            else:
                text += f" - {body}" if coefficient < 0 else f" + {body}"
        return text


ONE = Dim.of(1)


def entries(shape: Iterable[Dim]) -> Dim:
    """How many entries an array of this shape has."""
    return math.prod(shape, start=ONE)
