"""Taking arrays apart and putting them together: `x[..., 1, 0:3, :]`, `torch.cat((x, y), -3)`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Protocol

from unroll_dsl.backends.torch.facts import Facts
from unroll_dsl.backends.torch.templates import call, fill, number
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.entries import chosen, lies_inside
from unroll_dsl.operators.model import Function, Static
from unroll_dsl.types import ONE, Array, Dim

TOGETHER = '''def together(values: tuple[Tensor, ...], rank: int) -> tuple[Tensor, ...]:
    """Values of `rank` axes a sample, each with the batch axes of all of them."""
    batch = torch.broadcast_shapes(*(v.shape[: v.ndim - rank] for v in values))
    return tuple(v.expand((*batch, *v.shape[v.ndim - rank :])) for v in values)
'''


class Writer(Protocol):
    """What writes the nodes of a place of the generated code (`Expressions`)."""

    nodes: Sequence[Node]
    facts: Facts

    def type(self, index: int) -> Array: ...
    def array(self, index: int) -> ast.expr: ...


def entries(
    v: ast.expr, array: Array, statics: dict[str, Static], size: Callable[[Dim], ast.expr]
) -> ast.expr:
    """`v[..., 1, 0:3, :]`, counted from 0; by `narrow`, which looks, where sizes alone tell whether there are
    so many entries."""
    found: list[ast.expr] = [ast.Constant(...)]
    for axis, place in enumerate(chosen(array, statics)):
        whole = array.shape[axis]
        if isinstance(place, Dim):
            found.append(size(place - 1))
            continue
        first, last = place
        if (first, last) != (ONE, whole) and not lies_inside(place, whole):
            ends = number(axis - array.rank), size(first - 1), size(last - first + 1)
            v = ast.Call(ast.Attribute(v, "narrow"), list(ends), [])
            first, last = ONE, whole
        lower = None if first == ONE else size(first - 1)
        upper = None if last == whole else size(last)
        found.append(ast.Slice(lower, upper))
    if all(isinstance(each, ast.Slice) and not (each.lower or each.upper) for each in found[1:]):
        return v
    return fill("v[PLACES]", v=v, PLACES=ast.Tuple(found, ast.Load()))


def join(write: Writer, index: int, record: Function, statics: dict[str, Static]) -> ast.expr:
    """`torch.cat((x, y), -3)`. Batch axes agree where all that carries them comes of one input."""
    node, rank = write.nodes[index], write.type(index).rank
    values: ast.expr = ast.Tuple([write.array(argument) for argument in node.args], ast.Load())
    carriers = [write.facts.batched[argument] for argument in node.args]
    sources = {n.op for n in write.nodes if isinstance(n.op, ops.Input | ops.Target | ops.Argument)}
    if any(carriers) and not (all(carriers) and len(sources) == 1):
        values = call("together", values, number(write.type(node.args[0]).rank))
    axis = statics["axis"]
    assert isinstance(axis, int)
    return fill(record.torch, VALUES=values, AXIS=number(axis - 1 - rank))
