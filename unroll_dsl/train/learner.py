"""One update of the weights: the loss, its gradient, a step of the optimiser."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unroll_dsl.train.config import Training
from unroll_dsl.train.errors import Diverged

if TYPE_CHECKING:
    from accelerate import Accelerator


class SharedLoss(nn.Module):
    """The loss of a network as a module, so that several processes can share its gradient."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *arguments: Tensor) -> Tensor:
        loss: Tensor = self.network.loss(*arguments)  # type: ignore[operator]  # generated
        return loss


class Learner:
    """A network under training: `update` it, `state` it, `restore` it."""

    def __init__(
        self,
        network: nn.Module,
        groups: list[dict[str, Any]],
        train: Training,
        rate: float,
        accelerator: Accelerator,
    ) -> None:
        self.network, self.train, self.accelerator = network, train, accelerator
        self.trained = [p for group in groups for p in group["params"]]
        if train.compile:
            network.compile()
        optimizer = _optimizer(groups, train, rate)
        prepared = accelerator.prepare(SharedLoss(network), optimizer)
        self.objective: nn.Module = prepared[0]
        self.optimizer: Any = prepared[1]

    def update(
        self,
        parts: Sequence[tuple[Tensor, ...]],
        rate: float,
        explain: Callable[[str], Diverged],
    ) -> tuple[float, float]:
        """Change the weights by a batch that comes in parts; the loss and the norm of its gradient.

        Raises
        ------
        Diverged
            What `explain` makes of a reason, if loss or gradient is no number; weights are as they were.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.zero_grad()
        losses = []
        for number, arguments in enumerate(parts, start=1):
            last = number == len(parts)
            with nullcontext() if last else self.accelerator.no_sync(self.objective):
                loss = self.objective(*arguments) / len(parts)
                self.accelerator.backward(loss)
            losses.append(loss.detach())
        total = torch.stack(losses).sum()
        if self.accelerator.num_processes > 1:
            total = self.accelerator.reduce(total, "mean")
        self.accelerator.unscale_gradients()
        norm = nn.utils.get_total_norm([p.grad for p in self.trained if p.grad is not None])
        found, length = torch.stack([total.double(), norm.double()]).tolist()
        if not math.isfinite(found):
            raise explain(f"the loss is {found}")
        if not math.isfinite(length) and self.accelerator.scaler is None:
            raise explain(f"the norm of the gradient is {length}")
        if self.train.clip:
            nn.utils.clip_grads_with_norm_(self.trained, self.train.clip, norm)
        self.optimizer.step()
        return found, length

    def state(self) -> dict[str, Any]:
        """The state dictionaries that a checkpoint keeps."""
        scaler = self.accelerator.scaler
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
        }

    def restore(
        self,
        network: dict[str, Any],
        optimizer: dict[str, Any],
        scaler: dict[str, Any] | None,
    ) -> None:
        """Go back to what `state` gave."""
        self.network.load_state_dict(network)
        self.optimizer.load_state_dict(optimizer)
        if scaler is not None and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(scaler)


def _optimizer(groups: list[dict[str, Any]], train: Training, rate: float) -> torch.optim.Optimizer:
    match train.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=train.momentum)
        case _:
            return torch.optim.Adam(groups, lr=rate)


def largest_gradient(network: nn.Module) -> str:
    """The parameter with the largest entry of its gradient, in words; one that is no number is largest."""
    found = [
        (math.inf if not math.isfinite(size) else size, name, size)
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
        for size in [float(parameter.grad.detach().abs().max())]
    ]
    if not found:
        return "there is no gradient"
    _, name, size = max(found)
    return f"the largest entry of the gradient is {size:.3g}, of `{name}`"
