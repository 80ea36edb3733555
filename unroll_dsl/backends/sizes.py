"""The values of dimension symbols, from the shapes of what is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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

    An equation is used once a single symbol in it, in a linear term, is left unknown: `g * d = 60` with
    d = 3 gives g = 20. Returns the sizes found, and a diagnostic for each contradiction.
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
                value = _root(rest, symbol, equation.value)
                pending.remove(equation)
                if value is None:
                    problems.append(_contradiction(equation, -1, sources))
                else:
                    sizes[symbol] = value
                    sources[symbol] = equation.source
                    progress = True
        if progress:
            continue
        if defaulted:
            return sizes, problems
        defaulted = True
        for name, default in defaults.items():
            if default is not None and name not in sizes:
                sizes[name] = default
                sources[name] = "its default"


def _root(dim: Dim, symbol: str, value: int) -> int | None:
    """The size of `symbol` for which `dim` is `value`; None if there is none that is at least 1."""
    slope = sum(c for monomial, c in dim.terms if monomial == (symbol,))
    offset = sum(c for monomial, c in dim.terms if monomial == ())
    if any(len(monomial) > 1 for monomial, _ in dim.terms):
        roots = [n for n in range(1, value + 1) if dim.substitute({symbol: n}).value == value]
        return roots[0] if roots else None
    if slope == 0 or (value - offset) % slope:
        return None
    found = (value - offset) // slope
    return found if found >= 1 else None


def _contradiction(
    equation: Equation, expected: int, sources: Mapping[str, str]
) -> SizeContradiction:
    by = [sources[symbol] for symbol in sorted(equation.dim.symbols) if symbol in sources]
    first_source = " and ".join(dict.fromkeys(by)) or "the program"
    return SizeContradiction(
        str(equation.dim), expected, first_source, equation.value, equation.source, equation.origin
    )
