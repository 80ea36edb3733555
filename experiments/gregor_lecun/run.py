"""Baseline encoders, LISTA with 1, 3 and 7 iterations, and FISTA, on the codes of one dictionary of each size."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

import unroll_dsl
from experiments.gregor_lecun.table import Encoder, Size, plot, print_table
from experiments.results import machine, write
from experiments.training import TOLD, configuration, seconds, trained
from unroll_dsl.data import coding
from unroll_dsl.data.codes import CodeSource
from unroll_dsl.demo.curves import curve, reached
from unroll_dsl.train import Run
from unroll_dsl.train.opening import open_data

HERE = Path(__file__).parent
SIZES = (100, 400)
CURVE = 300  # iterations of ISTA and FISTA

# Iterations as the paper's algorithm 3 counts them: Z(0) = soft(We X), then so many products with S. A phase of
# lista.unroll is one iteration of ISTA from Z = 0, of which Z(0) is the first. Rates fall with the depth.
ITERATIONS = {0: 3.0, 1: 2.0, 3: 1.5, 7: 1.0}

QUICK: Mapping[str, Any] = {
    "bind": {"Wd": {"make": "dictionary", "signals": 1_000, "rounds": 4}},
    "data": {"samples": 2_000, "validate": 300},
    "train": {"steps": 200, "batch": 128},
    "validate": {"every": 200},
}


def run(out: Path, *, quick: bool = False) -> dict[str, Any]:
    """Both sizes (the smaller one alone if `quick`); what they gave is also in `out`/results.json."""
    begin = time.monotonic()
    sizes = [_size(units, out, quick) for units in (SIZES[:1] if quick else SIZES)]
    result = {
        "experiment": "gregor_lecun",
        "quick": quick,
        "machine": machine(),
        "seconds": round(time.monotonic() - begin, 1),
        "sizes": [asdict(size) for size in sizes],
    }
    write(out, result)
    plot(sizes, out)
    print_table(sizes)
    print(f"{result['seconds']:.0f} s; runs, results.json and plots are in {out}")
    return result


def _size(units: int, out: Path, quick: bool) -> Size:
    over = QUICK if quick else {}
    config = configuration(HERE / f"lista_{units}.toml", over)
    lista = unroll_dsl.load("lista")
    TOLD.print(f"{units} units: the dictionary, and codes of all patches", style="dim")
    begin = time.monotonic()
    opened = open_data(lista, config, {})  # once, for all encoders
    data_seconds = time.monotonic() - begin
    training, held_out = opened.source, opened.validation
    assert isinstance(training, CodeSource) and isinstance(held_out, CodeSource)
    X, Z_star, Wd = held_out.signals, held_out.codes, opened.bind["Wd"]
    assert Z_star is not None
    alpha = float(opened.bind["alpha"])
    fista, ista = (curve(name, X, Z_star, Wd, alpha, CURVE) for name in ("fista", "ista"))
    encoders = []

    def measured(name: str, network: nn.Module, done: Run) -> None:
        with torch.no_grad():
            error = coding.error(network(X), Z_star)
        encoders.append(Encoder(name, error, reached(fista, error), seconds(done)))

    data = {"source": training, "validation": held_out}
    for program, name in (
        ("baseline_tanh", "D tanh(x)"),
        ("baseline_shrink", "D (tanh(x+u) + tanh(x-u))"),
    ):
        plain = configuration(
            HERE / "baseline.toml", {k: over[k] for k in ("train", "validate") if k in over}
        )
        spec = unroll_dsl.load(program)
        done = trained(spec, out / f"{program}_{units}", plain, **data)
        measured(name, done.network("last"), done)
    for iterations, factor in ITERATIONS.items():
        rate = config.train.rate * factor
        tables = {"phases": iterations + 1, "train": {"rate": rate}}
        own = configuration(HERE / f"lista_{units}.toml", over, tables)
        done = trained(lista, out / f"lista_{iterations}_{units}", own, bind=opened.bind, **data)
        measured(f"LISTA {iterations}", done.network("last"), done)
    return Size(units, tuple(encoders), tuple(fista), tuple(ista), round(data_seconds, 1))
