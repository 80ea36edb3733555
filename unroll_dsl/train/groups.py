"""Which parameters are trained, and how: patterns on names of the program and of the `state_dict`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.spec import Spec
from unroll_dsl.train.config import Group, Training
from unroll_dsl.train.errors import TrainingError, which

_PHASE = re.compile(r"phases\.\d+\.")


def names(spec: Spec, network: nn.Module) -> dict[str, str]:
    """For each parameter of a network, as its `state_dict` calls it, its name in the program."""
    words = {identifier(p.name): p.name for p in spec.graph.parameters}
    found = {}
    for name, _ in network.named_parameters():
        word = _PHASE.sub("", name, count=1).partition(".")[0]
        found[name] = words.get(word, word)
    return found


def matching(pattern: str, known: dict[str, str]) -> tuple[str, ...]:
    """The parameters that a pattern means: `theta`, `phases.0.*`, `phases.*.theta`, `H*`."""
    return tuple(
        name
        for name, word in known.items()
        if fnmatchcase(name, pattern) or fnmatchcase(word, pattern)
    )


def check_patterns(patterns: Iterable[tuple[str, str]], known: dict[str, str]) -> None:
    """Raise `TrainingError` for a pattern, given with the key that it is of, that matches nothing."""
    for key, pattern in patterns:
        if not matching(pattern, known):
            raise TrainingError(
                f"{key} = {pattern!r} matches no parameter",
                which(pattern, (*known.values(), *known)),
            )


def parameter_groups(
    network: nn.Module,
    known: dict[str, str],
    trains: Sequence[str],
    groups: Sequence[Group],
    train: Training,
) -> list[dict[str, Any]]:
    """Groups for an optimiser; what is in none of them is frozen.

    Each has, besides `params`, its `weight_decay`, and `factor`, what the rate is multiplied by.
    """
    chosen = {n for pattern in trains for n in matching(pattern, known)} if trains else set(known)
    parameters = dict(network.named_parameters())
    made: list[dict[str, Any]] = [{"params": [], **_facts(Group(), train)}]
    made += [{"params": [], **_facts(group, train)} for group in groups]
    for name, parameter in parameters.items():
        place = next((i for i, g in enumerate(groups, 1) if name in matching(g.match, known)), 0)
        frozen = name not in chosen or (place > 0 and groups[place - 1].freeze)
        parameter.requires_grad_(not frozen)
        if not frozen:
            made[place]["params"].append(parameter)
    return [group for group in made if group["params"]]


def _facts(group: Group, train: Training) -> dict[str, float]:
    decay = train.weight_decay if group.weight_decay < 0 else group.weight_decay
    return {"weight_decay": decay, "factor": 1.0 if group.rate < 0 else group.rate / train.rate}
