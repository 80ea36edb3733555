"""How near ISTA-Net+ comes to what the machine can do: the products and convolutions that the mathematics
needs, each timed alone at its best layout, against the network's time.

A phase needs Phi and its adjoint, two convolutions of 32 to 32 channels, and two fused ones of 5 x 5, from one
channel and to one, which are products with 25 planes.
"""

from __future__ import annotations

import torch
from rich.console import Console
from torch import Tensor

from benchmarks import networks


def run(*names: str) -> None:
    case = networks.ista_net(True)
    frozen = case.ours.freeze()
    count, pixels = 64, 64 * 33 * 33
    phi, x, y = torch.randn(272, 1089), torch.randn(count, 1089), case.inputs[0]
    wide = torch.randn(count, 32, 33, 33)
    kernel = torch.randn(32, 32, 3, 3)
    last = wide.contiguous(memory_format=torch.channels_last)
    planes, few, many = torch.randn(pixels, 25), torch.randn(25, 32), torch.randn(pixels, 32)

    def best(*jobs: object) -> float:
        found = networks.warm({str(i): job for i, job in enumerate(jobs)}, 15)  # type: ignore[misc]
        return min(found.values())

    def conv(image: Tensor) -> object:
        return lambda: torch.nn.functional.conv2d(image, kernel, padding=1)

    with torch.no_grad():
        parts = {
            "Phi and its adjoint": best(lambda: (x @ phi.mT - y) @ phi),
            "two convolutions, 32 to 32": 2 * best(conv(wide), conv(last)),
            "from one channel, 5 x 5": best(lambda: planes @ few),
            "to one channel, 5 x 5": best(lambda: many @ few.mT),
        }
        jobs = {"network": lambda: frozen(y), "as compiled": lambda: case.ours(y)}
        taken = networks.warm(jobs, 15)
    console = Console()
    total = 9 * sum(parts.values())
    for word, seconds in parts.items():
        console.print(f"{word}: {9000 * seconds:.0f} ms in nine phases")
    console.print(f"the limit: {1000 * total:.0f} ms")
    for word, seconds in taken.items():
        console.print(
            f"{word}: {1000 * seconds:.0f} ms, {total / seconds:.0%} of the limit's speed"
        )
