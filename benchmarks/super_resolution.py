"""The data step of USRNet in closed form against conjugate gradients, on a colour image of 256 x 256, small by 2:
`python -m benchmarks super_resolution`. Both solve the same system; how far they are apart is told."""

from __future__ import annotations

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

import unroll_dsl
from benchmarks.timing import spread

SIDE, SMALLER, WIDTH, SHIFT = 256, 2, 25, 0.01
SYSTEM = "output solve(A' @ A + mu * I, A' @ y)\n"
KNOWN = (
    "algorithm known\ndims c, h, w, b, s = 2\ninput y : image[c, h, w]\nfixed K : matrix[b, b]\n"
    f"fixed mu : scalar > 0 = {SHIFT}\nlet A = downsample(s) @ blur(K, padding=circular)\n{SYSTEM}"
)
UNKNOWN = (
    "algorithm unknown\ndims c, h, w, s = 2\ninput y : image[c, h, w]\n"
    "fixed A : linear image[c, s * h, s * w] -> image[c, h, w]\n"
    f"fixed mu : scalar > 0 = {SHIFT}\n{SYSTEM.replace('y)', 'y, iterations=1000)')}"
)


class Blurred(nn.Module):
    """Every second pixel of a periodic blur, by the Fourier transform."""

    def __init__(self, kernel: Tensor) -> None:
        super().__init__()
        whole = torch.zeros(SIDE, SIDE)
        whole[:WIDTH, :WIDTH] = kernel
        centred = whole.roll((-(WIDTH // 2), -(WIDTH // 2)), (0, 1))
        self.register_buffer("T", torch.fft.rfft2(centred))

    def forward(self, x: Tensor) -> Tensor:
        found = torch.fft.irfft2(torch.fft.rfft2(x) * self.T, (SIDE, SIDE))
        return found[..., ::SMALLER, ::SMALLER]

    def adjoint(self, y: Tensor) -> Tensor:
        spread = y.new_zeros(*y.shape[:-2], SIDE, SIDE)
        spread[..., ::SMALLER, ::SMALLER] = y
        return torch.fft.irfft2(torch.fft.rfft2(spread) * self.T.conj(), (SIDE, SIDE))


def run() -> None:
    """One row."""
    torch.manual_seed(0)
    place = torch.arange(WIDTH) - WIDTH // 2
    kernel = torch.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.6**2))
    kernel = kernel / kernel.sum()
    half = SIDE // SMALLER
    y = torch.rand(1, 3, half, half)
    sizes = {"c": 3, "h": half, "w": half}
    exact = unroll_dsl.loads(KNOWN).compile(bind={"K": kernel}, dims=sizes)
    iterated = unroll_dsl.loads(UNKNOWN).compile(bind={"A": Blurred(kernel)}, dims=sizes)

    def of(net: nn.Module) -> Tensor:
        with torch.no_grad():
            found: Tensor = net(y)
        return found

    apart = float((of(exact) - of(iterated)).norm() / of(exact).norm())
    times = spread({"iterated": lambda: of(iterated), "exact": lambda: of(exact)}, 9)
    low, middle, high = times.ratio("iterated", "exact")
    table = Table("conjugate gradients, ms", "closed form, ms", "ratio", "quartiles", "apart")
    table.add_row(
        f"{1e3 * times.median('iterated'):.1f}", f"{1e3 * times.median('exact'):.2f}",
        f"{middle:.0f}", f"{low:.0f} to {high:.0f}", f"{apart:.0e}",
    )  # fmt: skip
    Console(width=100).print(table)
