"""`unroll demo`: photographs, a dictionary, exact codes, networks from lista.unroll, a table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.data import coding, samples
from unroll_dsl.data.signals import signals
from unroll_dsl.demo.curves import curve, reached
from unroll_dsl.demo.result import DemoResult, EncoderRow, plot, print_table
from unroll_dsl.demo.training import train
from unroll_dsl.loading import load

ALPHA = 0.5
ATOMS = 100
SIDE = 10  # of patches
ITERATIONS = (1, 3, 7)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of everything."""

    training: int
    held_out: int
    dictionary_patches: int
    rounds: int
    steps: int
    batch: int
    curve: int  # iterations of ISTA and FISTA to draw


FULL = Extent(60_000, 3_000, 4_000, 40, 4_000, 256, 150)
QUICK = Extent(3_000, 500, 1_500, 8, 250, 128, 80)
_RATES = {1: 0.02, 3: 0.01, 7: 0.006}


def phases(iterations: int) -> int:
    """The phases of lista.unroll that are so many iterations of LISTA as the paper counts them.

    Its algorithm 3 begins with Z(0) = soft(We X), and an iteration is a product with S. A phase is an
    iteration of ISTA from Z = 0: the first of them makes Z(0).
    """
    return iterations + 1


class _Bars:
    """Progress bars on stderr, or silence."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    @contextmanager
    def task(self, title: str) -> Iterator[Any]:
        if self.bar is None:
            yield lambda done, total: None
            return
        task = self.bar.add_task(title, total=None)
        yield lambda done, total: self.bar.update(task, completed=done, total=total)


@contextmanager
def _bars(quiet: bool) -> Iterator[_Bars]:
    if quiet:
        yield _Bars(None)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        yield _Bars(bar)


def run_demo(
    out: Path, *, seed: int = 0, quick: bool = False, json_only: bool = False
) -> DemoResult:
    """Run the demo, print its table, leave its files in `out`.

    The files: lista.py (the generated module), lista_T.safetensors (trained weights of T iterations), plot.png,
    plot.svg and results.json. The same seed gives the same figures on the same machine.
    """
    begin = time.monotonic()
    plan = QUICK if quick else FULL
    out.mkdir(parents=True, exist_ok=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(min(2, threads))
    try:
        with _bars(json_only) as bars:
            X, X_test = _data(plan, seed)
            with bars.task("dictionary") as progress:
                Wd = coding.dictionary(
                    X[: plan.dictionary_patches], ATOMS, ALPHA, seed, plan.rounds, progress
                )
            with bars.task("exact codes") as progress:
                progress(0, 2)
                Z = coding.codes(X, Wd, ALPHA, 1e-4)
                progress(1, 2)
                Z_test = coding.codes(X_test.double(), Wd.double(), ALPHA, 1e-8).float()
                progress(2, 2)
            gap = untrained_gap(X_test[:20].double(), Wd.double())
            fista = curve("fista", X_test, Z_test, Wd, ALPHA, plan.curve)
            ista = curve("ista", X_test, Z_test, Wd, ALPHA, plan.curve)
            rows = [
                EncoderRow(name, found, reached(fista, found))
                for name, found in _trained(plan, seed, out, Wd, (X, Z), (X_test, Z_test), bars)
            ]
            rows.append(EncoderRow("FISTA 1", fista[0], 1))
        result = DemoResult(
            seed, gap, tuple(rows), tuple(fista), tuple(ista), time.monotonic() - begin
        )
    finally:
        torch.set_num_threads(threads)
    (out / "lista.py").write_text(
        load("lista").source(phases=phases(max(ITERATIONS))), encoding="utf-8"
    )
    (out / "results.json").write_text(json.dumps(result.to_json(), indent=1), encoding="utf-8")
    plot(result, out)
    if not json_only:
        print_table(result)
        print(f"{result.seconds:.0f} s; lista.py, weights, results.json and plot.png are in {out}")
    return result


def _trained(
    plan: Extent,
    seed: int,
    out: Path,
    Wd: Tensor,
    training: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    bars: _Bars,
) -> Iterator[tuple[str, float]]:
    """Each network by name with its error on what is held out; the weights of LISTA go to `out`."""
    X, Z = training
    sizes = {"n": X.shape[1], "m": ATOMS}

    def fitted(name: str, net: nn.Module, rate: float) -> tuple[str, float]:
        with bars.task(name) as progress:
            train(
                net,
                X,
                Z,
                rate=rate,
                steps=plan.steps,
                batch=plan.batch,
                seed=seed,
                progress=progress,
            )
        with torch.no_grad():
            return name, coding.error(net(held_out[0]), held_out[1])

    for spec_name, name in (
        ("baseline_tanh", "baseline, D tanh(x)"),
        ("baseline_shrink", "baseline, with shrinkage"),
    ):
        net = load(spec_name).compile(dims=sizes, dtype=torch.float32, seed=seed)
        yield fitted(name, net, 0.01)
    for count in ITERATIONS:
        net = load("lista").compile(phases=phases(count), bind={"Wd": Wd})
        yield fitted(f"LISTA {count}", net, _RATES[count])
        _save(net, out / f"lista_{count}.safetensors")


def _data(plan: Extent, seed: int) -> tuple[Tensor, Tensor]:
    training, held_out = (
        [samples.picture(name) for name in names] for names in (samples.TRAINING, samples.HELD_OUT)
    )
    counts = (plan.training, plan.held_out)
    rng = np.random.default_rng(seed)
    X, X_test = signals(training, held_out, counts, SIDE, rng, fewer=(True, False))
    return torch.from_numpy(X).float(), torch.from_numpy(X_test).float()


def untrained_gap(X: Tensor, Wd: Tensor) -> float:
    """The largest relative difference of untrained LISTA from ISTA, over all phases.

    ISTA is written out here, and the program's own NumPy reference is held against it too.
    """
    count = phases(max(ITERATIONS))
    spec = load("lista")
    net = spec.compile(phases=count, bind={"Wd": Wd})
    ours = net.trajectory(X)  # type: ignore[operator]
    theirs = spec.reference(phases=count, bind={"Wd": Wd}).trajectory(X.numpy())
    D, x = Wd.numpy(), X.numpy()
    L = 1.01 * np.linalg.norm(D, 2) ** 2
    z = np.zeros((len(x), D.shape[1]))
    worst = 0.0
    for k in range(count):
        v = z - (z @ D.T - x) @ D / L
        z = np.sign(v) * np.maximum(np.abs(v) - ALPHA / L, 0)
        for found in (ours[k]["Z"].detach().numpy(), theirs[k]["Z"]):
            worst = max(worst, float(np.abs(found - z).max() / np.abs(z).max()))
    return worst


def _save(net: nn.Module, path: Path) -> None:
    from safetensors.torch import save_file

    save_file({k: v.detach().contiguous() for k, v in net.state_dict().items()}, str(path))
