"""Training of an encoder on pairs of patches and codes, with the loss of its own program."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def train(
    net: nn.Module,
    X: Tensor,
    Z_star: Tensor,
    *,
    rate: float,
    steps: int,
    batch: int,
    seed: int,
    progress: Callable[[int, int], object],
) -> None:
    """Adam with a cosine schedule from `rate` to 0, on batches drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        rows = torch.randint(len(X), (batch,), generator=generator)
        loss: Tensor = net.loss(X[rows], Z_star[rows])  # type: ignore[operator]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 20 == 0 or step == steps:
            progress(step, steps)
