"""What is known at a place of a page: what an editor shows where the mouse rests, whatever else is wrong."""

from __future__ import annotations

from unroll_dsl.semantics.model import TypedProgram
from unroll_dsl.syntax.nodes import Expr
from unroll_dsl.types import Type


def typed_at(typed: TypedProgram, offset: int) -> tuple[Expr, Type] | None:
    """The smallest expression that covers an offset of the file, with its type; None where there is none.

    `Unknown` is the type of what has a mistake in it.
    """
    best: tuple[Expr, Type] | None = None
    for expr, type_ in typed.types.items():
        span = expr.span
        if span.file is not typed.program.file or not span.start <= offset < span.end:
            continue
        # a call is typed after the defaults of its parameters, which stand where it does
        if best is None or span.end - span.start <= best[0].span.end - best[0].span.start:
            best = expr, type_
    return best
