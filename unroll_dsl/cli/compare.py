"""Hold trained networks against each other and against classical iterations.

    unroll compare RUN                                     against its own classical start
    unroll compare A B --classical ista,fista --out plot.svg
    unroll compare A --classical ista:lambda=0.05,fista:lambda=0.05

Quality against phases, against time and against learned parameters, and, for each network, how many
iterations of each classical algorithm reach what it does. A classical algorithm takes its matrices from
the first run: names that both programs have mean the same, others are matched by type, in order.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.plots import check_plot, write_plot
from unroll_dsl.cli.refusals import add_data, asked, refusals
from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit
from unroll_dsl.cli.values import count

if TYPE_CHECKING:
    from unroll_dsl.runs.compare import Comparison


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folders of runs, or networks' files"
    )
    parser.add_argument(
        "--classical",
        action="append",
        default=[],
        metavar="NAMES",
        help="algorithms, such as ista,fista or ista:lambda=0.05",
    )
    parser.add_argument("--metric", default="", metavar="NAME", help="(that of the first run)")
    parser.add_argument("--iterations", type=count, metavar="N", help="of classical algorithms")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the plot: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_data(parser)


def run(options: Namespace) -> int:
    from unroll_dsl.cli.progress import progress

    if options.out is not None:
        check_plot(options.out)
    with refusals():
        from unroll_dsl.runs.comparing import compared_runs

        wanted = asked(options, options.metric, of_several=len(options.runs) > 1)
        with progress("comparing", quiet=options.json):
            compared = compared_runs(options.runs, wanted, options.classical, options.iterations)
    found = compared.comparison
    if options.json:
        print_json(found.to_json())
    else:
        _table(found)
    for note in compared.notes:
        said(note)
    if options.out is not None:
        write_plot(found.panels(), options.out)
        said(f"the plot is {options.out}")
    return Exit.FINE


def _table(found: "Comparison") -> None:
    from rich.console import Console
    from rich.table import Table

    from unroll_dsl.runs.against import metric_label
    from unroll_dsl.runs.examples import figure

    console = Console()
    title = f"{metric_label(found.metric)}, {found.count} samples"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("phases", "parameters", "ms a sample", found.metric.name):
        table.add_column(heading, justify="right", no_wrap=True)
    for curve in (*found.networks, *found.classical):
        table.add_row(
            curve.name,
            f"{curve.phases[-1]:.0f}",
            f"{curve.parameters:,}" if curve.parameters else "",
            f"{1000 * curve.seconds[-1]:.3g}",
            figure(curve.last, found.metric),
            end_section=curve is found.networks[-1],
        )
    console.print(table)
    if not found.classical:
        return
    table = Table(title="How many classical iterations it is worth", title_justify="left")
    table.add_column("")
    for curve in found.classical:
        table.add_column(curve.name, justify="right")
    for network, row in zip(found.networks, found.worths(), strict=True):
        table.add_row(network.name, *(worth.words() for worth in row))
    console.print(table)
