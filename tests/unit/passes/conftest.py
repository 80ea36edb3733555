"""Passes are tested on the text of the IR: nodes and roles in, nodes and roles out."""

import re
from collections.abc import Callable
from textwrap import dedent

import pytest

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.text import from_text, to_text
from unroll_dsl.ir.verify import verify

Rewrite = Callable[[Callable[[Graph], Graph], str], str]
_HEADER = 'algorithm a "a.unroll"\ndims m, n\n'
_DECLARED = ("input", "fixed", "learnable", "state", "target", "variable", "dims", "algorithm")


@pytest.fixture
def graph() -> Callable[[str], Graph]:
    """Reads the text of a graph, declarations first, without its heading."""

    def read(text: str) -> Graph:
        found = from_text(_HEADER + dedent(text))
        verify(found)
        return found

    return read


@pytest.fixture
def rewrite(graph: Callable[[str], Graph]) -> Rewrite:
    """Applies a pass to a text; declarations, stages and places are left out of the result."""

    def apply(transform: Callable[[Graph], Graph], text: str) -> str:
        result = transform(graph(text))
        verify(result)
        lines = to_text(result).splitlines()
        kept = [line for line in lines if line and not line.startswith(_DECLARED)]
        shown = (re.sub(r" \[(set-up|call|phase|output)\]", "", line) for line in kept)
        return "\n".join(line.removesuffix(" ; a.unroll:1") for line in shown)

    return apply


@pytest.fixture
def lines() -> Callable[[str], str]:
    """A text as `rewrite` returns it."""
    return lambda text: dedent(text).strip()
