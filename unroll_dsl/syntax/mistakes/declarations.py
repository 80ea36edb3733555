"""Declarations, sizes and headers as other notations have them: each function recognises one mistake, or returns None."""

from __future__ import annotations

import re

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import Place
from unroll_dsl.syntax.failure import Failure, found
from unroll_dsl.syntax.notations import paper_space
from unroll_dsl.syntax.tokens import NAME, NUMBER

_DECLARING = ("input", "fixed", "learnable", "state")
_BOUNDS = {
    **dict.fromkeys(("positive", "pos"), "> 0"),
    **dict.fromkeys(("nonnegative", "nonneg", "non_negative"), ">= 0"),
    "negative": "< 0",
    **dict.fromkeys(("perphase", "per_phase", "untied", "phasewise"), "per phase"),
    **dict.fromkeys(("tied", "common"), "shared"),
}


def _declares(failure: Failure) -> bool:
    return failure.first in _DECLARING and failure.place is Place.TOP


def header(failure: Failure) -> Diagnostic | None:
    """`algorithm ista:`, `algorithm ista(y, A)`, `algorithm ista-net`."""
    if failure.first not in ("algorithm", "problem") or failure.index != 2:
        return None
    word, name = failure.first, failure.line.tokens[1].text
    mend = "a name has letters, digits and underscores only"
    match failure.text:
        case ":":
            mend = f"leave the colon out: `{word} {name}`"
        case "(":
            mend = (
                f"what it takes has lines of its own: `{word} {name}`, then `input y : vector[m]`"
            )
        case "-":
            name = re.sub(r"\W+", "_", failure.words.removeprefix(word).strip())
            mend = f"a name has letters, digits and underscores only: `{word} {name}`"
    return e.Unexpected(failure.span, found(failure), "the end of the line", mend)


def colon_before_the_name(failure: Failure) -> Diagnostic | None:
    """`input: y`, `dims: m, n`, `output: x`."""
    word = failure.first
    if failure.index != 1 or failure.place is not Place.TOP or failure.text not in (":", "(", "->"):
        return None
    rest = failure.words[len(word) :].strip().removeprefix("->").strip(": ")
    if word == "dims" and failure.text in (":", "("):
        mend = f"write `dims {rest.strip('()')}`"
    elif word in _DECLARING and failure.text == ":" and " " in rest:
        mend = f"the colon stands between name and type: `{word} y : vector[m]`"
    elif word in ("output", "let") and failure.text != "(":
        mend = f"write `{word} {rest}`"
    else:
        return None
    return e.Unexpected(failure.span, found(failure), "a name", mend)


def space_of_a_paper(failure: Failure) -> Diagnostic | None:
    """`input y in R^m`, `fixed A : R^(m x n)`, `input y : [m]`, `learnable 0 < t < 1`."""
    if not _declares(failure):
        return None
    before, text = failure.before, failure.text
    if text == "[" and before is not None and before.text == ":":
        sizes = failure.words.partition("[")[2].partition("]")[0]
        kind = "matrix" if "," in sizes else "vector"
        return e.Unexpected(failure.span, "`[`", "a type", f"write `{kind}[{sizes}]`")
    bounded = re.match(r"(\w+) ([\d.]+) (<=?) (\w+) (<=?) ([\d.]+)", failure.words)
    if failure.index == 1 and bounded is not None:
        word, low, first, name, last, high = bounded.groups()
        interval = f"{'[' if first == '<=' else '('}{low}, {high}{']' if last == '<=' else ')'}"
        mend = f"bounds stand behind the type: `{word} {name} : scalar in {interval}`"
        return e.Unexpected(failure.span, found(failure), "a name", mend)
    is_space = text == "^" and before is not None and before.text in ("R", "C", "ℝ", "ℂ")
    is_member = text == "in" and ":" in failure.accepted
    mended = paper_space(failure.words) if is_space or is_member else None
    if mended is None:
        return None
    return e.Unexpected(failure.span, found(failure), "a type", f"write `{mended}`")


def sizes(failure: Failure) -> Diagnostic | None:
    """`matrix[m x n]`, `matrix[m][n]`, `dims m = 50 n = 100`, `dims m : 50`."""
    before, after = failure.before, failure.after
    if before is None or failure.place is not Place.TOP:
        return None
    if failure.first == "dims":
        if failure.text == ":" and "=" in failure.accepted:
            mend = f"write `{re.sub(r' *:', ' =', failure.words)}`"
            return e.Unexpected(failure.span, "`:`", "`=`", mend)
        if failure.wants_operator and failure.token.kind == NAME and before.kind in (NAME, NUMBER):
            mended = failure.mended(before.span, f"{before.text},")
            return e.Unexpected(failure.span, found(failure), "`,`", f"write `{mended}`")
    if not _declares(failure):
        return None
    if failure.text in ("x", "X", "by") and failure.depth > 0 and failure.wants_operator and after:
        mended = failure.mended(before.span.to(failure.span), f"{before.text},")
        mend = f"sizes are separated by commas: `{mended}`"
        return e.Unexpected(failure.span, found(failure), "`,`", mend)
    if failure.text == "[" and before.text == "]":
        mend = f"write `{failure.mended(before.span.to(failure.span), ', ')}`"
        return e.Unexpected(failure.span, "`[`", "the end of the line", mend)
    return None


def words_for_a_bound(failure: Failure) -> Diagnostic | None:
    """`scalar positive`, `scalar for each phase`, `conv[1 -> 1, 3] -> relu`."""
    if not _declares(failure) or failure.depth or not failure.has_before(":"):
        return None
    text = failure.text
    if text == "->" and ">>" in failure.accepted:
        mend = f"layers are joined by `>>`: `{failure.mended(failure.span, '>>')}`"
        return e.Unexpected(failure.span, "`->`", "`>>`", mend)
    if failure.token.kind != NAME or ">>" not in failure.accepted:
        return None
    rest = failure.line.tokens[failure.index :]
    phase = next((token for token in rest if token.text in ("phase", "phases")), None)
    if text in ("for", "each", "every", "in") and phase is not None:
        mend = f"write `{failure.mended(failure.span.to(phase.span), 'per phase')}`"
    elif text == "between":
        mend = "bounds are written `in [0, 1]`"
    elif text in _BOUNDS:
        mend = f"write `{failure.mended(failure.span, _BOUNDS[text])}`"
    else:
        return None
    return e.Unexpected(failure.span, found(failure), "a bound such as `> 0`", mend)


def more_than_one(failure: Failure) -> Diagnostic | None:
    """`input y : vector[m], A : matrix[m, n]`."""
    if not _declares(failure) or failure.text != "," or failure.depth:
        return None
    if not failure.has_before(":"):
        return None
    rest = failure.words.split(",")[-1].strip()
    whole = failure.line.span.file.text[failure.span.end : failure.line.span.end].split("#")[0]
    rest = whole.strip() or rest
    mend = f"one declaration a line: `{failure.first} {rest}` on the next"
    return e.Unexpected(failure.span, "`,`", "the end of the line", mend)


def output(failure: Failure) -> Diagnostic | None:
    """`output x : vector[n]`, `output x as y`."""
    before = failure.before
    if failure.first != "output" or failure.place is not Place.TOP or before is None:
        return None
    if failure.text == ":" and failure.index == 2:
        mend = f"an output has the type of its value: `output {before.text}`"
        return e.Unexpected(failure.span, "a type", "the end of the line", mend)
    if failure.text == "as" and failure.after is not None and failure.after.kind == NAME:
        mend = f"write `output {failure.after.text} = {before.text}`"
        return e.Unexpected(failure.span, "`as`", "the end of the line", mend)
    return None
