"""Format pages as the shipped ones are written: spaces, columns of declarations, indentation, blank lines.

Comments and line breaks stay where they are, and the program stays the same. `-` reads standard input and
writes standard output.
"""

import sys
from argparse import ArgumentParser, Namespace
from difflib import unified_diff
from pathlib import Path

from unroll_dsl.cli.terminal import report_diagnostics, said
from unroll_dsl.cli.usage import Exit, UsageError


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="path of a page; `-` for stdin")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a page would change"
    )
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change"
    )


def run(options: Namespace) -> int:
    if not options.files:
        raise UsageError("no page given", "`unroll fmt FILE`, or `unroll fmt -` for standard input")
    changed = [_page(word, options) for word in options.files]
    if None in changed:
        return Exit.ERRORS
    return Exit.ERRORS if options.check and any(changed) else Exit.FINE


def _page(word: str, options: Namespace) -> bool | None:
    """Whether the page changes; None, told, if it cannot be read."""
    from unroll_dsl.diagnostics.raised import UnrollError
    from unroll_dsl.source import SourceFile
    from unroll_dsl.syntax.formatting import formatted
    from unroll_dsl.syntax.reading import read_source

    is_stream = word == "-"
    file = SourceFile("<stdin>", sys.stdin.read()) if is_stream else read_source(Path(word))
    try:
        if not isinstance(file, SourceFile):
            raise UnrollError([file])
        text = formatted(file)
    except UnrollError as error:
        report_diagnostics(error.diagnostics, no_colour=options.no_colour)
        return None
    if options.diff:
        before, after = file.text.splitlines(keepends=True), text.splitlines(keepends=True)
        sys.stdout.writelines(unified_diff(before, after, word, word))
    elif options.check:
        if text != file.text:
            print(f"{word}: would change")
    elif is_stream:
        sys.stdout.write(text)
    elif text != file.text:
        _write(Path(word), text)
        said(f"formatted {word}")
    return text != file.text


def _write(path: Path, text: str) -> None:
    from unroll_dsl.cli.files import write_text

    write_text(path, text, force=True)
