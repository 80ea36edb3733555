"""Networks of 16 layers, trained layer by layer, and the iterations that they come from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import unroll_dsl
from experiments.results import machine, write
from experiments.sparse_recovery.table import Network, plot, print_table
from experiments.training import configuration, seconds, trained
from unroll_dsl.data import metric
from unroll_dsl.data.sparse import SparseSource
from unroll_dsl.train import Run

HERE = Path(__file__).parent
NETWORKS = {
    "lista": "LISTA",
    "lista_cp": "LISTA-CP",
    "lista_cpss": "LISTA-CPSS",
    "alista": "ALISTA",
    "alista_ss": "ALISTA, support selection",
}
CLASSICAL = {"ista": "ISTA", "fista": "FISTA"}
WEIGHTS = (0.4, 0.2, 0.1, 0.05, 0.02)  # of the l1 norm, of which classical iterations get the best

QUICK: Mapping[str, Any] = {
    "phases": 4,
    "dims": {"m": 64, "n": 128},
    "data": {"validate": 200},
    "train": {"steps": 60},
}


def run(out: Path, *, quick: bool = False) -> dict[str, Any]:
    """All networks (smaller and of 4 layers if `quick`); what they gave is also in `out`/results.json."""
    begin = time.monotonic()
    found: list[Network] = []
    for name, title in NETWORKS.items():
        config = configuration(HERE / f"{name}.toml", QUICK if quick else {})
        own = HERE / f"{name}.unroll"
        done = trained(unroll_dsl.load(own if own.exists() else name), out / name, config)
        network = done.network("last")
        learnt = sum(p.numel() for p in network.parameters())
        y, x_star = _problems(done)
        found.append(Network(title, _nmse(network, y, x_star), learnt, seconds(done)))
    A = done.bind()[
        "A"
    ]  # made of the seed and its name: all runs have the same, and the same problems
    for name, title in CLASSICAL.items():
        found.append(Network(title, _classical(name, config.phases, A, y, x_star), 0, 0.0))
    result = {
        "experiment": "sparse_recovery",
        "quick": quick,
        "machine": machine(),
        "seconds": round(time.monotonic() - begin, 1),
        "networks": [asdict(network) for network in found],
    }
    write(out, result)
    plot(found, out)
    print_table(found)
    print(f"{result['seconds']:.0f} s; runs, results.json and plots are in {out}")
    return result


def _problems(run: Run) -> tuple[Tensor, Tensor]:
    """The held-out problems of a run: measurements [count, m] and what was measured, [count, n]."""
    source = run.validation
    assert isinstance(source, SparseSource) and source.fixed is not None
    A = run.bind()["A"]
    assert isinstance(A, Tensor)
    return source.fixed @ A.mT, source.fixed


def _nmse(network: nn.Module, y: Tensor, x_star: Tensor) -> list[float]:
    """The NMSE in dB after each layer."""
    over = metric("nmse_db").over
    with torch.no_grad():
        states = network.trajectory(y)  # type: ignore[operator]  # generated
    return [over([(values["x"], x_star)]) for values in states]


def _classical(
    name: str, count: int, A: Any, y: Tensor, x_star: Tensor, weights: Sequence[float] = WEIGHTS
) -> list[float]:
    """The NMSE of an iteration with the weight that is best after `count` of them."""
    spec = unroll_dsl.load(name)
    curves = [
        _nmse(spec.compile(phases=count, bind={"A": A, "lambda": weight}), y, x_star)
        for weight in weights
    ]
    return min(curves, key=lambda curve: curve[-1])
