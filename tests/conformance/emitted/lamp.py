"""LAMP, learned approximate message passing.

M. Borgerding, P. Schniter, S. Rangan: AMP-inspired deep networks for sparse linear inverse
problems. IEEE Transactions on Signal Processing, 2017.

LISTA with the Onsager term of AMP in the residual, which keeps the error before each shrinkage
close to Gaussian, so that the threshold can follow its measured size. At the classical values
it is AMP (D. L. Donoho, A. Maleki, A. Montanari, PNAS, 2009) for A with independent entries of
variance 1/m.

Generated from lamp.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class Lamp(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n]. Learnable: B [n, m], shared; alpha >= 0, beta, per phase.

    y: measurements
    A: columns of unit norm
    B: shared ("tied")
    v: residual with its Onsager term
    """

    def __init__(self, A: Tensor, phases: int = 10) -> None:
        super().__init__()
        n = A.shape[1]
        self.register_buffer("A", A, persistent=False)
        self.n = n
        self.B = nn.Parameter(A.mT.clone(memory_format=torch.contiguous_format))  # lamp.unroll:16
        self.phases = nn.ModuleList(
            [
                Phase(
                    torch.tensor(1.1402, dtype=A.dtype, device=A.device),
                    torch.tensor(1.0, dtype=A.dtype, device=A.device),
                )
                for _ in range(phases - 1)
            ]
            + [
                LastPhase(
                    torch.tensor(1.1402, dtype=A.dtype, device=A.device),
                    torch.tensor(1.0, dtype=A.dtype, device=A.device),
                )
            ]
        )

    def start(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """The states at the start."""
        check_input("y", y, (self.A.shape[-2],), self.A)
        x = y.new_zeros((*y.shape[:-1], self.n))  # lamp.unroll:20
        v = y  # lamp.unroll:21
        return x, v

    def forward(self, y: Tensor) -> Tensor:
        x, v = self.start(y)
        *phases, last = self.phases
        for phase in phases:
            x, v = phase(x, v, y, self.A, self.B)
        return last(x, v, self.B)

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x, v = self.start(y)
        states = []
        *phases, last = self.phases
        for phase in phases:
            x, v = phase(x, v, y, self.A, self.B)
            states.append({"x": x, "v": v})
        x = last(x, v, self.B)
        states.append({"x": x})
        return states

    def loss(self, y: Tensor, x_star: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("x_star", x_star, (self.A.shape[-1],), self.A)
        check_batches({"y": (y, 1), "x_star": (x_star, 1)})
        x = self(y)
        return (x - x_star).square().sum(-1).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own: alpha >= 0; beta.

    alpha: threshold, in standard deviations
    beta: gain
    """

    def __init__(self, alpha: Tensor, beta: Tensor) -> None:
        super().__init__()
        self.alpha = nn.Parameter(alpha)  # lamp.unroll:17
        self.beta = nn.Parameter(beta)  # lamp.unroll:18

    def forward(
        self, x: Tensor, v: Tensor, y: Tensor, A: Tensor, B: Tensor
    ) -> tuple[Tensor, Tensor]:
        alpha = nonnegative(self.alpha)  # lamp.unroll:17
        # lamp.unroll:23
        x = self.beta * soft(
            x + v @ B.mT,
            (alpha * torch.linalg.vector_norm(v, dim=-1) / v.shape[-1] ** 0.5)[..., None],
        )
        # lamp.unroll:24
        v = y - x @ A.mT + (self.beta * (x != 0).sum(-1).to(x.dtype) / v.shape[-1])[..., None] * v
        return x, v


class LastPhase(nn.Module):
    """The last iteration and the constants that are its own: alpha >= 0; beta.

    alpha: threshold, in standard deviations
    beta: gain
    """

    def __init__(self, alpha: Tensor, beta: Tensor) -> None:
        super().__init__()
        self.alpha = nn.Parameter(alpha)  # lamp.unroll:17
        self.beta = nn.Parameter(beta)  # lamp.unroll:18

    def forward(self, x: Tensor, v: Tensor, B: Tensor) -> Tensor:
        alpha = nonnegative(self.alpha)  # lamp.unroll:17
        # lamp.unroll:23
        return self.beta * soft(
            x + v @ B.mT,
            (alpha * torch.linalg.vector_norm(v, dim=-1) / v.shape[-1] ** 0.5)[..., None],
        )


def soft(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, the proximal map of t times the 1-norm; complex values shrink in modulus."""
    return v.sign() * torch.relu(v.abs() - t)


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
