"""What a network refuses before it computes: inputs of another shape, dtype or device."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence

from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layout import Layout, shape_of
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import call, name
from unroll_dsl.backends.torch.tree import Body, Do, Statement
from unroll_dsl.ir.graph import Entry
from unroll_dsl.types import Array, Dim, Field


def checks(
    layout: Layout, entries: Sequence[Entry], before: Sequence[Entry], attributes: Container[str]
) -> Body:
    """A statement for each input; sizes come from what the network holds, `attributes` that others read
    among it, and from inputs before."""
    held = _held(layout)
    like = next((word for word, type_ in held if _is_number(type_)), None)
    known = [*held, *((identifier(e.name), e.type) for e in before)]
    found: list[Statement] = []
    for entry in entries:
        word = identifier(entry.name)
        sizes = [_size(dim, known, attributes) for dim in entry.type.shape]
        known.append((word, entry.type))
        shape = ast.Tuple([ast.Constant(None) if s is None else s for s in sizes], ast.Load())
        made = call("check_input", ast.Constant(entry.name), name(word), shape)
        assert isinstance(made, ast.Call)
        if like is not None:
            made.args.append(name(like))
        if entry.type.field is Field.COMPLEX:
            made.keywords.append(ast.keyword("is_complex", ast.Constant(True)))
        found.append(Do(made))
    together = [*before, *entries]
    if entries and len(together) > 1:
        pairs = [
            ast.Tuple([name(identifier(e.name)), ast.Constant(e.type.rank)], ast.Load())
            for e in together
        ]
        given = ast.Dict([ast.Constant(e.name) for e in together], list(pairs))
        found.append(Do(call("check_batches", given)))
    return tuple(found)


def _held(layout: Layout) -> list[tuple[str, Array]]:
    """The attributes that tell sizes, and their types: buffers, then learnables."""
    found = []
    for index, word in sorted(layout.buffers.items()):
        type_ = layout.nodes[index].type
        if isinstance(type_, Array) and not layout.facts.numbers[index]:
            found.append((f"self.{word}", type_))
    every = [set(kind.parameters) for kind in layout.kinds]
    for parameter in layout.graph.parameters:
        if not isinstance(parameter.type, Array) or parameter.number:
            continue
        if parameter.name not in layout.training.parameters:
            continue
        word = identifier(parameter.name)
        if not parameter.per_phase:
            found.append((f"self.{word}", parameter.type))
        elif layout.has_phase_class and all(parameter.name in names for names in every):
            found.append((f"self.phases[0].{word}", parameter.type))
    return found


def _is_number(type_: Array) -> bool:
    return type_.field in (Field.REAL, Field.COMPLEX)


def _size(
    dim: Dim, known: Sequence[tuple[str, Array]], attributes: Container[str]
) -> ast.expr | None:
    symbols: dict[str, ast.expr] = {}
    for symbol in dim.symbols:
        found = shape_of(symbol, known)
        if found is None and identifier(symbol) in attributes:
            found = name(f"self.{identifier(symbol)}")
        if found is None:
            return None
        symbols[symbol] = found
    return dim_expression(dim, symbols)
