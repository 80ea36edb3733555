"""What a certificate says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Measure(Enum):
    """What is bounded, and in what units."""

    OBJECTIVE = "objective"  # F(x_K) - F*, in L |x_0 - x*|^2
    DISTANCE = "distance"  # |x_K - x*|^2, in |x_0 - x*|^2
    GRADIENT = "gradient"  # |grad F(x_K)|^2, in L^2 |x_0 - x*|^2

    def formula(self, objective: str) -> str:
        return {
            Measure.OBJECTIVE: f"{objective}(x_K) - {objective}*",
            Measure.DISTANCE: "|x_K - x*|^2",
            Measure.GRADIENT: f"|grad {objective}(x_K)|^2",
        }[self]

    @property
    def units(self) -> str:
        return {
            Measure.OBJECTIVE: "L |x_0 - x*|^2",
            Measure.DISTANCE: "|x_0 - x*|^2",
            Measure.GRADIENT: "L^2 |x_0 - x*|^2",
        }[self]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the class. `terms`: what of the page's objective it stands for.

    `smoothness` and `strong` are in units of the certificate's L; None: not smooth.
    """

    name: str
    words: str
    terms: str
    smoothness: float | None
    strong: float
    indicator: bool = False
    quadratic: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """The worst case after so many phases.

    Attributes
    ----------
    value
        In the units of the certificate; infinite where the class has no worst case.
    residual
        By how much the worst function that was found is better than the bound that was proved.
    status
        What the solver says.
    """

    phases: int
    value: float
    residual: float
    status: str

    @property
    def inaccurate(self) -> bool:
        return "inaccurate" in self.status or not self.residual <= 1e-6 * max(self.value, 1e-3)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The worst case of an iteration over a class of functions.

    Attributes
    ----------
    unit
        L in numbers, where values are bound: a Lipschitz constant, else 1.
    steps
        Those of the proximal maps, in units of 1 / L.
    assumed
        In words.
    left_out
        The number of phases of the page, where that is more than were looked at.
    besides
        States that the phases keep besides the unknown: where one is a multiplier, nothing follows from the distance
        of x_0 alone.
    """

    name: str
    measure: Measure
    functions: tuple[Function, ...]
    bounds: tuple[Bound, ...]
    unit: float | None
    assumed: tuple[str, ...]
    steps: tuple[float, ...] = ()
    left_out: int = 0
    besides: tuple[str, ...] = ()

    def __getitem__(self, phases: int) -> float:
        """The bound after so many phases."""
        return next(bound.value for bound in self.bounds if bound.phases == phases)

    @property
    def boundless(self) -> bool:
        """Whether the class has no worst case after some number of phases."""
        return any(math.isinf(b.value) and "failed" not in b.status for b in self.bounds)

    @property
    def objective(self) -> str:
        return self.functions[0].name if len(self.functions) == 1 else "F"
