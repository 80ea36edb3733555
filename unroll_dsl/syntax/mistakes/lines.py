"""Lines of blocks and statements as NumPy, MATLAB or a paper has them: each function recognises one, or returns None."""

from __future__ import annotations

import re

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import Place
from unroll_dsl.syntax.failure import Failure
from unroll_dsl.syntax.mistakes.words import advice
from unroll_dsl.syntax.notations import is_number_of_phase, without_numbers
from unroll_dsl.syntax.tokens import NAME

_PHASE_LINE = "`x <- ...`, `r = ...` or `trace s = ...`"
_NUMBERED = re.compile(r"^(\w+)\s*(?:\[([^\]]*)\]|\^\s*\(([^)]*)\)|\^(\w+))\s*(?:<-|=(?!=))")


def numbered_state(failure: Failure) -> Diagnostic | None:
    """`x[k+1] <- ...`, `x^(k+1) = ...`, `x[0] = 0`."""
    if failure.index != 1 or failure.text not in ("[", "^"):
        return None
    found = _NUMBERED.match(failure.words)
    if found is None or failure.place is not Place.PHASE:
        return None
    number = next(group for group in found.groups()[1:] if group is not None)
    name = found.group(1)
    sign = failure.line.tokens[failure.index :]
    closing = next((t for t in sign if t.text in ("]", ")")), sign[0])
    span = failure.span.to(closing.span)
    if is_number_of_phase(number):
        return e.NumberedState(span, name, without_numbers(failure.words))
    mend = f"a state is updated as a whole: `{name} <- ...`; choose entries with `where(c, a, b)`"
    return e.Unexpected(span, f"`{span.text}`", "`<-`", mend)


def foreign_line(failure: Failure) -> Diagnostic | None:
    """`if k > 3:`, `for t in T:`, `print(x)`, `pass` in a block."""
    first = failure.line.first
    if failure.place is Place.TOP or failure.index == 0 or failure.text in ("<-", "="):
        return None
    if failure.index > 1 or first.kind != NAME:
        return None
    if failure.text in ("+", "-") and failure.words in (f"{first.text}++", f"{first.text}--"):
        mended = f"{first.text} <- {first.text} {failure.text} 1"
        return e.WrongAssignment(failure.span, "<-", mended)
    if first.text == "repeat":  # an inner loop: statements.py
        return None
    mend = advice(first.text, failure.words, in_block=True)
    if mend is None:
        return None
    expected = _PHASE_LINE if failure.place is Place.PHASE else "a line of this block"
    return e.Unexpected(first.span, f"`{first.text}`", expected, mend)


def objective(failure: Failure) -> Diagnostic | None:
    """`minimize norm1(x)`, `loss = ...`, `loss t:`."""
    if failure.place is not Place.TOP:
        return None
    words, span = failure.words, failure.span
    if failure.first == "minimize" and failure.accepted == {"over"}:
        name = next(iter(failure.declared.states), "x")
        rest = words.removeprefix("minimize").strip()
        if re.match(r"\w+(?:\s*,\s*\w+)*\s*(?::|$)", rest):
            mend = f"write `minimize over {rest}`"
        else:
            mend = f"say over what: `minimize over {name}: {rest}`"
        return e.Unexpected(span, f"`{failure.text}`", "`over`", mend)
    if failure.first == "loss" and failure.index == 1 and "(" in failure.accepted:
        mend = "write `loss (target : vector[n]):` and the formula below it"
        if failure.token.kind == NAME:
            mend = (
                f"targets stand in parentheses, with a type: `loss ({failure.text} : vector[n]):`"
            )
        return e.Unexpected(span, f"`{failure.text}`", "`(` or `:`", mend)
    return None
