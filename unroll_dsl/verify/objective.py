"""The objective along the phases, and whether the iteration rests where it is smallest."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.extract import restricted
from unroll_dsl.spec import Spec
from unroll_dsl.types import SCALAR, LinearMap
from unroll_dsl.verify.cases import Case
from unroll_dsl.verify.functions import fixed_in_objective
from unroll_dsl.verify.instance import Instance, is_mask
from unroll_dsl.verify.method import condition, followed
from unroll_dsl.verify.optimality import Decision, Judge, RestingPlace
from unroll_dsl.verify.rates import Least, looked_at, proof, rate_row
from unroll_dsl.verify.report import Fall, Row, Verdict
from unroll_dsl.verify.settling import (
    WORK_LONG,
    WORK_LONGER,
    End,
    Settled,
    States,
    idle,
    longest,
    repeatable,
    settle,
)
from unroll_dsl.verify.steps import GROUP, step_row

_GROUP = "objective"
_SMALLER = 0.2  # so many times the matrices: with a norm below 1
_FINE = 1e-8  # where a run could still gain more, it goes on
_VERDICTS = {
    End.RESTS: Verdict.PASSED,
    End.MOVES: Verdict.UNDECIDED,
    End.WANDERS: Verdict.FAILED,
    End.DIVERGES: Verdict.FAILED,
}


def check_along(spec: Spec, instance: Instance, phases: int, along: list[float]) -> list[Row]:
    """The objective after each phase, of the first sample, into `along`: a note on where it rises, a
    failure where it is no number. It is infinite where a constraint does not hold yet."""
    graph = spec.graph
    if graph.objective is None or not graph.states:
        return []
    names = [name for name, _ in graph.variables]
    if not set(names) <= {slot.name for slot in graph.states}:
        detail = "its variables are not states"
        return [Row(_GROUP, "minimiser", Verdict.UNDECIDED, detail=detail)]
    inputs = tuple(value[:1] for value in instance.inputs)
    ref = spec.reference(phases, **instance.arguments())
    for states in ref.trajectory(*inputs):
        along.append(float(ref.objective({n: states[n] for n in names}, *inputs)[0]))
    numbers = ~np.isnan(along)
    if not numbers.all():
        first = int(np.argmin(numbers)) + 1
        return [Row(_GROUP, "is a number", Verdict.FAILED, detail=f"not so from phase {first} on")]
    outside = int(np.isinf(along).sum())
    if outside:
        detail = f"infinite in {outside} phases of {len(along)}: a constraint does not hold there"
        return [Row(_GROUP, "falls", Verdict.NOTE, detail=detail)]
    slack = 1e-12 * max(abs(value) for value in along)
    rises = sum(b > a + slack for a, b in pairwise(along))
    detail = "in every phase" if not rises else f"rises in {rises} phases of {len(along) - 1}"
    return [Row(_GROUP, "falls", Verdict.NOTE, along[0] - along[-1], None, detail)]


def check_minimiser(
    spec: Spec, found: Sequence[Case], seed: int, falls: list[Fall] | None = None
) -> list[Row]:
    """Whether long runs come to rest, and whether the objective is smallest there: one run with the
    defaults, one with constants drawn. Of the first: whether its steps are those for which it is proved to
    converge, and how fast it falls, which goes into `falls`.

    An iteration that comes to rest with its defaults and not with other constants has bounds that its
    page does not declare, and no verdict.
    """
    graph = spec.graph
    names = [name for name, _ in graph.variables]
    if graph.objective is None or not set(names) <= {slot.name for slot in graph.states}:
        return []
    if not repeatable(graph):
        detail = "its phases start at random: there is no long run"
        return [Row(_GROUP, "minimiser", Verdict.UNDECIDED, detail=detail)]
    unread = idle(spec, names)
    if unread:
        detail = f"no output depends on `{unread[0]}`; {_updated(graph, *unread)}"
        return [Row(_GROUP, "minimiser", Verdict.FAILED, detail=detail)]
    ends: list[_Run] = []
    runs = [_case(spec, case, names, seed, ends) for case in found]
    plain = next((run for run in ends if not run.case.drawn), None)
    if plain is not None and _wants_more(graph, runs, plain):
        at = ends.index(plain)
        longer: list[_Run] = []
        runs[at] = _case(spec, plain.case, names, seed, longer, WORK_LONGER)
        (plain,) = longer
    rows = [row for rows in _weighed(runs) for row in rows]
    return rows if plain is None else rows + _of_method(spec, plain, [] if falls is None else falls)


def _wants_more(graph: Graph, runs: list[list[Row]], plain: _Run) -> bool:
    """Whether nothing is decided yet, and the run with the defaults is still on its way and could go on."""
    rows = [row for rows in runs for row in rows]
    still = all(row.verdict is Verdict.UNDECIDED for row in rows)
    return still and plain.found.end is End.MOVES and plain.found.phases < longest(graph)


@dataclass(frozen=True, slots=True)
class _Run:
    """A long run, who judged its end, and how."""

    case: Case
    judge: Judge
    found: Settled
    verdict: Verdict


def _of_method(spec: Spec, run: _Run, falls: list[Fall]) -> list[Row]:
    """The rows on the method of a page: its steps, its rate."""
    known = followed(spec, run.case.instance, run.judge.steepest)
    rows: list[Row] = []
    held = None if known is None else condition(known)
    if known is not None and held is not None:
        rows.append(step_row(spec, known, held, run.found.end))
    if run.found.end is End.DIVERGES or not run.found.along:
        return rows
    place = _place(spec.graph, run.case.instance, run.found)
    told = run.judge.least(place)
    if told is None:
        return rows
    minimum, rest, unit = told
    phases = looked_at(run.found.phases)
    shapes = {name: _shape(t.shape, run.case.instance) for name, t in spec.graph.variables}
    points = [
        {name: path[k - 1].reshape(shapes[name]) for name, path in run.found.along.items()}
        for k in phases
    ]
    start = _start(spec, run.case.instance, shapes)
    flat = run.judge.objective.space.flat
    distance = float(np.sum((flat(start) - minimum.x) ** 2))
    least = Least(minimum.value + rest, minimum.gap, unit, distance)
    proved = None if known is None or held is None else proof(known, held, run.found.phases)
    if proved is None and run.verdict is not Verdict.PASSED:
        return rows  # it falls to another value
    row = rate_row(GROUP, phases, run.judge.objective.along([*points]), least, proved)
    if row is not None:
        rows.append(row[0])
        falls.append(row[1])
    return rows


def _start(spec: Spec, instance: Instance, shapes: Mapping[str, tuple[int, ...]]) -> States:
    """The variables of the first sample before the first phase."""
    first = instance.first()
    initial = {slot.name: slot.initial for slot in spec.graph.states}
    names = [name for name, _ in spec.graph.variables]
    outputs = [initial[name] for name in names]
    start = spec.over(restricted(spec.graph, outputs))
    values = start.reference(1, **first.arguments())(*first.inputs)
    return {
        name: np.broadcast_to(value, (1, *shapes[name]))[0]
        for name, value in zip(names, values, strict=True)
    }


def _weighed(runs: list[list[Row]]) -> list[list[Row]]:
    """A run that takes too long to rest is a note where another has been decided; one that does not come to
    rest with other constants stays undecided."""
    decided = any(row.verdict is Verdict.PASSED for rows in runs for row in rows[1:])
    if not decided:
        return runs
    return [
        [dataclasses.replace(rows[0], verdict=Verdict.NOTE)]
        if rows[0].verdict is Verdict.UNDECIDED and len(rows) > 1
        else rows
        for rows in runs
    ]


def _case(
    spec: Spec, case: Case, names: list[str], seed: int, ends: list[_Run], work: int = WORK_LONG
) -> list[Row]:
    graph, instance = spec.graph, case.instance
    suffix = ", other constants" if case.drawn else ""
    values = ", ".join(f"{name} = {_figure(instance, name)}" for name in case.drawn)
    judge = Judge(spec, instance.first(), seed)
    decisions: list[Decision] = []

    def enough(found: Settled) -> bool:
        if found.end is not End.MOVES:
            return False
        decisions.append(judge.decide(_place(graph, instance, found)))
        return decisions[-1].verdict is Verdict.PASSED and decisions[-1].tolerance <= _FINE

    found = settle(spec, instance, names, enough, work)
    verdict, detail = _VERDICTS[found.end], found.detail
    moved = found.moved if np.isfinite(found.moved) else None
    if verdict is Verdict.FAILED:
        detail = f"`{found.name}` {detail}; {_updated(graph, *names)}"
        if _asks_for_more(spec, case, names):
            with_ = f"; with {values}" if values else ""
            verdict, detail = Verdict.UNDECIDED, f"{detail}{with_}: more bounds?"
        ends.append(_Run(case, judge, found, verdict))
        return [Row(_GROUP, f"comes to rest{suffix}", verdict, moved, None, detail)]
    decision = judge.decide(_place(graph, instance, found))
    ends.append(_Run(case, judge, found, decision.verdict))
    if found.end is End.MOVES and decision.verdict is not Verdict.UNDECIDED:
        verdict = Verdict.NOTE  # near enough to rest
    words = decision.words
    if decision.verdict is Verdict.FAILED:
        words += f"; {_updated(graph, *names)}"
    if values:
        words += f"; with {values}"
    figure = None if np.isnan(decision.above) else decision.above
    limit = None if figure is None or np.isinf(decision.tolerance) else decision.tolerance
    return [
        Row(_GROUP, f"comes to rest{suffix}", verdict, moved, None, detail),
        Row(_GROUP, f"rests at the minimiser{suffix}", decision.verdict, figure, limit, words),
    ]


def _asks_for_more(spec: Spec, case: Case, names: list[str]) -> bool:
    """Whether it is the iteration's own constants that keep it from rest, its steps and penalties, which the
    objective does not read: it rests with their defaults, or where a map from outside and matrices are smaller,
    as `L >= norm(A @ M)^2` would have it. What the objective reads may be anything that is allowed."""
    graph, instance = spec.graph, case.instance
    scalars = {c.name for c in graph.constants if c.type == SCALAR and c.default is not None}
    own = scalars - fixed_in_objective(graph)
    if not own:
        return False
    bind = {name: value for name, value in instance.bind.items() if name not in own}
    tried = [bind] if own & {*case.drawn} else []
    if any(
        isinstance(c.type, LinearMap) for c in graph.constants
    ):  # whose norms no page can ask for
        smaller = {
            c.name: _SMALLER * bind[c.name]
            for c in graph.constants
            if c.limits is None and isinstance(bind.get(c.name), np.ndarray) and not is_mask(c.type)
        }
        tried.append({**bind, **smaller})
    for given in tried:
        plain = dataclasses.replace(instance, bind=given)
        if _VERDICTS[settle(spec, plain, names, lambda _: True).end] is not Verdict.FAILED:
            return True
    return False


def _place(graph: Graph, instance: Instance, found: Settled) -> RestingPlace:
    """Where the first sample has come to."""
    shapes = {name: _shape(type_.shape, instance) for name, type_ in graph.variables}

    def first(states: States) -> States:
        return {name: states[name][0].reshape(shape) for name, shape in shapes.items()}

    late, early = (tuple(map(first, places)) for places in (found.late, found.early))
    return RestingPlace(first(found.last), late, early, found.end is End.RESTS, found.positive)


def _shape(dims: tuple[object, ...], instance: Instance) -> tuple[int, ...]:
    return tuple(dim.substitute(instance.sizes).value or 0 for dim in dims)  # type: ignore[attr-defined]


def _updated(graph: Graph, *names: str) -> str:
    """Where the states are updated."""
    words = []
    for slot in graph.states:
        origin = graph.nodes[slot.update].origin
        if slot.name in names and origin is not None:
            words.append(f"`{slot.name}` is made in line {origin.line}")
    return ", ".join(words) or "see its phase"


def _figure(instance: Instance, name: str) -> str:
    value = np.asarray(instance.bind[name])
    return f"{float(value):.3g}" if value.ndim == 0 else "..."
