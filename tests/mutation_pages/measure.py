"""What `check` catches of a page's mutants, alone and against the page as it was."""

from __future__ import annotations

import dataclasses
from enum import Enum

import numpy as np

from tests.mutation_pages.mutants import Mutant
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.spec import Spec
from unroll_dsl.verify.against import check_against, check_other_constants
from unroll_dsl.verify.agreement import ReferenceRun
from unroll_dsl.verify.cases import Case, cases
from unroll_dsl.verify.derived import exact
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.networks import with_random_starts
from unroll_dsl.verify.objective import check_along, check_minimiser
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.settling import End, Settled, idle, repeatable, settle

_PHASES = (1, 4)
_SAME = 1e-9
_SAME_POINT = 1e-5
_SAME_VALUE = 1e-5  # of the objective
_WORK = 1_500_000  # calls of torch for a long run: more than `check` may take


class Effect(Enum):
    """What a mistake changes."""

    NOTHING = "nothing"
    FIXED_POINT = "fixed point"  # or there is none any more
    RATE = "output or rate"  # alone: where it leads is the same, or there is no objective


@dataclasses.dataclass(frozen=True)
class Outcome:
    mutant: Mutant
    effect: Effect
    alone: bool
    against: bool


def measured(original: Spec, mutant: Mutant, seed: int = 0) -> Outcome:
    """Effect and fate of a mutant; rows of `check` that no page can fail by itself are not run."""
    spec = mutant.spec.over(exact(mutant.spec.graph))
    right = original.over(exact(original.graph))
    with np.errstate(all="ignore"):
        try:
            if not _changes(right, spec, seed):
                return Outcome(mutant, Effect.NOTHING, False, False)
            effect = _effect(right, spec, seed)
            rows = _alone(spec, seed)
        except RecursionError:  # a constant that is made of itself is no page
            return Outcome(mutant, Effect.NOTHING, False, False)
        except UnrollError:  # told in words: caught
            return Outcome(mutant, Effect.FIXED_POINT, True, True)
        alone = _failed(rows)
        return Outcome(mutant, effect, alone, alone or _failed(_against(spec, right, seed)))


def fault(page: Spec, seed: int = 0) -> str:
    """What fails of a page as it is, alone or against itself, in words; "" where nothing does.

    The mutants of a page with a fault are no evidence: they would fail with it.
    """
    spec = page.over(exact(page.graph))
    with np.errstate(all="ignore"):
        try:
            rows = _alone(spec, seed) + _against(spec, spec, seed)
        except UnrollError as error:
            return error.diagnostics[0].message()
    return next((f"{r.name} {r.detail}" for r in rows if r.verdict is Verdict.FAILED), "")


def _failed(rows: list[Row]) -> bool:
    return any(row.verdict is Verdict.FAILED for row in rows)


def _alone(spec: Spec, seed: int) -> list[Row]:
    instance = _instance(spec, seed, constants=False)
    broken = ReferenceRun.of(spec, instance, _PHASES[-1]).not_finite()
    if broken:
        return [Row("torch against NumPy", "finite", Verdict.FAILED, detail=broken)]
    rows = check_along(spec, instance, _PHASES[-1], [])
    return rows if _failed(rows) else rows + check_minimiser(spec, cases(spec, seed, None), seed)


def _against(spec: Spec, right: Spec, seed: int) -> list[Row]:
    phases = _PHASES[-1]
    try:
        rows = check_against(spec, right, _instance(spec, seed, constants=False), phases)
        if _failed(rows):
            return rows
        return rows + check_other_constants(spec, right, seed, None, phases)
    except UnrollError as error:
        return [Row("against", "runs", Verdict.FAILED, detail=error.diagnostics[0].message())]


def _instance(spec: Spec, seed: int, *, constants: bool) -> Instance:
    norm = 3.0 if constants else None
    drawn = draw(spec.graph, seed=seed, batch=2, norm=norm, constants=constants)
    return with_random_starts(spec, drawn, _PHASES[-1])


def _changes(right: Spec, spec: Spec, seed: int) -> bool:
    """Whether outputs differ after one phase or several, on one of two instances."""
    for constants in (False, True):
        instance = _instance(right, seed + 7, constants=constants)
        for phases in _PHASES if spec.graph.phases is not None else (1,):
            ours = _outputs(spec, instance, phases)
            theirs = _outputs(right, instance, phases)
            for a, b in zip(ours, theirs, strict=True):
                size = max(float(np.abs(b).max(initial=0.0)), 1e-12)
                if a.shape != b.shape or not np.abs(a - b).max(initial=0.0) <= _SAME * size:
                    return True
    return False


def _outputs(spec: Spec, instance: Instance, phases: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    names = {p.name for p in spec.graph.parameters if p.per_phase}
    init = {
        name: value[:phases] if name in names and isinstance(value, np.ndarray) else value
        for name, value in instance.init.items()
    }
    init = {
        name: {k: v[:phases] for k, v in value.items()}
        if name in names and isinstance(value, dict)
        else value
        for name, value in init.items()
    }
    return ReferenceRun.of(
        spec, dataclasses.replace(instance, init=init, targets=()), phases
    ).outputs


def _effect(right: Spec, spec: Spec, seed: int) -> Effect:
    graph = spec.graph
    names = [name for name, _ in graph.variables]
    states = {slot.name for slot in graph.states}
    if graph.objective is None or not set(names) <= states or not repeatable(graph):
        return Effect.RATE
    if _another_problem(right, spec, seed, names):
        return Effect.RATE
    if idle(spec, names):
        return Effect.FIXED_POINT
    moved = [_moved(right, spec, case, names) for case in cases(right, seed, None)]
    return Effect.FIXED_POINT if any(moved) else Effect.RATE


def _another_problem(right: Spec, spec: Spec, seed: int, names: list[str]) -> bool:
    """Whether the mistake is in a formula that the objective reads too: what it solves is solved rightly."""
    case = cases(right, seed, None)[0].instance
    types = dict(spec.graph.variables)
    rng = np.random.default_rng(seed)
    batch = case.inputs[0].shape[0]
    at = {
        name: rng.standard_normal(
            (batch, *(dim.substitute(case.sizes).value or 0 for dim in types[name].shape))
        )
        + (0j if types[name].field.name == "COMPLEX" else 0)
        for name in names
    }
    values = [s.reference(1, **case.arguments()).objective(at, *case.inputs) for s in (right, spec)]
    return not np.allclose(*values, rtol=1e-9)


def _moved(right: Spec, spec: Spec, case: Case, names: list[str]) -> bool:
    """Whether a long run leads elsewhere than that of the page as it was."""
    ours = _led_to(spec, case, names)
    if ours.end in (End.DIVERGES, End.WANDERS):
        return True
    key = (right.name, *sorted(case.instance.sizes.items()), case.drawn)
    if key not in _RIGHT:
        _RIGHT[key] = _led_to(right, case, names)
    theirs = _RIGHT[key]
    gaps = [
        np.abs(ours.last[n] - theirs.last[n]).max() / max(np.abs(theirs.last[n]).max(), 1e-12)
        for n in names
    ]
    if max(gaps) <= max(_SAME_POINT, 100 * max(ours.moved, theirs.moved)):
        return False
    # a slower run may be on its way to the same point, far from it where the objective is flat
    return ours.end is not End.MOVES or not _as_low(right, case, ours, theirs)


def _as_low(right: Spec, case: Case, ours: Settled, theirs: Settled) -> bool:
    """Whether the objective of the page as it was is as low at the end of a run as at that of its own."""
    instance = case.instance
    ref = right.reference(1, **instance.arguments())
    batch = instance.inputs[0].shape[0]
    shapes = {
        name: (batch, *(dim.substitute(instance.sizes).value or 0 for dim in type_.shape))
        for name, type_ in right.graph.variables
    }
    mine, least = (
        ref.objective({n: run.last[n].reshape(s) for n, s in shapes.items()}, *instance.inputs)
        for run in (ours, theirs)
    )
    return bool((mine <= least + _SAME_VALUE * np.abs(least)).all())


_RIGHT: dict[tuple[object, ...], Settled] = {}  # where pages as they were lead


def _led_to(spec: Spec, case: Case, names: list[str]) -> Settled:
    def enough(found: Settled) -> bool:
        return found.moved < _SAME_POINT / 30

    return settle(spec, case.instance, names, enough, _WORK)
