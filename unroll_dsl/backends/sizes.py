"""The values of dimension symbols, from the shapes of what is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isqrt

from unroll_dsl.backends.errors import SizeContradiction
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import Span
from unroll_dsl.types import Dim


@dataclass(frozen=True, slots=True)
class Equation:
    """A dimension that was seen to be a number."""

    dim: Dim
    value: int
    source: str
    origin: Span | None = None


def solve(
    equations: Iterable[Equation], given: Mapping[str, int], defaults: Mapping[str, int | None]
) -> tuple[dict[str, int], list[Diagnostic]]:
    """Solve for symbols, first from `given` and the equations, then with defaults.

    An equation is used once a single symbol in it is left unknown: `g * d = 60` with d = 3 gives
    g = 20. Returns the sizes found, and a diagnostic for each contradiction.
    """
    sizes = dict(given)
    sources = dict.fromkeys(given, "`dims`")
    pending = list(equations)
    problems: list[Diagnostic] = []
    defaulted = False
    while True:
        progress = False
        for equation in list(pending):
            rest = equation.dim.substitute(sizes)
            if rest.value is not None:
                pending.remove(equation)
                if rest.value != equation.value:
                    problems.append(_contradiction(equation, rest.value, sources))
            elif len(rest.symbols) == 1:
                symbol = next(iter(rest.symbols))
                match _roots(rest, symbol, equation.value):
                    case (value,):
                        sizes[symbol] = value
                        sources[symbol] = equation.source
                        progress = True
                    case ():
                        problems.append(_contradiction(equation, None, sources))
                    case _:
                        continue  # others may tell which of them
                pending.remove(equation)
        if progress:
            continue
        if defaulted:
            # a square matrix of the wrong size would be reported for each of its sides
            return sizes, list(dict.fromkeys(problems))
        defaulted = True
        for name, default in defaults.items():
            if default is not None and name not in sizes:
                sizes[name] = default
                sources[name] = "its default"


def _roots(dim: Dim, symbol: str, value: int) -> tuple[int, ...]:
    """The sizes of `symbol`, at least 1, for which `dim` is `value`."""
    coefficients = {len(monomial): c for monomial, c in dim.terms}  # by the power of `symbol`
    coefficients[0] = coefficients.get(0, 0) - value
    # an integer root divides the lowest coefficient that is not 0
    lowest = abs(coefficients[min(power for power, c in coefficients.items() if c)])
    small = [n for n in range(1, isqrt(lowest) + 1) if lowest % n == 0]
    candidates = sorted({*small, *(lowest // n for n in small)})
    return tuple(n for n in candidates if dim.substitute({symbol: n}).value == value)


def _contradiction(
    equation: Equation, expected: int | None, sources: Mapping[str, str]
) -> SizeContradiction:
    """`expected` is what the dimension is by what came before, or None: no size makes it true."""
    by = [sources[symbol] for symbol in sorted(equation.dim.symbols) if symbol in sources]
    first_source = " and ".join(dict.fromkeys(by)) or "the program"
    return SizeContradiction(
        str(equation.dim), expected, first_source, equation.value, equation.source, equation.origin
    )
