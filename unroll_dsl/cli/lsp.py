"""Serve pages to an editor: mistakes and mends as one types, hover, completion, definitions, renaming, formatting.

Editors start it and speak the language server protocol with it over its standard streams: docs/editors.md says
how each of them is set up.
"""

import os
import sys
from argparse import ArgumentParser, Namespace

from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import Exit, UsageError

_EXTRA = ("pygls", "lsprotocol", "attrs", "cattrs")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--stdio", action="store_true", help="standard streams, which there is nothing else than"
    )


def run(options: Namespace) -> int:
    try:
        from unroll_dsl.lsp.server import language_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise UsageError(
            f"a language server needs `{error.name.partition('.')[0]}`, which is not installed",
            "`pip install 'unroll_dsl[lsp]'` installs it",
        ) from error
    if sys.stdin.isatty():
        said("an editor starts this and speaks with it: docs/editors.md; Ctrl-C leaves")
    # what else is printed must not come between the messages
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    language_server().start_io(stdin, stdout)
    return Exit.FINE
