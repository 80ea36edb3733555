"""Step-LISTA, ISTA with learned step sizes.

P. Ablin, T. Moreau, M. Massias, A. Gramfort: Learning step sizes for unfolded sparse coding.
NeurIPS, 2019.

One number a phase, trained on the lasso's objective itself, without targets. At the classical
values it is ISTA.

Generated from step_lista.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


def positive(p: Tensor) -> Tensor:
    """Reflect `p` at 0 and keep it strictly above, wherever an optimiser steps."""
    return torch.where(p < 0, -p, p).clamp(min=torch.finfo(p.dtype).tiny)


def soft(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, the proximal map of t times the 1-norm; complex values shrink in modulus."""
    return v.sign() * torch.relu(v.abs() - t)


class Phase(nn.Module):
    """One iteration and the constants that are its own: alpha > 0."""

    def __init__(self, alpha: Tensor) -> None:
        super().__init__()
        self.alpha = nn.Parameter(alpha)  # step_lista.unroll:16

    def forward(self, x: Tensor, y: Tensor, A: Tensor, lambda_: Tensor) -> Tensor:
        alpha = positive(self.alpha)  # step_lista.unroll:16
        return soft(x - alpha * ((x @ A.mT - y) @ A), alpha * lambda_)  # step_lista.unroll:23


class StepLista(nn.Module):
    """Map y [batch, m] to x [batch, n].

    Fixed: A [m, n], lambda_. Learnable: alpha > 0, per phase.
    """

    def __init__(self, A: Tensor, lambda_: float = 0.1, phases: int = 20) -> None:
        super().__init__()
        n = A.shape[1]
        lambda_ = torch.as_tensor(lambda_, dtype=A.dtype, device=A.device)
        L = torch.linalg.matrix_norm(A, 2) ** 2  # step_lista.unroll:14
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("lambda_", lambda_, persistent=False)
        self.n = n
        self.phases = nn.ModuleList(Phase(1 / L) for _ in range(phases))

    def start(self, y: Tensor) -> Tensor:
        """The states at the start."""
        return y.new_zeros((*y.shape[:-1], self.n))  # step_lista.unroll:21

    def forward(self, y: Tensor) -> Tensor:
        x = self.start(y)
        for phase in self.phases:
            x = phase(x, y, self.A, self.lambda_)
        return x

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        x = self.start(y)
        states = []
        for phase in self.phases:
            x = phase(x, y, self.A, self.lambda_)
            states.append({"x": x})
        return states

    def loss(self, y: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        x = self(y)
        return (
            1 / 2 * (x @ self.A.mT - y).square().sum(-1) + self.lambda_ * x.abs().sum(-1)
        ).mean()
