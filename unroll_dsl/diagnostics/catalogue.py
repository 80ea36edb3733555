"""All codes there are, each with its class and its page in the manual.

Each stage keeps its errors to itself, and the stages stand above this package; so they are named
here as text and imported when somebody asks for a page, never when a stage imports `model.py`.
What uses the catalogue (the command line, the editor, the tests) stands above all stages.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.near import near

STAGES = (
    "unroll_dsl.syntax.errors",
    "unroll_dsl.semantics.errors",
    "unroll_dsl.passes.errors",
    "unroll_dsl.backends.errors",
    "unroll_dsl.objectives.errors",
    "unroll_dsl.derive.errors",
    "unroll_dsl.relax.errors",
    "unroll_dsl.certify.errors",
)

FAMILIES = {
    "U01": "Syntax",
    "U02": "Names",
    "U03": "Types and shapes",
    "U04": "Structure of an algorithm",
    "U05": "Binding and lowering",
    "U06": "Objectives and derivation",
    "W": "Warnings",
}


class UnknownCode(LookupError):
    """There is no such code; `near` are those that look like it."""

    def __init__(self, code: str, near: tuple[str, ...]) -> None:
        super().__init__(f"unknown code `{code}`")
        self.code = code
        self.near = near


@cache
def catalogue() -> Mapping[str, type[Diagnostic]]:
    """Every diagnostic that a stage can report, by its code, in the order of the codes."""
    found: dict[str, type[Diagnostic]] = {}
    for stage in STAGES:
        if find_spec(stage) is None:
            continue
        import_module(stage)
    for diagnostic in _reported_by_stages():
        other = found.setdefault(diagnostic.code, diagnostic)
        if other is not diagnostic:
            names = f"{other.__qualname__} and {diagnostic.__qualname__}"
            raise InternalError(f"{names} have the same code {diagnostic.code}")
    return MappingProxyType(dict(sorted(found.items())))


def _reported_by_stages() -> Iterator[type[Diagnostic]]:
    """Every concrete subclass of `Diagnostic` in the modules of `STAGES` and below them."""
    waiting = Diagnostic.__subclasses__()
    while waiting:
        diagnostic = waiting.pop()
        waiting.extend(diagnostic.__subclasses__())
        of_a_stage = f"{diagnostic.__module__}.".startswith(tuple(f"{stage}." for stage in STAGES))
        # `dataclass(slots=True)` makes a class anew; the first one lives on until it is collected
        current = getattr(sys.modules.get(diagnostic.__module__), diagnostic.__name__, diagnostic)
        if of_a_stage and current is diagnostic and not inspect.isabstract(diagnostic):
            yield diagnostic


def find(code: str) -> type[Diagnostic]:
    """The class of a code, however it is capitalised; `UnknownCode` where there is none."""
    known = catalogue()
    wanted = code.strip().upper()
    if wanted not in known:
        raise UnknownCode(code, near(wanted, known))
    return known[wanted]


def explain(code: str) -> str:
    """The page of a code: its heading, and below it what it means and how to mend it."""
    diagnostic = find(code)
    return f"{diagnostic.code}: {diagnostic.title}\n\n{body(diagnostic)}\n"


def body(diagnostic: type[Diagnostic]) -> str:
    """The docstring of a diagnostic without its indentation."""
    return inspect.cleandoc(diagnostic.__doc__ or "")


def family(code: str) -> str:
    """What the codes that begin like this one are about."""
    return next(words for prefix, words in FAMILIES.items() if code.startswith(prefix))
