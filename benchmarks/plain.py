"""Plain PyTorch renderings of what the papers' authors compute, for comparison.

Written from the papers and from what the authors' programs compute, not from their text: the branch that only
the loss needs is evaluated at inference, Gram matrices are made in every call, an inverse in every layer, and for
piecewise linear functions the distances to all knots.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def soft(v: Tensor, t: Tensor) -> Tensor:
    return torch.sign(v) * F.relu(torch.abs(v) - t)


class IstaNetPhase(nn.Module):
    """ISTA-Net; with `plus` ISTA-Net+ (Zhang, Ghanem, 2018)."""

    def __init__(self, plus: bool) -> None:
        super().__init__()
        self.step, self.threshold = (
            nn.Parameter(torch.tensor([0.5])),
            nn.Parameter(torch.tensor([0.01])),
        )
        ends = 32 if plus else 1
        self.first = nn.Parameter(torch.empty(32, ends, 3, 3))
        self.second = nn.Parameter(torch.empty(32, 32, 3, 3))
        self.third = nn.Parameter(torch.empty(32, 32, 3, 3))
        self.fourth = nn.Parameter(torch.empty(ends, 32, 3, 3))
        self.into = nn.Parameter(torch.empty(32, 1, 3, 3)) if plus else None
        self.out = nn.Parameter(torch.empty(1, 32, 3, 3)) if plus else None
        for p in self.parameters():
            if p.ndim == 4:
                nn.init.xavier_normal_(p)

    def back(self, f: Tensor) -> Tensor:
        return F.conv2d(F.relu(F.conv2d(f, self.third, padding=1)), self.fourth, padding=1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """From the point after the gradient step: the image, and what the loss wants to vanish."""
        d = image if self.into is None else F.conv2d(image, self.into, padding=1)
        f = F.conv2d(F.relu(F.conv2d(d, self.first, padding=1)), self.second, padding=1)
        found = self.back(soft(f, self.threshold))
        if self.out is not None:
            found = image + F.conv2d(found, self.out, padding=1)
        return found, self.back(f) - d


class IstaNet(nn.Module):
    """Blocks from their measurements; every call makes the Gram matrix of Phi."""

    def __init__(self, phi: Tensor, q: Tensor, phases: int, plus: bool) -> None:
        super().__init__()
        self.register_buffer("phi", phi)
        self.register_buffer("q", q)
        self.phases = nn.ModuleList(IstaNetPhase(plus) for _ in range(phases))
        self.side = round(phi.shape[1] ** 0.5)

    def run(self, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        gram = torch.mm(self.phi.mT, self.phi)
        back = torch.mm(y, self.phi)
        x, symmetries = torch.mm(y, self.q.mT), []
        for phase in self.phases:
            x = x - phase.step * torch.mm(x, gram) + phase.step * back
            image, symmetry = phase(x.view(-1, 1, self.side, self.side))
            x = image.view(-1, self.side * self.side)
            symmetries.append(symmetry)
        return x, symmetries

    def forward(self, y: Tensor) -> Tensor:
        return self.run(y)[0]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        x, symmetries = self.run(y)
        return torch.mean((x - target) ** 2) + 0.01 * sum(torch.mean(s**2) for s in symmetries)


class IstaNetMri(nn.Module):
    """ISTA-Net+ from part of k-space: real images as complex ones with an imaginary part of zeros."""

    def __init__(self, mask: Tensor, phases: int) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        self.phases = nn.ModuleList(IstaNetPhase(True) for _ in range(phases))

    def forward(self, y: Tensor) -> Tensor:
        back = x = torch.fft.ifft2(self.mask * y, norm="ortho").real
        for phase in self.phases:
            seen = self.mask * torch.fft.fft2(torch.complex(x, torch.zeros_like(x)), norm="ortho")
            x = x - phase.step * torch.fft.ifft2(seen, norm="ortho").real + phase.step * back
            x, self.symmetry = phase(x)
        return x


class FistaNet(nn.Module):
    """FISTA-Net (Xiang, Dong, Yang, 2021): the Gauss-Newton matrix is inverted in every layer."""

    def __init__(self, a: Tensor, r: Tensor, mask: Tensor, side: int, phases: int = 7) -> None:
        super().__init__()
        self.register_buffer("a", a)
        self.register_buffer("r", r)
        self.register_buffer("mask", mask)
        self.side, self.phases = side, phases
        self.into, self.out = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 1, 3, padding=1)
        self.forth = nn.ModuleList(nn.Conv2d(32, 32, 3, padding=1) for _ in range(4))
        self.back = nn.ModuleList(nn.Conv2d(32, 32, 3, padding=1) for _ in range(4))
        values = {"theta": (-0.5, -2.0), "mu": (-0.2, 0.1), "rho": (0.5, 0.0)}
        self.w = nn.ParameterDict(
            {k: nn.Parameter(torch.tensor([w])) for k, (w, _) in values.items()}
        )
        self.c = nn.ParameterDict(
            {k: nn.Parameter(torch.tensor([c])) for k, (_, c) in values.items()}
        )

    def chain(self, layers: nn.ModuleList, x: Tensor) -> Tensor:
        for layer in layers[:-1]:
            x = F.relu(layer(x))
        return layers[-1](x)  # type: ignore[no-any-return]

    def forward(self, b: Tensor, x0: Tensor) -> Tensor:
        x = z = x0
        a, r = self.a, self.r
        for i in range(self.phases):
            theta, mu = (F.softplus(self.w[k] * i + self.c[k]) for k in ("theta", "mu"))
            top = F.softplus(self.w["rho"] * i + self.c["rho"])
            rho = (top - F.softplus(self.c["rho"])) / top
            v = torch.matmul(self.mask, z.flatten(1).unsqueeze(2))
            h = a.mT @ a + 0.001 * r.mT @ r
            slope = a.mT @ (a @ v - b.unsqueeze(2)) - 0.001 * r.mT @ (r @ v)
            v = v - mu * torch.matmul(torch.inverse(h), slope)
            image = torch.matmul(self.mask.mT, v).view(-1, 1, self.side, self.side)
            d = self.into(image)
            f = self.chain(self.forth, d)
            s = soft(f, theta)
            new = F.relu(image + self.out(self.chain(self.back, s)))
            self.symmetry = self.chain(self.back, f) - d
            z = new + rho * (new - x)
            x = new
        return x


class AdmmNet(nn.Module):
    """Deep ADMM-Net (Yang et al., 2016): the Fourier denominator is made in every layer."""

    def __init__(self, mask: Tensor, basis: Tensor, stages: int) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        self.register_buffer("basis", basis)
        count = stages
        knots = torch.linspace(-1, 1, 101)
        self.register_buffer("knots", knots)
        self.gamma_h = nn.Parameter(torch.eye(8).repeat(count, 1, 1))
        self.gamma_d = nn.Parameter(torch.eye(8).repeat(count, 1, 1))
        self.rho = nn.Parameter(torch.full((count, 8), 0.2))
        self.eta = nn.Parameter(torch.full((count, 8), 1.6))
        self.q = nn.Parameter(soft(knots, torch.tensor(0.05)).repeat(count, 8, 1))

    def filters(self, gamma: Tensor) -> Tensor:
        return torch.einsum("ml,mab->lab", gamma, self.basis)

    def transfer(self, kernels: Tensor) -> Tensor:
        h, w = self.mask.shape
        padded = F.pad(kernels, (0, w - 3, 0, h - 3))
        return torch.fft.fft2(torch.roll(padded, (-1, -1), (-2, -1)))

    def shrink(self, c: Tensor, q: Tensor) -> Tensor:
        place = torch.searchsorted(self.knots, c.contiguous(), right=True).clamp(1, 100)
        left, right = self.knots[place - 1], self.knots[place]
        index = place.flatten(2)
        values = q.expand(c.shape[0], -1, -1)
        low = values.gather(2, index - 1).view_as(c)
        high = values.gather(2, index).view_as(c)
        inside = low + (c - left) / (right - left) * (high - low)
        below, above = c - self.knots[0] + q[:, :1, None], c - self.knots[-1] + q[:, -1:, None]
        return torch.where(c < -1, below, torch.where(c >= 1, above, inside))

    def forward(self, y: Tensor) -> Tensor:
        count = len(self.rho)
        z = beta = y.real.new_zeros(y.shape[0], 8, *self.mask.shape)
        for k in range(count):
            spectrum = self.transfer(self.filters(self.gamma_h[k]))
            rho = self.rho[k][:, None, None]
            bottom = self.mask + (rho * spectrum.abs() ** 2).sum(0)
            top = y[:, 0] + (
                torch.conj(spectrum) * torch.fft.fft2(rho * (z - beta), norm="ortho")
            ).sum(1)
            x = torch.fft.ifft2(top / bottom, norm="ortho").real
            if k == count - 1:
                break
            moved = self.transfer(self.filters(self.gamma_d[k])) * torch.fft.fft2(x)[:, None]
            c = torch.fft.ifft2(moved).real
            z = self.shrink(c + beta, self.q[k])
            beta = beta + self.eta[k][:, None, None] * (c - z)
        return x[:, None]


class AdmmCsnet(nn.Module):
    """ADMM-CSNet (Yang et al., 2020): its piecewise linear layer takes the distances of each value to all
    knots. With `search` each is searched for among them instead, which is kinder.
    """

    def __init__(self, mask: Tensor, stages: int = 10, search: bool = False) -> None:
        super().__init__()
        self.search = search
        self.register_buffer("mask", mask)
        self.register_buffer("knots", torch.linspace(-1, 1, 101))
        self.rho, self.gamma = nn.Parameter(torch.tensor([0.1])), nn.Parameter(torch.tensor([1.0]))
        self.first, self.last = nn.Conv2d(1, 128, 5, padding=2), nn.Conv2d(128, 1, 5, padding=2)
        slopes = torch.zeros(128, 102)
        slopes[:, 51:] = 1
        self.slopes, self.start = nn.Parameter(slopes), nn.Parameter(torch.zeros(128))
        self.stages = stages

    def pwl(self, x: Tensor) -> Tensor:
        order = self.below_by_search(x) if self.search else self.below_by_distance(x)
        rises = 0.02 * self.slopes[:, 1:-1]
        values = torch.cat([self.start[:, None], self.start[:, None] + rises.cumsum(1)], 1)
        index = order.flatten(2)
        count = x.shape[0]
        slope = self.slopes.expand(count, -1, -1).gather(2, index).view_as(x)
        base = (index - 1).clamp(0)
        value = values.expand(count, -1, -1).gather(2, base).view_as(x)
        return value + slope * (x - self.knots[base].view_as(x))

    def below_by_search(self, x: Tensor) -> Tensor:
        """How many knots lie at or below each value."""
        return torch.searchsorted(self.knots, x.contiguous(), right=True)

    def below_by_distance(self, x: Tensor) -> Tensor:
        """The same as the authors do it: of the distances to all knots, 101 for each value, the least
        that is not negative."""
        gaps = x[..., None] - self.knots
        gaps = torch.where(gaps < 0, torch.inf, gaps)
        return torch.where(x >= self.knots[0], gaps.argmin(-1) + 1, 0)

    def prox(self, u: Tensor) -> Tensor:
        parts = (self.last(self.pwl(self.first(part))) for part in (u.real, u.imag))
        return torch.complex(*parts)

    def forward(self, y: Tensor) -> Tensor:
        bottom = self.mask + self.rho
        z = b = torch.zeros_like(y)
        for _ in range(self.stages):
            top = y + self.rho * torch.fft.fft2(z - b, norm="ortho")
            x = torch.fft.ifft2(top / bottom, norm="ortho")
            u = x + b
            z = u - self.prox(u)
            b = b + self.gamma * (x - z)
        top = y + self.rho * torch.fft.fft2(z - b, norm="ortho")
        x = torch.fft.ifft2(top / bottom, norm="ortho")
        return torch.fft.ifft2(y + (1 - self.mask) * torch.fft.fft2(x, norm="ortho"), norm="ortho")
