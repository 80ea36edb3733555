"""Train ISTA-Net+ for minutes, test its networks on Set11 by the protocol of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import unroll_dsl
from experiments.ista_net_plus.result import Point, Result, draw, print_table
from experiments.places import places
from experiments.results import machine, write
from experiments.snapshots import Snapshot, watched
from experiments.training import configuration
from unroll_dsl.reproduce import Result as Tested
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
    "data": {"limit": 8},
    "train": {"batch": 4, "warmup": 1},
    "stage": [{"phases": 1, "steps": 3}, {"phases": 2, "steps": 3}],
    "phases": 2,
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

    def tested(weights: Path | None) -> Tested:
        return reproduce(
            spec,
            protocol,
            images=found["test"],
            weights=weights,
            names=beside(NAME, "weights.toml"),
            bind=bind,
            choices=protocol.choices({}),
            phases=trained.config.phases if weights is None else None,
        )

    before = tested(None)
    result = Result(
        phases=trained.config.phases,
        batch=trained.config.train.batch,
        start_psnr=before.mean.start_psnr,
        start_ssim=before.mean.start_ssim,
        untrained_psnr=before.mean.psnr,
        untrained_ssim=before.mean.ssim,
        points=tuple(_point(s, tested(s.weights)) for s in snapshots if s.step),
        published=before.published,
        released=before.measured,
    )
    write(out, {**result.to_json(), "machine": machine()})
    print_table(result)
    draw(result, out)
    return result


def _point(snapshot: Snapshot, tested: Tested) -> Point:
    return Point(
        step=snapshot.step,
        phases=int(snapshot.row["phases"] or 0),
        seconds=snapshot.seconds,
        psnr=tested.mean.psnr,
        ssim=tested.mean.ssim,
        images={row.image: row.psnr for row in tested.rows},
    )
