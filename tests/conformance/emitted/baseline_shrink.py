"""Encoder with a smooth shrinkage, the stronger baseline of LISTA.

K. Gregor, Y. LeCun: Learning fast approximations of sparse coding. ICML, 2010, table 1.

Two sigmoids, shifted by u to either side, cancel near 0: what is smaller than u shrinks towards
zero, what is larger passes and saturates.

Generated from baseline_shrink.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


def nonnegative(p: Tensor) -> Tensor:
    """Reflect `p` at 0, so that it is never below, wherever an optimiser steps."""
    return torch.where(p < 0, -p, p)


class BaselineShrink(nn.Module):
    """Map X [batch, n] to Z [batch, m].

    Learnable: We [m, n], b [m], u [m] >= 0, D [m].
    """

    def __init__(
        self,
        n: int,
        m: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.We = nn.Parameter(
            nn.init.xavier_normal_(torch.empty((m, n), dtype=dtype, device=device))
        )  # baseline_shrink.unroll:12
        self.b = nn.Parameter(
            torch.zeros((m,), dtype=dtype, device=device)
        )  # baseline_shrink.unroll:13
        self.u = nn.Parameter(
            torch.ones((m,), dtype=dtype, device=device)
        )  # baseline_shrink.unroll:14
        self.D = nn.Parameter(
            torch.ones((m,), dtype=dtype, device=device)
        )  # baseline_shrink.unroll:15

    def forward(self, X: Tensor) -> Tensor:
        u = nonnegative(self.u)  # baseline_shrink.unroll:14
        v = X @ self.We.mT + self.b  # baseline_shrink.unroll:17
        return self.D * ((v + u).tanh() + (v - u).tanh())  # baseline_shrink.unroll:18

    def loss(self, X: Tensor, Z_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        Z = self(X)
        return (1 / 2 * (Z - Z_star).square().sum(-1)).mean()
