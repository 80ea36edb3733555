"""Formulas of one entry: what is in them, and the time that looking at them may take."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from typing import Any

from unroll_dsl.syntax import nodes as n


class Unfit(Exception):
    """Why a function is no penalty of entries whose proximal map could be found."""


def walk(expr: n.Expr) -> Iterator[n.Expr]:
    """A formula and all its parts, the whole first."""
    yield expr
    match expr:
        case n.Binary(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case n.Unary(_, operand):
            yield from walk(operand)
        case n.Call(_, arguments):
            for a in arguments:
                yield from walk(a.value)


def within(seconds: int, work: Any, *arguments: Any) -> Any:
    """The result of `work` in another process, or None where it does not come back in time."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def run() -> None:
        try:
            theirs.send(work(*arguments))
        except Exception:
            theirs.send(None)

    process = context.Process(target=run, daemon=True)
    process.start()
    result = ours.recv() if ours.poll(seconds) else None
    process.terminate()
    process.join()
    return result
