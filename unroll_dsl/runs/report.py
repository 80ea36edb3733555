"""The page of a run: from what its folder holds to sections of plots, pictures and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from unroll_dsl.data.errors import DataError
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.runs.against import (
    Beside,
    beside,
    diverges,
    metric_label,
    phase_table,
    quality_panel,
)
from unroll_dsl.runs.classical import untrained
from unroll_dsl.runs.constants import LearntConstant, changes, comments_of, constants
from unroll_dsl.runs.contents import Contents
from unroll_dsl.runs.crossing import crossing
from unroll_dsl.runs.examples import examples, figure
from unroll_dsl.runs.filters import filters
from unroll_dsl.runs.history import evolution_panels, training_panels
from unroll_dsl.runs.learned import Learned, learned
from unroll_dsl.runs.page import Block, Listing, Note, Page, PictureRow, Plots, Section, Table
from unroll_dsl.runs.shrinkage import shrinkage_panels
from unroll_dsl.runs.solver import Samples

_ENTRIES = 2**18  # of validation samples, for curves that run many iterations,
_LEAST = 16  # and so many samples


def report(run: Contents) -> Page:
    """Everything there is to say of a run. What the folder lacks is said, not refused."""
    network = _network(run)
    compared = _compared(run)
    values = constants(network) if isinstance(network, Learned) else ()
    sections = (
        _training(run),
        _constants(run, network, values),
        _shapes(run, network),
        _examples(run),
        _classical(run, compared),
        _circumstances(run),
        Section("program", "Program", (Listing(run.spec.program.file.text, program=True),)),
    )
    title, *rest = run.spec.program.comment.strip().split("\n\n") or [""]
    return Page(
        run.spec.name,
        " ".join((title or f"run {run.name}").split()),
        tuple(" ".join(paragraph.split()) for paragraph in rest),
        _cards(run, compared),
        _facts(run),
        sections,
        run.missing,
    )


# ---- what several sections need ------------------------------------------------------------------


def _network(run: Contents) -> Learned | str:
    """The values of the trained network, or why there are none."""
    if run.solver is None:
        return "The folder holds no trained network yet."
    try:
        solver = run.solver
        return learned(
            solver.spec,
            solver.phases,
            solver.values,
            bind=solver.bind,
            dims=solver.dims,
            start=solver.start,
        )
    except UnrollError as error:
        return f"The values of the network could not be read: {_words(error)}"


def _compared(run: Contents) -> Beside | str:
    """Quality after each phase, and that of the classical iteration, or why it is not known."""
    if run.solver is None:
        return "There is no trained network to compare."
    if not run.samples or run.metric is None:
        return "There are no validation samples to compare on."
    if not run.solver.has_phases:
        return "The program has no phases."
    try:
        start = untrained(run.solver, run.solver.phases)
        some = few(run.samples, _ENTRIES)
        return beside(
            run.solver,
            [replace(start, name="untrained")] if start is not None else [],
            some,
            run.metric,
        )
    except (UnrollError, DataError) as error:
        return f"The comparison could not be made: {_words(error)}"


def few(samples: Sequence[Samples], entries: int) -> tuple[Samples, ...]:
    """Samples spread over a set in parts: about so many entries altogether, of 16 samples at least."""
    total = sum(map(len, samples))
    size = max(samples[0].truth[:1].numel(), 1)
    count = min(total, max(_LEAST, entries // size))
    chosen = np.unique(np.linspace(0, total - 1, count).astype(int))
    found: list[Samples] = []
    start = 0
    for group in samples:
        rows = chosen[(chosen >= start) & (chosen < start + len(group))] - start
        if len(rows):
            found.append(group.rows(torch.from_numpy(rows)))
        start += len(group)
    return tuple(found)


def _words(error: Exception) -> str:
    if isinstance(error, UnrollError) and error.diagnostics:
        return error.diagnostics[0].message()
    return str(error)


# ---- the header ----------------------------------------------------------------------------------


def _cards(run: Contents, compared: Beside | str) -> tuple[tuple[str, str, str], ...]:
    cards: list[tuple[str, str, str]] = []
    if run.metric is not None:
        steps, values = run.history.curve(f"val.{run.metric.name}")
        if values:
            best = (max if run.metric.better == "higher" else min)(values)
            step = steps[values.index(best)]
            cards.append(
                (figure(best, run.metric), _metric_word(run), f"best validation, step {step:,.0f}")
            )
    if isinstance(compared, Beside) and compared.classical:
        curve = compared.classical[0]
        found = crossing(curve.phases, curve.quality, compared.network.last, compared.metric.better)
        many = f"> {curve.phases[-1]:.0f}" if found is None else f"{found:.0f}"
        word = "reach what the network does"
        if found is None and diverges(curve, compared.metric):
            many, word = "no number of", "reaches it: untrained, the network diverges"
        cards.append((many, "classical iterations", word))
    cards.append((f"{run.phases}", "phase" if run.phases == 1 else "phases", _phase_word(run)))
    if run.solver is not None:
        cards.append((f"{run.solver.parameters:,}", "parameters", "learned"))
    _, seconds = run.history.curve("seconds")
    if seconds:
        steps, _ = run.history.curve("step")
        cards.append((_duration(seconds[-1]), "training", f"{steps[-1]:,.0f} steps"))
    return tuple(cards)


def _metric_word(run: Contents) -> str:
    assert run.metric is not None
    return metric_label(run.metric).partition(",")[0]


def _phase_word(run: Contents) -> str:
    own = sum(p.per_phase and p.trainable for p in run.spec.graph.parameters)
    if not own:
        return "all alike"
    return f"with {own} learnable{'s' * (own > 1)} each"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _facts(run: Contents) -> tuple[tuple[str, str], ...]:
    found = [("run", run.name), ("program", run.spec.program.file.name.rpartition("/")[2])]
    found += run.dates
    if run.solver is not None:
        found.append(("network shown", run.which))
    count = sum(map(len, run.samples))
    if count:
        found.append(("validation", f"{count:,} samples"))
    return tuple(found)


# ---- the sections --------------------------------------------------------------------------------


def _training(run: Contents) -> Section:
    words = {} if run.metric is None else {run.metric.name: metric_label(run.metric)}
    panels = training_panels(run.history, words)
    blocks: tuple[Block, ...] = (Plots(panels),)
    if not panels:
        blocks = (Note("Nothing has been recorded yet: metrics.csv has no rows."),)
    stages = any(panel.marks for panel in panels)
    intro = "Thin upright lines are where another stage of the training begins." if stages else ""
    return Section("training", "Training", blocks, intro)


def _constants(run: Contents, network: Learned | str, values: Sequence[LearntConstant]) -> Section:
    title = "Learnt constants, phase by phase"
    if isinstance(network, str):
        return Section("constants", title, (Note(network),))
    blocks: list[Block] = []
    panels = [constant.panel() for constant in values if not constant.shared]
    moved = changes(network)
    if moved is not None:
        panels.append(moved)
    if panels:
        blocks.append(Plots(tuple(panels)))
    shared = [constant for constant in values if constant.shared]
    if shared:
        blocks.append(_shared(shared))
    names = run.spec.graph.per_phase
    evolution = evolution_panels(run.learned, names, comments_of(run.spec))
    if evolution:
        blocks.append(Plots(evolution))
    if not blocks:
        blocks.append(
            Note("The program has no scalars, vectors or matrices that start at classical values.")
        )
    intro = "Dashed: the classical value that training started from." if panels else ""
    return Section("constants", title, tuple(blocks), intro)


def _shared(values: Sequence[LearntConstant]) -> Table:
    rows = [
        (
            constant.name,
            constant.comment,
            "" if constant.classical is None else f"{constant.classical[0]:.4g}",
            f"{constant.trained[0]:.4g}",
        )
        for constant in values
    ]
    caption = "The same in all phases."
    if any(constant.size > 1 for constant in values):
        caption += " Of vectors the medians."
    return Table(("constant", "", "classical", "learned"), tuple(rows), caption, words=True)


def _shapes(run: Contents, network: Learned | str) -> Section:
    title = "Shrinkage and filters"
    if isinstance(network, str):
        return Section("filters", title, (Note(network),))
    blocks: list[Block] = []
    panels = shrinkage_panels(network)
    if panels:
        blocks.append(Plots(panels))
    for found in filters(network, atoms=run.patches):
        blocks.append(PictureRow((found.picture(),), wide=True))
    intro = (
        "Filters: blue is negative, red positive, each to its own scale."
        if len(blocks) > bool(panels)
        else ""
    )
    if not blocks:
        blocks.append(Note("The program learns no shrinkage of single values and no filters."))
    return Section("filters", title, tuple(blocks), intro)


def _examples(run: Contents) -> Section:
    title = "Reconstructions"
    if run.solver is None:
        return Section(
            "examples", title, (Note("There is no trained network to reconstruct with."),)
        )
    if not run.samples or run.metric is None:
        return Section(
            "examples", title, (Note("There are no validation samples to reconstruct."),)
        )
    solver, samples, metric = run.solver, run.samples, run.metric
    blocks = _attempt(lambda: examples(solver, samples, metric))
    return Section("examples", title, blocks, "Validation samples, by the network that is shown.")


def _classical(run: Contents, compared: Beside | str) -> Section:
    title = "Against the classical iteration"
    if isinstance(compared, str):
        return Section("classical", title, (Note(compared),))
    curves = (compared.network, *compared.classical)
    panel = quality_panel(curves, compared.metric, "Quality after each phase")
    blocks: list[Block] = [Plots((panel,)), phase_table(compared, sum(map(len, run.samples)))]
    if not compared.classical:
        words = (
            "Some learnables start at random, so that the untrained network is no classical iteration. "
            "`unroll compare` holds the network against packaged algorithms."
        )
        blocks.append(Note(words))
        return Section("classical", title, tuple(blocks))
    intro = "The classical iteration is the same program with nothing learned, run for longer."
    return Section("classical", title, tuple(blocks), intro)


def _attempt(make: Callable[[], tuple[Block, ...]]) -> tuple[Block, ...]:
    """The blocks, or a note of what went wrong in making them."""
    try:
        return make()
    except (UnrollError, DataError) as error:
        return (Note(f"This could not be made: {_words(error)}"),)


def _circumstances(run: Contents) -> Section:
    blocks: list[Block] = []
    if run.environment:
        rows = tuple(
            (name, str(value)) for name, value in run.environment.items() if value is not None
        )
        blocks.append(Table(("environment", ""), rows, words=True))
    if run.config.strip():
        blocks.append(Listing(run.config, "run.toml, with every default"))
    if not blocks:
        blocks.append(Note("The folder has neither run.toml nor environment.json."))
    return Section("circumstances", "Configuration and environment", tuple(blocks))
