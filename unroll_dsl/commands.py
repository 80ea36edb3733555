"""The commands as functions: what `unroll check`, `show`, `compare` and the others do, for Python and notebooks.

Each takes a program as a `Spec`, the name of one that comes along, or a path, and returns an object that displays
in a notebook and prints as text. What is wrong with a program is raised as `UnrollError`. What is heavy is imported
when a function is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.loading import load
from unroll_dsl.spec import Derived, Spec

if TYPE_CHECKING:
    from unroll_dsl.backends.resting import Phases
    from unroll_dsl.explore.judge import Judged
    from unroll_dsl.objectives.table import ShownObjective
    from unroll_dsl.report import Summary
    from unroll_dsl.runs.compare import Comparison
    from unroll_dsl.runs.evaluate import Evaluation
    from unroll_dsl.runs.page import Page
    from unroll_dsl.train.run import Run
    from unroll_dsl.verify.report import Report

Program = Spec | str | Path


def algorithms() -> tuple[str, ...]:
    """Names of the algorithms that come along, for `load`."""
    from unroll_dsl.resources import algorithm_names

    return algorithm_names()


def check(
    spec: Program,
    *,
    against: Program | None = None,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    phases: Phases | None = None,
) -> Report:
    """Check a program numerically on a random instance: `unroll check`. See docs/verify.md.

    Parameters
    ----------
    spec
        A program, the name of one that comes along, or a path.
    against
        A classical program that the untrained network must equal.
    seed
        Of the random instance.
    dims
        Sizes of the instance; those left out are drawn.
    phases
        How many to run; by default what the program says, at most 10. "fixed_point": the network at rest too.

    Returns
    -------
    Report
        A table in a notebook, text in `print`; `report.passed`, `report.rows`.

    Raises
    ------
    UnrollError
        With all diagnostics, if the program has errors.
    """
    from unroll_dsl.verify import check as checked

    other = None if against is None else _spec(against)
    return checked(_spec(spec), against=other, seed=seed, dims=dims, phases=phases)


def show(
    spec: Program, *, phases: int | None = None, dims: Mapping[str, int] | None = None
) -> Summary | ShownObjective:
    """Summarise a program: `unroll show`.

    Parameters
    ----------
    phases, dims
        What to count with; sizes that are left out stay letters.

    Returns
    -------
    Summary or ShownObjective
        Parameters, the work of a phase, and the route of each `solve`. Of a problem, its objective term by
        term: gradients, Lipschitz constants, proximal maps.
    """
    program = _spec(spec)
    if program.program.kind == "problem":
        from unroll_dsl.objectives import read
        from unroll_dsl.objectives.table import ShownObjective

        return ShownObjective(read(program.typed))
    from unroll_dsl.report import summary

    return summary(program, phases=phases, dims=dims)


def derive(
    problem: Program, method: str, *, relax: str | Iterable[str] = (), **options: Any
) -> Derived:
    """Derive an algorithm from a problem: `unroll derive`. See docs/derive.md.

    Parameters
    ----------
    method
        "ista", "admm", ...: `unroll_dsl.derive.method_names()`.
    relax
        What to relax on the way to a network: `"threshold(shared)"`, or several of these.
    **options
        Those of `unroll_dsl.derive.Options`; a splitting may be one text: `split="z = D @ x"`.

    Returns
    -------
    Derived
        The page in `text`, the program in `spec`, the steps in `way`; a notebook shows them with formulas.

    Raises
    ------
    UnrollError
        U06: the objective has no normal form, or the method does not serve it; says which would.
    ValueError
        If there is no such method.
    """
    derived = _spec(problem).derive(method, **options)
    names = (relax,) if isinstance(relax, str) else tuple(relax)
    return derived.relax(*names) if names else derived


def format(source: str | Path) -> str:
    """A page as the shipped ones are written: `unroll fmt`.

    Parameters
    ----------
    source
        The text of a page, or the path of one, which is not written to.

    Raises
    ------
    UnrollError
        With the syntax errors (U01) of a page that does not parse.
    """
    from unroll_dsl.diagnostics.raised import UnrollError
    from unroll_dsl.source import SourceFile
    from unroll_dsl.syntax.formatting import formatted
    from unroll_dsl.syntax.reading import read_source

    file = read_source(source) if isinstance(source, Path) else SourceFile("<text>", source)
    if not isinstance(file, SourceFile):
        raise UnrollError([file])
    return formatted(file)


def explain(code: str) -> str:
    """What an error means, a wrong program and the right one: `unroll explain`.

    Parameters
    ----------
    code
        Such as "U0301".

    Raises
    ------
    LookupError
        If there is no such code.
    """
    from unroll_dsl.diagnostics.catalogue import explain as page

    return page(code)


def report(run: Run | str | Path, out: str | Path | None = None) -> Page:
    """Make one HTML page of a training run: `unroll report`. See docs/reports.md.

    Parameters
    ----------
    run
        The run, or its folder.
    out
        A file to write the page to; `page.save(path)` does so later.

    Raises
    ------
    TrainingError
        If the folder holds no run.
    """
    from unroll_dsl.runs.reading import open_run
    from unroll_dsl.runs.report import report as made

    page = made(open_run(_folder(run)))
    if out is not None:
        page.save(out)
    return page


def evaluate(
    run: Run | str | Path,
    metrics: str | Iterable[str] = (),
    *,
    data: str | Path | None = None,
    bind: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
) -> Evaluation:
    """Judge a trained network: `unroll eval`.

    Parameters
    ----------
    run
        A run, its folder, or the file of a network.
    metrics
        Names: "psnr", "ssim", "nmse", ...; by default that of the run.
    data
        Images or arrays in place of the run's validation set.
    bind, dims
        Fixed values and sizes in place of those of the run.

    Raises
    ------
    TrainingError, DataError
        If there is no network, or data do not fit it.
    """
    from unroll_dsl.data.metrics import metric
    from unroll_dsl.runs.evaluate import evaluate as judged
    from unroll_dsl.runs.reading import open_solver

    names = metrics.split(",") if isinstance(metrics, str) else metrics
    chosen = [metric(name.strip()) for name in names if name.strip()]
    solver, samples, own = open_solver(_folder(run), _asked(data, "", bind, dims, False))
    return judged(solver, samples, chosen or [own])


def compare(
    *runs: Run | str | Path,
    classical: str | Iterable[str] = (),
    metric: str = "",
    iterations: int | None = None,
    data: str | Path | None = None,
    bind: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
) -> Comparison:
    """Hold trained networks against each other and classical iterations: `unroll compare`.

    Parameters
    ----------
    *runs
        Runs, their folders, or files of networks.
    classical
        Algorithms, `"ista,fista"` or `"ista:lambda=0.05"`; by default the untrained network, where that is one.
    metric
        Its name; by default that of the first run.
    iterations
        Of classical algorithms; by default ten for each phase, as far as time allows.
    data, bind, dims
        As for `evaluate`.

    Raises
    ------
    TrainingError, DataError
        If there is no network, or data do not fit one.
    """
    from unroll_dsl.runs.comparing import compared_runs

    if not runs:
        raise ValueError("no run to compare")
    asked = _asked(data, metric, bind, dims, len(runs) > 1)
    words = [classical] if isinstance(classical, str) else list(classical)
    folders = [_folder(run) for run in runs]
    return compared_runs(folders, asked, [w for w in words if w], iterations).comparison


def explore(
    problem: Program,
    out: str | Path,
    *,
    budget: float = 600.0,
    methods: Iterable[str] = (),
    config: Mapping[str, Any] | None = None,
    statements: Iterable[str] = (),
) -> Judged:
    """Train the networks of a problem's family and compare them: `unroll explore`.

    Parameters
    ----------
    out
        The folder to make; `explore.html` and `best.unroll` are written into it.
    budget
        Seconds of training in all.
    methods
        Names of methods of derivation; by default all.
    config
        Tables of a training's configuration: data, dims, bind, seed, train.
    statements
        Put into the problem, in place of those of the same names.

    Raises
    ------
    TrainingError
        If the folder holds an exploration, the problem no task, or no network could be trained.
    """
    from unroll_dsl.explore.judge import judge
    from unroll_dsl.explore.page import page
    from unroll_dsl.explore.run import Settings
    from unroll_dsl.explore.run import explore as explored

    settings = Settings(budget, tuple(methods), config or {})
    found = explored(_spec(problem).typed, Path(out), settings, statements=tuple(statements))
    judged = judge(found)
    page(judged).save(found.path / "explore.html")
    return judged


def _spec(program: Program) -> Spec:
    return program if isinstance(program, Spec) else load(program)


def _folder(run: Run | str | Path) -> Path:
    return Path(run) if isinstance(run, str | Path) else run.path


def _asked(
    data: str | Path | None,
    metric: str,
    bind: Mapping[str, Any] | None,
    dims: Mapping[str, int] | None,
    of_several: bool,
) -> Any:
    from unroll_dsl.runs.reading import Asked

    path = None if data is None else Path(data)
    return Asked(path, metric, dict(bind or {}), dict(dims or {}), of_several)
