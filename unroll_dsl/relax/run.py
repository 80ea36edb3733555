"""`relax`: a page and the name of a relaxation, another page."""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.objectives.problem import without_idle
from unroll_dsl.programs.roles import left_out
from unroll_dsl.relax.errors import RelaxationRefused, RelaxationUnknown
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Line, Page, Refused
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.pages import ordered, page_text
from unroll_dsl.syntax.printer import statement_text
from unroll_dsl.syntax.templates import template


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A page after a relaxation, and the lines of the phase before and after it."""

    relaxation: Relaxation
    typed: TypedProgram
    text: str
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    learned: tuple[str, ...]  # the declarations of what is learnt now, and was not before
    notes: tuple[str, ...]


@cache
def relaxations() -> Mapping[str, Relaxation]:
    """All by name: every module of this package that binds `RELAXATIONS`."""
    found: dict[str, Relaxation] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)])):
        for relaxation in getattr(import_module(f"{__package__}.{module}"), "RELAXATIONS", ()):
            if relaxation.name in found:
                raise InternalError(f"two relaxations are called `{relaxation.name}`")
            found[relaxation.name] = relaxation
    return found


def relaxation_names() -> tuple[str, ...]:
    return tuple(relaxations())


def split_options(text: str) -> tuple[str, ...]:
    """`step,threshold(shared, value=0.1)` as its parts: commas within brackets do not count."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return tuple(part.strip() for part in parts if part.strip())


def relax(
    typed: TypedProgram, asked: Iterable[str], name: str | None = None
) -> tuple[Relaxed, ...]:
    """The page after each of the relaxations, one after the other.

    Parameters
    ----------
    asked
        Names, with what they take in brackets: `"threshold(entrywise)"`.
    name
        Of the page; by default its own.

    Raises
    ------
    UnrollError
        U0620: the page has nothing for one to act on; U0621: there is none of that name, or it does not know
        what stands in its brackets.
    """
    found = []
    if name is not None:
        title = dataclasses.replace(typed.program.name, text=name)
        program = dataclasses.replace(typed.program, name=title)
        typed = dataclasses.replace(typed, program=program)
    for text in asked:
        relaxed = _once(typed, text)
        typed = relaxed.typed
        found.append(relaxed)
    return tuple(found)


def _once(typed: TypedProgram, text: str) -> Relaxed:
    relaxation, given = _parsed(typed, text)
    page = Page(typed)
    place = next(
        (s.span for s in page.statements if isinstance(s, n.Phase)), typed.program.name.span
    )
    before: tuple[Line, ...] = ()
    try:
        before = page.lines if any(isinstance(s, n.Phase) for s in page.statements) else ()
        relaxation.run(page, given)
    except Refused as refused:
        span = refused.span if refused.span and refused.span.file is place.file else place
        raise UnrollError([RelaxationRefused(relaxation.name, refused.reason, span)]) from None
    if not relaxation.objective:
        page.drop_objective()
    words = f"{relaxation.title}: {relaxation.source}."
    comment = "\n".join([typed.program.comment, *_noted(typed.program.comment, words)]).lstrip("\n")
    program = page.result(comment)
    learnt = _learnt(program) - _learnt(typed.program)
    gone = left_out(
        program, learnt
    )  # data are made with the constant, whatever is learnt in its place
    kept = tuple(s for s in program.statements if not (isinstance(s, n.Measure) and s in gone))
    program = without_idle(dataclasses.replace(program, statements=kept))
    name = f"{typed.program.name.text}.unroll"
    result = page_text(ordered(program))
    checked = check_source(SourceFile(name, result))
    if checked.typed is None or checked.has_errors:
        words = "; ".join(d.message() for d in checked.diagnostics)
        raise UnrollError(
            [RelaxationRefused(text, f"what it leaves would be wrong: {words}", place)]
        )
    return Relaxed(
        relaxation,
        checked.typed,
        result,
        before,
        page.lines,
        _declared(program, learnt),
        tuple(page.notes),
    )


def _learnt(program: n.Program) -> set[str]:
    declared = (s for s in program.statements if isinstance(s, n.Declaration))
    return {w.text for s in declared if s.role is n.Role.LEARNABLE for w in s.names}


def _declared(program: n.Program, names: set[str]) -> tuple[str, ...]:
    declared = (s for s in program.statements if isinstance(s, n.Declaration))
    own = (s for s in declared if names & {w.text for w in s.names})
    return tuple(statement_text(s).removeprefix("learnable ") for s in own)


def _noted(comment: str, words: str) -> tuple[str, ...]:
    if words in comment:
        return ()
    return (words,) if "\nRelaxed.\n" in comment else ("", "Relaxed.", words)


def _parsed(typed: TypedProgram, text: str) -> tuple[Relaxation, Given]:
    """The relaxation that a text names, with what stands in its brackets."""
    place = typed.program.name.span
    known = relaxation_names()
    try:
        expr = template(text)
    except InternalError:
        raise UnrollError([RelaxationUnknown(text, known, place)]) from None
    match expr:
        case n.Name(name):
            arguments: tuple[n.Argument, ...] = ()
        case n.Call(n.Name(name), arguments):
            pass
        case _:
            raise UnrollError([RelaxationUnknown(text, known, place)])
    if name not in known:
        raise UnrollError([RelaxationUnknown(name, known, place)])
    relaxation = relaxations()[name]
    flags: set[str] = set()
    words: list[str] = []
    values: dict[str, n.Expr] = {}
    for argument in arguments:
        match argument:
            case n.Argument(None, n.Name(word)) if word in relaxation.flags:
                flags.add(word)
            case n.Argument(None, n.Name(word)) if relaxation.words:
                words.append(word)
            case n.Argument(n.Name(key), value) if key in relaxation.keys:
                values[key] = value
            case _:
                wrong = argument.span.text if argument.keyword is None else argument.keyword.text
                allowed = (*relaxation.flags, *(f"{k}=" for k in relaxation.keys))
                raise UnrollError([RelaxationUnknown(f"{name}({wrong})", allowed, place)])
    return relaxation, Given(frozenset(flags), tuple(words), values)
