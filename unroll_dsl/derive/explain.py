"""The way from an objective to a page as text; report/derivation.py sets it as LaTeX and HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unroll_dsl.derive.method import Derivation
from unroll_dsl.derive.model import Formula, Step
from unroll_dsl.relax import Relaxed
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text, statement_text


@dataclass(frozen=True, slots=True)
class Change:
    """A relaxation on the way: what it is, and the lines of the phase that it changes."""

    title: str
    source: str
    before: tuple[n.Update | n.Local | n.Trace, ...]
    after: tuple[n.Update | n.Local | n.Trace, ...]
    learned: tuple[str, ...]  # the declarations of what is learnt now
    classical: bool
    notes: tuple[str, ...]


def changes(relaxed: Sequence[Relaxed]) -> tuple[Change, ...]:
    """The relaxations with the lines that differ."""
    found = []
    for step in relaxed:
        old = {statement_text(x) for x in step.before}
        new = {statement_text(x) for x in step.after}
        found.append(
            Change(
                step.relaxation.title,
                step.relaxation.source,
                tuple(x for x in step.before if statement_text(x) not in new),
                tuple(x for x in step.after if statement_text(x) not in old),
                step.learned,
                step.relaxation.classical,
                step.notes,
            )
        )
    return tuple(found)


def text(derivation: Derivation, relaxed: Sequence[Relaxed] = ()) -> str:
    """The whole way, for a terminal."""
    name = derivation.form.typed.program.name.text
    lines = [f"{name} by {derivation.method.title}", ""]
    for number, step in enumerate(derivation.way, start=1):
        lines += [*_step(number, step), ""]
    method = derivation.method
    lines += [
        f"Needs: {method.needs}.",
        f"Steps: {method.condition}.",
        f"Rate: {method.rate} ({method.source}).",
    ]
    for number, change in enumerate(changes(relaxed), start=len(derivation.way) + 1):
        lines += ["", f"{number}  {change.title}"]
        lines += _wrapped(change.source)
        lines += [f"    before   {_line(x)}" for x in change.before]
        lines += [f"    after    {_line(x)}" for x in change.after]
        lines += [f"    learned  {declared}" for declared in change.learned]
        if not change.classical:
            lines += _wrapped("It does not start at the classical value.")
        lines += [line for note in change.notes for line in _wrapped(f"{note}.")]
    return "\n".join(lines) + "\n"


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"{number}  {step.heading}"
    yield from _wrapped(step.words)
    for formula in step.formulas:
        yield f"        {formula_text(formula)}"
    if step.source:
        yield from _wrapped(f"[{step.source}]")


def formula_text(formula: Formula) -> str:
    """A formula on one line."""
    right = expression_text(formula.right)
    if formula.over is not None:
        head = (
            f"{formula.left} {formula.relation} argmin over {formula.over}: "
            if formula.left
            else ""
        )
        return f"{head}{right}" if head else f"minimise over {formula.over}: {right}"
    return f"{formula.left} {formula.relation} {right}"


def _line(line: n.Update | n.Local | n.Trace) -> str:
    return statement_text(line)


def _wrapped(words: str) -> list[str]:
    if not words:
        return []
    return textwrap.wrap(words, 96, initial_indent="    ", subsequent_indent="    ")
