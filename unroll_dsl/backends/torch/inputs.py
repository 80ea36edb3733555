"""What a network refuses before it computes: inputs of another shape, dtype or device."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from unroll_dsl.backends.torch.blocks import Line
from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layout import Layout, shape_of
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import call, name, text
from unroll_dsl.ir.graph import Entry
from unroll_dsl.types import Array, Dim, Field

_HELPER = '''def check_input(
    name: str,
    x: Tensor,
    shape: tuple[int | None, ...],
    like: Tensor | None = None,
    is_complex: bool = False,
) -> None:
    """Refuse what does not end in `shape` (None: any size), or has not the precision and the device
    of `like`. Any batch axes may lead."""
    found = tuple(x.shape[x.ndim - len(shape) :]) if x.ndim >= len(shape) else ()
    if len(found) < len(shape) or any(n not in (None, m) for n, m in zip(shape, found)):
        wanted = ", ".join(["...", *("any" if n is None else str(n) for n in shape)])
        raise ValueError(f"`{name}` must have the shape [{wanted}], found {list(x.shape)}")
    if like is not None:
        real = like.real.dtype
    elif x.is_floating_point() or x.is_complex():
        real = x.real.dtype
    else:
        real = torch.get_default_dtype()
    if is_complex and real.itemsize < 4:
        raise TypeError(f"`{name}` is complex, and there is no arithmetic of such values in {real}")
    if x.is_complex() != is_complex or x.real.dtype != real:
        dtype = real.to_complex() if is_complex else real
        raise TypeError(f"`{name}` must be {dtype}, found {x.dtype}: give {name}.to({dtype})")
    if like is not None and x.device != like.device:
        raise ValueError(f"`{name}` is on {x.device}, the network on {like.device}")
'''

_BATCHES = '''def check_batches(inputs: dict[str, tuple[Tensor, int]]) -> None:
    """Refuse inputs whose batch axes do not broadcast; each is given with the axes of a sample of it."""
    found = {name: list(x.shape[: x.ndim - axes]) for name, (x, axes) in inputs.items()}
    try:
        torch.broadcast_shapes(*found.values())
    except RuntimeError:
        words = ", ".join(f"`{name}` has {batch}" for name, batch in found.items())
        raise ValueError(f"the inputs have different batch axes: {words}") from None
'''


def checks(layout: Layout, entries: Sequence[Entry], before: Sequence[Entry]) -> list[Line]:
    """A line for each input; sizes come from what the network holds, and from inputs before it."""
    held = _held(layout)
    like = next((word for word, type_ in held if _is_number(type_)), None)
    known = [*held, *((identifier(e.name), e.type) for e in before)]
    lines = []
    for entry in entries:
        word = identifier(entry.name)
        sizes = [_size(layout, dim, known) for dim in entry.type.shape]
        known.append((word, entry.type))
        shape = ast.Tuple([ast.Constant(None) if s is None else s for s in sizes], ast.Load())
        made = call("check_input", ast.Constant(entry.name), name(word), shape)
        assert isinstance(made, ast.Call)
        if like is not None:
            made.args.append(name(like))
        if entry.type.field is Field.COMPLEX:
            made.keywords.append(ast.keyword("is_complex", ast.Constant(True)))
        lines.append(Line(text(made)))
    if lines:
        layout.functions.helpers.setdefault("check_input", _HELPER)
    if len(entries) > 1 and not before:
        layout.functions.helpers.setdefault("check_batches", _BATCHES)
        pairs = [
            ast.Tuple([name(identifier(e.name)), ast.Constant(e.type.rank)], ast.Load())
            for e in entries
        ]
        given = ast.Dict([ast.Constant(e.name) for e in entries], list(pairs))
        lines.append(Line(text(call("check_batches", given))))
    return lines


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


def _size(layout: Layout, dim: Dim, known: Sequence[tuple[str, Array]]) -> ast.expr | None:
    symbols: dict[str, ast.expr] = {}
    for symbol in dim.symbols:
        found = shape_of(symbol, known)
        if found is None and symbol in layout.size_attributes:
            found = name(f"self.{identifier(symbol)}")
        if found is None:
            return None
        symbols[symbol] = found
    return dim_expression(dim, symbols)
