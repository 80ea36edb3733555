"""What it costs that `solve` looks whether its system is singular: the shipped networks that look as they run, with
their looks and without, the two taking turns. `python -m benchmarks looks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import unroll_dsl
from benchmarks.timing import medians

CASES = ("init_net", "admm_net", "admm_csnet", "tv_admm", "oamp_net", "admm_lasso")


def case(name: str) -> tuple[Any, tuple[Tensor, ...]]:
    """A network, and its inputs: an image of 256 x 256 of which every fourth line is sampled, eight samples of
    60 antennas with a channel each, or a batch of 64 signals of 500 entries behind one matrix."""
    torch.manual_seed(0)
    spec = unroll_dsl.load(name)
    if name == "oamp_net":
        channels = torch.randn(8, 60, 40) / 60**0.5
        net = spec.compile(dims={"m": 60, "n": 40})
        return net, (torch.randn(8, 60), channels, torch.full((8,), 0.01))
    if name == "admm_lasso":
        return spec.compile(16, bind={"A": torch.randn(250, 500) / 250**0.5}), (
            torch.randn(64, 250),
        )
    mask = (torch.arange(256)[:, None] % 4 == 0).float().expand(256, 256).contiguous()
    net = spec.compile(bind={"P": mask})
    return net, (torch.randn(1, 1, 256, 256, dtype=torch.complex64) * mask,)


def unlooking(net: Any, job: Callable[[], object]) -> Callable[[], object]:
    """The job with each function that looks passing on what it is given, or its factor."""
    names = type(net).forward.__globals__
    looks = {name: value for name, value in names.items() if name.startswith("regular")}
    instead: dict[str, Callable[..., Tensor]] = dict.fromkeys(looks, lambda x, *_: x)
    if "regular_factor" in looks:
        instead["regular_factor"] = lambda M, *_: torch.linalg.cholesky_ex(M)[0]

    def run() -> None:
        names.update(instead)
        try:
            job()
        finally:
            names.update(looks)

    return run


def run(*cases: str) -> None:
    """One table, a row a network."""
    table = Table("network", "looks, ms", "none, ms", "ratio", "training: looks", "none", "ratio")
    for name in cases or CASES:
        net, inputs = case(name)

        def infer(net: Any = net, inputs: Any = inputs) -> None:
            with torch.no_grad():
                net(*inputs)

        def train(net: Any = net, inputs: Any = inputs) -> None:
            found = net(*inputs)
            outputs = found if isinstance(found, tuple) else (found,)
            torch.stack([x.abs().square().sum() for x in outputs]).sum().backward()

        jobs: dict[str, Callable[[], object]] = {"looks": infer, "none": unlooking(net, infer)}
        if list(net.parameters()):
            jobs |= {"training": train, "training, none": unlooking(net, train)}
        medians(jobs, 2)
        found = [1e3 * each for each in medians(jobs, 15).values()]
        cells = [cell for a, b in zip(found[::2], found[1::2], strict=True)
                 for cell in (f"{a:.2f}", f"{b:.2f}", f"{a / b:.3f}")]  # fmt: skip
        table.add_row(name, *cells)
    Console().print(table)
