"""ISTA with one word changed: its threshold learned in every phase, trained on random sparse codes.

python examples/first_network.py
"""

import torch

import unroll_dsl

torch.manual_seed(0)
m, n, phases = 48, 64, 16
A = torch.randn(m, n, dtype=torch.float64) / m**0.5


def problems(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes x [count, n] with one entry in twenty in use, and measurements y = A x."""
    x = torch.randn(count, n, dtype=torch.float64) * (torch.rand(count, n) < 0.05)
    return x @ A.mT, x


ista = unroll_dsl.load("ista")
spec = ista.with_roles(learn={"lambda": "per phase"})
net = spec.compile(phases=phases, bind={"A": A})

# Untrained, the network is the classical iteration.
y, x = problems(500)
classical = torch.as_tensor(ista.reference(phases=phases, bind={"A": A})(y.numpy()))
print(f"untrained, difference from ISTA: {(net(y) - classical).abs().max().item():.1e}")


def decibels(found: torch.Tensor) -> float:
    """Normalised mean squared error in dB."""
    return float(10 * torch.log10(((found - x) ** 2).sum() / (x**2).sum()))


print(f"ISTA, {phases} phases:            {decibels(classical):6.2f} dB")
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for _ in range(200):
    batch, codes = problems(64)
    loss = ((net(batch) - codes) ** 2).sum(-1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"thresholds learned, {phases} phases: {decibels(net(y).detach()):6.2f} dB")
learned = spec.values(net)["lambda"]
print("lambda, phase by phase:", [round(value, 3) for value in learned.tolist()])

# The trained network is still that iteration, with other constants.
check = spec.reference(phases=phases, bind={"A": A}, init={"lambda": learned})(y.numpy())
print(f"trained, difference from NumPy: {(net(y) - torch.as_tensor(check)).abs().max().item():.1e}")
