"""L-FISTA, learned FISTA.

T. Moreau, J. Bruna: Understanding trainable sparse coding via matrix factorization. ICLR,
2017.

Two iterates enter each phase, each through a matrix of its own, as in FISTA; all weights are
learned. At the classical values it is fista_cd: FISTA with the momentum (k - 1) / (k + a).

Generated from lfista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Lfista(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n], lambda_, a. Learnable: Wg [n, n], Wm [n, n], We [n, m], theta [n] >= 0, per
    phase.

    y: signal
    A: dictionary
    lambda_: weight of the l1 norm
    a: how slowly the classical momentum grows
    x, w: w: x one phase ago
    """

    def __init__(self, A: Tensor, lambda_: float = 0.1, a: float = 3.0, phases: int = 10) -> None:
        super().__init__()
        n = A.shape[1]
        lambda_ = torch.as_tensor(lambda_, dtype=A.dtype, device=A.device)
        a = torch.as_tensor(a, dtype=A.dtype, device=A.device)
        L = spectral_norm(A) ** 2  # lfista.unroll:15
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("lambda_", lambda_, persistent=False)
        self.n = n
        self.phases = nn.ModuleList(
            [
                Phase(
                    (1 + (k - 2) / (k - 1 + a))
                    * (torch.eye(n, dtype=A.dtype, device=A.device) - A.mT @ A / L),
                    -((k - 2) / (k - 1 + a))
                    * (torch.eye(n, dtype=A.dtype, device=A.device) - A.mT @ A / L),
                    (A.mT / L).contiguous(),
                    (lambda_ / L).expand(n).clone(),
                )
                for k in range(1, phases + 1)
            ]
        )

    def start(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """The states at the start."""
        check_input("y", y, (self.A.shape[-2],), self.A)
        # lfista.unroll:27
        x = y.new_zeros((*y.shape[:-1], self.n))
        w = y.new_zeros((*y.shape[:-1], self.n))
        return x, w

    def forward(self, y: Tensor) -> Tensor:
        x, w = self.start(y)
        for phase in self.phases:
            x, w = phase(x, w, y)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x, w = self.start(y)
        states = []
        for phase in self.phases:
            x, w = phase(x, w, y)
            states.append({"x": x, "w": w})
        return states

    def loss(self, y: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        x = self(y)
        return (
            1 / 2 * (x @ self.A.mT - y).square().sum(-1) + self.lambda_ * x.abs().sum(-1)
        ).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own.

    Wg [n, n]; Wm [n, n]; We [n, m]; theta [n] >= 0.

    Wg: for the last iterate
    Wm: for the one before it
    theta: thresholds
    """

    def __init__(self, Wg: Tensor, Wm: Tensor, We: Tensor, theta: Tensor) -> None:
        super().__init__()
        self.Wg = nn.Parameter(Wg)  # lfista.unroll:19
        self.Wm = nn.Parameter(Wm)  # lfista.unroll:20
        self.We = nn.Parameter(We)  # lfista.unroll:21
        self.theta = nn.Parameter(theta)  # lfista.unroll:22

    def forward(self, x: Tensor, w: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        theta = nonnegative(self.theta)  # lfista.unroll:22
        x_prev = x
        # lfista.unroll:29
        x = shrink_each(x_prev @ self.Wg.mT + w @ self.Wm.mT + y @ self.We.mT, theta)
        return x, x_prev


def spectral_norm(M: Tensor) -> Tensor:
    """The largest singular value; of a large matrix from the eigenvalues of its smaller product with itself."""
    m, n = M.shape[-2:]
    if min(m, n) < 256:
        return torch.linalg.matrix_norm(M, 2)
    gram = M @ M.mH if m <= n else M.mH @ M
    return torch.linalg.eigvalsh(gram)[..., -1].sqrt()


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


def shrink_each(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, each entry by a threshold of its own; none is negative."""
    return v - v.clamp(-t, t)
