"""Run a protocol: measure images, reconstruct them, compare."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.backends.values import for_torch
from unroll_dsl.data.errors import BadImages
from unroll_dsl.data.images import Image, cut, image_paths, join, read_images
from unroll_dsl.data.masks import looks_centred
from unroll_dsl.data.metrics import nmse, psnr, ssim
from unroll_dsl.reproduce.protocol import BadProtocol, Protocol
from unroll_dsl.spec import Spec
from unroll_dsl.weights.container import is_network, load_network, put, read_spec
from unroll_dsl.weights.imports import Imported, import_weights

Progress = Callable[[int, int, str], object]
_BATCH = 64  # blocks at a time


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image: PSNR in dB, SSIM and NMSE of the reconstruction, and of what it starts from."""

    image: str
    psnr: float
    ssim: float
    nmse: float
    start_psnr: float
    start_ssim: float
    start_nmse: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a test found.

    `choices` are those of the protocol that its data depended on, `used` the files that were given instead, and
    `sampling` the fraction that was measured: rows of the matrix over its columns, or ones of the mask. `published` is
    the paper's mean PSNR in dB, `measured` that of its authors' code on these weights; None where nobody says, or
    where other data than the protocol's was given.
    """

    name: str
    choices: Mapping[str, str]
    used: Mapping[str, str]
    sampling: float
    rows: tuple[ImageRow, ...]
    published: float | None
    measured: float | None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def mean(self) -> ImageRow:
        """Plain means over the images; of PSNR the mean of the decibels. SSIM over those that have one."""
        columns = [f.name for f in fields(ImageRow) if f.name != "image"]
        return ImageRow(
            "mean", *(_mean([getattr(r, key) for r in self.rows], key) for key in columns)
        )

    def problems(self) -> tuple[str, ...]:
        """Figures that are no numbers, in words. Images smaller than its window have no SSIM, which is none."""
        return tuple(
            f"`{key}` of {row.image} is no number"
            for row in self.rows
            for key in ("psnr", "nmse", "start_psnr", "start_nmse")
            if math.isnan(getattr(row, key))
        )

    def to_json(self) -> dict[str, Any]:
        words = "over the images; psnr: of the decibels"
        return {**asdict(self), "mean": {**asdict(self.mean), "is": words}}


def _mean(values: Sequence[float], key: str) -> float:
    kept = [v for v in values if not math.isnan(v)] if key.endswith("ssim") else values
    return float(np.mean(kept)) if kept else math.nan


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """An image, what the network starts from, and what it makes of it; clipped if the protocol says."""

    name: str
    truth: Image
    start: Image
    found: Image

    def row(self) -> ImageRow:
        figures = [
            f(image, self.truth) for image in (self.found, self.start) for f in (psnr, ssim, nmse)
        ]
        return ImageRow(self.name, *figures)


def reproduce(
    spec: Spec,
    protocol: Protocol,
    *,
    images: Path,
    weights: Path | None,
    names: Path,
    bind: Mapping[str, Any],
    choices: Mapping[str, str],
    phases: int | None = None,
    used: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    each: Callable[[Reconstruction], object] | None = None,
) -> Result:
    """The test of a paper over a folder of images.

    Parameters
    ----------
    images, weights, names
        Folder or file of images; the authors' file of weights and the map of its names, or the file of a
        trained network (None: the network as the program has it).
    bind
        What the program's `fixed` names are: sampling matrices, masks.
    choices
        What the protocol leaves open, `set` and `ratio` for instance.
    phases
        How many; by default as many as the weights are for, or what the program says.
    used
        Other images, weights or masks than the protocol's, by the names of its data: published numbers are not
        beside them.
    progress
        Called with files done, in all, and the name of the next.
    each
        Called with each reconstruction.

    Raises
    ------
    BadProtocol, BadImages, UnrollError
        For data that does not fit, before anything is computed of it.
    """
    paths = image_paths(images)
    trained = weights if weights is not None and is_network(weights) else None
    imported = _imported(spec, weights, names)
    if phases is not None and imported.phases not in (None, phases):
        raise BadProtocol(
            f"{weights} holds the weights of {imported.phases} phases, not of {phases}"
        )
    bind = _uncentred(protocol, bind)
    begin = time.monotonic()
    rows: list[ImageRow] = []
    network = _Networks(
        spec, protocol, imported, "" if weights is None else weights.name, bind, phases, trained
    )
    for done, path in enumerate(paths):
        if progress is not None:
            progress(done, len(paths), path.name)
        for result in _reconstructions(network, protocol, path, bind):
            if each is not None:
                each(result)
            rows.append(result.row())
    if progress is not None:
        progress(len(paths), len(paths), "")
    own = dict(used or {})
    return Result(
        spec.name,
        dict(choices),
        own,
        _sampling(protocol, bind),
        tuple(rows),
        None if own else protocol.figure(protocol.published, choices),
        None if own else protocol.figure(protocol.measured, choices),
        time.monotonic() - begin,
        imported.notes,
    )


def _imported(spec: Spec, weights: Path | None, names: Path) -> Imported:
    """Weights in the names of the network: the authors' are translated, those of a run have them."""
    if weights is None:
        return Imported({}, None)
    if is_network(weights):
        return Imported({}, read_spec(weights)[1])
    return import_weights(spec, weights, names)


def _sampling(protocol: Protocol, bind: Mapping[str, Any]) -> float:
    if protocol.mask is not None:
        return float((np.asarray(bind[protocol.mask]) != 0).mean())
    assert protocol.operator is not None
    rows, columns = np.asarray(bind[protocol.operator]).shape
    return float(rows / columns)


def _uncentred(protocol: Protocol, bind: Mapping[str, Any]) -> dict[str, Any]:
    """Masks with the zero frequency first, as `fft2` has it."""
    found = dict(bind)
    if protocol.mask is None:
        return found
    mask = np.asarray(bind[protocol.mask])
    if protocol.centred:
        found[protocol.mask] = mask = np.ascontiguousarray(np.fft.ifftshift(mask))
    # where the zero frequency of the other kind of file would be now: at odd sizes the shifts differ
    back = np.fft.fftshift if protocol.centred else np.fft.ifftshift
    if mask.ndim == 2 and (looks_centred(mask) or (not mask[0, 0] and back(mask)[0, 0])):
        stored = "in the middle" if protocol.centred else "first"
        raise BadProtocol(
            f"the mask `{protocol.mask}` has its low frequencies at the wrong place; this test wants masks "
            f"stored with the zero frequency {stored}: numpy.fft.fftshift moves it"
        )
    return found


class _Networks:
    """The network, made when it is first asked for: after the first image has been found to fit."""

    def __init__(
        self,
        spec: Spec,
        protocol: Protocol,
        imported: Imported,
        source: str,
        bind: Mapping[str, Any],
        phases: int | None,
        trained: Path | None,
    ) -> None:
        self._spec = spec
        self._dims = {} if protocol.side is None else {"h": protocol.side, "w": protocol.side}
        self._imported = imported
        self._source = source
        self._bind = bind
        self._trained = trained
        self._phases = phases if imported.phases is None else imported.phases
        self._made: nn.Module | None = None

    def get(self) -> nn.Module:
        if self._made is None and self._trained is not None:
            self._made = self._loaded(self._trained).eval()
        if self._made is None:
            known = {name for name, _ in self._spec.graph.dims}
            dims = {name: size for name, size in self._dims.items() if name in known}
            self._made = self._spec.compile(self._phases, bind=self._bind, dims=dims, seed=0).eval()
            if self._imported.tensors:
                put(self._made, self._imported.tensors, self._source)
        return self._made

    def _loaded(self, path: Path) -> nn.Module:
        """A network of a file of ours: its own program, with the roles and values that it was made with."""
        spec = read_spec(path)[0]
        if _entries(spec) != _entries(self._spec):
            raise BadProtocol(f"{path} holds {spec!r}, and this is a test of {self._spec!r}")
        fixed = {constant.name for constant in spec.graph.constants}
        bind = {name: value for name, value in self._bind.items() if name in fixed}
        known = {name for name, _ in spec.graph.dims}
        dims = {name: size for name, size in self._dims.items() if name in known}
        sizes = bind_values(spec.graph, 1, bind, {}, dims).sizes  # of the test, not of the training
        real = {torch.as_tensor(np.asarray(value)).dtype.to_real() for value in bind.values()}
        return load_network(path, bind=bind, dims=sizes, dtype=next(iter(real), None))


def _entries(spec: Spec) -> list[tuple[str, str]]:
    return [(entry.name, str(entry.type)) for entry in spec.graph.inputs]


def _reconstructions(
    network: _Networks, protocol: Protocol, path: Path, bind: Mapping[str, Any]
) -> Iterator[Reconstruction]:
    run = _blocks if protocol.kind == "blocks" else _k_space
    for name, truth in read_images(path):
        start, found = run(network, protocol, name, truth, bind)
        if protocol.clip and not np.iscomplexobj(truth):
            start, found = np.clip(start, 0, 1), np.clip(found, 0, 1)
        yield Reconstruction(name, truth, start, found)


def _blocks(
    network: _Networks, protocol: Protocol, name: str, image: Image, bind: Mapping[str, Any]
) -> tuple[Image, Image]:
    assert protocol.side is not None and protocol.operator is not None
    if np.iscomplexobj(image):
        raise BadImages(f"{name}: complex, and this test measures real images")
    blocks, grid = cut(image, protocol.side)
    matrix = torch.as_tensor(for_torch(np.asarray(bind[protocol.operator])))
    if matrix.shape[-1] != protocol.side**2:
        raise BadProtocol(
            f"`{protocol.operator}` has {matrix.shape[-1]} columns; blocks of {protocol.side} x "
            f"{protocol.side} need {protocol.side**2}"
        )
    back = (
        matrix.mT
        if protocol.start is None
        else torch.as_tensor(for_torch(np.asarray(bind[protocol.start])))
    )
    y = torch.from_numpy(blocks).to(matrix.dtype).flatten(1) @ matrix.mT
    with torch.no_grad():
        parts = [network.get()(part) for part in y.split(_BATCH)]  # type: ignore[no-untyped-call]
        wholes = (y @ back.mT).view(blocks.shape), torch.cat(parts).view(blocks.shape)
    start, found = (join(whole.double().numpy(), grid, image.shape) for whole in wholes)
    return start, found


def _k_space(
    network: _Networks, protocol: Protocol, name: str, image: Image, bind: Mapping[str, Any]
) -> tuple[Image, Image]:
    assert protocol.mask is not None
    mask = torch.as_tensor(for_torch(np.asarray(bind[protocol.mask])))
    if mask.shape != image.shape:
        raise BadProtocol(
            f"{name} is {image.shape[0]} x {image.shape[1]}, the mask `{protocol.mask}` "
            f"{' x '.join(map(str, mask.shape))}: give a mask of that size"
        )
    dtype = mask.dtype.to_complex() if np.iscomplexobj(image) else mask.dtype
    y = mask * torch.fft.fft2(torch.from_numpy(image).to(dtype)[None, None], norm="ortho")
    with torch.no_grad():
        found = network.get()(y)
    start = torch.fft.ifft2(y, norm="ortho")
    is_complex = np.iscomplexobj(image)
    start, found = (w if is_complex else w.real for w in (start, found))
    wide = torch.complex128 if is_complex else torch.float64
    return tuple(w[0, 0].to(wide).numpy() for w in (start, found))
