"""What is said on the terminal: results on stdout, everything else on stderr."""

import json as json_format
import math
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.paint import Style, Styled, paint
from unroll_dsl.diagnostics.render import render_all, render_json


def prepare_streams() -> None:
    """A terminal that cannot show a character shows its number rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def quiet_stdout() -> None:
    """Nobody reads stdout any more: let the interpreter close it without a complaint."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def use_colour(stream: TextIO, *, no_colour: bool) -> bool:
    """Whether to colour what goes to `stream`: for terminals, unless somebody objects."""
    if no_colour or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def report_diagnostics(
    diagnostics: Iterable[Diagnostic], *, json: bool = False, no_colour: bool = False
) -> None:
    """Diagnostics for people on stderr, or for programs on stdout."""
    if json:
        print_json({"diagnostics": render_json(diagnostics)})
        return
    text = render_all(diagnostics, colour=use_colour(sys.stderr, no_colour=no_colour))
    if text:
        print(text, file=sys.stderr)


def print_json(value: object) -> None:
    """Valid JSON, which knows no NaN and no infinity: these are null."""
    print(json_format.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def problem(message: str, mend: str | None = None) -> None:
    """What hinders the command line itself, in the form of the diagnostics but without a code."""
    colour = use_colour(sys.stderr, no_colour=False)
    lines = [(Styled("error", Style.ERROR), Styled(f": {message}", Style.TITLE))]
    if mend:
        lines.append((Styled("help", Style.HELP), Styled(f": {mend}")))
    for line in lines:
        print(paint(line, colour=colour), file=sys.stderr)


def said(message: str) -> None:
    """A word on what was done, such as the name of a file that was written."""
    print(message, file=sys.stderr)
