"""LISTA-CPSS, learned ISTA with coupled weights and support selection.

X. Chen, J. Liu, Z. Wang, W. Yin: Theoretical linear convergence of unfolded ISTA and its
practical weights and thresholds. NeurIPS, 2018.

LISTA-CP, except that the largest entries are trusted to be in the support and pass the
shrinkage as they are: a fraction of p more in each phase, up to p_max. With p = 0 it is
LISTA-CP, and ISTA at the classical values.

Generated from lista_cpss.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class ListaCpss(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n], lambda_, p, p_max. Learnable: W [m, n], theta >= 0, per phase.

    y: measurements
    A: dictionary
    lambda_: weight of the l1 norm
    p: growth of the trusted fraction a phase
    p_max: its end
    """

    def __init__(
        self,
        A: Tensor,
        lambda_: float = 0.1,
        p: float = 0.012,
        p_max: float = 0.12,
        phases: int = 16,
    ) -> None:
        super().__init__()
        p = torch.as_tensor(p, dtype=A.dtype, device=A.device)
        p_max = torch.as_tensor(p_max, dtype=A.dtype, device=A.device)
        L = spectral_norm(A) ** 2  # lista_cpss.unroll:17
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("p", p, persistent=False)
        self.register_buffer("p_max", p_max, persistent=False)
        self.phases = nn.ModuleList([Phase(A / L, lambda_ / L) for _ in range(phases)])

    def forward(self, y: Tensor) -> Tensor:
        check_input("y", y, (self.A.shape[-2],), self.A)
        first, *phases = self.phases
        x = first.begin(y, self.p, self.p_max, 1)
        for k, phase in enumerate(phases, start=2):
            x = phase(x, y, self.A, self.p, self.p_max, k)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        states = []
        first, *phases = self.phases
        x = first.begin(y, self.p, self.p_max, 1)
        states.append({"x": x})
        for k, phase in enumerate(phases, start=2):
            x = phase(x, y, self.A, self.p, self.p_max, k)
            states.append({"x": x})
        return states

    def loss(self, y: Tensor, x_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("x_star", x_star, (self.A.shape[-1],), self.A)
        check_batches({"y": (y, 1), "x_star": (x_star, 1)})
        x = self(y)
        return (x - x_star).square().sum(-1).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own: W [m, n]; theta >= 0."""

    def __init__(self, W: Tensor, theta: Tensor) -> None:
        super().__init__()
        self.W = nn.Parameter(W)  # lista_cpss.unroll:20
        self.theta = nn.Parameter(theta)  # lista_cpss.unroll:21

    def forward(self, x: Tensor, y: Tensor, A: Tensor, p: Tensor, p_max: Tensor, k: int) -> Tensor:
        theta = nonnegative(self.theta)  # lista_cpss.unroll:21
        p_k = torch.minimum(p * k, p_max)  # lista_cpss.unroll:18
        return support_soft(x + (y - x @ A.mT) @ self.W, theta, p_k)  # lista_cpss.unroll:25

    def begin(self, y: Tensor, p: Tensor, p_max: Tensor, k: int) -> Tensor:
        """The first iteration, in which the states are zero."""
        theta = nonnegative(self.theta)  # lista_cpss.unroll:21
        p_k = torch.minimum(p * k, p_max)  # lista_cpss.unroll:18
        return support_soft(y @ self.W, theta, p_k)  # lista_cpss.unroll:25


def support_soft(v: Tensor, t: Tensor, q: Tensor) -> Tensor:
    """Soft thresholding with support selection (Chen et al., 2018).

    The fraction q of entries that is largest in modulus passes unshrunk, where it is above t;
    with q = 0 none does.
    """
    modulus = v.abs()
    trusted = (modulus > t[..., None]) & (modulus > quantile(modulus, 1 - q, 1)[..., None])
    return torch.where(trusted, v, soft(v, t[..., None]))


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


def quantile(v: Tensor, q: Tensor, rank: int) -> Tensor:
    """The `q`-quantile of each sample, linear between order statistics."""
    ordered = v.flatten(-rank).sort(dim=-1).values
    last = ordered.shape[-1] - 1
    place, _ = torch.broadcast_tensors(q.clamp(0, 1) * last, ordered[..., 0])
    below = place.detach().floor().long().clamp(max=max(last - 1, 0))
    above = (below + 1).clamp(max=last)
    ordered = ordered.expand(*place.shape, -1)
    low = ordered.gather(-1, below[..., None])[..., 0]
    high = ordered.gather(-1, above[..., None])[..., 0]
    return torch.lerp(low, high, place - below)
