"""The family of a problem: every method, and every relaxation of the algorithm that it gives, with what each
gives (lines of a phase, states, learnables and the numbers of their entries) or why there is none.

A row `method network` is what `unroll derive PROBLEM --method METHOD --relax NETWORK` writes; rows named after
shipped networks follow the recipes of their papers. `--out` writes all the pages.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.files import refuse_to_overwrite, write_text
from unroll_dsl.cli.problems import add_methods, add_problem, add_statements, methods
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unroll_dsl.family import Member


def arguments(parser: ArgumentParser) -> None:
    add_problem(parser)
    add_methods(parser)
    add_statements(parser)
    parser.add_argument("--derived", action="store_true", help="leave out what there is not")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the page of each into DIR")
    parser.add_argument("--force", action="store_true", help="write over existing files")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.family import Member, members
    from unroll_dsl.family.table import to_json, to_text

    only = methods(options) or None
    spec = load(options.file, no_colour=options.no_colour, quiet=True)
    statements = tuple(options.statements)
    rows = members(spec.typed, only=only, statements=statements)
    found = [row for row in rows if isinstance(row, Member)]
    if options.out is not None:
        _write(found, options.out, force=options.force)
    shown = found if options.derived else rows
    if options.json:
        print_json({"name": spec.name, "members": to_json(shown, options.file, statements)})
    else:
        print(to_text(shown), end="")
    return Exit.FINE


def _write(found: "Sequence[Member]", folder: Path, *, force: bool) -> None:
    """The page of each member that is not another one's; none is written where one may not be."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "give the name of a folder")
    folder.mkdir(exist_ok=True)
    pages = {
        folder / f"{member.name}.unroll": member.text for member in found if member.same_as is None
    }
    for path in pages:
        refuse_to_overwrite(path, force=force)
    for path, text in pages.items():
        write_text(path, text, force=force)
    said(f"wrote {len(pages)} pages into {folder}")
