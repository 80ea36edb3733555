"""Relax parts of an algorithm, one after the other: a network of it.

A relaxation may take something in brackets: `--relax "step(value=0.5),threshold(entrywise)"`. Without any, say
which there are.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.files import refuse_to_overwrite, write_text
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="PAGE", help="path, or name of an algorithm")
    parser.add_argument("--relax", action="append", default=[], metavar="R,R", help="what to relax")
    parser.add_argument("--name", help="the name of the page")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page here")
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def run(options: Namespace) -> int:
    from unroll_dsl.relax import relax, split_options

    asked = [part for text in options.relax for part in split_options(text)]
    if not asked:
        print(known(), end="")
        return Exit.FINE
    if options.output is not None:
        refuse_to_overwrite(options.output, force=options.force)
    spec = load(options.file, no_colour=options.no_colour, quiet=True)
    steps = relax(spec.typed, asked, options.name)
    for step in steps:
        for note in step.notes:
            said(f"{step.relaxation.name}: {note}")
    text = steps[-1].text
    if options.output is None:
        print(text, end="")
    else:
        write_text(options.output, text, force=options.force)
        said(f"wrote {options.output}")
    return Exit.FINE


def known() -> str:
    """The relaxations, a line each."""
    from unroll_dsl.relax.run import relaxations

    lines = []
    for r in relaxations().values():
        takes = ", ".join((*r.flags, *(f"{key}=" for key in r.keys)))
        start = "" if r.classical else "; does not start at the classical value"
        lines += [
            f"{r.name}({takes})",
            f"    {r.title}: {r.before}  ->  {r.after}{start}",
            f"    {r.source}",
        ]
    return "\n".join(lines) + "\n"
