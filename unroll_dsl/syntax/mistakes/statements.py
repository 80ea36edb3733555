"""Mistakes in statements: each function recognises one, or returns None."""

from __future__ import annotations

import re
from itertools import takewhile

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.near import near
from unroll_dsl.source import Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import STATEMENT_WORDS, Place, opening_word
from unroll_dsl.syntax.failure import BOUNDS, Failure, found
from unroll_dsl.syntax.mistakes.words import advice
from unroll_dsl.syntax.tokens import DEDENT, LINE_END, NAME, NUMBER

_DECLARING = ("input", "fixed", "learnable", "state")
_HEADERS = ("algorithm", "problem")
_TYPES = frozenset(
    {
        "scalar",
        "vector",
        "matrix",
        "tensor",
        "image",
        "mask",
        "complex",
        "linear",
        "network",
        "conv",
    }
)
_WORDS = (*STATEMENT_WORDS, "trace", "return")
_STATEMENT = "a statement such as `let`, `state` or `phase`"
_PHASE_LINE = "`x <- ...`, `r = ...` or `trace s = ...`"
_STEP_LINE = "`x <- ...`, `r = ...` or `state v : ... = ...`"


def first_word(failure: Failure) -> Diagnostic | None:
    """A line at the margin that begins no statement."""
    if failure.index > 0 or failure.place is not Place.TOP:
        return None
    text, span, line = failure.text, failure.span, failure.line
    if failure.token.kind != NAME:
        mend = None
        if (
            failure.token.kind == NUMBER
            and failure.after
            and failure.after.text.startswith("phase")
        ):
            mend = f"write `phase ({text}):`"
        return e.Unexpected(span, found(failure), _STATEMENT, mend)
    if text in _HEADERS:
        return e.HeaderNotFirst(span)
    if text == "trace":
        return e.UpdateOutsidePhase(span, "`trace`", "phase")
    if text == "return":
        return e.UpdateOutsidePhase(span, "`return`", "def")
    if started := _start_of_a_state(failure):
        return started
    start = Span(span.file, span.start, span.start)
    match [token.text for token in line.tokens[1:3]]:
        case ["<-", *_]:
            return e.UpdateOutsidePhase(span.to(line.tokens[1].span), "an update", "phase")
        case ["+" | "-" | "*" | "/", "="]:
            return e.UpdateOutsidePhase(span.to(line.tokens[2].span), "an update", "phase")
        case ["=", *_]:
            return e.BareAssignment(span, failure.mended(start, "let "))
        case [":", "="]:
            sign = line.tokens[1].span.to(line.tokens[2].span)
            return e.BareAssignment(span, "let " + failure.mended(sign, "="))
        case [":", *_] if text not in STATEMENT_WORDS:
            return e.BareAssignment(span, failure.mended(start, "fixed "), is_typed=True)
        case ["(", *_] if any(token.text == "=" for token in line.tokens):
            return e.UnknownStatement(span, None, f"write `{failure.mended(start, 'def ')}`")
    words = advice(text, failure.words)
    return e.UnknownStatement(span, None if words else opening_word(line), words)


def _start_of_a_state(failure: Failure) -> Diagnostic | None:
    """`x = 0`, `x0 = 0`, `x[0] = 0` where `x` is a state."""
    found_ = re.match(r"(\w+?)(?:_?0|\[[01]\])? = (.+)$", failure.words)
    if found_ is None or found_.group(1) not in failure.declared.states:
        return None
    name, value = found_.groups()
    kind = failure.declared.states[name]
    mend = f"the start of a state stands behind its type: `state {name} : {kind} = {value}`"
    return e.Unexpected(failure.span, f"`{failure.text}`", _STATEMENT, mend)


def line_in_block(failure: Failure) -> Diagnostic | None:
    """A line that its block has no place for."""
    first = failure.line.first
    if failure.place is Place.TOP:
        return None
    if failure.index == 0 and failure.accepted == {DEDENT}:
        if failure.place is Place.DEFINITION:
            return e.AfterReturn(first.span)
        return e.SecondFormula(failure.line.span)
    if first.text == "repeat" and failure.place in (Place.PHASE, Place.STEP):
        return _head_of_loop(failure)
    if failure.index == 1 and failure.text in ("=", "<-"):
        return e.StatementInBlock(first.span.to(failure.span), "an expression")
    if failure.text == "<-" and failure.accepted == {",", "="}:
        names = ", ".join("abcdefgh"[: (failure.index + 1) // 2])
        mend = f"name the values first, `{names} = ...`, and update each state by its own line: `{first.text} <- a`"
        return e.Unexpected(failure.span, "`<-` after several names", "`=`", mend)
    if failure.index > 0 and failure.accepted == {"<-", "=", ","} and first.text not in _WORDS:
        value = failure.line.span.text
        mend = f"say what the value is for: `x <- {value}` or `r = {value}`"
        return e.Unexpected(failure.span, found(failure), "`<-` or `=`", mend)
    if failure.index > 0 and failure.accepted == {"=", ","} and first.text not in _WORDS:
        mend = f"if this is the result, write `return {failure.line.span.text}`"
        return e.Unexpected(failure.span, found(failure), "`=`", mend)
    if first.text == "return" and failure.text == "," and failure.depth == 1:
        mend = "several values are returned without brackets: `return a, b`"
        return e.Unexpected(failure.span, "`,` in brackets", "an operator or `)`", mend)
    if failure.index > 1 or first.text not in _WORDS:
        if failure.index == 0 and failure.place in (Place.PHASE, Place.STEP):
            lines = _PHASE_LINE if failure.place is Place.PHASE else _STEP_LINE
            return e.Unexpected(first.span, found(failure), lines)
        return None
    rest = failure.mended(first.span, "").strip()
    match failure.place, first.text:
        case Place.PHASE, "let":
            return e.StatementInBlock(first.span, _PHASE_LINE, rest)
        case Place.PHASE, "return":
            mend = f"below the phase, at the margin: `output {rest.split(',')[0]}`"
            return e.Unexpected(first.span, "`return`", _PHASE_LINE, mend)
        case Place.PHASE, _:
            return e.StatementInBlock(first.span, _PHASE_LINE)
        case Place.STEP, "trace":
            mend = "a trace stands in the phase, below the loop"
            return e.Unexpected(first.span, "`trace`", _STEP_LINE, mend)
        case Place.STEP, "let":
            return e.StatementInBlock(first.span, _STEP_LINE, rest)
        case Place.STEP, _:
            return e.StatementInBlock(first.span, _STEP_LINE)
        case Place.DEFINITION, "let":
            return e.StatementInBlock(first.span, "`r = ...` or `return ...`", rest)
        case Place.DEFINITION, _:
            return e.StatementInBlock(first.span, "`r = ...` or `return ...`")
        case _, "return":
            return e.StatementInBlock(first.span, "an expression", rest)
        case _:
            return e.StatementInBlock(first.span, "an expression")


def _head_of_loop(failure: Failure) -> Diagnostic:
    """`repeat 3:`, `repeat:`, a missing colon, a loop in a loop."""
    span = failure.span
    if failure.place is Place.STEP:
        mend = (
            "a loop stands in the phase: write one of as many steps, or a function of what it does"
        )
        return e.Unexpected(failure.line.first.span, "a loop in a loop", _STEP_LINE, mend)
    if failure.at_end and ":" in failure.accepted:
        return e.MissingColon(span, "repeat", failure.mended(span, ":"))
    if failure.before is not None and failure.before.text == ":":
        return e.BlockOnSameLine(span, "repeat")
    mend = "an inner loop has its number of steps in brackets: `repeat (3):`"
    return e.Unexpected(span, found(failure), "`(`", mend)


def head_of_block(failure: Failure) -> Diagnostic | None:
    """`phase 7:`, a missing colon, a block on the line that opens it."""
    if failure.place is not Place.TOP:
        return None
    before, tokens = failure.before, failure.line.tokens
    match failure.first:
        case "phase" if failure.index == 1 and failure.token.kind in (NAME, NUMBER):
            last = tokens[-3] if tokens[-2].text == ":" else tokens[-2]
            span = failure.span.to(last.span)
            numbers = re.findall(r"\d+", span.text)
            is_plain = span.text.isalnum() or not numbers
            return e.PhaseCount(span, span.text if is_plain else numbers[-1])
        case "phase" | "def" if before and before.text == ":" and failure.accepted == {LINE_END}:
            return e.BlockOnSameLine(failure.span.to(tokens[-2].span), failure.first)
        case "phase" | "minimize" | "loss" if failure.at_end and ":" in failure.accepted:
            mended = failure.mended(failure.span, ":")
            return e.MissingColon(failure.span, failure.first, mended)
        case "def" if failure.text == ":" and ")" in failure.accepted:
            mend = "leave it out: parameters of a `def` take whatever type they are given"
            return e.Unexpected(failure.span, "a type", "`,` or `)`", mend)
        case _:
            return None


def missing_type(failure: Failure) -> Diagnostic | None:
    """`fixed lambda = 0.1`, `input y vector[m]`, `loss (target):`."""
    text, before = failure.text, failure.before
    is_target = failure.first == "loss" and failure.accepted == {",", ":"}
    declares = failure.first in _DECLARING and failure.place is Place.TOP and failure.index > 1
    if before is None or not (is_target or declares):
        return None
    start = Span(failure.span.file, failure.span.start, failure.span.start)
    names = [t.text for t in failure.line.tokens[1 : failure.index] if t.kind == NAME]
    if is_target:  # those since the last type
        group = failure.line.tokens[: failure.index]
        ends = [i for i, t in enumerate(group) if t.text in (":", "]", "(")]
        names = [t.text for t in group[ends[-1] if ends else 0 :] if t.kind == NAME]
    declared = " and ".join(f"`{name}`" for name in names)
    if is_target:
        return e.MissingType(failure.span, declared, failure.mended(start, " : vector[n]"))
    if "complex" in failure.accepted and (failure.at_end or text in ("=", "~")):
        return e.MissingType(failure.span, declared, failure.mended(start, " scalar "))
    if ":" not in failure.accepted or failure.has_before(":"):
        return None
    if failure.token.kind == NAME and (text in _TYPES or _is_sized(failure)):
        return e.MissingType(failure.span, declared, failure.mended(start, ": "))
    if failure.at_end or text in ("=", "~", "per phase", "shared") or text in BOUNDS:
        return e.MissingType(failure.span, declared, failure.mended(start, " : scalar "))
    return None


def _is_sized(failure: Failure) -> bool:
    return failure.after is not None and failure.after.text == "["


def part_of_declaration(failure: Failure) -> Diagnostic | None:
    """Sharing after the value, a bound after the sharing, two bounds."""
    if failure.first not in _DECLARING or failure.place is not Place.TOP:
        return None
    text, span = " ".join(failure.text.split()), failure.span
    if text in ("per phase", "shared"):
        value = failure.has_before("=", "~")
        if value is None or failure.depth:
            return None
        whole, file = failure.line.span, span.file.text
        begins, starts = file[whole.start : value.span.start], file[value.span.start : span.start]
        mended = " ".join(f"{begins} {text} {starts}{file[span.end : whole.end]}".split())
        return e.WrongOrder(span, value.span, mended if len(mended) < 120 else None)
    if text in BOUNDS:
        sharing = failure.has_before("per phase", "shared")
        if sharing is not None:
            return e.WrongOrder(span, sharing.span, None)
        if failure.has_before(*BOUNDS):
            mend = "give both bounds at once: `in [0, 1]`, `in (0, 1)`, ..."
            return e.Unexpected(span, "a second bound", "`per phase`, `=` or `~`", mend)
    member = failure.has_before("in")
    if failure.accepted == {"[", "("} and member is not None:
        rest = failure.line.tokens[failure.index :]
        phase = next((token for token in rest if token.text in ("phase", "phases")), None)
        if phase is not None:  # `in each phase`
            mend = f"write `{failure.mended(member.span.to(phase.span), 'per phase')}`"
            return e.Unexpected(span, found(failure), "`[` or `(`", mend)
        mend = "an interval is written `in [0, 1]`, or `in (0, 1)` without its ends"
        return e.Unexpected(span, found(failure), "`[` or `(`", mend)
    if text == "per":
        words = list(takewhile(lambda t: t.kind == NAME, failure.line.tokens[failure.index + 1 :]))
        meant = near(words[-1].text, ("phase", "step"), most=1) if words else ()
        whole = span.to(words[-1].span) if words else span
        mended = failure.mended(whole, f"per {meant[0] if meant else 'phase'}")
        mend = f"write `{mended}`"
        return e.Unexpected(span, "`per`", "`per phase`", mend)
    return None


def separators(failure: Failure) -> Diagnostic | None:
    """`dims m n`, `vector(n)`, `let x : scalar = 1`."""
    span, before = failure.span, failure.before
    start = Span(span.file, span.start, span.start)
    if before is None or failure.place is not Place.TOP:
        return None
    if failure.first == "let" and failure.text == ":" and failure.index == 2:
        mend = f"a `let` has the type of its value: `let {before.text} = ...`"
        return e.Unexpected(span, "a type", "`=`", mend)
    if failure.first == "measure" and failure.text == ":" and failure.index == 2:
        mend = f"`{before.text}` has the type of its `input` line: `measure {before.text} = ...`"
        return e.Unexpected(span, "a type", "`=`", mend)
    if failure.first == "measure" and failure.text == "<-" and failure.index == 2:
        mend = f"write `{failure.mended(span, '=')}`"
        return e.Unexpected(span, "`<-`", "`=`", mend)
    if failure.text == "," and "->" in failure.accepted:
        mend = "channels are written with an arrow: `conv[1 -> 32, 3]`"
        return e.Unexpected(span, "`,`", "`->`", mend)
    if failure.text == "(" and "[" in failure.accepted:
        mend = f"sizes stand in square brackets: `{before.text}[...]`"
        if before.text.lower().startswith("conv"):
            mend = "channels and size stand in square brackets: `conv[1 -> 32, 3]`"
        return e.Unexpected(span, "`(`", "`[`", mend)
    if before.text in ("linear", "network", "conv") and failure.first == "state":
        mend = "a state is a value, such as `vector[n]`; maps are declared `fixed` or `learnable`"
        return e.Unexpected(before.span, f"`{before.text}`", "a space", mend)
    is_list = "," in failure.accepted and not failure.wants_operator
    if is_list and failure.token.kind == NAME and before.kind == NAME:
        mend = f"write `{failure.mended(before.span.to(start), before.text + ', ')}`"
        return e.Unexpected(span, found(failure), "`,`", mend)
    return None
