"""Further pages against plain torch, written from their papers: values and gradients in double precision."""

import torch
from test_plain_renderings import PHASES, Denoiser, compiled, normal, same
from torch import Tensor, nn


def test_variational_network() -> None:
    c, side, count, knots = 3, 8, 4, 5
    S = normal(c, side, side, dtype=torch.complex128)
    P = (normal(side, side, seed=2) > 0).double()
    y = P * normal(2, c, side, side, seed=3, dtype=torch.complex128)
    sizes = {"L": count, "s": 3, "N": knots}
    net = compiled("variational_network", bind={"S": S, "P": P}, dims=sizes)

    def curve(v: Tensor, q: Tensor) -> Tensor:
        """A piecewise linear function a channel with knots from -1 to 1; beyond them the slope is 1."""
        place = (v.clamp(-1, 1) + 1) * (knots - 1) / 2
        cell = place.detach().floor().clamp(max=knots - 2).long()
        left, right = (
            torch.stack([q[i][cell[:, i] + shift] for i in range(count)], 1) for shift in (0, 1)
        )
        return left + (place - cell) * (right - left) + v - v.clamp(-1, 1)

    def plain(net: nn.Module) -> Tensor:
        sampled = lambda x: P * torch.fft.fft2(S * x, norm="ortho")  # noqa: E731
        back = lambda z: (S.conj() * torch.fft.ifft2(P * z, norm="ortho")).sum(1, keepdim=True)  # noqa: E731
        x = back(y)
        for k in net.phases:
            parts = torch.cat([x.real, x.imag], 1)
            kernels = k.K.flip(-2, -1)  # torch correlates
            inner = curve(nn.functional.conv2d(parts, kernels, padding=1), k.q)
            outer = nn.functional.conv_transpose2d(inner, kernels, padding=1)
            lam = k.lam.abs()
            x = x - torch.complex(outer[:, :1], outer[:, 1:]) - lam * back(sampled(x) - y)
        return x

    same(net, (y,), plain)


def test_ml_ista() -> None:
    y = normal(2, 1, 6, 7)
    sizes = {"a": 3, "b": 4, "s": 3}
    net = compiled("ml_ista", dims=sizes)

    def plain(net: nn.Module) -> Tensor:
        B1, B2 = net.B1.flip(-2, -1), net.B2.flip(-2, -1)  # torch correlates
        atoms = lambda g, B: nn.functional.conv_transpose2d(g, B, padding=1)  # noqa: E731
        seen = lambda x, B: nn.functional.conv2d(x, B, padding=1)  # noqa: E731
        g = torch.zeros(2, 4, 6, 7, dtype=torch.float64)
        for _ in range(PHASES):
            u = atoms(g, B2)
            f = (u - net.m1 * seen(atoms(u, B1) - y, B1) - net.t1).relu()
            g = (g - net.m2 * seen(atoms(g, B2) - f, B2) - net.t2).relu()
        return atoms(atoms(g, B2), B1)

    same(net, (y,), plain)


def test_usrnet() -> None:
    """The data step by the formula of the paper: blocks of the spectrum are averaged, repeated and divided."""
    s, c, h, w = 2, 3, 4, 5
    y, K = normal(2, c, h, w), normal(2, 3, 3, seed=2).abs()
    sigma = torch.tensor([0.1, 0.3], dtype=torch.float64)
    net = compiled("usrnet", bind={"D": Denoiser(c)}, dims={"s": s, "h": h, "w": w, "c": c})

    def blocks(v: Tensor) -> Tensor:
        return v.reshape(*v.shape[:-2], s, h, s, w).mean((-4, -2))

    kernel = torch.zeros(2, 1, s * h, s * w, dtype=torch.float64)
    kernel[:, 0, :3, :3] = K
    T = torch.fft.fft2(kernel.roll((-1, -1), (-2, -1)))
    alpha = (sigma**2 + 0.001)[:, None, None, None]
    spread = torch.zeros(2, c, s * h, s * w, dtype=torch.float64)
    spread[..., ::s, ::s] = y
    back = torch.fft.ifft2(T.conj() * torch.fft.fft2(spread)).real

    def plain(net: nn.Module) -> Tensor:
        x = s**2 * back
        for k in net.phases:
            a = k.mu.abs() * alpha
            d = torch.fft.fft2(back + a * x)
            low = blocks(T * d) / (blocks(T.abs().square()) + a)
            z = torch.fft.ifft2((d - T.conj() * low.repeat(1, 1, s, s)) / a).real
            x = net.D(z, k.beta.abs() * torch.ones(2, dtype=torch.float64))
        return x

    same(net, (y, K, sigma), plain)
