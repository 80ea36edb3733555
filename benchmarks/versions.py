"""Generated networks of this checkout against those of another one, say of the last release:
`python -m benchmarks versions ../other`.

Each version writes its modules itself, in a process of its own; both get the same values, are held against
each other, and take turns.
"""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.timing import spread

HERE = Path(__file__).parents[1]
REPETITIONS = 15


@dataclass(frozen=True)
class Case:
    """A page, the sizes that are known to the compiler, and what the network is made and asked with."""

    page: str
    sizes: dict[str, int]
    constants: dict[str, Tensor]
    inputs: tuple[Tensor, ...]
    target: Tensor | None = None  # of a training step, besides


def lista() -> Case:
    """100 measurements of 400 entries, a batch of 256."""
    return Case(
        "lista",
        {"n": 100, "m": 400},
        {"Wd": torch.randn(100, 400) / 10},
        (torch.randn(256, 100),),
        torch.randn(256, 400),
    )


def ista_net_plus() -> Case:
    """16 blocks of 33 x 33, ratio 25 %."""
    phi = torch.linalg.qr(torch.randn(1089, 272))[0].mT.contiguous()
    x = torch.rand(16, 1, 33, 33)
    constants = {"Phi": phi, "Q": phi.mT.contiguous()}
    return Case(
        "ista_net_plus",
        {"m": 272, "h": 33, "w": 33},
        constants,
        (x.flatten(1) @ phi.mT,),
        x,
    )


def fista_net() -> Case:
    """104 measurements of the 1,240 pixels of a view of 40 x 40."""
    side, m = 40, 104
    place = torch.arange(side) - (side - 1) / 2
    inside = (place[:, None] ** 2 + place**2).flatten() <= (side / 2) ** 2
    n = int(inside.sum())
    mask = torch.eye(side * side)[inside]
    a = torch.randn(m, n) / n**0.5
    whole = torch.eye(side * side).view(-1, side, side)
    steps = torch.cat([whole.diff(dim=1).flatten(1), whole.diff(dim=2).flatten(1)], 1).mT[:, inside]
    differences = steps[steps.abs().sum(1) == 2].contiguous()
    x = torch.rand(2, 1, side, side)
    constants = {"A": a, "R": differences, "M": mask}
    sizes = {"m": m, "n": n, "h": side, "w": side}
    b = x.flatten(1) @ mask.mT @ a.mT
    return Case("fista_net", sizes, constants, (b, x / 2), x)


def _sampled(page: str, side: int) -> Case:
    """A complex image of so many pixels a side, 20 % of its k-space sampled."""
    mask = (torch.rand(side, side) < 0.2).float()
    mask[0, 0] = 1
    image = torch.polar(torch.rand(1, 1, side, side), torch.rand(1, 1, side, side))
    y = mask * torch.fft.fft2(image, norm="ortho")
    return Case(page, {"h": side, "w": side}, {"P": mask}, (y,))


CASES: dict[str, Callable[[], Case]] = {
    "lista": lista,
    "ista_net_plus": ista_net_plus,
    "fista_net": fista_net,
    "admm_net": lambda: _sampled("admm_net", 128),
    "admm_csnet": lambda: _sampled("admm_csnet", 64),
}


def written(checkout: Path, case: Case, folder: Path) -> ModuleType:
    """The module that the compiler of a checkout writes of its own page."""
    path = folder / f"{case.page}.py"
    sizes = ",".join(f"{name}={size}" for name, size in case.sizes.items())
    command = [sys.executable, "-m", "unroll_dsl", "compile", case.page, "-o", str(path)]
    subprocess.run(
        [*command, "--dims", sizes], cwd=checkout, check=True, capture_output=True, text=True
    )
    spec = importlib.util.spec_from_file_location(f"{folder.name}_{case.page}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(module: ModuleType, case: Case) -> Any:
    """The network of a module: the class that has a trajectory; a matrix is given as the layer that it is
    where that is asked for."""
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, nn.Module)]
    (made,) = [c for c in classes if c.__module__ == module.__name__ and hasattr(c, "trajectory")]
    known = inspect.signature(made).parameters
    given: dict[str, Any] = {name: n for name, n in case.sizes.items() if name in known}
    for name, value in case.constants.items():
        given[name] = value
        if "Module" in str(known[name].annotation):
            given[name] = _MatrixOfImages(value, case.sizes["h"], case.sizes["w"])
    return made(**given)


class _MatrixOfImages(nn.Module):
    """A matrix as a map of the pixels of an image, or to them."""

    def __init__(self, matrix: Tensor, h: int, w: int) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)
        self.image = 1, h, w

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.matrix.shape
        return self._mapped(x, self.matrix, rows, columns)

    def adjoint(self, y: Tensor) -> Tensor:
        columns, rows = self.matrix.shape
        return self._mapped(y, self.matrix.mT, rows, columns)

    def _mapped(self, x: Tensor, matrix: Tensor, rows: int, columns: int) -> Tensor:
        pixels = self.image[1] * self.image[2]
        flat = x.flatten(-3) if columns == pixels else x
        found = flat @ matrix.mT
        return found.unflatten(-1, self.image) if rows == pixels else found


def alike(one: nn.Module, other: nn.Module) -> None:
    """Give both networks the same values, kernels near the identity."""
    theirs = dict(other.named_parameters())
    with torch.no_grad():
        for name, value in one.named_parameters():
            if value.ndim == 4:
                nn.init.dirac_(value)
                value += torch.randn_like(value) * 0.05
            theirs.pop(name).copy_(value)
    if theirs:
        raise ValueError(f"the networks have different parameters: {', '.join(theirs)}")


def jobs(net: Any, case: Case) -> dict[str, Callable[[], object]]:
    def infer() -> object:
        with torch.no_grad():
            return net(*case.inputs)

    def train() -> None:
        net.zero_grad()
        found = net(*case.inputs) if case.target is None else net.loss(*case.inputs, case.target)
        found.abs().square().sum().backward()

    return {"inference": infer, "training step": train}


def run(other: str = "", *cases: str) -> None:
    """A row a network and job: medians, quartiles of the ratio, and how far results are apart."""
    if not other:
        print("versions: name a checkout of the version to compare with, `versions DIR`; left out")
        return
    theirs = Path(other).resolve()
    table = Table("network", "", "there, ms", "here, ms", "there / here", "quartiles", "apart")
    for name in cases or CASES:
        torch.manual_seed(0)
        case = CASES[name]()
        with TemporaryDirectory("_there") as there, TemporaryDirectory("_here") as here:
            old = network(written(theirs, case, Path(there)), case)
            new = network(written(HERE, case, Path(here)), case)
        alike(new, old)
        with torch.no_grad():
            found, expected = new(*case.inputs), old(*case.inputs)
        apart = float((found - expected).norm() / expected.norm())
        before, after = jobs(old, case), jobs(new, case)
        for job in before:
            times = spread({"there": before[job], "here": after[job]}, REPETITIONS)
            low, middle, high = times.ratio("there", "here")
            table.add_row(name, job, f"{1e3 * times.median('there'):.2f}",
                          f"{1e3 * times.median('here'):.2f}", f"{middle:.2f}",
                          f"{low:.2f} to {high:.2f}", f"{apart:.0e}")  # fmt: skip
    Console(width=110).print(table)
