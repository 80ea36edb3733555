"""`[data]`, a table of a configuration, as sources for training and validation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from unroll_dsl.data.arrays import ArraySettings, open_arrays
from unroll_dsl.data.codes import CodeSettings, open_codes
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.image_sources import (
    ImageSettings,
    SampleSettings,
    open_images,
    open_samples,
)
from unroll_dsl.data.source import Request, Source
from unroll_dsl.data.sparse import SparseSettings, open_sparse
from unroll_dsl.spec import Spec

Opener = Callable[[Mapping[str, Any], Request], tuple[Source, Source | None]]
KINDS: dict[str, tuple[type, Opener]] = {
    "images": (ImageSettings, open_images),
    "samples": (SampleSettings, open_samples),
    "sparse": (SparseSettings, open_sparse),
    "codes": (CodeSettings, open_codes),
    "arrays": (ArraySettings, open_arrays),
}


def open_source(
    table: Mapping[str, Any],
    spec: Spec,
    *,
    seed: int = 0,
    base: Path | str = ".",
    dims: Mapping[str, int] | None = None,
    measured: Collection[str] = (),
    dtype: torch.dtype = torch.float32,
) -> tuple[Source, Source | None]:
    """The data of a program, for training and, where there are any, for validation.

    Parameters
    ----------
    table
        `[data]`; without `kind` that of `default_kind`.
    seed
        Of what is drawn once: which images are held out, the problems and patches for validation.
    base
        The folder that relative paths start from.
    dims
        Sizes that are settled, `[dims]`.
    measured
        Inputs that a measurement makes.
    dtype
        The precision of what is drawn: of files in double precision float64 rounds nothing.

    Returns
    -------
    pair of Source
        The second is None where nothing is held out. Those of kind "codes" give their targets once
        names are bound: see `completed`.

    Raises
    ------
    DataError
        With the key or the file at fault, and the mend.
    """
    request = Request(spec, dict(dims or {}), tuple(measured), seed, Path(base), dtype)
    kind = table.get("kind", default_kind(table, spec, measured))
    if not isinstance(kind, str) or kind not in KINDS:
        raise DataError(f"[data] kind: {kind!r} is no kind of data", choose(str(kind), KINDS))
    return KINDS[kind][1]({**table, "kind": kind}, request)


def default_kind(table: Mapping[str, Any], spec: Spec, measured: Collection[str] = ()) -> str:
    """The kind of data that a table without `kind` means.

    A `folder` means images and a `file` arrays. Else the program tells: image or matrix targets want "samples"; a
    vector target with an input that no measurement makes, or no target at all, "codes"; a vector that is
    measured, "sparse".
    """
    if "file" in table:
        return "arrays"
    targets = spec.graph.targets
    if any(entry.type.rank >= 2 for entry in targets):
        return "images" if "folder" in table else "samples"
    given = [entry for entry in spec.graph.inputs if entry.name not in measured]
    if given or not targets:
        return "codes"
    return "images" if "folder" in table else "sparse"
