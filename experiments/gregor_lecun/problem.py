"""Patches, a dictionary and codes, made once for all encoders and kept in files that any run can take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import unroll_dsl
from unroll_dsl.data.codes import CodeSource
from unroll_dsl.train import Config
from unroll_dsl.train.opening import open_data


@dataclass(frozen=True)
class Problem:
    """A dictionary and held-out patches with their codes.

    Attributes
    ----------
    data : mapping
        `[data]` of a run on these patches.
    Wd, X, Z_star : Tensor
        The dictionary [n, m], patches [count, n] and codes [count, m], float32.
    seconds : float
        What it took to make them.
    """

    data: dict[str, Any]
    Wd: Tensor
    X: Tensor
    Z_star: Tensor
    seconds: float


def problem(config: Config, units: int, out: Path) -> Problem:
    """Made as the configuration of LISTA says, or read from `out` where an earlier run has left it.

    It leaves codes_M.npz and held_out_M.npz with arrays X and Z_star, and dictionary_M.npz.
    """
    training, held_out, last = (
        out.resolve() / f"{name}_{units}.npz" for name in ("codes", "held_out", "dictionary")
    )
    if not last.exists():
        begin = time.monotonic()
        opened = open_data(unroll_dsl.load("lista"), config, {})
        for path, source in ((training, opened.source), (held_out, opened.validation)):
            assert isinstance(source, CodeSource) and source.codes is not None
            np.savez(path, X=source.signals.numpy(), Z_star=source.codes.numpy())
        seconds = np.float64(time.monotonic() - begin)
        np.savez(last, Wd=opened.bind["Wd"].numpy(), seconds=seconds)
    with np.load(last) as arrays:
        Wd, took = torch.from_numpy(arrays["Wd"]), float(arrays["seconds"])
    with np.load(held_out) as arrays:
        X, Z_star = (torch.from_numpy(arrays[name]) for name in ("X", "Z_star"))
    data = {"kind": "arrays", "file": str(training), "validate": str(held_out)}
    return Problem(data, Wd, X, Z_star, round(took, 1))
