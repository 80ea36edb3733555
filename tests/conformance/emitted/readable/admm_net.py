"""Deep ADMM-Net, ADMM for compressive sensing MRI with learned filters, penalties and shrinkage.

Y. Yang, J. Sun, H. Li, Z. Xu: Deep ADMM-Net for compressive sensing MRI. NeurIPS, 2016.

Filters are combinations of a cosine basis; shrinkage is piecewise linear on 101 knots. The last
phase only reconstructs: nothing reads its c, z and beta, so neither they nor their learnables exist.

Generated from admm_net.unroll by unroll_dsl 0.1.0: edit that file rather than this one.
"""

import torch
from torch import Tensor, nn


class AdmmNet(nn.Module):
    """Map y [batch, 1, h, w] to x [batch, 1, h, w].

    Fixed: P [h, w], B [8, 3, 3]. Learnable: gamma_H [8, L], gamma_D [8, L], rho [L], eta [L], q
    [L, Nc], per phase.

    y: k-space, zero where not sampled
    P: 1 where sampled, zero frequency first
    B: without its constant member
    """

    def __init__(
        self, P: Tensor, B: Tensor | None = None, L: int = 8, Nc: int = 101, phases: int = 10
    ) -> None:
        super().__init__()
        # admm_net.unroll:13
        if B is None:
            B = dct_basis(3, P).contiguous()
        eye = torch.eye(8, L, dtype=P.dtype, device=P.device)  # admm_net.unroll:16
        self.register_buffer("P", P, persistent=False)
        self.register_buffer("B", B, persistent=False)
        self.register_buffer("P_squared", P * P, persistent=False)  # admm_net.unroll:14
        self.L = L
        self.phases = nn.ModuleList(
            [
                Phase(
                    eye.clone(),
                    eye.clone(),
                    P.new_full((L,), 0.2),
                    P.new_full((L,), 1.6),
                    soft(torch.linspace(-1, 1, Nc, dtype=P.dtype, device=P.device), 0.05)
                    .expand(L, Nc)
                    .clone(),
                )
                for _ in range(phases - 1)
            ]
            + [LastPhase(eye.clone(), P.new_full((L,), 0.2))]
        )

    def start(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What all phases share, and the states at the start."""
        check_input("y", y, (1, self.P.shape[-2], self.P.shape[-1]), self.P, is_complex=True)
        Aty = torch.fft.ifft2(self.P * y, norm="ortho")  # admm_net.unroll:26
        # admm_net.unroll:24
        z = torch.zeros(
            (*y.shape[:-3], self.L, y.shape[-2], y.shape[-1]), dtype=y.real.dtype, device=y.device
        )
        beta = torch.zeros(
            (*y.shape[:-3], self.L, y.shape[-2], y.shape[-1]), dtype=y.real.dtype, device=y.device
        )
        return Aty, z, beta

    def forward(self, y: Tensor) -> Tensor:
        Aty, z, beta = self.start(y)
        *phases, last = self.phases
        for phase in phases:
            x, z, beta = phase(z, beta, Aty, self.B, self.P_squared)
        return last(z, beta, Aty, self.B, self.P_squared)

    def trajectory(self, y: Tensor) -> list[dict[str, Tensor]]:
        """The states after each phase."""
        Aty, z, beta = self.start(y)
        states = []
        *phases, last = self.phases
        for phase in phases:
            x, z, beta = phase(z, beta, Aty, self.B, self.P_squared)
            states.append({"x": x, "z": z, "beta": beta})
        x = last(z, beta, Aty, self.B, self.P_squared)
        states.append({"x": x})
        return states

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """The training loss, averaged over the batch."""
        check_input("target", target, (1, self.P.shape[-2], self.P.shape[-1]), self.P)
        check_batches({"y": (y, 3), "target": (target, 3)})
        x = self(y)
        return (
            (x - target).square().sum((-3, -2, -1)).sqrt()
            / target.square().sum((-3, -2, -1)).sqrt()
        ).mean()


class Phase(nn.Module):
    """One iteration and the constants that are its own.

    gamma_H [8, L]; gamma_D [8, L]; rho [L]; eta [L]; q [L, Nc].

    rho: penalties
    eta: rates of the multipliers
    """

    def __init__(
        self, gamma_H: Tensor, gamma_D: Tensor, rho: Tensor, eta: Tensor, q: Tensor
    ) -> None:
        super().__init__()
        # admm_net.unroll:16
        self.gamma_H = nn.Parameter(gamma_H)
        self.gamma_D = nn.Parameter(gamma_D)
        self.rho = nn.Parameter(rho)  # admm_net.unroll:17
        self.eta = nn.Parameter(eta)  # admm_net.unroll:18
        self.q = nn.Parameter(q)  # admm_net.unroll:19

    def forward(
        self, z: Tensor, beta: Tensor, Aty: Tensor, B: Tensor, P_squared: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        # admm_net.unroll:20
        gamma_Ht_B = torch.einsum("ab,bcd->acd", self.gamma_H.mT, B)
        transfer_gamma_Ht_B = transfer(gamma_Ht_B, z.shape[-2], z.shape[-1])
        # admm_net.unroll:26
        x = torch.fft.ifft2(
            torch.fft.fft2(
                Aty
                + convolve_adjoint(self.rho[..., None, None] * (z - beta), gamma_Ht_B, "circular"),
                norm="ortho",
            )
            / (
                P_squared
                + (
                    transfer_gamma_Ht_B.conj() * (self.rho[..., None, None] * transfer_gamma_Ht_B)
                ).sum(-3)
            ),
            norm="ortho",
        ).real
        # admm_net.unroll:27
        c = convolve(x, torch.einsum("ab,bcd->acd", self.gamma_D.mT, B), "circular")
        z = plf(c + beta, self.q, 3)  # admm_net.unroll:28
        beta = beta + self.eta[..., None, None] * (c - z)  # admm_net.unroll:29
        return x, z, beta


class LastPhase(nn.Module):
    """The last iteration and the constants that are its own: gamma_H [8, L]; rho [L].

    rho: penalties
    """

    def __init__(self, gamma_H: Tensor, rho: Tensor) -> None:
        super().__init__()
        self.gamma_H = nn.Parameter(gamma_H)  # admm_net.unroll:16
        self.rho = nn.Parameter(rho)  # admm_net.unroll:17

    def forward(self, z: Tensor, beta: Tensor, Aty: Tensor, B: Tensor, P_squared: Tensor) -> Tensor:
        # admm_net.unroll:20
        gamma_Ht_B = torch.einsum("ab,bcd->acd", self.gamma_H.mT, B)
        transfer_gamma_Ht_B = transfer(gamma_Ht_B, z.shape[-2], z.shape[-1])
        # admm_net.unroll:26
        return torch.fft.ifft2(
            torch.fft.fft2(
                Aty
                + convolve_adjoint(self.rho[..., None, None] * (z - beta), gamma_Ht_B, "circular"),
                norm="ortho",
            )
            / (
                P_squared
                + (
                    transfer_gamma_Ht_B.conj() * (self.rho[..., None, None] * transfer_gamma_Ht_B)
                ).sum(-3)
            ),
            norm="ortho",
        ).real


def soft(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, the proximal map of t times the 1-norm; complex values shrink in modulus."""
    return v.sign() * torch.relu(v.abs() - t)


def dct_basis(n: int, like: Tensor) -> Tensor:
    """The orthonormal DCT-II filters of size n x n without the constant one: [n * n - 1, n, n]."""
    place = torch.arange(n, dtype=torch.float64)
    D = (2 / n) ** 0.5 * torch.cos(torch.pi * torch.outer(place, 2 * place + 1) / (2 * n))
    D[0] /= 2**0.5
    B = torch.einsum("br,ac->abrc", D, D).reshape(n * n, n, n)  # member a * n + b: D_b D_a'
    return B[1:].to(like)


def check_input(
    name: str, x: Tensor, shape: tuple[int | None, ...], like: Tensor, is_complex: bool = False
) -> None:
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
    if is_complex:
        if dtype.itemsize < 4:
            raise TypeError(
                f"`{name}` is complex, and there is no arithmetic of such values in {dtype}"
            )
        dtype = torch.promote_types(dtype, torch.complex64)
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


def transfer(B: Tensor, h: int, w: int) -> Tensor:
    """The transfer functions [..., h, w] of periodic convolution with kernels [..., a, b]."""
    a, b = B.shape[-2:]
    return torch.fft.fft2(wrapped(B, h, w).roll((-(a // 2), -(b // 2)), (-2, -1)))


def wrapped(B: Tensor, h: int, w: int) -> Tensor:
    """Kernels [..., a, b] as kernels [..., h, w] of the same periodic convolution of images of h x w: what
    is larger than the image comes in again on the other side."""
    a, b = B.shape[-2:]
    if a <= h and b <= w:
        return nn.functional.pad(B, (0, w - b, 0, h - a))
    tiles = nn.functional.pad(B, (0, -b % w, 0, -a % h))
    return tiles.unflatten(-1, (-1, w)).sum(-2).unflatten(-2, (-1, h)).sum(-3)


def convolve_adjoint(y: Tensor, B: Tensor, padding: str) -> Tensor:
    """The adjoint of `convolve`: a correlation."""
    B = B.unsqueeze(-3) if B.ndim == 3 else B
    a, b = B.shape[-2:]
    return correlate(y, B.conj().transpose(-4, -3), padding, (a // 2, b // 2))


def correlate(x: Tensor, B: Tensor, padding: str, before: tuple[int, int]) -> Tensor:
    """Correlate images [..., in, h, w] with kernels [out, in, a, b]; `before` tells how many rows and
    columns to add above and to the left, so that the size stays."""
    if x.is_complex() and not B.is_complex():
        parts = (correlate(part, B, padding, before) for part in (x.real, x.imag))
        return torch.complex(*parts)
    (up, left), (a, b), (h, w) = before, B.shape[-2:], x.shape[-2:]
    if padding == "circular" and (a > h or b > w):
        B, up, left, a, b = wrapped(B, h, w), up % h, left % w, h, w
    margins = (left, b - 1 - left, up, a - 1 - up)
    planes = x.reshape(-1, *x.shape[-3:]).to(torch.promote_types(x.dtype, B.dtype))
    mode = "circular" if padding == "circular" else "constant"
    found = nn.functional.conv2d(nn.functional.pad(planes, margins, mode=mode), B)
    return found.reshape(*x.shape[:-3], *found.shape[-3:])


def convolve(x: Tensor, B: Tensor, padding: str) -> Tensor:
    """Convolve images with kernels [out, 1, a, b] or [out, in, a, b] (flipped, as papers write it)."""
    B = B.unsqueeze(-3) if B.ndim == 3 else B
    a, b = B.shape[-2:]
    return correlate(x, B.flip(-2, -1), padding, (a - 1 - a // 2, b - 1 - b // 2))


def plf(x: Tensor, q: Tensor, rank: int) -> Tensor:
    """Linear between the knots linspace(-1, 1, n), where it takes the values `q`; slope 1 beyond.

    `q` is [n], or [channels, n] for the first of the `rank` axes of a sample.
    """
    n = q.shape[-1]
    if q.ndim == 2:
        offset = (n * torch.arange(q.shape[0], device=q.device)).view(-1, *[1] * (rank - 1))
    else:
        offset = 0
    inside = x.clamp(-1, 1)
    place = (inside + 1) * ((n - 1) / 2)
    cell = place.detach().floor().clamp(0, n - 2)
    low = (cell.long() + offset).clamp(0, q.numel() - 2)
    values = q.reshape(-1)
    left, right = values[low], values[low + 1]
    return left + (place - cell) * (right - left) + (x - inside)
