"""Train ISTA-Net+ for minutes, test its networks on Set11 by the protocol of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import unroll_dsl
from experiments.ista_net_plus.result import Point, Result, draw, print_table
from experiments.places import places
from experiments.results import machine, write
from experiments.snapshots import watched
from experiments.training import configuration
from unroll_dsl.reproduce import reproduce
from unroll_dsl.reproduce.protocol import read_protocol
from unroll_dsl.resources import beside

NAME = "ista_net_plus"
PLACES = {
    "training": "images/Train400",
    "test": "images/Set11",
    "Phi": "ista_net/ratio25/phi.npy",
}
QUICK: dict[str, Any] = {
    "phases": 2,
    "data": {"limit": 8},
    "train": {"steps": 6, "batch": 4, "warmup": 1},
    "validate": {"every": 3},
}


def run(out: Path, *, quick: bool = False, data: Path | None = None) -> Result | None:
    """The experiment; None where its data are not there.

    The sampling matrix is that of the authors, the start Q is made of the training patches.
    """
    found = places(data, PLACES)
    if found is None:
        return None
    spec = unroll_dsl.load(NAME)
    config = configuration(
        Path(__file__).with_name("training.toml"),
        {"data": {"folder": str(found["training"].resolve())}},
        {"bind": {"Phi": str(found["Phi"].resolve())}},
        QUICK if quick else {},
    )
    trained, snapshots = watched(spec, out, config)
    protocol = read_protocol(beside(NAME, "protocol.toml"))
    bind = {name: np.asarray(value) for name, value in trained.bind().items()}
    points = []
    for snapshot in snapshots:
        tested = reproduce(
            spec,
            protocol,
            images=found["test"],
            weights=snapshot.weights,
            names=beside(NAME, "weights.toml"),
            bind=bind,
            choices=protocol.choices({}),
        )
        points.append(
            Point(
                step=snapshot.step,
                seconds=snapshot.seconds,
                psnr=tested.mean.psnr,
                ssim=tested.mean.ssim,
                images={row.image: row.psnr for row in tested.rows},
            )
        )
    result = Result(
        phases=trained.phases("last") or 0,
        batch=trained.config.train.batch,
        start_psnr=tested.mean.start_psnr,
        start_ssim=tested.mean.start_ssim,
        points=tuple(points),
        published=tested.published,
        released=tested.measured,
    )
    write(out, {**result.to_json(), "machine": machine()})
    print_table(result)
    draw(result, out)
    return result
