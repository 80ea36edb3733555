"""LISTA, learned iterative shrinkage-thresholding.

K. Gregor, Y. LeCun: Learning fast approximations of sparse coding. ICML, 2010.

ISTA with both of its matrices and its thresholds learned. At the classical values it is ISTA
with the bound L for the largest eigenvalue of Wd'Wd.

Generated from lista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Lista(nn.Module):
    """Map X [batch, n] to Z [batch, m].

    Fixed: Wd [n, m], alpha, L. Learnable: We [m, n], S [m, m], shared; theta [m] >= 0, per phase.

    X: signal
    Wd: dictionary
    alpha: weight of the l1 norm
    L: above the largest eigenvalue of Wd'Wd
    We: filters
    S: mutual inhibition
    Z: sparse code
    """

    def __init__(
        self, Wd: Tensor, alpha: float = 0.5, L: Tensor | float | None = None, phases: int = 7
    ) -> None:
        super().__init__()
        m = Wd.shape[1]
        # lista.unroll:13
        if L is None:
            L = 1.01 * spectral_norm(Wd) ** 2
        alpha = torch.as_tensor(alpha, dtype=Wd.dtype, device=Wd.device)
        L = torch.as_tensor(L, dtype=Wd.dtype, device=Wd.device)
        self.m = m
        self.We = nn.Parameter((Wd.mT / L).contiguous())  # lista.unroll:15
        # lista.unroll:16
        self.S = nn.Parameter(torch.eye(m, dtype=Wd.dtype, device=Wd.device) - Wd.mT @ Wd / L)
        self.phases = nn.ModuleList([Phase((alpha / L).expand(m).clone()) for _ in range(phases)])

    def start(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """What all phases share, and the states at the start."""
        check_input("X", X, (self.We.shape[-1],), self.We)
        We_X = X @ self.We.mT  # lista.unroll:21
        Z = X.new_zeros((*X.shape[:-1], self.m))  # lista.unroll:19
        return We_X, Z

    def forward(self, X: Tensor) -> Tensor:
        We_X, Z = self.start(X)
        for phase in self.phases:
            Z = phase(Z, We_X, self.S)
        return Z

    def trajectory(self, X: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        We_X, Z = self.start(X)
        states = []
        for phase in self.phases:
            Z = phase(Z, We_X, self.S)
            states.append({"Z": Z})
        return states

    def loss(self, X: Tensor, Z_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("Z_star", Z_star, (self.We.shape[-2],), self.We)
        check_batches({"X": (X, 1), "Z_star": (Z_star, 1)})
        Z = self(X)
        return (1 / 2 * (Z - Z_star).square().sum(-1)).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own: theta [m] >= 0.

    theta: thresholds
    """

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)  # lista.unroll:17

    def forward(self, Z: Tensor, We_X: Tensor, S: Tensor) -> Tensor:
        theta = nonnegative(self.theta)  # lista.unroll:17
        return soft(We_X + Z @ S.mT, theta)  # lista.unroll:21


def soft(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, the proximal map of t times the 1-norm; complex values shrink in modulus."""
    return v.sign() * torch.relu(v.abs() - t)


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


def nonnegative(p: Tensor) -> Tensor:
    """Reflect `p` at 0, so that it is never below, wherever an optimiser steps."""
    return torch.where(p < 0, -p, p)
