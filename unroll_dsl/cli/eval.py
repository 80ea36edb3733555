"""Judge a trained network: PSNR, SSIM, NMSE or another metric, on the validation set or other data.

    unroll eval RUN                                     the run's own metric on its validation set
    unroll eval RUN --data DIR --metric psnr,ssim,nmse  on images of a folder, measured as the run has it
    unroll eval RUN --bind P=mask.npy                   with another mask than it was trained with
    unroll eval net.safetensors --data DIR --bind A=A.npy   a network that is in no run folder

Metrics: psnr, ssim, nmse, nmse_db, mse, mae, and any functional of torchmetrics where that is installed.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.refusals import add_data, asked, refusals
from unroll_dsl.cli.terminal import print_json, problem
from unroll_dsl.cli.usage import Exit
from unroll_dsl.cli.values import by_name

if TYPE_CHECKING:
    from unroll_dsl.runs.evaluate import Evaluation


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="folder of a run, or a network's file"
    )
    parser.add_argument("--metric", default="", metavar="NAMES", help="such as psnr,ssim,nmse")
    parser.add_argument("--per-sample", action="store_true", help="a line for each sample")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_data(parser)


def run(options: Namespace) -> int:
    with refusals():
        from unroll_dsl.data.metrics import metric
        from unroll_dsl.runs.evaluate import evaluate
        from unroll_dsl.runs.reading import open_solver

        names = [word.strip() for word in options.metric.split(",") if word.strip()]
        metrics = [metric(name) for name in names]
        solver, samples, own = open_solver(options.run, asked(options))
        found = evaluate(solver, samples, metrics or [own])
    used = _used(options)
    if options.json:
        print_json({**found.to_json(), **used})
    else:
        _table(found, used, per_sample=options.per_sample)
    for words in found.problems():
        problem(
            words, "what the network gives, or the truth, has entries that are not finite or all 0"
        )
    return Exit.ERRORS if found.problems() else Exit.FINE


def _used(options: Namespace) -> dict[str, Any]:
    """On what the network was judged, for titles and programs."""
    data = f"{options.data}" if options.data is not None else "the run's validation set"
    return {"data": data, "bind": by_name(options.bind, "--bind")}


def _table(found: "Evaluation", used: Mapping[str, Any], *, per_sample: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{found.name}, {found.phases} phase{'s' * (found.phases != 1)}, {found.parameters:,} parameters"
    title += f"\non {used['data']}" + "".join(f", {k} = {v}" for k, v in used["bind"].items())
    means = [f.metric for f in found.figures if f.metric.of_a_set != "mean over the samples"]
    notes = [f"{metric.name}: {metric.of_a_set}" for metric in means if found.count > 1]
    table = Table(
        title=title, title_justify="left", caption="\n".join(notes), caption_justify="left"
    )
    table.add_column("")
    for figure in found.figures:
        unit = f", {figure.metric.unit}" if figure.metric.unit else ""
        table.add_column(f"{figure.metric.name}{unit}", justify="right")
    if per_sample:
        for place in range(found.count):
            row = (f"{figure.each[place]:.4f}" for figure in found.figures)
            table.add_row(str(place + 1), *row, end_section=place == found.count - 1)
    all_means = all(f.metric.whole is None for f in found.figures)
    count = "1 sample" if found.count == 1 else f"{'mean of ' * all_means}{found.count} samples"
    table.add_row(count, *(f"{figure.whole:.4f}" for figure in found.figures))
    Console().print(table)
