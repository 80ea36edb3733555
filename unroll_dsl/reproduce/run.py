"""Run a protocol: measure images, reconstruct them, compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.reproduce.images import Grey, cut, image_paths, join, psnr, read_grey, ssim
from unroll_dsl.reproduce.protocol import BadProtocol, Protocol
from unroll_dsl.spec import Spec
from unroll_dsl.weights.container import put
from unroll_dsl.weights.imports import import_weights

Progress = Callable[[int, int, str], object]
_BATCH = 64  # blocks at a time


@dataclass(frozen=True, slots=True)
class Row:
    """One image: PSNR in dB and SSIM of the reconstruction, and of what it starts from."""

    image: str
    psnr: float
    ssim: float
    start_psnr: float
    start_ssim: float


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    set: str
    ratio: str
    rows: tuple[Row, ...]
    published: float | None
    seconds: float

    @property
    def mean(self) -> Row:
        """Plain means over the images."""
        columns = [
            float(np.mean([getattr(row, key) for row in self.rows]))
            for key in ("psnr", "ssim", "start_psnr", "start_ssim")
        ]
        return Row("mean", *columns)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "mean": asdict(self.mean)}


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """An image, what the network starts from, and what it makes of it; from 0 to 255, clipped."""

    path: Path
    truth: Grey
    start: Grey
    found: Grey


def reproduce(
    spec: Spec,
    protocol: Protocol,
    *,
    images: Path,
    weights: Path,
    names: Path,
    bind: Mapping[str, Any],
    choices: Mapping[str, str],
    progress: Progress | None = None,
    each: Callable[[Reconstruction], object] | None = None,
) -> Result:
    """The test of a paper over a folder of images.

    Parameters
    ----------
    images, weights, names
        Folder of images, the authors' file of weights, the map of its names.
    bind
        What the program's `fixed` names are: sampling matrices, masks.
    choices
        `set` and `ratio`, for the table and the published number.
    progress
        Called with images done, in all, and the name of the next.
    each
        Called with each reconstruction.
    """
    paths = image_paths(images)
    imported = import_weights(spec, weights, names)
    dims = _dims(spec, protocol)
    begin = time.monotonic()
    rows: list[Row] = []
    networks: dict[tuple[int, ...], nn.Module] = {}
    for done, path in enumerate(paths):
        if progress is not None:
            progress(done, len(paths), path.name)
        truth = read_grey(path)
        key = () if protocol.kind == "blocks" else truth.shape
        if key not in networks:
            networks[key] = spec.compile(imported.phases, bind=bind, dims=dims).eval()
            put(networks[key], imported.tensors, weights.name)
        run = _blocks if protocol.kind == "blocks" else _k_space
        start, found = run(networks[key], protocol, truth / 255, bind)
        result = Reconstruction(path, truth, _clipped(start), _clipped(found))
        if each is not None:
            each(result)
        rows.append(
            Row(
                path.name,
                psnr(result.found, truth),
                ssim(result.found, truth),
                psnr(result.start, truth),
                ssim(result.start, truth),
            )
        )
    if progress is not None:
        progress(len(paths), len(paths), "")
    return Result(
        spec.name,
        choices["set"],
        choices["ratio"],
        tuple(rows),
        protocol.published_psnr(choices),
        time.monotonic() - begin,
    )


def _dims(spec: Spec, protocol: Protocol) -> dict[str, int]:
    if protocol.side is None:
        return {}
    return {name: protocol.side for name, _ in spec.graph.dims if name in ("h", "w")}


def _clipped(image: Grey) -> Grey:
    return np.clip(image, 0, 1) * 255


def _first_state(network: nn.Module, y: Tensor) -> Tensor:
    found = network.start(y)  # type: ignore[operator]
    return found[-1] if isinstance(found, tuple) else found  # type: ignore[no-any-return]


def _blocks(
    network: nn.Module, protocol: Protocol, image: Grey, bind: Mapping[str, Any]
) -> tuple[Grey, Grey]:
    assert protocol.side is not None and protocol.operator is not None
    blocks, grid = cut(image, protocol.side)
    matrix = torch.as_tensor(np.asarray(bind[protocol.operator]))
    if matrix.shape[-1] != protocol.side**2:
        raise BadProtocol(
            f"`{protocol.operator}` has {matrix.shape[-1]} columns; blocks of {protocol.side} x "
            f"{protocol.side} need {protocol.side**2}"
        )
    x = torch.from_numpy(blocks).to(matrix.dtype)
    y = x.flatten(1) @ matrix.mT
    starts, results = [], []
    with torch.no_grad():
        for part in y.split(_BATCH):  # type: ignore[no-untyped-call]
            starts.append(_first_state(network, part))
            results.append(network(part))
    joined = (torch.cat(parts).squeeze(1).double().numpy() for parts in (starts, results))
    start, found = (join(whole, grid, image.shape) for whole in joined)
    return start, found


def _k_space(
    network: nn.Module, protocol: Protocol, image: Grey, bind: Mapping[str, Any]
) -> tuple[Grey, Grey]:
    assert protocol.mask is not None
    mask = torch.as_tensor(np.asarray(bind[protocol.mask]))
    if mask.shape != image.shape:
        raise BadProtocol(
            f"the mask `{protocol.mask}` is {tuple(mask.shape)}, the image {image.shape}"
        )
    x = torch.from_numpy(image).to(mask.dtype)[None, None]
    y = mask * torch.fft.fft2(x, norm="ortho")
    with torch.no_grad():
        start, found = _first_state(network, y), network(y)
    return tuple(whole.real[0, 0].double().numpy() for whole in (start, found))  # type: ignore[return-value]
