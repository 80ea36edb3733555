"""`torch.compile` for networks of phases: one phase is compiled and serves all of its kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn


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
        if holder is not network:
            _keep_numbers(holder, _like(network))
        for word in _methods(kind, holder is network):
            if (kind, word) not in made:
                made[kind, word] = _compiled(getattr(kind, word), options)
            setattr(holder, word, MethodType(made[kind, word], holder))


def _methods(kind: type, is_network: bool) -> list[str]:
    """What is called in each phase: methods of its own class, or of the network's."""
    if is_network:
        return [word for word in vars(kind) if "phase" in word]
    return [word for word in ("forward", "begin") if word in vars(kind)]


def _compiled(method: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """A method compiled for any value of the numbers that it is given, which it takes for constants else."""
    run = torch.compile(method, **options)

    @wraps(method)
    def compiled(self: nn.Module, *args: Any, **flags: bool) -> Any:
        like = next((a for a in args if isinstance(a, Tensor)), None)
        numbers = (_number(a, like) if type(a) in (int, float) else a for a in args)
        return run(self, *numbers, **flags)

    return compiled


def _keep_numbers(phase: nn.Module, like: Tensor | None) -> None:
    """Make buffers of a phase's own numbers, for the same reason."""
    for word, value in list(vars(phase).items()):
        if type(value) is float:
            delattr(phase, word)
            phase.register_buffer(word, _number(value, like), persistent=False)


def _like(network: nn.Module) -> Tensor | None:
    return next(
        (t for t in (*network.parameters(), *network.buffers()) if t.is_floating_point()), None
    )


def _number(value: Any, like: Tensor | None) -> Tensor:
    """A number as a tensor without axes, made where `like` is so that no device waits for it."""
    if like is None:
        return torch.full((), float(value))
    return torch.full((), float(value), dtype=like.real.dtype, device=like.device)
