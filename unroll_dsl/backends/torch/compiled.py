"""`torch.compile` for networks of phases: one phase is compiled and serves all of its kind."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import nn


def compile_phases(network: nn.Module, **options: Any) -> None:
    """Compile what a network does in a phase, in place, so that the time to a first result does not grow
    with their number.

    Parameters
    ----------
    options
        As `torch.compile` takes them. A network without phases is compiled whole.
    """
    phases = getattr(network, "phases", None)
    if phases is None:
        nn.Module.compile(network, **options)
        return
    made: dict[tuple[type, str], Any] = {}
    for holder in phases if isinstance(phases, nn.ModuleList) else [network]:
        kind = type(holder)
        for word in _methods(kind, holder is network):
            if (kind, word) not in made:
                made[kind, word] = torch.compile(getattr(kind, word), **options)
            setattr(holder, word, MethodType(made[kind, word], holder))


def _methods(kind: type, is_network: bool) -> list[str]:
    """What is called in each phase: methods of its own class, or of the network's."""
    if is_network:
        return [word for word in vars(kind) if "phase" in word]
    return [word for word in ("forward", "begin", "traced") if word in vars(kind)]
