"""Is a network that was written by hand the algorithm that it is named after?

The class below is an ISTA of the kind that is found in many repositories, with two slips: it shrinks by
lambda instead of lambda / L, and starts from A'y instead of 0. The NumPy reference finds where it
leaves the classical iteration.

    python examples/check_your_own.py
"""

import torch
from torch import Tensor, nn

import unroll_dsl


class MyISTA(nn.Module):
    """ISTA as one might write it. `repaired` undoes the first slip, then both."""

    def __init__(self, A: Tensor, lambda_: float, phases: int, repaired: int) -> None:
        super().__init__()
        self.A, self.lambda_, self.phases, self.repaired = A, lambda_, phases, repaired
        self.L = torch.linalg.matrix_norm(A, 2) ** 2

    def forward(self, y: Tensor) -> list[Tensor]:
        x = y @ self.A if self.repaired < 2 else torch.zeros(len(y), self.A.shape[1]).to(y)
        t = self.lambda_ / self.L if self.repaired else self.lambda_
        states = []
        for _ in range(self.phases):
            v = x - (x @ self.A.mT - y) @ self.A / self.L
            x = v.sign() * torch.relu(v.abs() - t)
            states.append(x)
        return states


torch.manual_seed(0)
A = torch.randn(20, 40, dtype=torch.float64) / 20**0.5
y = torch.randn(5, 20, dtype=torch.float64)
reference = unroll_dsl.load("ista").reference(phases=60, bind={"A": A, "lambda": 0.1})
expected = [torch.as_tensor(states["x"]) for states in reference.trajectory(y.numpy())]

for repaired, words in enumerate(("as written", "threshold repaired", "start repaired too")):
    found = MyISTA(A, 0.1, 60, repaired)(y)
    gaps = [
        float((ours - theirs).abs().max() / theirs.abs().max())
        for ours, theirs in zip(found, expected, strict=True)
    ]
    print(f"{words:20s} phase 1: {gaps[0]:.1e}   phase 60: {gaps[-1]:.1e}")
