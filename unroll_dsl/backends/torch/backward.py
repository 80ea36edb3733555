"""How the derivatives of a loss are computed: what a training step keeps, and how far it goes back.

    unroll      through all phases (UNROLL)
    truncated   through the last phases alone (TRUNCATED)
    implicit    of the fixed point that the phases come near to, from the last one alone (IMPLICIT)

All give the same network: values, parameters and their names do not differ. A network at rest
(resting.py) has the derivatives of its fixed point and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.errors import GradientRefused, PhasesInvalid
from unroll_dsl.backends.resting import Rest, counts, no_phases, own, sums
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph


@dataclass(frozen=True, slots=True)
class Backward:
    """`checkpoint`: states between phases are kept alone. `implicit`: see above. `through`: the number
    of last phases that have derivatives; None: all. `rest`: phases are run until they rest."""

    checkpoint: bool = False
    implicit: bool = False
    through: int | None = None
    rest: Rest | None = None

    @property
    def alike(self) -> bool:
        """Whether all phases are one map, the first and the last too."""
        return self.implicit or self.rest is not None


UNROLL = Backward()


def backward(
    graph: Graph, checkpoint: str | None, gradient: str | int, rest: Rest | None = None
) -> Backward:
    """What the arguments of `compile` ask for.

    Raises
    ------
    ValueError
        For words that it does not have.
    UnrollError
        Where a program has no such gradient, with the reason.
    """
    if checkpoint not in (None, "phase"):
        raise ValueError(f'checkpoint is "phase" or None, found {checkpoint!r}')
    kept = checkpoint == "phase"
    if rest is not None:
        if kept or gradient not in ("unroll", "implicit"):
            raise ValueError(
                'phases="fixed_point" has the gradient of its fixed point, and no other'
            )
        return Backward(rest=rest)
    if gradient == "unroll":
        return Backward(kept)
    if gradient == "implicit":
        if kept:
            raise ValueError('gradient="implicit" keeps one phase: leave out checkpoint')
        _refuse(graph, gradient, (no_phases(graph), own(graph), counts(graph), sums(graph)))
        return Backward(implicit=True)
    if isinstance(gradient, int) and not isinstance(gradient, bool):
        if gradient < 1:
            raise UnrollError([PhasesInvalid(str(gradient))])
        _refuse(graph, "truncated", (no_phases(graph), own(graph)))
        return Backward(kept, through=gradient)
    raise ValueError(
        f'gradient is "unroll", "implicit" or the number of last phases, found {gradient!r}'
    )


def _refuse(graph: Graph, gradient: str, found: tuple[str | None, ...]) -> None:
    problems = [GradientRefused(graph.name, gradient, why) for why in found if why is not None]
    if problems:
        raise UnrollError(problems[:1])
