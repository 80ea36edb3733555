"""Make one HTML page of a run: curves, learnt constants, filters, reconstructions, the classical iteration.

The page needs no other file and no network; it reads in light and dark, and prints. What the run
does not have yet is said in its place. docs/reports.md tells what each figure shows.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="the page (report.html in the folder)"
    )


def run(options: Namespace) -> int:
    from unroll_dsl.cli.files import refuse_to_overwrite, write_text
    from unroll_dsl.cli.refusals import refusals

    out = options.out or options.run / "report.html"
    with refusals():
        from unroll_dsl.runs.page import html
        from unroll_dsl.runs.reading import open_run
        from unroll_dsl.runs.report import report

        opened = open_run(options.run)
        refuse_to_overwrite(out, force=True)
        write_text(out, html(report(opened)), force=True)
    for sentence in opened.missing:
        said(sentence)
    said(f"the page is {out}")
    return Exit.FINE
