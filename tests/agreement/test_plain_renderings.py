"""Pages against plain torch, written from their papers: values and gradients in double precision."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import unroll_dsl

PHASES = 3


PAGES = Path(__file__).parent / "pages"  # those that are not shipped


def page(name: str) -> unroll_dsl.Spec:
    own = PAGES / f"{name}.unroll"
    return unroll_dsl.load(str(own) if own.is_file() else name)


def compiled(name: str, **options: Any) -> nn.Module:
    return page(name).compile(PHASES, dtype=torch.float64, seed=0, **options)


def same(
    network: nn.Module, inputs: Sequence[Tensor], plain: Callable[[nn.Module], Tensor]
) -> None:
    """Equal values, and equal gradients of a weighted sum of them by everything that is learned."""
    found, expected = network(*inputs), plain(network)
    found = found[0] if isinstance(found, tuple) else found
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    parameters = [p for p in network.parameters() if p.requires_grad]
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(5)).to(expected)
    for value in (found, expected):
        assert value.isfinite().all()
    if parameters:
        one, other = (
            torch.autograd.grad((weights * v).sum().real, parameters, allow_unused=True)
            for v in (found, expected)
        )
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Denoiser(nn.Module):
    """A denoiser that is told the noise."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, s: Tensor | None = None) -> Tensor:
        level = 0.1 if s is None else s[:, None, None, None]
        return x - level * torch.tanh(self.conv(x))


def transfer(K: Tensor, h: int, w: int) -> Tensor:
    """The transfer function of a periodic blur whose origin is the middle of the kernel."""
    a, b = K.shape
    wide = torch.zeros(h, w, dtype=K.dtype)
    wide[:a, :b] = K
    return torch.fft.fft2(wide.roll((-(a // 2), -(b // 2)), (0, 1)))


def kernel() -> Tensor:
    K = normal(3, 3, seed=7).abs()
    return K / K.sum()


def test_modl() -> None:
    y, S = (
        normal(2, 4, 6, 8, dtype=torch.complex128),
        normal(4, 6, 8, seed=2, dtype=torch.complex128),
    )
    P = (normal(6, 8, seed=3) > 0).double()
    network = compiled("modl", dims={"f": 4})

    def plain(net: Any) -> Tensor:
        """Conjugate gradients in the paper; the system by its matrix here."""
        E = torch.eye(48, dtype=torch.complex128).reshape(48, 1, 6, 8)
        A = (P * torch.fft.fft2(S * E, norm="ortho")).reshape(48, -1).mT
        M = A.mH @ A + net.lambda_ * torch.eye(48, dtype=torch.complex128)
        Aty = (y.reshape(2, -1) @ A.conj()).reshape(2, 1, 6, 8)
        x = Aty
        for _ in range(PHASES):
            noise = net.N(torch.cat((x.real, x.imag), 1))
            z = x - torch.complex(noise[:, :1], noise[:, 1:])
            b = (Aty + net.lambda_ * z).reshape(2, -1)
            x = torch.linalg.solve(M, b.mT).mT.reshape(2, 1, 6, 8)
        return x

    same(network, (y, S.expand(2, 4, 6, 8), P.expand(2, 6, 8)), plain)


def test_dpir() -> None:
    y, K = normal(2, 3, 6, 8), kernel()
    denoiser = Denoiser(3).double()
    network = compiled("dpir", bind={"K": K, "N": denoiser}, dims={"h": 6, "w": 8})

    def plain(net: Any) -> Tensor:
        F, sigma, z = transfer(K, 6, 8), 0.03, y
        for k in range(PHASES):
            level = 49 / 255 * (sigma / (49 / 255)) ** (k / 7)
            alpha = 0.23 * sigma**2 / level**2
            top = F.conj() * torch.fft.fft2(y) + alpha * torch.fft.fft2(z)
            x = torch.fft.ifft2(top / (F.abs() ** 2 + alpha)).real
            z = denoiser(x, torch.full((2,), level, dtype=torch.float64))
        return z

    same(network, (y,), plain)


def test_red() -> None:
    y, K = normal(2, 3, 6, 8), kernel()
    denoiser = Denoiser(3).double()
    network = compiled("red", bind={"K": K, "N": denoiser})

    def plain(net: Any) -> Tensor:
        F, x = transfer(K, 6, 8), y
        mu = 2 / (1 / 0.05**2 + 20)
        for _ in range(PHASES):
            residual = F.conj() * (F * torch.fft.fft2(x) - torch.fft.fft2(y))
            gradient = torch.fft.ifft2(residual).real / 0.05**2 + 20 * (x - denoiser(x))
            x = x - mu * gradient
        return x

    same(network, (y,), plain)


def test_richardson_lucy() -> None:
    y, K = normal(2, 3, 6, 8).abs(), kernel()
    network = compiled("richardson_lucy", bind={"K": K})

    def plain(net: Any) -> Tensor:
        F = transfer(K, 6, 8)
        x = y.mean((1, 2, 3), keepdim=True).expand_as(y)
        for _ in range(PHASES):
            blurred = torch.fft.ifft2(F * torch.fft.fft2(x)).real
            x = x * torch.fft.ifft2(F.conj() * torch.fft.fft2(y / blurred)).real
        return x

    same(network, (y,), plain)


def test_deep_nmf() -> None:
    v, W0 = normal(2, 7).abs(), normal(7, 9, seed=2).abs()
    network = compiled("deep_nmf", bind={"W0": W0}, dims={"r": 4, "q": 5})

    def plain(net: Any) -> Tensor:
        H, s = torch.ones(2, 9, dtype=torch.float64), v
        for phase in net.phases:
            W = phase.W
            H = H * ((v / (H @ W.mT + 1e-9)) @ W) / (W.sum(0) + 0.1)
            s = v * (H[:, :4] @ W[:, :4].mT) / (H @ W.mT + 1e-9)
        return s

    same(network, (v,), plain)


def test_learned_primal_dual() -> None:
    angles = torch.tensor([0.0, 40.0, 75.0, 120.0], dtype=torch.float64)
    y = normal(2, 1, 4, 6)
    network = compiled("learned_primal_dual", bind={"angles": angles}, dims={"n": 6, "f": 3})
    text = "algorithm a\ndims n, m\ninput x : image[1, n, n]\nfixed t : vector[m]\noutput radon(t) @ x\n"
    rays = unroll_dsl.loads(text).compile(bind={"t": angles})
    T = rays(torch.eye(36, dtype=torch.float64).reshape(36, 1, 6, 6)).reshape(36, -1).mT

    def plain(net: Any) -> Tensor:
        """The rays as a matrix of their own."""
        d, p = torch.zeros(2, 5, 4, 6).double(), torch.zeros(2, 5, 6, 6).double()
        for phase in net.phases:
            shadow = (p[:, 1].flatten(1) @ T.mT).reshape(2, 1, 4, 6)
            d = d + phase.G(torch.cat((d, shadow, y), 1))
            back = (d[:, 0].flatten(1) @ T).reshape(2, 1, 6, 6)
            p = p + phase.L(torch.cat((p, back), 1))
        return p[:, :1]

    same(network, (y,), plain)


def test_ldamp() -> None:
    A, y, probe = normal(20, 48) / math.sqrt(20), normal(2, 20, seed=2), normal(1, 6, 8, seed=3)
    network = compiled(
        "ldamp", bind={"A": A, "probe": probe, "D": Denoiser(1)}, dims={"h": 6, "w": 8}
    )

    def plain(net: Any) -> Tensor:
        x, z = torch.zeros(2, 1, 6, 8).double(), y
        for phase in net.phases:
            v = x + (z @ A).reshape(2, 1, 6, 8)
            s = z.norm(dim=1) / math.sqrt(20)
            x = phase.D(v, s)
            moved = phase.D(v + 0.001 * probe, s)
            div = (probe * (moved - x)).sum((1, 2, 3)) / 0.001
            z = y - x.flatten(1) @ A.mT + z * div[:, None] / 20
        return x

    same(network, (y,), plain)


def test_oamp_net() -> None:
    y, H = normal(2, 7), normal(2, 7, 5, seed=2) / math.sqrt(7)
    sigma2 = torch.tensor([0.1, 0.3], dtype=torch.float64)
    network = compiled("oamp_net", dims={"m": 7, "n": 5})
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(0.9)

    def plain(net: Any) -> Tensor:
        """The filter by its inverse, the traces as traces."""
        samples = []
        for yi, Hi, s2 in zip(y, H, sigma2, strict=True):
            x, E = torch.zeros(5).double(), torch.eye(5, dtype=torch.float64)
            for phase in net.phases:
                r = yi - Hi @ x
                v = ((r @ r - 7 * s2) / torch.trace(Hi.T @ Hi)).clamp(min=1e-9)
                W = v * Hi.T @ torch.linalg.inv(v * Hi @ Hi.T + s2 * torch.eye(7).double())
                W = 5 / torch.trace(W @ Hi) * W
                B = E - phase.theta * W @ Hi
                noise = phase.theta**2 * torch.trace(W @ W.T) * s2
                tau2 = (torch.trace(B @ B.T) * v + noise) / 5
                z = x + phase.gamma * W @ r
                x = (torch.exp(z / tau2) - torch.exp(-z / tau2)) / (
                    torch.exp(z / tau2) + torch.exp(-z / tau2)
                )
            samples.append(x)
        return torch.stack(samples)

    same(network, (y, H, sigma2), plain)


def test_detnet() -> None:
    y, H = normal(2, 7), normal(2, 7, 5, seed=2)
    network = compiled("detnet", dims={"n": 5, "p": 6, "q": 8})

    def plain(net: Any) -> Tensor:
        x, v = torch.zeros(2, 5).double(), torch.zeros(2, 6).double()
        Hty = torch.einsum("bmn,bm->bn", H, y)
        HtH = torch.einsum("bmi,bmj->bij", H, H)
        for p in net.phases:
            u = x - p.delta1 * Hty + p.delta2 * torch.einsum("bij,bj->bi", HtH, x)
            z = torch.relu(torch.cat((u, v), 1) @ p.W1.T + p.b1)
            s = z @ p.W2.T + p.b2
            x = -1 + torch.relu(s + p.t) / p.t.abs() - torch.relu(s - p.t) / p.t.abs()
            v = z @ p.W3.T + p.b3 if hasattr(p, "W3") else v
        return x

    same(network, (y, H), plain)


def test_detnet_sums_the_errors_of_its_layers() -> None:
    y, H, target = normal(2, 7), normal(2, 7, 5, seed=2), normal(2, 5, seed=3).sign()
    network = compiled("detnet", dims={"n": 5, "p": 6, "q": 8})
    found = network.loss(y, H, target)
    errors = [(s["x"] - target).square().sum(1) for s in network.trajectory(y, H)]
    expected = sum(math.log(k) * e.mean() for k, e in enumerate(errors, start=1))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_adalista() -> None:
    y, A = normal(2, 5), normal(2, 5, 9, seed=2)
    network = compiled("adalista", init={"W1": normal(5, 5, seed=3), "W2": normal(5, 5, seed=4)})

    def plain(net: Any) -> Tensor:
        x = torch.zeros(2, 9).double()
        for p in net.phases:
            G = A.mT @ net.W1.T @ net.W1 @ A
            v = x - p.gamma * (G @ x[..., None])[..., 0]
            v = v + p.gamma * (A.mT @ net.W2.T @ y[..., None])[..., 0]
            x = v.sign() * (v.abs() - p.theta).clamp(min=0)
        return x

    same(network, (y, A), plain)


def differences(x: Tensor) -> Tensor:
    """Periodic, down and across."""
    return torch.cat((x.roll(-1, -2) - x, x.roll(-1, -1) - x), -3)


def back(p: Tensor) -> Tensor:
    """The adjoint of `differences`."""
    down, across = p[..., :1, :, :], p[..., 1:, :, :]
    return down.roll(1, -2) - down + across.roll(1, -1) - across


def in_ball(p: Tensor, radius: float) -> Tensor:
    return p / (p.abs().square().sum(-3, keepdim=True).sqrt() / radius).clamp(min=1)


def shrunk(v: Tensor, t: float, *, pixels: bool = True) -> Tensor:
    size = v.abs().square().sum(-3, keepdim=True).sqrt() if pixels else v.abs()
    return torch.where(size > t, v * (1 - t / size.clamp(min=1e-300)), torch.zeros_like(v))


def sampled() -> tuple[Tensor, Tensor]:
    P = (normal(8, 16, seed=3) > 0).double()
    return P * normal(2, 1, 8, 16, dtype=torch.complex128), P


def to_frequencies(x: Tensor) -> Tensor:
    return torch.fft.fft2(x, norm="ortho")


def to_image(y: Tensor) -> Tensor:
    return torch.fft.ifft2(y, norm="ortho")


def test_fista_tv() -> None:
    y, P = sampled()
    network = compiled("fista_tv", bind={"P": P})

    def plain(net: Any) -> Tensor:
        x = v = torch.zeros_like(y)
        t, p = 1.0, torch.zeros(2, 2, 8, 16, dtype=torch.complex128)
        for _ in range(PHASES):
            z = v - to_image(P * (P * to_frequencies(v) - y))
            q, s = p, 1.0
            for _ in range(10):
                before, p = p, in_ball(q + differences(z - back(q)) / 8, 0.002)
                s_next = (1 + math.sqrt(1 + 4 * s**2)) / 2
                q, s = p + (s - 1) / s_next * (p - before), s_next
            x, before = z - back(p), x
            t_next = (1 + math.sqrt(1 + 4 * t**2)) / 2
            v, t = x + (t - 1) / t_next * (x - before), t_next
        return x.real

    same(network, (y,), plain)


def test_recpf() -> None:
    y, P = sampled()
    network = compiled("recpf", bind={"P": P})
    text = "algorithm a\ndims h, w\ninput x : image[1, h, w]\noutput wavelet(haar, 3) @ x\n"
    E = torch.eye(128, dtype=torch.float64).reshape(128, 1, 8, 16)
    W = unroll_dsl.loads(text).compile()(E).reshape(128, 128).mT
    D = differences(E).reshape(128, -1).mT

    def plain(net: Any) -> Tensor:
        """All maps as matrices, on one image after the other."""
        F = (P * to_frequencies(E.to(y))).reshape(128, 128).mT
        M = F.mH @ F + 0.02 * (D.T @ D + torch.eye(128, dtype=torch.float64))
        found = []
        for yi in y.reshape(2, 128):
            z = u = torch.zeros(256, dtype=torch.complex128)
            c = b = torch.zeros(128, dtype=torch.complex128)
            for _ in range(PHASES):
                rhs = F.mH @ yi + 0.02 * (D.T.to(y) @ (z - u) + W.T.to(y) @ (c - b))
                x = torch.linalg.solve(M, rhs)
                d, w = D.to(y) @ x, W.to(y) @ x
                z = shrunk((d + u).reshape(2, 8, 16), 0.002 / 0.02).reshape(256)
                c = shrunk(w + b, 0.001 / 0.02, pixels=False)
                u, b = u + d - z, b + w - c
            found.append(x.reshape(1, 8, 16).real)
        return torch.stack(found)

    same(network, (y,), plain)


def test_tval3() -> None:
    Phi, y = normal(20, 48) / 7, normal(2, 20, seed=2)
    network = compiled("tval3", bind={"Phi": Phi}, dims={"h": 6, "w": 8})

    def plain(net: Any) -> Tensor:
        x, mu, beta = (y @ Phi).reshape(2, 1, 6, 8), 256, 32
        nu = torch.zeros(2, 2, 6, 8).double()
        for _ in range(PHASES):
            z = shrunk(differences(x) - nu / beta, 1 / beta)
            residual = x.flatten(1) @ Phi.T - y
            g = back(beta * (differences(x) - z) - nu) + mu * (residual @ Phi).reshape(x.shape)
            bent = beta * differences(g).square().sum((1, 2, 3))
            bent = bent + mu * (g.flatten(1) @ Phi.T).square().sum(1) + 1e-12
            x = x - (g.square().sum((1, 2, 3)) / bent)[:, None, None, None] * g
            nu = nu - beta * (differences(x) - z)
        return x

    same(network, (y,), plain)


def test_tgv() -> None:
    y = normal(2, 1, 6, 8)
    network = compiled("tgv")

    def symmetrised(s: Tensor) -> Tensor:
        a, b = differences(s[:, :1]), differences(s[:, 1:])
        mixed = (a[:, 1:] + b[:, :1]) / 2
        return torch.cat((a[:, :1], mixed, mixed, b[:, 1:]), 1)

    def plain(net: Any) -> Tensor:
        """The adjoint of the symmetrised differences by automatic differentiation."""
        tau, lambda_, kappa = 1 / math.sqrt(12), 0.1, 0.2
        x, u = y, y
        s = r = p = torch.zeros(2, 2, 6, 8).double()
        q = torch.zeros(2, 4, 6, 8).double()
        for _ in range(PHASES):
            p = in_ball(p + tau * (differences(u) - r), lambda_)
            q = in_ball(q + tau * symmetrised(r), kappa)
            x_next = (x - tau * back(p) + tau * y) / (1 + tau)
            _, adjoint = torch.autograd.functional.vjp(symmetrised, s, q)
            s_next = s + tau * (p - adjoint)
            u, r, x, s = 2 * x_next - x, 2 * s_next - s, x_next, s_next
        return x

    same(network, (y,), plain)


def test_tgv_keeps_an_image_that_rises_evenly_but_for_its_edges() -> None:
    """Total variation flattens a slope, total generalised variation does not."""
    rows = torch.linspace(0, 1, 24, dtype=torch.float64)
    y = (rows[:, None] + rows)[None, None]
    found = page("tgv").compile(300, dtype=torch.float64)(y)
    assert (found - y).abs()[..., 8:16, 8:16].max() < 5e-3


def test_laplacian() -> None:
    y, P = sampled()
    network = page("laplacian").compile(bind={"P": P}, dtype=torch.float64)
    E = torch.eye(128, dtype=torch.float64).reshape(128, 1, 8, 16)
    D = differences(E).reshape(128, -1).mT
    F = (P * to_frequencies(E.to(y))).reshape(128, 128).mT
    M = F.mH @ F + 0.001 * (D.T @ D @ D.T @ D) + 1e-6 * torch.eye(128)
    rhs = (F.mH @ y.reshape(2, 128).mT).mT
    expected = torch.linalg.solve(M, rhs.mT).mT.reshape(2, 1, 8, 16).real
    torch.testing.assert_close(network(y), expected, rtol=1e-10, atol=1e-10)


def test_reconnet() -> None:
    network = compiled("reconnet", dims={"m": 20, "b": 6})
    y = normal(2, 20)

    def plain(net: Any) -> Tensor:
        x = (y @ net.W.T + net.c).reshape(2, 1, 6, 6)
        convolutions = [m for m in net.N if isinstance(m, nn.Conv2d)]
        for i, m in enumerate(convolutions):
            x = nn.functional.conv2d(x, m.weight, m.bias, padding=m.weight.shape[-1] // 2)
            x = torch.relu(x) if i < 5 else x
        return x

    same(network, (y,), plain)


def test_condat_vu() -> None:
    y, K = normal(2, 1, 6, 8), kernel()
    network = compiled("condat_vu", bind={"K": K})
    F = transfer(K, 6, 8)

    def plain(net: Any) -> Tensor:
        tau, sigma = 1 / (K.abs().sum() ** 2 / 2 + 0.8), 0.1
        x = torch.zeros_like(y)
        p = torch.zeros(2, 2, 6, 8).double()
        for _ in range(PHASES):
            residual = F.conj() * (F * torch.fft.fft2(x) - torch.fft.fft2(y))
            moved = x - tau * (torch.fft.ifft2(residual).real + back(p))
            x_next = moved.clamp(min=0)
            p = in_ball(p + sigma * differences(2 * x_next - x), 0.01)
            x = x_next
        return x

    same(network, (y,), plain)


def test_every_channel_of_a_colour_image_is_solved_alike_under_the_fourier_transform() -> None:
    """Against the dense system, and without conjugate gradients."""
    spec = unroll_dsl.loads(
        "algorithm a\ndims h, w\ninput y : complex image[3, h, w]\nfixed K : matrix[3, 3]\n"
        "fixed P : mask[h, w]\nlet B = blur(K, padding=circular)\nlet A = P * fft2\n"
        "output solve(B' @ B + A' @ A + 0.1 * I, y)\n"
    )
    K, P = kernel(), (normal(6, 8, seed=3) > 0).double()
    network = spec.compile(bind={"K": K, "P": P}, dtype=torch.float64)
    assert "conjugate_gradients" not in spec.source(dims={"h": 6, "w": 8})
    E = torch.eye(48, dtype=torch.complex128).reshape(48, 6, 8)
    blurred = torch.fft.ifft2(transfer(K, 6, 8) * torch.fft.fft2(E)).reshape(48, 48).mT
    sampled = (P * torch.fft.fft2(E, norm="ortho")).reshape(48, 48).mT
    M = blurred.mH @ blurred + sampled.mH @ sampled + 0.1 * torch.eye(48, dtype=torch.float64)
    y = normal(3, 6, 8, dtype=torch.complex128)
    expected = torch.linalg.solve(M, y.reshape(3, 48).mT).mT.reshape(3, 6, 8)
    torch.testing.assert_close(network(y), expected, rtol=1e-12, atol=1e-12)


def test_opine_net() -> None:
    """Sampling by a convolution of the stride of a block, as the authors write it; the adjoint by its transpose."""
    m, side = 4, 5
    y = normal(2, m, 2, 3)

    def plain(net: nn.Module) -> Tensor:
        kernels = net.Phi.reshape(m, 1, side, side)
        sampled = lambda v: nn.functional.conv2d(v, kernels, stride=side)  # noqa: E731
        back = lambda v: nn.functional.conv_transpose2d(v, kernels, stride=side)  # noqa: E731
        x = back(y)
        for k in net.phases:
            r = x - k.rho * back(sampled(x) - y)
            d = k.D(r)
            v = k.H(d)
            s = v.sign() * (v.abs() - k.theta).relu()
            x = r + k.G(k.Ht(s))
        return x

    same(compiled("opine_net", dims={"m": m, "s": side}), (y,), plain)


def test_glad() -> None:
    """Roots by Newton's iteration (Denman, Beavers, 1976), so that derivatives are those of no eigenvector."""
    A = normal(2, 4, 6)
    S = A @ A.mT / 6
    eye = torch.eye(4, dtype=torch.float64)

    def root(M: Tensor) -> Tensor:
        Y, Z = M, eye.expand_as(M)
        for _ in range(25):
            Y, Z = (Y + torch.linalg.inv(Z)) / 2, (Z + torch.linalg.inv(Y)) / 2
        return Y

    def plain(net: nn.Module) -> Tensor:
        theta = torch.linalg.inv(S + net.t * eye)
        Z = theta
        weight = torch.ones(2, 1, dtype=torch.float64)
        for _ in range(PHASES):
            distance = (Z - theta).square().sum((1, 2))[:, None]
            weight = net.l(torch.cat([distance, weight], 1))
            each = weight[:, :, None]
            Y = S / each - Z
            theta = (root(Y.mT @ Y + 4 / each * eye) - Y) / 2
            shrinkage = net.r(torch.stack([theta, S, Z], 1))[:, 0]
            Z = theta.sign() * (theta.abs() - shrinkage).relu()
        return theta

    same(compiled("glad", dims={"n": 4}), (S,), plain)
