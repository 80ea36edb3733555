"""Files as people have them, and what is made of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse
import tifffile
import torch
from safetensors.torch import save_file

import unroll_dsl
from tests.cases import Case
from unroll_dsl.data.images import read_stored, scaled
from unroll_dsl.files import CannotRead
from unroll_dsl.files.arrays import read_array, read_arrays
from unroll_dsl.resources import algorithm_path
from unroll_dsl.weights.imports import import_weights

RAMP = (np.arange(64 * 96).reshape(64, 96) * 10).astype(np.uint16)
MATRIX = np.arange(12.0).reshape(3, 4) + np.eye(3, 4)
MASK = np.random.default_rng(0).random((64, 64)) < 0.3

Writer = Callable[[Path], Any]


def _array(name: str, write: Writer, right: Any, rank: int | None = None) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        found = read_array(path, rank=rank)
    wanted = np.asarray(right)
    said = f"{found.dtype} {found.shape}, up to {np.abs(found).max():.4g}"
    return said, found.shape == wanted.shape and bool(np.array_equal(found, wanted))


def _levels(name: str, write: Writer, count: int, levels: int) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        found = [levels for _, levels in read_stored(path, "rgb")]
    distinct = len(np.unique(found[0]))
    said = f"{len(found)} image(s), {distinct} levels, {found[0].min():.4g} to {found[0].max():.4g}"
    return said, (len(found), distinct) == (count, levels)


def _whole_numbers() -> tuple[str, bool]:
    """The same values from both formats."""
    values = np.full((64, 96), 500, np.uint32)
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "u32.tif", Path(folder) / "u32.npy"
        tifffile.imwrite(paths[0], values)
        np.save(paths[1], values)
        first, second = (scaled(read_stored(path)[0][1]) for path in paths)
    return f"{first.max():.4g} and {second.max():.4g}", bool(np.array_equal(first, second))


def _empty() -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.npz"
        np.savez(path)
        try:
            read_arrays(path)
        except CannotRead as error:
            return str(error).removeprefix(f"{folder}/")[:60], True
    return "read", False


def _weights(name: str, write: Callable[[dict[str, torch.Tensor], Path], Any]) -> tuple[str, bool]:
    shapes = {
        "lambda_step": (1,),
        "soft_thr": (1,),
        "conv1_forward": (32, 1, 3, 3),
        "conv2_forward": (32, 32, 3, 3),
        "conv1_backward": (32, 32, 3, 3),
        "conv2_backward": (1, 32, 3, 3),
    }
    theirs = {
        f"module.fcs.{k}.{word}": 0.01 * torch.randn(shape)
        for k in range(2)
        for word, shape in shapes.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(theirs, path)
        names = algorithm_path("ista_net").with_suffix("").with_suffix(".weights.toml")
        found = import_weights(unroll_dsl.load("ista_net"), path, names)
    return f"{len(found.tensors)} tensors, {found.phases} phases", found.phases == 2


def _low(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.bfloat16() for name, value in tensors.items()}


_SQUARE = (np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)

CASES = (
    Case(
        "image_be.npy",
        "0 to 65520, in silence",
        partial(_levels, "a.npy", lambda p: np.save(p, _SQUARE.astype(">u2")), 1, 4096),
    ),
    Case(
        "y_be.npy",
        "a fault",
        partial(_array, "a.npy", lambda p: np.save(p, np.ones(3, ">f8")), np.ones(3)),
    ),
    Case(
        "A_be.npy",
        "U0505, a mend that does not help",
        partial(_array, "a.npy", lambda p: np.save(p, np.eye(3, 4).astype(">f8")), np.eye(3, 4)),
    ),
    Case(
        "mask_u8.mat",
        "a fault in reproduce",
        partial(
            _array, "a.mat", lambda p: scipy.io.savemat(p, {"mask": MASK.astype(np.uint8)}), MASK
        ),
    ),
    Case("mask_bool.npy", "U0505", partial(_array, "a.npy", lambda p: np.save(p, MASK), MASK)),
    Case(
        "mask_i64.npy",
        "U0505",
        partial(_array, "a.npy", lambda p: np.save(p, MASK.astype(np.int64)), MASK),
    ),
    Case(
        "lambda.mat",
        "IndexError",
        partial(
            _array, "a.mat", lambda p: scipy.io.savemat(p, {"lambda": 0.05}), np.array(0.05), 0
        ),
    ),
    Case(
        "sparse.mat",
        "IndexError",
        partial(
            _array,
            "a.mat",
            lambda p: scipy.io.savemat(p, {"A": scipy.sparse.csc_matrix(MATRIX)}),
            MATRIX,
        ),
    ),
    Case(
        "row.mat",
        "found shape (4,)",
        partial(_array, "a.mat", lambda p: scipy.io.savemat(p, {"A": MATRIX[:1]}), MATRIX[:1], 2),
    ),
    Case("empty.npz", "IndexError", _empty),
    Case(
        "grey16.tif",
        "6144 levels",
        partial(_levels, "a.tif", lambda p: tifffile.imwrite(p, RAMP), 1, 6144),
    ),
    Case(
        "rgb16.tif",
        "240 levels",
        partial(
            _levels,
            "a.tif",
            lambda p: tifffile.imwrite(p, np.dstack([RAMP] * 3), photometric="rgb"),
            1,
            6144,
        ),
    ),
    Case(
        "pages.tif",
        "the first, in silence",
        partial(
            _levels,
            "a.tif",
            lambda p: tifffile.imwrite(
                p, np.stack([RAMP, RAMP // 2, RAMP // 3]), photometric="minisblack"
            ),
            3,
            6144,
        ),
    ),
    Case(
        "ct_i16.tif",
        "more than 16 bits",
        partial(
            _levels,
            "a.tif",
            lambda p: tifffile.imwrite(p, np.full((64, 96), -1000, np.int16)),
            1,
            1,
        ),
    ),
    Case("u32.tif, u32.npy", "0.0076 against 500", _whole_numbers),
    Case(
        "f64.tif",
        "cannot identify image file",
        partial(_levels, "a.tif", lambda p: tifffile.imwrite(p, RAMP / 65535), 1, 6144),
    ),
    Case(
        "rgb.npy",
        "64 images",
        partial(
            _levels,
            "a.npy",
            lambda p: np.save(p, np.dstack([RAMP, RAMP // 2, RAMP // 3])),
            1,
            len(np.unique([RAMP, RAMP // 2, RAMP // 3])),
        ),
    ),
    Case(
        "weights_bf16.pth",
        "written so that it cannot be read",
        partial(_weights, "w.pth", lambda tensors, p: torch.save(_low(tensors), p)),
    ),
    Case(
        "weights_bf16.safetensors",
        "refused",
        partial(_weights, "w.safetensors", lambda tensors, p: save_file(_low(tensors), p)),
    ),
    Case(
        "state_dict_nested.pth",
        "surplus names",
        partial(
            _weights,
            "w.pth",
            lambda tensors, p: torch.save({"epoch": 3, "state_dict": tensors}, p),
        ),
    ),
)
