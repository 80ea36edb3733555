"""`A^T`: a power to the grammar, and a slip where the program speaks of no `T` elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.tokens import Line


def transposes(lines: Sequence[Line]) -> tuple[Diagnostic, ...]:
    """What is meant for a transpose and written as a power."""
    found: dict[str, list[Diagnostic]] = {"T": [], "H": []}
    for line in lines:
        if line.problem is not None:
            continue
        for base, sign, letter, after in zip(*(line.tokens[i:] for i in range(4)), strict=False):
            if letter.text not in found or after.text == "(":
                continue
            if sign.text == "^":
                mended = f"{base.text}'"
                found[letter.text].append(e.TransposeSpelling(sign.span.to(letter.span), mended))
    for letter in tuple(found):
        uses = sum(token.text == letter for line in lines for token in line.tokens)
        if uses > len(found[letter]):
            del found[letter]
    return tuple(slip for slips in found.values() for slip in slips)
