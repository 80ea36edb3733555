"""Check specs: statically (names, shapes, structure), then numerically on a random instance.

The second part needs no data: it draws arrays of the declared types and compares the PyTorch
network with the NumPy reference at every phase, linear maps with their adjoints, gradients with
differences, and looks at the objective along the phases. `--static` leaves it out and answers at
once.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.memory import refuse_huge
from unroll_dsl.cli.specs import check, known_sizes, load
from unroll_dsl.cli.terminal import print_json, report_diagnostics, said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import phases, sizes

if TYPE_CHECKING:
    from unroll_dsl.driver import Checked
    from unroll_dsl.verify import Report


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="path, or name of an algorithm")
    parser.add_argument("--static", action="store_true", help="names, shapes and structure alone")
    parser.add_argument(
        "--against", metavar="FILE", help="a classical algorithm that the untrained one must equal"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random instance (0)")
    parser.add_argument(
        "--dims", type=sizes, default=(), metavar="n=9,m=6", help="sizes of the random instance"
    )
    parser.add_argument(
        "--phases",
        type=phases,
        metavar="K",
        help="how many (as the file says, at most 10), or fixed_point",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="draw how the objective falls: .svg, .png or .pdf"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="`json` is the same as --json"
    )


def run(options: Namespace) -> int:
    options.json = options.json or options.format == "json"
    if options.static and (options.against or options.dims or options.phases or options.out):
        words = "`--against`, `--dims`, `--phases` and `--out` are for the numerical part"
        raise UsageError(words, "drop `--static`")
    if options.out is not None:
        _check_out(options)
    results = [_check(word, options) for word in options.files]
    passed = all(passed for passed, _ in results)
    if options.json:
        print_json({"passed": passed, "files": [found for _, found in results]})
    return Exit.FINE if passed else Exit.ERRORS


def _check(word: str, options: Namespace) -> tuple[bool, dict[str, object]]:
    """Check one file, tell people about it, and return what programs want to know."""
    from unroll_dsl.diagnostics.render import render_json

    checked = check(word)
    result: dict[str, object] = {"file": word, "diagnostics": render_json(checked.diagnostics)}
    if not options.json:
        report_diagnostics(checked.diagnostics, no_colour=options.no_colour)
        if not checked.diagnostics:
            print(f"{word}: no errors")
    passed = not checked.has_errors
    if not passed or options.static:
        return passed, result | {"passed": passed}
    report = _numbers(checked, options)
    if options.out is not None:
        _draw(report, options.out)
    if not options.json:
        from unroll_dsl.verify.report import report_text

        print(report_text(report))
    passed = report.passed
    return passed, result | {"passed": passed, "report": report.to_json()}


def _check_out(options: Namespace) -> None:
    from unroll_dsl.cli.plots import check_plot

    if len(options.files) > 1:
        raise UsageError("`--out` is for one file", "check one at a time")
    check_plot(options.out)


def _draw(report: "Report", path: Path) -> None:
    from unroll_dsl.cli.plots import write_plot
    from unroll_dsl.runs.falling import panel

    if report.fall is None:
        said("nothing is drawn: there is no least value that the objective falls to")
        return
    write_plot([panel(report.program, report.fall)], path)
    said(f"the plot is {path}")


def _numbers(checked: "Checked", options: Namespace) -> "Report":
    from unroll_dsl.cli.progress import progress
    from unroll_dsl.spec import Spec
    from unroll_dsl.verify import check as verify

    spec = Spec(checked)
    refuse_huge(spec.graph, known_sizes(spec, options.dims))
    against = load(options.against, quiet=True) if options.against else None
    dims = known_sizes(spec, options.dims)
    with progress(f"checking {spec.name}", quiet=options.json) as advance:
        return verify(
            spec,
            against=against,
            seed=options.seed,
            dims=dims,
            phases=options.phases,
            progress=advance,
        )
