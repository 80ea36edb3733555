"""Weights in a checkpoint: under a key, with a prefix to their names, beside an optimiser's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from unroll_dsl.files import CannotRead
from unroll_dsl.files.checkpoints import Leaf
from unroll_dsl.weights.names import WeightMap


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What lies under some keys, its names without a prefix; `found` counts the map's names in it."""

    keys: tuple[str, ...]
    prefix: str
    tensors: dict[str, Tensor]
    found: int


def unwrapped(
    weight_map: WeightMap, leaves: Sequence[Leaf], file: Path
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors that a map speaks of, by its names, and in words where in the file they were.

    A file may hold them under keys (`state_dict`, `model`, ...) and with a prefix (`module.` of `DataParallel`,
    `model.` of Lightning). The place where most names of the map are found is taken; what lies under other keys, the
    state of an optimiser for instance, is no surplus.

    Raises
    ------
    CannotRead
        If two places fit alike.
    """
    candidates = list(_candidates(weight_map, leaves))
    best = max(candidate.found for candidate in candidates)
    if not best:
        return candidates[0].tensors, ()
    fits = [candidate for candidate in candidates if candidate.found == best]
    # the innermost place that has them all, and of its prefixes the shortest
    chosen = max(fits, key=lambda c: (len(c.keys), -len(c.prefix)))
    rivals = {c.keys for c in fits if c.keys != chosen.keys[: len(c.keys)]}
    if rivals:
        places = sorted([".".join(keys) for keys in {chosen.keys, *rivals}])
        raise CannotRead(
            f"{file} holds the weights at several places: {', '.join(f'`{p}`' for p in places)}",
            f"choose: `{file}:{places[0]}`",
        )
    notes = []
    if chosen.keys:
        beside = sorted({keys[0] for keys, _ in leaves} - {chosen.keys[0]})
        others = f"; beside it are {', '.join(f'`{key}`' for key in beside[:5])}" if beside else ""
        notes.append(f"the weights are those under `{'.'.join(chosen.keys)}`{others}")
    if chosen.prefix and chosen.prefix != weight_map.strip:
        notes.append(f"their names are taken without `{chosen.prefix}`")
    return chosen.tensors, tuple(notes)


def _candidates(weight_map: WeightMap, leaves: Sequence[Leaf]) -> Iterator[_Candidate]:
    wrappers = {keys[:depth]: None for keys, _ in leaves for depth in range(max(len(keys), 1))}
    for wrapper in wrappers:
        inside = {
            ".".join(keys[len(wrapper) :]): tensor
            for keys, tensor in leaves
            if keys[: len(wrapper)] == wrapper
        }
        for prefix in ("", *_prefixes(list(inside))):
            tensors = {
                name.removeprefix(prefix).removeprefix(weight_map.strip): tensor
                for name, tensor in inside.items()
            }
            yield _Candidate(wrapper, prefix, tensors, _found(weight_map, tensors))


def _prefixes(names: Sequence[str]) -> Iterator[str]:
    """What all names begin with, up to a dot: `module.`, `module.net.`"""
    parts = [name.split(".")[:-1] for name in names]
    prefix = ""
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            return
        prefix += f"{column[0]}."
        yield prefix


def _found(weight_map: WeightMap, names: dict[str, Tensor]) -> int:
    """How many names of the map are there; phases beyond the second tell nothing new."""
    return sum(
        rule.find(names, k) is not None
        for rule in weight_map.rules
        for k in ((1, 2) if rule.per_phase else (1,))
    )
