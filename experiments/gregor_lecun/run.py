"""Baseline encoders, LISTA with 1, 3 and 7 iterations, and FISTA, on the codes of one dictionary of each size."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import unroll_dsl
from experiments.gregor_lecun.problem import problem
from experiments.gregor_lecun.table import Encoder, Size, plot, print_table
from experiments.results import machine, write
from experiments.training import TOLD, configuration, seconds, trained
from unroll_dsl.data import coding
from unroll_dsl.demo.curves import curve, reached
from unroll_dsl.train import Run

HERE = Path(__file__).parent
SIZES = (100, 400)
CURVE = 300  # iterations of ISTA and FISTA

# Iterations as the paper's algorithm 3 counts them: Z(0) = soft(We X), then so many products with S. A phase of
# lista.unroll is one iteration of ISTA from Z = 0, of which Z(0) is the first. Rates fall with the depth.
ITERATIONS = {0: 3.0, 1: 2.0, 3: 1.5, 7: 1.0}

BASELINES = {"baseline_tanh": "D tanh(x)", "baseline_shrink": "D (tanh(x+u) + tanh(x-u))"}

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
    file = HERE / f"lista_{units}.toml"
    config = configuration(file, over)
    TOLD.print(f"{units} units: the dictionary, and codes of all patches", style="dim")
    made = problem(config, units, out)
    alpha = float(config.bind["alpha"])
    fista, ista = (
        curve(name, made.X, made.Z_star, made.Wd, alpha, CURVE) for name in ("fista", "ista")
    )
    encoders = []

    def measured(name: str, done: Run) -> None:
        with torch.no_grad():
            error = coding.error(done.network("last")(made.X), made.Z_star)
        encoders.append(Encoder(name, error, reached(fista, error), seconds(done)))

    lengths = {key: over[key] for key in ("train", "validate") if key in over}
    plain = replace(configuration(HERE / "baseline.toml", lengths), data=made.data)
    for program, name in BASELINES.items():
        spec = unroll_dsl.load(program)
        measured(name, trained(spec, out / f"{program}_{units}", plain))
    lista = unroll_dsl.load("lista")
    for iterations, factor in ITERATIONS.items():
        rate = config.train.rate * factor
        own = configuration(file, over, {"phases": iterations + 1, "train": {"rate": rate}})
        folder = out / f"lista_{iterations}_{units}"
        given = {"Wd": made.Wd}
        done = trained(lista, folder, replace(own, data=made.data), bind=given)
        measured(f"LISTA {iterations}", done)
    return Size(units, tuple(encoders), tuple(fista), tuple(ista), made.seconds)
