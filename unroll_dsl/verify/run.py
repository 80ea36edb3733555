"""The checks of a program, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from unroll_dsl.backends.errors import NotFinite, SingularSystem
from unroll_dsl.backends.resting import FIXED_POINT, Phases, resting
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.report import Fall, Report, Row, Verdict

Progress = Callable[[int, int, str], object]


def check(
    spec: Spec,
    *,
    against: Spec | None = None,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    phases: Phases | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check a program numerically on an instance drawn from its declared types.

    Adjoints of linear maps; torch against NumPy at every phase, in float64 and float32; with
    `against`, the untrained network against a classical program; the gradient of every learnable
    against differences; the network frozen, and made again of its values; what `measure` lines make, torch against NumPy; the objective along the phases, and whether its minimiser is a fixed point.

    Parameters
    ----------
    phases
        How many to run; by default what the program says, at most 10. "fixed_point": as many, and besides
        the network at rest, torch against NumPy, and its gradients.
    progress
        Called as each check begins, with the number of those done, of all, and what it is.
    """
    from unroll_dsl.verify.adjoints import check_adjoints
    from unroll_dsl.verify.against import check_against, check_other_constants
    from unroll_dsl.verify.agreement import check_agreement
    from unroll_dsl.verify.cases import cases
    from unroll_dsl.verify.data import check_data
    from unroll_dsl.verify.derived import exact
    from unroll_dsl.verify.equilibrium import check_rest
    from unroll_dsl.verify.gradients import check_gradients
    from unroll_dsl.verify.iterations import check_iterations, solved
    from unroll_dsl.verify.learned_values import check_learned_values
    from unroll_dsl.verify.objective import check_along, check_minimiser

    written, spec = spec, spec.over(exact(spec.graph))
    graph = spec.graph
    count = phases if isinstance(phases, int) else min(graph.phases or 1, 10)
    if not graph.outputs:
        row = Row("program", spec.name, Verdict.SKIPPED, detail="a problem has no iteration to run")
        return Report(spec.name, seed, {}, None, (row,))
    instance = _instance(spec, seed, dims, count)
    objective: list[float] = []
    falls: list[Fall] = []
    steps: list[tuple[str, Callable[[], list[Row]]]] = [
        ("adjoints", lambda: check_adjoints(spec, instance, count, seed)),
        ("iterations", lambda: check_iterations(written, instance, count)),
        ("torch against NumPy", lambda: solved(lambda: check_agreement(spec, instance, count))),
        ("gradients", lambda: solved(lambda: check_gradients(spec, instance, count, seed))),
        (
            "values",
            lambda: solved(lambda: check_learned_values(spec, instance, count, seed)),
        ),
        ("measured data", lambda: check_data(spec, instance, seed)),
    ]
    if against is not None:
        steps += [
            (against.name, lambda: check_against(spec, against, instance, count)),
            (against.name, lambda: check_other_constants(spec, against, seed, dims, count)),
        ]
    steps += [
        ("objective", lambda: check_along(spec, instance, count, objective)),
        ("minimiser", lambda: check_minimiser(spec, cases(spec, seed, dims), seed, falls)),
    ]
    if phases == FIXED_POINT:
        resting(graph, phases, None, None)  # refuses what has none
        steps.append(("fixed point", lambda: solved(lambda: check_rest(spec, instance, seed))))
    rows = _run(steps, progress)
    fall = falls[0] if falls else None
    shown = graph.phases and count
    return Report(spec.name, seed, instance.sizes, shown, rows, tuple(objective), fall)


def _run(
    steps: Sequence[tuple[str, Callable[[], list[Row]]]], progress: Progress | None
) -> tuple[Row, ...]:
    """The rows of all checks, each once."""
    import numpy as np
    import torch

    rows: list[Row] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the instance is small: threads would only wait for each other
    try:
        with np.errstate(all="ignore"):  # what is not finite is told by the checks, not by warnings
            for done, (what, step) in enumerate(steps):
                if progress is not None:
                    progress(done, len(steps), what)
                rows += _guarded(step)
    finally:
        torch.set_num_threads(threads)
    return tuple(dict.fromkeys(rows))


def _instance(spec: Spec, seed: int, dims: Mapping[str, int] | None, phases: int) -> Instance:
    """A random instance; where a system is singular at its sizes, one with the sizes in reverse."""
    from unroll_dsl.verify.networks import with_random_starts

    found = with_random_starts(spec, draw(spec.graph, seed=seed, dims=dims), phases)
    names = [name for name, size in spec.graph.dims if size is None and name not in (dims or {})]
    if not _is_singular(spec, found, phases) or len(names) < 2:
        return found
    turned = {name: found.sizes[other] for name, other in zip(names, names[::-1], strict=True)}
    again = draw(spec.graph, seed=seed, dims={**(dims or {}), **turned})
    again = with_random_starts(spec, again, phases)
    return found if _is_singular(spec, again, phases) else again


def _is_singular(spec: Spec, instance: Instance, phases: int) -> bool:
    if not any(isinstance(node.op, Solve) for node in spec.graph.nodes):
        return False
    try:
        spec.reference(phases, **instance.arguments())(*instance.inputs)
    except UnrollError as error:
        return all(isinstance(d, SingularSystem) for d in error.diagnostics)
    return False


def _guarded(step: Callable[[], list[Row]]) -> list[Row]:
    """The rows of a check; what no solver can do at these sizes is skipped, and says so."""
    import torch

    try:
        return step()
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        return [
            Row("program", "numerics", Verdict.SKIPPED, detail=f"{error}; other sizes? (--dims)")
        ]
    except OverflowError:
        words = "a number that the phases count with is out of range"
        return [Row("program", "numerics", Verdict.FAILED, detail=words)]
    except UnrollError as error:
        first = error.diagnostics[0]
        if all(isinstance(d, SingularSystem) for d in error.diagnostics):
            words = f"{first.message()}; other sizes? (--dims)"
            return [Row("program", "numerics", Verdict.SKIPPED, detail=words)]
        if all(isinstance(d, NotFinite) for d in error.diagnostics):
            return [Row("program", "numerics", Verdict.FAILED, detail=first.message())]
        raise
