"""Generated networks against plain PyTorch renderings of what the authors compute (plain.py).

Both get the same values and are compared before they are timed. Figures are ratios of medians taken in
one run, the two taking turns. `python -m benchmarks networks [NAME ...]` runs some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

import unroll_dsl
from benchmarks import plain
from benchmarks.draw import record
from benchmarks.timing import medians

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Case:
    """Two networks that compute the same of the same inputs."""

    name: str
    theirs: nn.Module
    ours: Any
    inputs: Inputs
    target: Tensor | None = None  # for a training step, besides
    repetitions: int = 15


def copied(pairs: dict[str, str], theirs: nn.Module, ours: nn.Module) -> None:
    """Give `ours` the values of `theirs`; names of theirs by names of ours."""
    values = dict(theirs.state_dict())
    own = ours.state_dict()
    found = {name: values[pairs[name]].reshape(own[name].shape) for name in own}
    ours.load_state_dict(found)


def alive(net: nn.Module) -> None:
    """Kernels near the identity: under random ones values die out into denormal numbers, which are slow,
    and that is nobody's merit."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            nn.init.dirac_(parameter)
            with torch.no_grad():
                parameter += torch.randn_like(parameter) * 0.05


def ista_net(plus: bool) -> Case:
    """64 blocks of 33 x 33, ratio 25 %."""
    torch.manual_seed(0)
    phi = torch.linalg.qr(torch.randn(1089, 272))[0].mT.contiguous()
    theirs = plain.IstaNet(phi, phi.mT.contiguous(), 9, plus)
    alive(theirs)
    name = "ista_net_plus" if plus else "ista_net"
    ours = unroll_dsl.load(name).compile(
        9, bind={"Phi": phi, "Q": phi.mT.contiguous()}, dims={"h": 33, "w": 33}
    )
    copied(_parts(plus), theirs, ours)
    x = torch.rand(64, 1, 33, 33)
    return Case(name, theirs, ours, (x.flatten(1) @ phi.mT,), x)


def _parts(plus: bool) -> dict[str, str]:
    """Names of the parameters of ISTA-Net or ISTA-Net+ by ours."""
    forth, back = ("H", "Ht") if plus else ("F", "Ft")
    parts = {
        "rho": "step", "theta": "threshold", "D.weight": "into", "G.weight": "out",
        f"{forth}.0.weight": "first", f"{forth}.2.weight": "second",
        f"{back}.0.weight": "third", f"{back}.2.weight": "fourth",
    }  # fmt: skip
    return {f"phases.{k}.{a}": f"phases.{k}.{b}" for k in range(9) for a, b in parts.items()}


def ista_net_plus_mri() -> Case:
    """256 x 256, 20 % of k-space."""
    theirs = plain.IstaNetMri(_mask(), 9)
    alive(theirs)
    ours = unroll_dsl.load("ista_net_plus_mri").compile(9, bind={"P": theirs.mask})
    copied(_parts(True), theirs, ours)
    y = theirs.mask * torch.fft.fft2(torch.rand(1, 1, 256, 256), norm="ortho")
    return Case("ista_net_plus_mri", theirs, ours, (y,))


def _mask() -> Tensor:
    """Samples of 20 % of k-space, 256 x 256, the zero frequency among them."""
    torch.manual_seed(0)
    mask = (torch.rand(256, 256) < 0.2).float()
    mask[0, 0] = 1
    return mask


def fista_net(batch: int) -> Case:
    """The size of the paper's electromagnetic tomography: 104 measurements, 3228 pixels in view."""
    torch.manual_seed(0)
    side, n = 64, 3228
    place = torch.arange(side) - (side - 1) / 2
    radius = (place[:, None] ** 2 + place**2).flatten()
    inside = radius.argsort()[:n].sort().values
    mask = torch.zeros(n, side * side)
    mask[torch.arange(n), inside] = 1
    a = torch.randn(104, n) / n**0.5
    whole = torch.eye(side * side).view(-1, side, side)
    steps = torch.cat([whole.diff(dim=1).flatten(1), whole.diff(dim=2).flatten(1)], 1).mT
    r = steps[:, inside]
    r = r[r.abs().sum(1) == 2].contiguous()
    theirs = plain.FistaNet(a, r, mask, side)
    bind = {"A": a, "R": r, "M": mask}
    ours = unroll_dsl.load("fista_net").compile(7, bind=bind, dims={"h": side, "w": side})
    pairs = {"D.weight": "into.weight", "D.bias": "into.bias"}
    pairs |= {"G.weight": "out.weight", "G.bias": "out.bias"}
    for letter, word in (("F", "forth"), ("B", "back")):
        for i in range(4):
            for kind in ("weight", "bias"):
                pairs[f"{letter}.{2 * i}.{kind}"] = f"{word}.{i}.{kind}"
    for word in ("theta", "mu", "rho"):
        pairs |= {f"w_{word}": f"w.{word}", f"c_{word}": f"c.{word}"}
    copied(pairs, theirs, ours)
    x = torch.rand(batch, 1, side, side)
    b = x.flatten(1) @ mask.mT @ a.mT
    return Case(f"fista_net, batch {batch}", theirs, ours, (b, x / 2), repetitions=3)


def admm_net() -> Case:
    """256 x 256, 20 % of k-space, 10 phases (stage 7)."""
    mask = _mask()
    from unroll_dsl.operators.registry import function

    basis = torch.as_tensor(function("dct_basis").numpy(3), dtype=torch.float32)
    theirs = plain.AdmmNet(mask, basis, 10)
    ours = unroll_dsl.load("admm_net").compile(10, bind={"P": mask})
    y = mask * torch.fft.fft2(torch.rand(1, 1, 256, 256), norm="ortho")
    return Case("admm_net", theirs, ours, (y,))


def admm_csnet(search: bool = False) -> Case:
    """256 x 256, 20 % of k-space; with `search`, against a kinder piecewise linear layer."""
    mask = _mask()
    theirs = plain.AdmmCsnet(mask, search=search)
    ours = unroll_dsl.load("admm_csnet").compile(bind={"P": mask})
    pairs = {
        "rho": "rho", "gamma": "gamma", "N.0.weight": "first.weight", "N.0.bias": "first.bias",
        "N.1.slopes": "slopes", "N.1.start": "start", "N.2.weight": "last.weight",
        "N.2.bias": "last.bias",
    }  # fmt: skip
    copied(pairs, theirs, ours)
    image = torch.polar(torch.rand(1, 1, 256, 256), torch.rand(1, 1, 256, 256))
    y = mask * torch.fft.fft2(image, norm="ortho")
    name = "admm_csnet, knots by search" if search else "admm_csnet"
    return Case(name, theirs, ours, (y,), repetitions=5 if search else 1)


CASES: dict[str, Callable[[], Case]] = {
    "ista_net": lambda: ista_net(False),
    "ista_net_plus": lambda: ista_net(True),
    "ista_net_plus_mri": ista_net_plus_mri,
    "fista_net": lambda: fista_net(1),
    "fista_net_8": lambda: fista_net(8),
    "admm_net": admm_net,
    "admm_csnet": admm_csnet,
    "admm_csnet_search": lambda: admm_csnet(search=True),
}


def warm(jobs: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Median seconds of each job after a first run, the jobs taking turns; without one where a single
    repetition says that it takes minutes."""
    if repetitions > 1:
        for job in jobs.values():
            job()
    return medians(jobs, repetitions)


def gap(case: Case) -> float:
    """The relative difference of the two results."""
    with torch.no_grad():
        theirs, ours = case.theirs(*case.inputs), case.ours(*case.inputs)
    return float((theirs.reshape(ours.shape) - ours).norm() / theirs.norm())


def step(net: Any, inputs: Inputs, target: Tensor) -> Callable[[], None]:
    def run() -> None:
        net.zero_grad()
        net.loss(*inputs, target).backward()

    return run


def rows(case: Case) -> list[tuple[str, str, float, float, float]]:
    """Case, what is timed, seconds of theirs and of ours, and how far the results are apart."""
    apart = gap(case)

    def inference(net: nn.Module) -> Callable[[], object]:
        def run() -> None:
            with torch.no_grad():
                net(*case.inputs)

        return run

    networks = {"theirs": case.theirs, "ours": case.ours, "frozen": case.ours.freeze()}
    found = warm({name: inference(net) for name, net in networks.items()}, case.repetitions)
    result = [
        (case.name, "inference", found["theirs"], found["ours"], apart),
        (case.name, "inference, frozen", found["theirs"], found["frozen"], apart),
    ]
    if case.target is not None:
        jobs = {
            "theirs": step(case.theirs, case.inputs, case.target.flatten(1)),
            "ours": step(case.ours, case.inputs, case.target),
        }
        found = warm(jobs, 5)
        result.append((case.name, "training step", found["theirs"], found["ours"], apart))
    return result


def report(
    figures: Iterable[tuple[str, str, float, float, float]], against: str = "theirs"
) -> None:
    """Print what was compared, line by line and as a table, and keep it for `draw`."""
    console = Console()
    table = Table(title=f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    for heading in ("network", "", f"{against}, ms", "ours, ms", "times faster", "difference"):
        table.add_column(heading, justify="left" if not table.columns else "right")
    for network, what, theirs, ours, apart in figures:
        times = (f"{1000 * theirs:.3g}", f"{1000 * ours:.3g}", f"{theirs / ours:.2f}")
        table.add_row(network, what, *times, f"{apart:.1e}")
        console.print(f"{network}, {what}: {theirs / ours:.2f} times faster")
        record(against, network, what, theirs / ours)
    console.print(table)


def run(*names: str) -> None:
    report((row for name in names or CASES for row in rows(CASES[name]())), "plain")
