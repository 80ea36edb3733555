"""A network that learns no more: everything that no input changes is computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from unroll_dsl.backends.binding import Binding
from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.backends.networks import is_network
from unroll_dsl.backends.resting import Rest
from unroll_dsl.backends.values import as_array, describe
from unroll_dsl.driver import check_program
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Fixed
from unroll_dsl.passes.folding import Folded, folding
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.syntax.nodes import Program
from unroll_dsl.types import Array, Layer

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Origin:
    """What a network was compiled from.

    Attributes
    ----------
    program : Program
        With the roles of its constants.
    graph : Graph
        What it is, before any pass.
    sizes : dict of str to int
        Those that were known.
    level, checkpoint, gradient
        As for `Spec.compile`.
    shapes : dict of str to tuple of int
        Of everything that was bound.
    values : dict
        What was bound in place of a classical value; maps and matrices without one are not kept.
    dtype
        As asked for: what a network has that holds no tensor.
    rest
        For networks at rest.
    """

    program: Program
    graph: Graph
    sizes: dict[str, int]
    level: int
    checkpoint: str | None = None
    gradient: str | int = "unroll"
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    dtype: torch.dtype | None = None
    rest: Rest | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        rest = tuple(getattr(self, each.name) for each in fields(self)[2:])
        return _checked_again, (self.program, *rest)

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self  # nothing in it changes


def _checked_again(program: Program, *rest: Any) -> Origin:
    """An origin from another process: types have functions in them, which are made again."""
    graph = check_program(program).graph
    assert graph is not None, "it had no errors"
    return Origin(program, graph, *rest)


def kept(graph: Graph, constants: Mapping[str, Any]) -> dict[str, Any]:
    """Bound values in place of classical ones, by name: copies that later changes do not reach.

    Numbers of Python, and lists of them, stay what they are: they take the precision of the network.
    """
    import numpy as np
    import torch

    found: dict[str, Any] = {}
    for constant in graph.constants:
        if constant.default is None or constant.name not in constants:
            continue
        value = constants[constant.name]
        if describe(value).dtype is None:
            found[constant.name] = np.asarray(value).tolist()
        elif isinstance(value, torch.Tensor):
            found[constant.name] = value.detach().cpu().clone()
        else:
            found[constant.name] = torch.from_numpy(np.array(value, order="C"))
    return found


def freeze(network: nn.Module, origin: Origin, made_of: dict[str, Any] | None = None) -> nn.Module:
    """The network for inference with the values that this one has now: see `Spec.compile`. `made_of` receives what
    its class was made with."""
    from unroll_dsl.backends.torch import emit
    from unroll_dsl.backends.torch.backward import UNROLL, Backward
    from unroll_dsl.backends.torch.instantiate import instantiate
    from unroll_dsl.backends.torch.naming import derived_name

    def name(graph: Graph, index: int) -> str:
        node = graph.nodes[index]
        return node.label or derived_name(graph.nodes, index) or "folded"

    prepared = optimize(origin.graph, origin.sizes, origin.level)
    count = _count(network)
    if count is not None:
        prepared = replace(prepared, phases=count)
    folded = folding(prepared, name)
    how = UNROLL if origin.rest is None else Backward(rest=origin.rest)
    buffers = emit(prepared, backward=how).buffers
    like = _like(network, origin.dtype)
    bind, init = _values(folded, network, buffers, origin, count or 1, like.dtype.to_real())
    bound = bind_values(folded.graph, count or 1, bind, init, origin.sizes)
    found = instantiate(
        folded.graph,
        count,
        bound,
        dtype=like.dtype.to_real(),
        device=like.device,
        seed=None,
        level=None,
        backward=how,
        made_of=made_of,
    )
    return remember(found.requires_grad_(False).eval(), None)


def remember(network: nn.Module, origin: Origin | None) -> nn.Module:
    """Give a network the methods `freeze` and `compile`; without `origin` it is frozen already."""
    network.__dict__["_origin"] = origin
    _with_methods(type(network))
    return network


def _with_methods(kind: Any) -> None:
    """Give them to the class of a network; copies in other processes have them too."""
    from unroll_dsl.backends.torch.compiled import compile_phases

    if "freeze" in vars(kind):
        return
    reduced = kind.__reduce_ex__

    def reduce(self: nn.Module, protocol: int) -> tuple[Any, ...]:
        restore, arguments, state = reduced(self, protocol)
        return _restored, (restore, arguments), state

    kind.freeze, kind.compile, kind.__reduce_ex__ = _freeze, compile_phases, reduce


def _restored(restore: Any, arguments: tuple[Any, ...]) -> Any:
    network = restore(*arguments)
    _with_methods(type(network))
    return network


def _freeze(self: nn.Module) -> nn.Module:
    """This network for inference: what depends on its learnables alone is computed once, and kept.

    The result has buffers in place of learnables, on the same device and of the same precision, and no
    loss. Training this network further does not change it.
    """
    origin = self.__dict__["_origin"]
    return self if origin is None else freeze(self, origin)


def _count(network: nn.Module) -> int | None:
    phases = getattr(network, "phases", None)
    return phases if phases is None or isinstance(phases, int) else len(phases)


def _like(network: nn.Module, asked: torch.dtype | None) -> torch.Tensor:
    """Something of the precision and on the device of a network."""
    import torch

    held = [*network.parameters(), *network.buffers()]
    floats = [tensor for tensor in held if tensor.is_floating_point() or tensor.is_complex()]
    return floats[0] if floats else torch.empty(0, dtype=asked)


def _values(
    folded: Folded,
    network: nn.Module,
    buffers: Mapping[int, str],
    origin: Origin,
    count: int,
    real: torch.dtype,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of the fixed names and of the learnables of the program for inference."""
    from unroll_dsl.backends.numpy import Reference
    from unroll_dsl.backends.numpy.declared import double
    from unroll_dsl.backends.numpy.given import as_arrays
    from unroll_dsl.backends.numpy.outside import network as function_of
    from unroll_dsl.backends.torch.learned import learned, outside

    before, graph = folded.before, folded.graph
    modules: dict[str, Any] = {}  # maps and layers from outside
    setup: dict[int, Any] = {}
    for index, word in buffers.items():
        node, value = before.nodes[folded.where[index]], getattr(network, word)
        if isinstance(node.type, Array):
            setup[folded.where[index]] = double(as_array(value), node.type)
        elif isinstance(node.op, Fixed):
            modules[node.op.name] = value
    maps = as_arrays(before, Binding(modules, {}, origin.sizes))
    first = Reference(before, count, maps, {}, origin.sizes, setup=setup)
    parameters = learned(before, network, first.bounds)
    networks = {p.name: outside(p, network) for p in before.parameters if is_network(p)}
    arrays: dict[str, Any] = {
        name: {key: as_array(piece) for key, piece in value.items()}
        if isinstance(value, dict)
        else as_array(value)
        for name, value in parameters.items()
    }
    arrays |= {name: [function_of(each) for each in made] for name, made in networks.items()}
    reference = Reference(before, count, maps, arrays, origin.sizes, setup=setup)
    wanted = list(folded.values.items())
    per_phase = graph.per_phase
    phases = [
        reference.before_inputs([i for _, i in wanted], k)
        for k in range(1, count + 1 if per_phase else 2)
    ]
    bind, init = _as_tensors(wanted, phases, per_phase, real)
    bind |= modules
    for p in graph.parameters:
        if p.name in networks:
            made = networks[p.name]
            init[p.name] = made if p.per_phase else made[0]
        elif isinstance(p.type, Layer) and p.name in parameters:  # else no phase has it
            init[p.name] = parameters[p.name]
    return bind, init


def _as_tensors(
    wanted: Sequence[tuple[str, int]],
    phases: Sequence[Sequence[Any]],
    per_phase: frozenset[str],
    real: torch.dtype,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values by name, of which there is one, and those of which each phase has one."""
    import numpy as np
    import torch

    single: dict[str, Any] = {}
    several: dict[str, Any] = {}
    for place, (name, _) in enumerate(wanted):
        if name in per_phase:
            value = torch.from_numpy(np.stack([values[place] for values in phases]))
        else:
            value = torch.from_numpy(np.array(phases[0][place]))
        value = value.to(real.to_complex() if value.is_complex() else real)
        (several if name in per_phase else single)[name] = value
    return single, several
