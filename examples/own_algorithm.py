"""A network from a page of one's own, huber_admm.unroll: checked, generated, trained.

python examples/own_algorithm.py
"""

from pathlib import Path

import torch

import unroll_dsl

PAGE = Path(__file__).with_name("huber_admm.unroll")
torch.manual_seed(0)
m, n, phases = 40, 15, 5
A = torch.randn(m, n, dtype=torch.float64)


def problems(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Measurements with noise and one outlier in ten, and the coefficients behind them."""
    x = torch.randn(count, n, dtype=torch.float64)
    y = x @ A.mT + 0.1 * torch.randn(count, m, dtype=torch.float64)
    outliers = torch.rand(count, m) < 0.1
    return y + 20 * outliers * torch.randn(count, m, dtype=torch.float64), x


net = unroll_dsl.load(PAGE).compile(phases=phases, bind={"A": A})
y, x = problems(1000)
least_squares = torch.linalg.lstsq(A, y.mT).solution.mT
print(f"least squares:             {((least_squares - x) ** 2).sum(-1).mean():.4f}")
print(f"ADMM, {phases} phases, untrained: {net.loss(y, x).item():.4f}")
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for _ in range(150):
    loss = net.loss(*problems(100))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"ADMM, {phases} phases, rho learned: {net.loss(y, x).item():.4f}")
print("rho, phase by phase:", [round(p.item(), 3) for p in net.parameters()])
