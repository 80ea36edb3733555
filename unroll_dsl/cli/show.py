"""Summarise a spec: its parameters, the work of a phase, and the route that each `solve` takes. Of a
problem, show its objective term by term: gradient, Lipschitz constant, proximal map, conjugate's.

With `--latex`, `--dot` and `--svg` write the algorithm as a paper prints it and as a picture; `-`
stands for stdout.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.files import refuse_to_overwrite, write_text
from unroll_dsl.cli.specs import known_sizes, load
from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit
from unroll_dsl.cli.values import count, sizes

if TYPE_CHECKING:
    from unroll_dsl import Spec

_PICTURES = ("latex", "dot", "svg")
_STDOUT = Path("-")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="path, or name of an algorithm")
    parser.add_argument("--phases", type=count, metavar="K", help="how many (as the file says)")
    parser.add_argument(
        "--dims", type=sizes, default=(), metavar="n=100,m=50", help="sizes to count with"
    )
    for kind, words in zip(_PICTURES, ("LaTeX", "Graphviz", "SVG"), strict=True):
        parser.add_argument(f"--{kind}", type=Path, metavar="OUT", help=f"write {words} here")
    parser.add_argument("--force", action="store_true", help="write over existing files")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    pictures = {kind: path for kind in _PICTURES if (path := getattr(options, kind)) is not None}
    for path in pictures.values():
        if path != _STDOUT:
            refuse_to_overwrite(path, force=options.force)
    spec = load(options.file, no_colour=options.no_colour)
    from unroll_dsl.report import summary

    if spec.program.kind == "problem" and not pictures:
        _problem(spec, json=options.json)
        return Exit.FINE
    if options.json or not pictures:
        dims = known_sizes(spec, options.dims)
        found = summary(spec, phases=options.phases, dims=dims)
        if options.json:
            print_json(found.to_json())
        else:
            print(found.to_text())
    for kind, path in pictures.items():
        text = _picture(kind, spec)
        if path == _STDOUT:
            print(text, end="" if text.endswith("\n") else "\n")
        else:
            write_text(path, text, force=options.force)
            said(f"wrote {path}")
    return Exit.FINE


def _problem(spec: "Spec", *, json: bool) -> None:
    """The objective in normal form."""
    from unroll_dsl.objectives import read
    from unroll_dsl.objectives.table import to_json, to_text

    form = read(spec.typed)
    if json:
        print_json({"name": spec.name, "terms": to_json(form)})
    else:
        print(f"{spec.name}: {spec.program.comment.split(chr(10))[0]}".rstrip(": "))
        print()
        print(to_text(form), end="")


def _picture(kind: str, spec: "Spec") -> str:
    from unroll_dsl.report import dot, latex, svg

    match kind:
        case "latex":
            return latex(spec.typed)
        case "dot":
            return dot(spec.graph)
        case _:
            return svg(spec.graph)
