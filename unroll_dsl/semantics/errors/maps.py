"""Linear maps that are made of too many others."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["MapTooDeep", "MapTooLong"]


@dataclass(frozen=True)
class MapTooDeep(Diagnostic):
    """A linear map is made of maps that are made of maps, further than the compiler follows.

    A map is never turned into a matrix: each `let` that is made of the map before is one level more. Wrong, 200 of these:

        let B1 = B0 + 0.5 * I
        let B2 = B1 + 0.5 * I

    Right, with the numbers added up:

        let B = B0 + 100 * I
    """

    code = "U0323"
    title = "map that is too deep"
    span: Span
    limit: int

    def message(self) -> str:
        return f"this map is made of more than {self.limit} maps, one within the other"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "too deep here"),)

    def help(self) -> str | None:
        return "apply a part of it first: `r = B @ x` is a value, of which the next map is applied"


@dataclass(frozen=True)
class MapTooLong(Diagnostic):
    """To apply a linear map once, the maps that it is made of are applied more often than the compiler follows.

    A map is never turned into a matrix. What the same part makes of the same value is computed once. Wrong, since each of these applies
    the one before twice, the last one the first map 1024 times:

        let B1 = B0 + B0' @ B0
        let B2 = B1 + B1' @ B1
        let B3 = B2 + B2' @ B2
        ...
        let B10 = B9 + B9' @ B9

    Right, with matrices, which are multiplied once, as the network is made:

        fixed B0 : matrix[n, n]
        let B1 = B0 + B0' @ B0
    """

    code = "U0348"
    title = "map of too many maps"
    span: Span
    limit: int

    def message(self) -> str:
        return f"to apply this map, the maps that it is made of are applied more than {self.limit} times"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "applied here"),)

    def help(self) -> str | None:
        return (
            "declare what it is made of as matrices, which are multiplied once, or apply fewer maps"
        )
