"""Generated networks against deepinv's unfolded ones: the same iterations of the same values.

`make bench-peers` installs deepinv 0.5 without its dependencies beside the project and runs this; its
imports of torchvision, which would draw in another torch, are answered by empty modules.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock

import torch
from torch import Tensor

import unroll_dsl
from benchmarks.networks import report, warm

_MAPS = {
    "dense": ("dims m, n", "vector[m]", "vector[n]", "fixed A : matrix[m, n]", "A"),
    "blur": (
        "dims h, w, p, q",
        "image[1, h, w]",
        "image[1, h, w]",
        "fixed B : tensor[p, q]",
        "blur(B, padding=circular)",
    ),
}
_PROXIMAL = """algorithm pgd
{dims}
input y : {data}
{declared}
learnable tau : scalar > 0 per phase = 1
learnable lambda : scalar per phase = 0.1
let C = {map}
state x : {space} = C' @ y
phase (10):
    x <- soft(x - tau * C' @ (C @ x - y), lambda * tau)
output x
"""
_MOMENTUM = """algorithm fista
{dims}
input y : {data}
{declared}
learnable tau : scalar > 0 per phase = 1
learnable lambda : scalar per phase = 0.1
let C = {map}
state x, z : {space} = C' @ y
phase (10):
    x <- soft(z - tau * C' @ (C @ z - y), lambda * tau)
    z <- x + (k + 1) / (k + 2) * (x - prev(x))
output x
"""
_SPLITTING = """algorithm admm
{dims}
input y : {data}
{declared}
learnable tau : scalar > 0 per phase = 1
learnable lambda : scalar per phase = 0.1
learnable beta : scalar per phase = 1
let C = {map}
state x, z : {space} = C' @ y
phase (10):
    u = solve(C' @ C + 1 / tau * I, C' @ y + (x - z) / tau)
    x <- soft(u + z, lambda * tau)
    z <- z + beta * (u - x)
output x
"""
_SPECS = {"PGD": _PROXIMAL, "FISTA": _MOMENTUM, "ADMM": _SPLITTING}


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers `import torchvision` with modules that have whatever is asked for."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        module = types.ModuleType(spec.name)

        def anything(word: str) -> Any:
            if word.startswith("__"):
                raise AttributeError(word)
            return MagicMock(name=word)

        module.__getattr__ = anything  # type: ignore[method-assign]
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def deepinv() -> Any:
    """The library, with empty modules for what it imports and does not need here."""
    sys.meta_path.insert(0, _Absent())
    import deepinv as found

    return found


@dataclass(frozen=True)
class Problem:
    """A linear map in both forms, and data."""

    name: str
    kind: str  # of _MAPS
    bind: dict[str, Tensor]
    physics: Any
    y: Tensor
    step: float


def dense(library: Any, m: int, n: int, batch: int) -> Problem:
    torch.manual_seed(0)
    a = torch.randn(m, n) / m**0.5
    physics = library.physics.LinearPhysics(
        A=lambda x, **_: x @ a.mT, A_adjoint=lambda y, **_: y @ a
    )
    y = torch.randn(batch, m)
    step = 0.9 / float(torch.linalg.matrix_norm(a, 2)) ** 2
    return Problem(f"dense {m} x {n}, batch {batch}", "dense", {"A": a}, physics, y, step)


def blur(library: Any, side: int, batch: int) -> Problem:
    torch.manual_seed(0)
    place = torch.arange(-4, 5.0)
    line = torch.exp(-(place**2) / 8)
    kernel = torch.outer(line, line)
    kernel = kernel / kernel.sum()
    physics = library.physics.BlurFFT((1, side, side), kernel[None, None])
    y = torch.rand(batch, 1, side, side)
    return Problem(f"blur {side} x {side}, batch {batch}", "blur", {"B": kernel}, physics, y, 0.9)


def networks(library: Any, problem: Problem, method: str, phases: int) -> tuple[Any, Any]:
    """Theirs and ours."""
    heading = dict(
        zip(("dims", "data", "space", "declared", "map"), _MAPS[problem.kind], strict=True)
    )
    torch.manual_seed(1)
    tau = problem.step * (0.8 + 0.2 * torch.rand(phases))
    weight = 0.05 + 0.05 * torch.rand(phases)
    init = {"tau": tau, "lambda": weight}
    given = {"stepsize": tau.tolist(), "lambda": weight.tolist(), "a": 3, "beta": 1.0}
    if method == "ADMM":
        init["beta"] = torch.ones(phases)
    theirs = library.unfolded.unfolded_builder(
        method,
        params_algo=given,
        data_fidelity=library.optim.data_fidelity.L2(),
        prior=library.optim.prior.L1Prior(),
        max_iter=phases,
        trainable_params=["stepsize"],  # a learnable `lambda` fails in its cost
    )
    spec = unroll_dsl.loads(_SPECS[method].format(**heading))
    sizes = {} if problem.kind == "dense" else {"h": problem.y.shape[-2], "w": problem.y.shape[-1]}
    return theirs, spec.compile(phases, bind=problem.bind, init=init, dims=sizes)


def rows(library: Any, problem: Problem, method: str, phases: int) -> list[tuple[Any, ...]]:
    theirs, ours = networks(library, problem, method, phases)
    y = problem.y

    def inference(run: Callable[[], Tensor]) -> Callable[[], None]:
        def job() -> None:
            with torch.no_grad():
                run()

        return job

    with torch.no_grad():
        expected, found = theirs(y, problem.physics), ours(y)
        apart = float((expected - found).norm() / expected.norm())
    frozen = ours.freeze()
    jobs = {
        "theirs": inference(lambda: theirs(y, problem.physics)),
        "ours": inference(lambda: ours(y)),
        "frozen": inference(lambda: frozen(y)),
    }
    taken = warm(jobs, 9)
    name = f"{method}, {problem.name}, K = {phases}"
    return [
        (name, "inference", taken["theirs"], taken["ours"], apart),
        (name, "inference, frozen", taken["theirs"], taken["frozen"], apart),
    ]


def run(*names: str) -> None:
    library = deepinv()
    problems: Sequence[Problem] = (
        dense(library, 250, 500, 1),
        dense(library, 250, 500, 32),
        dense(library, 2000, 4000, 32),
        blur(library, 256, 4),
    )
    found = (
        row
        for problem in problems
        for method in names or _SPECS
        for phases in ((10, 50) if problem.y.shape[-1] == 250 else (10,))
        for row in rows(library, problem, method, phases)
    )
    report(found, "deepinv")
