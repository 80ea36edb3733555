"""Why types do not combine: what the rules of types/ and the records of operators/ answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Why(Enum):
    """The kind of a mismatch, by which a stage finds its words."""

    ARGUMENT = auto()  # an argument of a function is not what it takes
    SHAPES = auto()  # two operands have no shape in common
    SPACE = auto()  # a map or a matrix is applied to what does not lie in its space
    ENDS = auto()  # two maps do not meet: one ends elsewhere than the other begins
    NOT_A_MAP = auto()  # something else stands where a map is applied
    NOT_A_VALUE = auto()  # a map or a layer stands where an array is asked for
    OPERATOR = auto()  # a map that does not act, for a reason of its own: a kernel that is none
    NOT_SQUARE = auto()  # a system that is no map of a space to itself


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why arguments do not fit. `argument` counts from 0; None is the call as a whole."""

    argument: int | None
    expected: str
    found: str
    help: str | None = None
    why: Why = Why.ARGUMENT

    def __str__(self) -> str:
        return f"expected {self.expected}, found {self.found}"


def no_value(place: int | None, type_: object) -> Mismatch:
    """A map or a layer where an array is asked for."""
    return Mismatch(place, "an array", str(type_), why=Why.NOT_A_VALUE)
