"""Train Deep ADMM-Net on the chest images of its authors, from the classical iteration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import unroll_dsl
from experiments.admm_net.result import Point, Result, draw, print_table
from experiments.places import places
from experiments.results import machine, write
from experiments.snapshots import watched
from experiments.training import configuration
from unroll_dsl.data.metrics import metric
from unroll_dsl.files.arrays import read_array
from unroll_dsl.reproduce import reproduce
from unroll_dsl.reproduce.protocol import read_protocol
from unroll_dsl.resources import beside
from unroll_dsl.train import Run

NAME = "admm_net"
PLACES = {
    "training": "deep_admm_net/ChestTrain.npz",
    "test": "deep_admm_net/Brain_data1.mat",
    "P": "deep_admm_net/mask_20.mat",
}
QUICK: dict[str, Any] = {
    "phases": 3,
    "train": {"steps": 4, "batch": 1, "warmup": 1},
    "validate": {"every": 2},
}


def run(out: Path, *, quick: bool = False, data: Path | None = None) -> Result | None:
    """The experiment; None where its data are not there.

    Chest images are split 90 to 10; the brain image of the authors, which nothing is chosen by, is a
    second test. The mask is theirs, with the zero frequency in the middle.
    """
    found = places(data, PLACES)
    if found is None:
        return None
    spec = unroll_dsl.load(NAME)
    config = configuration(
        Path(__file__).with_name("training.toml"),
        {"data": {"folder": str(found["training"].resolve())}},
        QUICK if quick else {},
    )
    mask = read_array(found["P"])
    mask = mask.astype(np.float32)
    trained, snapshots = watched(spec, out, config, bind={"P": np.fft.ifftshift(mask)})
    protocol = read_protocol(beside(NAME, "protocol.toml"))
    points = []
    for snapshot in snapshots:
        tested = reproduce(
            spec,
            protocol,
            images=found["test"],
            weights=snapshot.weights,
            names=beside(NAME, "weights.toml"),
            bind={"P": mask},
            choices=protocol.choices({}),
        )
        points.append(
            Point(
                step=snapshot.step,
                seconds=snapshot.seconds,
                nmse=float(snapshot.row["val.nmse"] or 0),
                brain_nmse=tested.mean.nmse,
                brain_psnr=tested.mean.psnr,
            )
        )
    counts = (2,) if quick else (10, 20, 50, 100)
    result = Result(
        phases=trained.phases("last") or 0,
        batch=trained.config.train.batch,
        points=tuple(points),
        classical=classical(trained, counts),
        brain_zero_filled=tested.mean.start_nmse,
        published_psnr=tested.published,
    )
    write(out, {**result.to_json(), "machine": machine()})
    print_table(result)
    draw(result, out)
    return result


def classical(run: Run, counts: Iterable[int]) -> dict[int, float]:
    """Mean NMSE on the held-out images of the classical iteration after so many iterations; 0: zero-filled."""
    source = run.validation
    assert source is not None
    bind, nmse = run.bind(), metric("nmse")
    mask = torch.as_tensor(bind["P"]).to(torch.float32)
    drawn = (source.draw([i], np.random.default_rng(0))["target"] for i in range(source.size))
    pairs = [(mask * torch.fft.fft2(image, norm="ortho"), image) for image in drawn]
    found = {0: nmse.over((torch.fft.ifft2(y, norm="ortho").real, image) for y, image in pairs)}
    for count in counts:
        network = run.spec.compile(count, bind=bind, dims=run.sizes, dtype=torch.float32).eval()
        with torch.inference_mode():
            found[count] = nmse.over((network(y), image) for y, image in pairs)
    return found
