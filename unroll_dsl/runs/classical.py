"""A packaged algorithm on the problem of a run: which of its names are which of the run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.ir.graph import Random
from unroll_dsl.loading import load
from unroll_dsl.runs.learned import is_classical
from unroll_dsl.runs.solver import Samples, Solver
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array


class DoesNotFit(ValueError):
    """An algorithm that has no place for the data of a run, and what hinders it."""


def untrained(solver: Solver, phases: int) -> Solver | None:
    """The classical iteration that a network started from; None where its start is drawn at random."""
    drawn = {
        p.name
        for p in solver.spec.graph.parameters
        if p.trainable and isinstance(p.initial, Random)
    }
    if drawn - set(solver.start) or not solver.has_phases:
        return None
    taught = [p.name for p in solver.spec.graph.parameters if p.trainable]
    spec = solver.spec.with_roles(fix=taught)  # one copy of what is the same in every phase
    fixed = {c.name for c in spec.graph.constants}
    values = {name: value for name, value in solver.start.items() if name not in fixed}
    return replace(
        solver,
        name=f"{solver.name}, untrained",
        spec=spec,
        phases=phases,
        bind={**solver.bind, **{k: v for k, v in solver.start.items() if k in fixed}},
        values=values,
        parameters=0,
        classical=True,
    )


def fitted(word: str, like: Solver, samples: Samples, phases: int) -> Solver:
    """`NAME` or `NAME:constant=value,...` as a solver of the problem that `like` solves.

    Names that both programs have mean the same; other inputs and constants are matched in order, by
    their rank. Values given with the word override those of the run.

    Raises
    ------
    DoesNotFit
        If something of the algorithm has no counterpart.
    UnrollError
        If there is no such algorithm, or sizes do not agree.
    """
    name, _, settings = word.partition(":")
    spec = load(name)
    given = _settings(word, settings, spec)
    if not is_classical(spec.graph):
        raise DoesNotFit(f"`{name}` begins at random: untrained it is no classical iteration")
    order = _inputs(spec, like)
    bind = _constants(spec, like, given)
    found = Solver(word, spec, phases, bind, {}, order=order, classical=True)
    found = replace(found, dims=_sizes(found, like))
    one = samples.first(1)
    output = found.compared(found.network(1)(*found.inputs(one)))
    if output.numel() != one.truth.numel():
        raise DoesNotFit(
            f"`{name}` gives {list(output.shape[1:])} where the truth is {list(one.truth.shape[1:])}"
        )
    return found


def _sizes(found: Solver, like: Solver) -> dict[str, int]:
    """The sizes that nothing bound to the algorithm tells, as the run has them under their names."""
    told = bind_values(found.spec.graph, 1, found.bind, {}, {}).sizes
    names = [name for name, _ in found.spec.graph.dims]
    return {name: like.dims[name] for name in names if name not in told and name in like.dims}


def _settings(word: str, text: str, spec: Spec) -> dict[str, float]:
    known = [c.name for c in spec.graph.constants]
    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition("=")
        if not sign or name not in known:
            raise DoesNotFit(
                f"`{word}`: {name!r} is no constant of {spec.name} ({', '.join(known)})"
            )
        try:
            found[name] = float(value)
        except ValueError:
            raise DoesNotFit(f"`{word}`: {value!r} is no number") from None
    return found


def _inputs(spec: Spec, like: Solver) -> tuple[int, ...]:
    """For each input of the algorithm, the place of its counterpart among those of the run."""
    ours = list(like.spec.graph.inputs)
    names = [entry.name for entry in ours]
    meant = {names.index(entry.name) for entry in spec.graph.inputs if entry.name in names}
    places: list[int] = []
    for entry in spec.graph.inputs:
        same = names.index(entry.name) if entry.name in names else None
        alike = [
            i
            for i, other in enumerate(ours)
            if i not in meant and i not in places and other.type.rank == entry.type.rank
        ]
        if same is None and not alike:
            raise DoesNotFit(
                f"`{spec.name}` wants {entry.name} : {entry.type}, "
                f"{like.spec.name} has {', '.join(f'{o.name} : {o.type}' for o in ours)}"
            )
        places.append(same if same is not None else alike[0])
    return tuple(like.order[i] if like.order else i for i in places)


def _constants(spec: Spec, like: Solver, given: Mapping[str, float]) -> dict[str, Any]:
    reference = like.spec.reference(1, bind=like.bind, dims=like.dims)
    ours = {c.name: c for c in like.spec.graph.constants}
    wanted = spec.graph.constants
    taken = {c.name for c in wanted if c.name in ours}
    bind: dict[str, Any] = {}
    for constant in wanted:
        if constant.name in given:
            bind[constant.name] = given[constant.name]
            continue
        name = constant.name if constant.name in ours else None
        if name is None:
            alike = [n for n, c in ours.items() if n not in taken and _alike(c.type, constant.type)]
            name = alike[0] if alike else None
        if name is None:
            if constant.default is None:
                raise DoesNotFit(
                    f"`{spec.name}` wants {constant.name} : {constant.type}, "
                    f"for which {like.spec.name} has nothing"
                )
            continue
        taken.add(name)
        value = like.bind[name] if name in like.bind else reference.constant(name)
        bind[constant.name] = value if np.ndim(value) else float(value)
    return bind


def _alike(ours: Any, wanted: Any) -> bool:
    if isinstance(ours, Array) and isinstance(wanted, Array):
        return ours.rank == wanted.rank and ours.form == wanted.form
    return type(ours) is type(wanted)


def names_of(words: Sequence[str]) -> tuple[str, ...]:
    """The words of `--classical ista,fista:lambda=0.1`, where a comma also parts settings."""
    found: list[str] = []
    for part in ",".join(words).split(","):
        if "=" in part and ":" not in part and found:
            found[-1] += f",{part}"
        elif part:
            found.append(part)
    return tuple(found)
