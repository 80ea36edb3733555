"""Functions that take one operand for all samples, where each sample has an operand of its own."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll_dsl.backends.torch.templates import fill, name, number

EACH = '''def each(f: Callable[..., Tensor], *arguments: tuple[Tensor, int]) -> Tensor:
    """`f` of each sample: of each argument the last axes, as many as its number says; what leads is batch."""
    if all(v.ndim == rank for v, rank in arguments[1:]):  # the same operands for all
        return f(*(v for v, _ in arguments))
    batch = torch.broadcast_shapes(*(v.shape[: v.ndim - rank] for v, rank in arguments))
    samples = []
    for v, rank in arguments:
        axes = v.shape[v.ndim - rank :]
        samples.append(v.expand(*batch, *axes).reshape(-1, *axes))
    return torch.vmap(f)(*samples).unflatten(0, batch)
'''


@dataclass(frozen=True, slots=True)
class SampledName:
    """A name in a template, its value and how many axes one sample of it has."""

    name: str
    value: ast.expr
    rank: int


def each(
    template: str,
    arguments: Sequence[SampledName],
    holes: Mapping[str, ast.expr],
) -> ast.expr:
    """`each(lambda x, B: convolve(x, B, "zero"), (x, 3), (B, 3))`."""
    taken = {n.id for hole in holes.values() for n in ast.walk(hole) if isinstance(n, ast.Name)}
    words = {a.name: f"{a.name}_each" if a.name in taken else a.name for a in arguments}
    body = fill(template, **holes, **{a.name: name(words[a.name]) for a in arguments})
    parameters = [ast.arg(words[a.name]) for a in arguments]
    function = ast.Lambda(ast.arguments([], parameters, None, [], [], None, []), body)
    pairs = [ast.Tuple([a.value, number(a.rank)], ast.Load()) for a in arguments]
    return ast.Call(name("each"), [function, *pairs], [])
