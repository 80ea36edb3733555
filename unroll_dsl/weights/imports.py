"""An authors' file of weights, in the names and layouts of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from unroll_dsl.backends.errors import WeightsMisfit
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.files import CannotRead, file_and_member
from unroll_dsl.files.tensors import read_leaves, widened
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.passes.analysis.liveness import liveness, variants
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array
from unroll_dsl.types.pieces import pieces
from unroll_dsl.weights.checkpoints import unwrapped
from unroll_dsl.weights.names import TensorRule, WeightMap, read_map


@dataclass(frozen=True, slots=True)
class Imported:
    """Weights under the names of the network's `state_dict`, and how many phases they are for: None where
    all phases share them and the file does not tell.

    `notes` says what of the file was taken, where it holds more than weights.
    """

    tensors: dict[str, Tensor]
    phases: int | None
    notes: tuple[str, ...] = ()


def import_weights(spec: Spec, weights: Path, names: Path) -> Imported:
    """Read weights in the names of their authors.

    Parameters
    ----------
    weights
        File of PyTorch, .safetensors or of arrays. A checkpoint may hold them under a key such as "state_dict",
        and names may have a prefix such as "module.": what the map's names are found in is taken.
    names
        The map of names: see `unroll_dsl.weights.names`.

    Raises
    ------
    UnrollError
        U0521, with every tensor that is missing, surplus or of a wrong rank.
    BadMap, CannotRead
        For files that cannot be understood.
    """
    weight_map = read_map(names)
    file, member = file_and_member(weights)
    leaves = read_leaves(file)
    if member:
        keys = tuple(member.split("."))
        leaves = [(k[len(keys) :], t) for k, t in leaves if k[: len(keys)] == keys and k != keys]
        if not leaves:
            raise CannotRead(f"{file} holds no tensors under `{member}`")
    given, notes = unwrapped(weight_map, leaves, file)
    return replace(translate(spec.graph, weight_map, given, file.name), notes=notes)


def translate(
    graph: Graph, weight_map: WeightMap, given: Mapping[str, Tensor], source: str
) -> Imported:
    """`import_weights` of tensors that were read."""
    parameters = {p.name: p for p in graph.parameters}
    phases = _phases(weight_map, given, source)
    own = variants(liveness(graph, training=True), max(phases, 1))
    used: set[str] = set()
    missing: list[str] = []
    misshapen: list[str] = []
    found: dict[str, Tensor] = {}
    for rule in weight_map.rules:
        name, _, piece = rule.ours.partition(".")
        if name not in parameters:
            misshapen.append(f"{rule.ours}: the program has no learnable `{name}`")
            continue
        rank = _rank(parameters[name], piece)
        if rank is None:
            misshapen.append(f"{rule.ours}: {parameters[name].type} has no tensor `{piece}`")
            continue
        for k in range(1, max(phases, 1) + 1) if rule.per_phase else (1,):
            if rule.per_phase and name not in own[k - 1].parameters:
                continue  # what a phase does not need does not exist there
            theirs = rule.find(given, k)
            if theirs is None:
                missing.append(" or ".join(rule.patterns(k)))
                continue
            used.add(theirs)
            tensor = _laid_out(widened(given[theirs]), rule, rank)
            if tensor is None:
                shape = tuple(given[theirs].shape)
                misshapen.append(f"{theirs}: {rank} axes wanted, found shape {shape}")
                continue
            ours = identifier(name) + (f".{piece}" if piece else "")
            found[f"phases.{k - 1}.{ours}" if rule.per_phase else ours] = tensor
    left = sorted(name for name in set(given) - used if not weight_map.ignores(name))
    surplus = [name for name in left if not _repeats(name, used, given)]
    if missing or surplus or misshapen:
        raise UnrollError([WeightsMisfit(source, tuple(missing), tuple(surplus), tuple(misshapen))])
    return Imported(found, phases or None)


def _repeats(name: str, used: set[str], given: Mapping[str, Tensor]) -> bool:
    """Whether a tensor is one that was taken, under another name: of a shared layer a file may hold
    one for each place where it stands."""
    return any(torch.equal(given[name], given[other]) for other in used)


def _phases(weight_map: WeightMap, given: Mapping[str, Tensor], source: str) -> int:
    """The number of phases, 0 where nothing tells.

    Raises `UnrollError` (U0521) where their names leave one out: the file is no whole network.
    """
    rules = [rule for rule in weight_map.rules if rule.per_phase]
    repeated = [] if weight_map.phases is None else [weight_map.phases]
    count = _count(rules or repeated, given)
    for k in range(count + 2, len(given) + 2):
        beyond = next(
            (name for rule in rules or repeated if (name := rule.find(given, k)) is not None), None
        )
        if beyond is not None:
            absent = f"what belongs to phase {count + 1} (`{beyond}` belongs to phase {k})"
            raise UnrollError([WeightsMisfit(source, (absent,), (), ())])
    return count + weight_map.more if count and not rules else count


def _count(rules: Sequence[TensorRule], given: Mapping[str, Tensor]) -> int:
    """As far as some tensor of a phase is there."""
    count = 0
    while rules and any(rule.find(given, count + 1) is not None for rule in rules):
        count += 1
    return count


def _rank(parameter: Parameter, piece: str) -> int | None:
    if isinstance(parameter.type, Array):
        return parameter.type.rank if not piece else None
    return next((len(p.shape) for p in pieces(parameter.type) if p.name == piece), None)


def _laid_out(tensor: Tensor, rule: TensorRule, rank: int) -> Tensor | None:
    """The tensor with its axes permuted as the map says; axes of length 1 come and go."""
    if rule.axes is not None:
        if sorted(rule.axes) != list(range(tensor.ndim)):
            return None
        tensor = tensor.permute(rule.axes)
    while tensor.ndim > rank and 1 in tensor.shape:
        tensor = tensor.squeeze(list(tensor.shape).index(1))
    return tensor.contiguous() if tensor.ndim == rank else None
