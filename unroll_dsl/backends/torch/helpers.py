"""What generated modules may define for themselves: every text by the name that it defines.

Which of them a module needs follows from the names that its tree reads: nothing has to ask for them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType

from unroll_dsl.backends.torch import (
    constraints,
    equilibrium,
    kernels,
    layer_steps,
    layers,
    matrices,
    putting,
    refusing,
    samples,
)
from unroll_dsl.backends.torch.tree import Helper
from unroll_dsl.backends.torch.tree.reading import globals_of
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.operators import registry
from unroll_dsl.operators.random_init import RANDOM

_BETWEEN = "\n\n\n"  # definitions of one text


@cache
def texts() -> Mapping[str, str]:
    """The text of each definition by its name."""
    found: dict[str, str] = {}
    for whole in _every_text():
        for text in whole.strip("\n").split(_BETWEEN):
            for word in _defined(text):
                if found.setdefault(word, text) != text:
                    raise InternalError(f"two texts define `{word}`")
    return found


def _every_text() -> Iterator[str]:
    for module in (equilibrium, kernels, layer_steps, layers, matrices, putting, refusing, samples):
        yield from _of_module(module)
    yield from constraints.HELPERS.values()
    for word in RANDOM:
        yield from (layers.initialiser(word, every=every) for every in (False, True))
    helpers = [record.helper for record in registry.functions()]
    helpers += [record.helper for record in registry.linear_operators()]
    yield from filter(None, helpers)


def _of_module(module: ModuleType) -> Iterator[str]:
    values = (value for word, value in vars(module).items() if word.isupper())
    yield from (value for value in values if isinstance(value, str))


def _defined(text: str) -> list[str]:
    """The names that a text defines at its top level."""
    found = []
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.append(name)
            case ast.Assign(targets=[ast.Name(name)]):
                found.append(name)
            case _:
                raise InternalError(f"a helper is a definition: {text}")
    return found


@cache
def _reads(text: str) -> tuple[str, ...]:
    """The other texts that one calls, in the order of its lines."""
    known = texts()
    free = globals_of(text)
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
    ordered = sorted(nodes, key=lambda node: (node.lineno, node.col_offset))
    words = (node.id for node in ordered if node.id in free)
    return tuple(word for word in words if word in known and known[word] != text)


def needed(words: Iterable[str]) -> tuple[Helper, ...]:
    """The helpers among names that are read, each followed by those that it calls itself."""
    known, found = texts(), dict[str, Helper]()

    def add(word: str) -> None:
        if word in known and known[word] not in found:
            found[known[word]] = Helper(word, known[word])
            for other in _reads(known[word]):
                add(other)

    for word in words:
        add(word)
    return tuple(found.values())
