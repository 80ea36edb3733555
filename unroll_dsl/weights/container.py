"""A trained network in one file: weights, the text of its program, how it was compiled, what was bound.

The file is a .safetensors file; the program and the rest are its metadata. Reading one compiles the
program and runs no other code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.backends.errors import WeightsMisfit
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.values import describe
from unroll_dsl.compiling import Made, Supplied, compiled
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.files.pairs import read_whole, to_pairs
from unroll_dsl.spec import Spec
from unroll_dsl.weights.held import BOUND, Held, from_file, of_network, of_weights, to_file
from unroll_dsl.weights.writing import in_order, write_whole


def save_network(
    path: Path | str,
    spec: Spec,
    weights: nn.Module | Mapping[str, Tensor],
    *,
    phases: int | None = None,
    bind: Mapping[str, Any] | None = None,
) -> None:
    """Write a network to one file; an interrupted write leaves what was there before.

    Kept are the weights, the program with its roles (`learn`, `fix`), the number of phases, sizes,
    precision and the options of `compile`, and what was bound in place of a classical value. Maps and
    matrices without one are not: `load_network` is given them again.

    Parameters
    ----------
    weights
        A network of `spec`, which says all the rest; or its `state_dict`, of which `spec` (with its roles),
        `phases` and `bind` do.
    phases
        How many; by default as many as the network has, else what the program says.
    bind
        What was bound, where `weights` is a `state_dict`.

    Raises
    ------
    ValueError
        If the network is of another program, of another number of phases, or frozen.
    """
    from safetensors.torch import save

    if isinstance(weights, nn.Module):
        held, tensors = of_network(weights, spec, phases, bind), weights.state_dict()
    else:
        held, tensors = of_weights(weights, spec, phases, bind), dict(weights)
    metadata, more = to_file(held)
    whole, pairs = to_pairs({k: v.detach().cpu() for k, v in tensors.items()} | more)
    write_whole(Path(path), in_order(save(whole, metadata | pairs)))


def is_network(path: Path | str) -> bool:
    """Whether a file has been written by `save_network`: weights with their program."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as stream:
            return {"format", "spec"} <= set(stream.metadata() or {})
    except (OSError, SafetensorError):
        return False


def read_spec(path: Path | str) -> tuple[Spec, int | None, dict[str, tuple[int, ...]]]:
    """The program in a file, its number of phases, and the shapes of what was bound.

    Raises
    ------
    CannotRead
        If the file is no network of this format, or its program is not the one that was written.
    """
    held = from_file(path)
    return held.spec, held.phases, held.shapes


def load_network(
    path: Path | str,
    *,
    bind: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Rebuild a network from a file that `save_network` or `unroll weights import` has written.

    Parameters
    ----------
    bind
        Maps, matrices and networks, as for `Spec.compile`; values in place of those that were kept.
    dims
        Sizes. A matrix or mask of another shape than it had is refused unless its sizes are given here.
    dtype, device
        By default the precision that it had, on the device of what is bound.

    Raises
    ------
    UnrollError
        U0521 with every missing, surplus and misshapen tensor; what `Spec.compile` raises.
    CannotRead
        If the file is not one of these.
    """
    held = from_file(path)
    tensors, _ = read_whole(str(path))
    weights = {name: value for name, value in tensors.items() if not name.startswith(BOUND)}
    given = dict(bind or {})
    wrong = _of_other_shapes(held, given, dims or {})
    if wrong:
        raise UnrollError([WeightsMisfit(str(path), (), (), wrong)])
    given = _kept(held, given) | given
    precision = None if held.precision is None else getattr(torch, held.precision)
    spec = held.spec
    made = Made(
        precision if dtype is None else dtype,
        device,
        0,  # whatever is drawn is written over
        held.level,
        held.checkpoint,  # type: ignore[arg-type]
        held.gradient,  # type: ignore[arg-type]
        held.rest,
    )
    bound = Supplied(given, _starts(held, weights), _sizes(held, given, dims or {}))
    count = spec.count(held.phases, held.rest)
    network = compiled(spec.program, spec.runnable(), count, bound, made, trained=True)
    put(network, weights, str(path))
    return network


def _of_other_shapes(
    held: Held, given: Mapping[str, Any], dims: Mapping[str, int]
) -> tuple[str, ...]:
    """What is bound with another shape than the network had, where nobody says that this is meant."""
    wrong = []
    for constant in held.spec.graph.constants:
        name, shape = constant.name, held.shapes.get(constant.name)
        if not shape or name not in given:
            continue
        found = tuple(describe(given[name]).shape)
        sizes = {s for dim in getattr(constant.type, "shape", ()) for s in dim.symbols}
        if found in ((), shape) or (sizes and sizes <= {*dims}):
            continue
        meant = f"; if that is meant, give `dims` of {', '.join(sorted(sizes))}" if sizes else ""
        wrong.append(f"{name}: bound with shape {found}, trained with {shape}{meant}")
    return tuple(wrong)


def _kept(held: Held, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values that were kept, of the precision of what is bound beside them."""
    dtypes = {describe(value).dtype for value in given.values()} - {None}
    real = {"complex64": "float32", "complex128": "float64"}
    wanted = {real.get(str(dtype), dtype) for dtype in dtypes}
    found: dict[str, Any] = {}
    for name, value in held.values.items():
        is_other = isinstance(value, Tensor) and wanted - {str(value.dtype.to_real())[6:]}
        found[name] = value.tolist() if is_other else value  # numbers take the network's precision
    return found


def _sizes(held: Held, given: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, int]:
    """Sizes that are given, and of those that were known the ones that nothing else says."""
    graph = held.spec.graph
    names = tuple((name, None) for name, _ in graph.dims)
    bare = dataclasses.replace(graph, dims=names)  # defaults are no news
    said = bind_values(bare, held.phases or 1, given, {}, dims).sizes
    return {name: size for name, size in held.sizes.items() if name not in said} | dict(dims)


def _starts(held: Held, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Something to start learnables without a classical value from, before their weights are copied."""
    found: dict[str, Any] = {}
    for parameter in held.spec.graph.parameters:
        if parameter.initial is not None:
            continue
        word = identifier(parameter.name)
        names = (word, *(f"phases.{k}.{word}" for k in range(held.phases or 1)))
        own = [weights[name] for name in names if name in weights]
        if own:
            found[parameter.name] = own[0]
    return found


def put(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy weights into a network; U0521 names all that does not fit."""
    held = network.state_dict()
    missing = tuple(sorted(set(held) - set(tensors)))
    surplus = tuple(sorted(set(tensors) - set(held)))
    misshapen = tuple(
        f"{name}: {tuple(held[name].shape)} wanted, found {tuple(tensors[name].shape)}"
        for name in held
        if name in tensors and tensors[name].shape != held[name].shape
    )
    if missing or surplus or misshapen:
        raise UnrollError([WeightsMisfit(source, missing, surplus, misshapen)])
    network.load_state_dict({k: v.to(held[k]) for k, v in tensors.items()})
