"""Derive an algorithm from a problem: a page in the language, from an objective and a method.

Without `--method`, say what each method makes of the problem, or why it does not serve.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.files import refuse_to_overwrite, write_text
from unroll_dsl.cli.problems import add_problem, add_statements, known_method
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import count

if TYPE_CHECKING:
    from unroll_dsl.derive import Derivation
    from unroll_dsl.relax import Relaxed


def arguments(parser: ArgumentParser) -> None:
    add_problem(parser)
    parser.add_argument("--method", metavar="M", help="which method; without it, all are listed")
    parser.add_argument(
        "--split", action="append", default=[], metavar="'z = D @ x'", help="a splitting, for ADMM"
    )
    parser.add_argument(
        "--momentum",
        choices=("nesterov", "chambolle-dossal"),
        default="nesterov",
        help="of fista (nesterov)",
    )
    parser.add_argument(
        "--letter", action="append", default=[], metavar="ROLE=NAME", help="a name of your own"
    )
    parser.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="NAME=V",
        help="a constant's classical value",
    )
    add_statements(parser)
    parser.add_argument("--start", metavar="FORMULA", help="where the variable starts: 'Q @ y'")
    parser.add_argument("--give", metavar="FORMULA", help="what the page gives: 'real(x)'")
    parser.add_argument(
        "--relax", action="append", default=[], metavar="R,R", help="what to relax: `unroll relax`"
    )
    parser.add_argument(
        "--explain", choices=("text", "latex", "html"), help="the way in place of the page"
    )
    parser.add_argument("--phases", type=count, metavar="K", help="how many the page says")
    parser.add_argument("--name", help="the name of the page")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page here")
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def run(options: Namespace) -> int:
    from unroll_dsl.derive import Options, derive

    if options.output is not None:
        refuse_to_overwrite(options.output, force=options.force)
    spec = load(options.file, no_colour=options.no_colour, quiet=True)
    if options.method is None:
        from unroll_dsl.derive.listing import listing

        print(listing(spec.typed), end="")
        return Exit.FINE
    known_method(options.method)
    given = Options(
        split=tuple(options.split),
        momentum=options.momentum,
        letters=_pairs(options.letter, "--letter"),
        values=_pairs(options.value, "--value"),
        output=options.give,
        start=options.start,
        statements=tuple(options.statements),
        name=options.name,
        phases=options.phases,
    )
    derivation = derive(spec.typed, options.method, given)
    steps = _relaxed(derivation, options.relax)
    text = _explained(derivation, steps, options.explain)
    if options.output is None:
        print(text, end="")
    else:
        write_text(options.output, text, force=options.force)
        said(f"wrote {options.output}")
    return Exit.FINE


def _explained(derivation: "Derivation", steps: "tuple[Relaxed, ...]", how: str | None) -> str:
    """The page, or the way to it."""
    page = steps[-1].text if steps else derivation.text
    match how:
        case None:
            return page
        case "text":
            from unroll_dsl.derive.explain import text

            return text(derivation, steps)
        case "latex":
            from unroll_dsl.typeset.derivation import latex

            return latex(derivation, steps)
        case _:
            from unroll_dsl.typeset.derivation import page as whole

            return whole(derivation, page, steps)


def _relaxed(derivation: "Derivation", asked: list[str]) -> "tuple[Relaxed, ...]":
    """What is relaxed; what does not start as it was is said."""
    from unroll_dsl.driver import check_source
    from unroll_dsl.relax import relax, split_options
    from unroll_dsl.source import SourceFile

    parts = [part for text in asked for part in split_options(text)]
    if not parts:
        return ()
    name = f"{derivation.program.name.text}.unroll"
    typed = check_source(SourceFile(name, derivation.text)).typed
    assert typed is not None
    steps = relax(typed, parts)
    for step in steps:
        for note in step.notes:
            said(f"{step.relaxation.name}: {note}")
    return steps


def _pairs(words: list[str], option: str) -> dict[str, str]:
    found = {}
    for word in words:
        left, sign, right = word.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise UsageError(f"`{option}` takes NAME=VALUE, not `{word}`")
        found[left.strip()] = right.strip()
    return found
