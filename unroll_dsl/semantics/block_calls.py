"""The body of a block at given sizes and with given arguments, typed as that of a `def` is."""

from __future__ import annotations

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.model import BlockInstance, LayerCall
from unroll_dsl.semantics.scopes import Context, Place, Reporter, Within
from unroll_dsl.semantics.typing import Problem, Typing
from unroll_dsl.types import Array, Block, Mismatch


class Behind:
    """What blocks make of arrays in one call of a layer. `instances`: their bodies, innermost first."""

    def __init__(self, typing: Typing) -> None:
        self.typing = typing
        self.instances: list[BlockInstance] = []
        self.problem: tuple[Block, tuple[Array, ...], Problem] | None = None

    def __call__(self, block: Block, arguments: tuple[Array, ...]) -> Array | Mismatch:
        found = instance(self.typing, block, arguments)
        if isinstance(found, Problem):
            self.problem = block, arguments, found
            return Mismatch(None, str(block), "what it does not take")
        ranks = tuple(array.rank for array in arguments)
        others = self.typing.block_ranks.setdefault(block, ranks)
        if others != ranks:  # its body is written once
            span = found.definition.name.span
            why, words = errors.BlockFault.Why.RANKS, (_axes(others), _axes(ranks))
            fault = errors.BlockFault(span, block.name, why, *words)
            self.problem = block, arguments, Problem(fault)
            return Mismatch(None, str(block), "other numbers of axes")
        self.instances += _within(found)
        return found.result


def behind(typing: Typing, block: Block, arguments: tuple[Array, ...]) -> Array | None:
    """What a block makes of arrays; None where it does not take them."""
    found = instance(typing, block, arguments)
    return None if isinstance(found, Problem) else found.result


def instance(typing: Typing, block: Block, arguments: tuple[Array, ...]) -> BlockInstance | Problem:
    """The body of a block for these arguments, or what is wrong with it."""
    key = block, arguments
    if key not in typing.block_instances:
        typing.block_instances[key] = _instantiate(typing, block, arguments)
    return typing.block_instances[key]


def _instantiate(
    typing: Typing, block: Block, arguments: tuple[Array, ...]
) -> BlockInstance | Problem:
    read = typing.blocks.read(block.name)
    if read is None or (not block.parts and read.places):
        return Problem(None)
    definition, layers = read.definition, dict(block.parts)
    sizes = dict(zip(read.template.sizes, block.sizes, strict=True))
    own = Within(block.name, sizes, {place: layers[name] for place, name in read.places.items()})
    parameters = definition.parameters
    inner = Context(
        Place.BLOCK,
        {},
        {},
        {p.name.text: array for p, array in zip(parameters, arguments, strict=True)},
        {p.name.text: p.span for p in parameters},
        block=own,
    )
    body = typing.apart(Reporter())
    for local in definition.locals:
        inner.local[local.name.text] = body.infer(local.value, inner)
        inner.local_spans[local.name.text] = local.name.span
    result = body.infer(definition.value, inner)
    for diagnostic in body.reporter.diagnostics:
        if not diagnostic.code.startswith("U02"):
            return Problem(diagnostic)
        typing.reporter.report(diagnostic)  # what no argument could mend
    if body.reporter.diagnostics:
        return Problem(None)
    if not isinstance(result, Array):
        why = errors.BlockFault.Why.RESULT
        span = definition.value.span
        return Problem(errors.BlockFault(span, block.name, why, found=str(result)))
    return BlockInstance(
        definition, read.template, block, arguments, read.places, inner.types, inner.calls, result
    )


def _within(found: BlockInstance) -> list[BlockInstance]:
    """An instance, behind those of the blocks that it uses."""
    inner = [
        each for call in found.calls.values() if isinstance(call, LayerCall) for each in call.blocks
    ]
    return [*dict.fromkeys(inner), found]


def _axes(ranks: tuple[int, ...]) -> str:
    return " and ".join(f"{rank} {'axis' if rank == 1 else 'axes'}" for rank in ranks)
