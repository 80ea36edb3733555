"""What an expert writes by hand: plain PyTorch with everything hoisted that can be.

No branch that only a loss needs, no product that could be made once, libraries' convolutions, factors at
construction. The classes share their parameters with those of plain.py. `python -m benchmarks expert`
compares generated networks with these, as they are and both under `torch.compile`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import unroll_dsl
from benchmarks import networks, plain
from benchmarks.networks import Case, report, warm
from benchmarks.plain import soft


class IstaNet(plain.IstaNet):
    """ISTA-Net and ISTA-Net+ without the branch of the loss, the residual before the adjoint."""

    def forward(self, y: Tensor) -> Tensor:
        shape = (-1, 1, self.side, self.side)
        x = y @ self.q.mT
        for phase in self.phases:
            x = x - phase.step * ((x @ self.phi.mT - y) @ self.phi)
            image = x.view(shape)
            d = image if phase.into is None else F.conv2d(image, phase.into, padding=1)
            f = F.conv2d(F.conv2d(d, phase.first, padding=1).relu_(), phase.second, padding=1)
            f = soft(f, phase.threshold)
            f = F.conv2d(F.conv2d(f, phase.third, padding=1).relu_(), phase.fourth, padding=1)
            x = f if phase.out is None else image + F.conv2d(f, phase.out, padding=1)
            x = x.flatten(1)
        return x


class FistaNet(plain.FistaNet):
    """FISTA-Net with its Gauss-Newton step as one matrix and one vector, made at construction."""

    def __init__(self, a: Tensor, r: Tensor, mask: Tensor, side: int, phases: int = 7) -> None:
        super().__init__(a, r, mask, side, phases)
        gram, smooth = a.double().mT @ a.double(), 0.001 * r.double().mT @ r.double()
        inverse = torch.linalg.inv(gram + smooth)
        self.register_buffer("step", (inverse @ (gram - smooth)).to(a))
        self.register_buffer("pull", (inverse @ a.double().mT).to(a))
        self.register_buffer("seen", mask.argmax(1))

    def forward(self, b: Tensor, x0: Tensor) -> Tensor:
        x = z = x0
        pull = b @ self.pull.mT
        start = F.softplus(self.c["rho"])
        for i in range(self.phases):
            theta, mu = (F.softplus(self.w[k] * i + self.c[k]) for k in ("theta", "mu"))
            top = F.softplus(self.w["rho"] * i + self.c["rho"])
            v = z.flatten(1)[:, self.seen]
            v = v - mu * (v @ self.step.mT - pull)
            image = v.new_zeros(len(v), self.side**2).index_copy_(1, self.seen, v)
            image = image.view(-1, 1, self.side, self.side)
            f = soft(self.chain(self.forth, self.into(image)), theta)
            new = F.relu(image + self.out(self.chain(self.back, f)))
            z = new + (top - start) / top * (new - x)
            x = new
        return x


class AdmmNet(plain.AdmmNet):
    """Deep ADMM-Net with piecewise linear functions by gathers on the uniform knots."""

    def shrink(self, c: Tensor, q: Tensor) -> Tensor:
        inside = c.clamp(-1, 1)
        place = (inside + 1) * 50
        cell = place.floor().clamp(0, 99).long()
        index = cell + 101 * torch.arange(8)[:, None, None]
        flat = q.flatten()
        low = flat[index]
        return low + (place - cell) * (flat[index + 1] - low) + (c - inside)


class AdmmCsnet(plain.AdmmCsnet):
    """ADMM-CSNet with piecewise linear functions by gathers, its last transforms cancelled."""

    def pwl(self, x: Tensor) -> Tensor:
        place = ((x + 1) * 50).floor().clamp(-1, 100).long()
        index = place + 1 + 102 * torch.arange(128)[:, None, None]
        rises = 0.02 * self.slopes[:, 1:-1]
        values = torch.cat([self.start[:, None], self.start[:, None] + rises.cumsum(1)], 1)
        base = place.clamp(0)
        at = values.flatten()[base + 101 * torch.arange(128)[:, None, None]]
        return at + self.slopes.flatten()[index] * (x - (base * 0.02 - 1))


class Ista(nn.Module):
    """Two products in one: x <- soft(S x + b, t), or through the residual where A is wide."""

    def __init__(self, a: Tensor, weight: float, phases: int) -> None:
        super().__init__()
        self.register_buffer("a", a)
        self.big = float(torch.linalg.matrix_norm(a, 2)) ** 2
        self.weight, self.phases = weight, phases

    def forward(self, y: Tensor) -> Tensor:
        x = y.new_zeros(len(y), self.a.shape[1])
        for _ in range(self.phases):
            x = F.softshrink(x - (x @ self.a.mT - y) @ self.a / self.big, self.weight / self.big)
        return x


class Fista(Ista):
    def forward(self, y: Tensor) -> Tensor:
        x = v = y.new_zeros(len(y), self.a.shape[1])
        t = 1.0
        for _ in range(self.phases):
            new = v - (v @ self.a.mT - y) @ self.a / self.big
            new = F.softshrink(new, self.weight / self.big)
            later = (1 + (1 + 4 * t * t) ** 0.5) / 2
            v = new + (t - 1) / later * (new - x)
            x, t = new, later
        return x


class Admm(nn.Module):
    """The lasso by ADMM: a Cholesky factor at construction."""

    def __init__(self, a: Tensor, weight: float, rho: float, phases: int) -> None:
        super().__init__()
        self.register_buffer("a", a)
        self.register_buffer(
            "factor", torch.linalg.cholesky(a.mT @ a + rho * torch.eye(a.shape[1]))
        )
        self.weight, self.rho, self.phases = weight, rho, phases

    def forward(self, y: Tensor) -> Tensor:
        back = y @ self.a
        z = u = torch.zeros_like(back)
        for _ in range(self.phases):
            x = torch.cholesky_solve((back + self.rho * (z - u)).mT, self.factor).mT
            z = F.softshrink(x + u, self.weight / self.rho)
            u = u + x - z
        return z


class Lista(nn.Module):
    """LISTA with W y made once (Gregor, LeCun, 2010)."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.we, self.s = nn.Parameter(net.We.detach()), nn.Parameter(net.S.detach())
        self.theta = nn.ParameterList(phase.theta.detach() for phase in net.phases)

    def forward(self, y: Tensor) -> Tensor:
        b = y @ self.we.mT
        z = soft(b, self.theta[0])
        for theta in self.theta[1:]:
            z = soft(b + z @ self.s.mT, theta)
        return z


def _paired(kind: type[nn.Module], case: Case) -> Case:
    """The case with a hand-written network that shares its parameters with the plain one."""
    theirs = case.theirs
    held = dict(theirs.__dict__)
    made = kind.__new__(kind)
    made.__dict__.update(held)
    return Case(case.name, made, case.ours, case.inputs, repetitions=case.repetitions)


def _fista_net(batch: int) -> Case:
    case = networks.fista_net(batch)
    theirs: Any = case.theirs
    made = FistaNet(theirs.a, theirs.r, theirs.mask, theirs.side, theirs.phases)
    made.load_state_dict(theirs.state_dict(), strict=False)
    return Case(case.name, made, case.ours, case.inputs, repetitions=5)


def _dictionary(m: int, n: int, batch: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    a = torch.randn(m, n) / m**0.5
    return a, torch.randn(batch, m)


def _sparse(name: str, m: int, n: int, batch: int) -> Case:
    """The lasso, m measurements of n unknowns."""
    a, y = _dictionary(m, n, batch)
    spec = unroll_dsl.load(name)
    ours = spec.compile(50, bind={"A": a})
    theirs = {
        "ista": lambda: Ista(a, 0.1, 50),
        "fista": lambda: Fista(a, 0.1, 50),
        "admm_lasso": lambda: Admm(a, 0.1, 1.0, 50),
    }[name]()
    return Case(f"{name}, {m} x {n}, batch {batch}", theirs, ours, (y,), repetitions=31)


def _lista(m: int, n: int, batch: int) -> Case:
    """Gregor and LeCun's sizes: n measurements, m units."""
    a, y = _dictionary(n, m, batch)
    ours = unroll_dsl.load("lista").compile(7, bind={"Wd": a})
    return Case(f"lista, {n} x {m}, batch {batch}", Lista(ours), ours, (y,), repetitions=101)


CASES: dict[str, Callable[[], Case]] = {
    "ista": lambda: _sparse("ista", 250, 500, 32),
    "ista_tall": lambda: _sparse("ista", 500, 250, 32),
    "fista": lambda: _sparse("fista", 250, 500, 32),
    "admm_lasso": lambda: _sparse("admm_lasso", 250, 500, 32),
    "lista": lambda: _lista(400, 100, 1),
    "lista_many": lambda: _lista(400, 100, 256),
    "ista_net": lambda: _paired(IstaNet, networks.ista_net(False)),
    "ista_net_plus": lambda: _paired(IstaNet, networks.ista_net(True)),
    "fista_net": lambda: _fista_net(1),
    "fista_net_8": lambda: _fista_net(8),
    "admm_net": lambda: _paired(AdmmNet, networks.admm_net()),
    "admm_csnet": lambda: _paired(AdmmCsnet, networks.admm_csnet()),
}


def rows(case: Case) -> list[tuple[str, str, float, float, float]]:
    """Case, how it runs, seconds of theirs and of ours, and how far the results are apart."""
    apart = networks.gap(case)

    def job(net: Any) -> Callable[[], object]:
        def run() -> None:
            with torch.no_grad():
                net(*case.inputs)

        return run

    nets = {"theirs": case.theirs, "ours": case.ours, "frozen": case.ours.freeze()}
    found = warm({name: job(net) for name, net in nets.items()}, case.repetitions)
    eager = [
        (case.name, "eager", found["theirs"], found["ours"], apart),
        (case.name, "eager, frozen", found["theirs"], found["frozen"], apart),
    ]
    torch._dynamo.reset()
    nets = {"theirs": torch.compile(case.theirs), "ours": torch.compile(case.ours)}
    found = warm({name: job(net) for name, net in nets.items()}, case.repetitions)
    return [*eager, (case.name, "compiled", found["theirs"], found["ours"], apart)]


def run(*names: str) -> None:
    torch._dynamo.config.recompile_limit = 64  # the experts' loops read one number per phase
    report((row for name in names or CASES for row in rows(CASES[name]())), "by hand")
