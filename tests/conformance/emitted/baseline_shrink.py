"""Encoder with a smooth shrinkage, the stronger baseline of LISTA.

K. Gregor, Y. LeCun: Learning fast approximations of sparse coding. ICML, 2010, table 1.

Two sigmoids, shifted by u to either side, cancel near 0: what is smaller than u shrinks towards
zero, what is larger passes and saturates.

Generated from baseline_shrink.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class BaselineShrink(nn.Module):
    """Map X [batch, n] to Z [batch, m].

    Learnable: We [m, n], b [m], u [m] >= 0, D [m].

    X: signal
    We: filters
    b: bias
    u: width of the dead zone
    D: gains, the diagonal of the paper's D
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
        # baseline_shrink.unroll:12
        self.We = nn.Parameter(
            nn.init.xavier_normal_(torch.empty((m, n), dtype=dtype, device=device))
        )
        # baseline_shrink.unroll:13
        self.b = nn.Parameter(torch.zeros((m,), dtype=dtype, device=device))
        # baseline_shrink.unroll:14
        self.u = nn.Parameter(torch.ones((m,), dtype=dtype, device=device))
        # baseline_shrink.unroll:15
        self.D = nn.Parameter(torch.ones((m,), dtype=dtype, device=device))

    def forward(self, X: Tensor) -> Tensor:
        check_input("X", X, (self.We.shape[-1],), self.We)
        u = nonnegative(self.u)  # baseline_shrink.unroll:14
        v = X @ self.We.mT + self.b  # baseline_shrink.unroll:17
        return self.D * ((v + u).tanh() + (v - u).tanh())  # baseline_shrink.unroll:18

    def loss(self, X: Tensor, Z_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("Z_star", Z_star, (self.We.shape[-2],), self.We)
        check_batches({"X": (X, 1), "Z_star": (Z_star, 1)})
        Z = self(X)
        return (1 / 2 * (Z - Z_star).square().sum(-1)).mean()


def check_input(name: str, x: Tensor, shape: tuple[int | None, ...], like: Tensor) -> None:
    """Refuse what does not end in `shape` (None: any size), or has not the precision and the device
    of `like`. Any batch axes may lead."""
    if not isinstance(x, Tensor):
        words = f"found {type(x).__name__}: give torch.as_tensor({name})"
        raise TypeError(f"`{name}` must be a tensor, {words}")
    found = tuple(x.shape[x.ndim - len(shape) :]) if x.ndim >= len(shape) else ()
    if len(found) < len(shape) or any(n not in (None, m) for n, m in zip(shape, found)):
        wanted = ", ".join(["...", *("any" if n is None else str(n) for n in shape)])
        raise ValueError(f"`{name}` must have the shape [{wanted}], found {list(x.shape)}")
    dtype = like.real.dtype
    if x.dtype != dtype:
        raise TypeError(f"`{name}` must be {dtype}, found {x.dtype}: give {name}.to({dtype})")
    if x.device != like.device:
        raise ValueError(f"`{name}` is on {x.device}, the network on {like.device}")


def nonnegative(p: Tensor) -> Tensor:
    """Reflect `p` at 0, so that it is never below, wherever an optimiser steps."""
    return torch.where(p < 0, -p, p)


def check_batches(inputs: dict[str, tuple[Tensor, int]]) -> None:
    """Refuse inputs whose batch axes do not broadcast; each is given with the axes of a sample of it."""
    found = {name: list(x.shape[: max(x.ndim - axes, 0)]) for name, (x, axes) in inputs.items()}
    for axis in range(1, max(map(len, found.values())) + 1):
        wide = [
            batch[-axis] for batch in found.values() if len(batch) >= axis and batch[-axis] != 1
        ]
        if any(size != wide[0] for size in wide):  # no set of them: an export would fix the batch
            words = ", ".join(f"`{name}` has {batch}" for name, batch in found.items())
            raise ValueError(f"the inputs have different batch axes: {words}")
