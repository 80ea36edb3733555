"""Runs beside each other and beside classical iterations, opened and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unroll_dsl.data.errors import DataError
from unroll_dsl.runs.classical import fitted, names_of, untrained
from unroll_dsl.runs.compare import Comparison, compare
from unroll_dsl.runs.reading import Asked, open_solver
from unroll_dsl.runs.solver import same


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and sentences on what it does not show."""

    comparison: Comparison
    notes: tuple[str, ...]


def compared_runs(
    paths: Sequence[Path], asked: Asked, classical: Sequence[str], iterations: int | None = None
) -> Compared:
    """Open networks and compare them with classical algorithms, by default the first one untrained.

    Parameters
    ----------
    classical
        Words such as `ista,fista` or `ista:lambda=0.05`.
    iterations
        How many of classical ones, by default as many as time allows.

    Raises
    ------
    DataError
        If a value is to be bound that none of the networks has, or data do not fit.
    DoesNotFit
        If a classical algorithm does not fit the first network.
    """
    opened = [open_solver(path, asked) for path in paths]
    known = {c.name for solver, *_ in opened for c in solver.spec.graph.constants}
    for name in set(asked.bind) - known:
        raise DataError(f"none of these networks has a `{name}` to bind")
    networks = [(solver, samples) for solver, samples, _ in opened]
    first, samples = networks[0]
    words = names_of(classical)
    beside = [(fitted(w, first, samples[0], first.phases), samples) for w in words]
    if not words:
        start = untrained(first, first.phases)
        beside = [(start, samples)] if start is not None else []
    notes = [
        f"note: {solver.name} is judged on other data than {first.name}"
        for solver, other in networks[1:]
        if not same(other, samples)
    ]
    if not beside:
        notes.append(
            f"`{first.spec.name}` starts at random and is no classical iteration: name some, "
            "`--classical NAMES`"
        )
    return Compared(compare(networks, beside, opened[0][2], iterations), tuple(notes))
