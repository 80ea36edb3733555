"""The kind "codes": patches as signals, and as targets their sparse codes in a bound dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll_dsl.data import samples
from unroll_dsl.data.coding import codes
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.image_sources import GIB, at_least, fraction, split
from unroll_dsl.data.images import image_paths, scaled
from unroll_dsl.data.pictures import Pictures, open_pictures
from unroll_dsl.data.signals import signals
from unroll_dsl.data.source import Request, Source, take
from unroll_dsl.data.tables import read_table
from unroll_dsl.ir.graph import Entry
from unroll_dsl.ir.nodes import Constant as Number
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array

SIDE = 10  # of the patches of Gregor and LeCun
SAMPLES = 50_000  # for training, where the pictures have as many
VALIDATE = 3_000
ALPHA = 0.5  # their weight of the l1 norm


@dataclass(frozen=True)
class CodeSettings:
    """`kind = "codes"`."""

    kind: Literal["codes"] = "codes"
    folder: str | None = None
    validate: int | None = None
    held_out: float | str = 0.2
    patch: int | None = None
    samples: int | None = None
    dictionary: str | None = None
    alpha: float | None = None
    tolerance: float = 1e-4
    limit: int = 0
    memory: float = 2.0
    snr: float | None = None


@dataclass(frozen=True, eq=False)
class CodeSource:
    """Signals [size, n] and, once there is a dictionary (`completed`), their codes [size, m].

    Before that it gives signals alone, of which a dictionary can be learned.
    """

    signal: Entry
    code: Entry | None
    signals: Tensor
    sizes: Mapping[str, int]
    settings: CodeSettings
    spec: Spec
    codes: Tensor | None = None
    snr: float | None = None
    fresh: bool = False
    left_out: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        pair = (self.signal, self.code if self.codes is not None else None)
        return tuple(entry.name for entry in pair if entry is not None)

    @property
    def size(self) -> int:
        return len(self.signals)

    def problems(self) -> tuple[str, ...]:
        return self.left_out

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        which = torch.from_numpy(take(indices, self.size))
        found = {self.signal.name: self.signals[which]}
        if self.code is not None and self.codes is not None:
            found[self.code.name] = self.codes[which]
        return found

    def completed(self, bind: Mapping[str, Any]) -> CodeSource:
        """The same with codes: the minimisers of 1/2 ||x - D z||^2 + alpha ||z||_1 by FISTA, until
        the conditions of optimality hold to `tolerance`. It takes seconds to minutes.

        Raises
        ------
        DataError
            Where no bound value can be the dictionary, or several can.
        """
        if self.code is None:
            return self
        length = self.signals.shape[1]
        D = bind[dictionary_of(self.settings.dictionary, self.spec, bind, length)]
        alpha = weight(self.settings.alpha, self.spec, bind)
        what = f"codes in a dictionary {D.shape[0]} x {D.shape[1]}"
        sizes = Request(self.spec, self.sizes).sizes(self.code, (D.shape[1],), what)
        X = (
            self.signals.float()
        )  # the tolerance is far above its rounding, and half the time is spent
        found = codes(X, D.to(X), alpha, self.settings.tolerance)
        return replace(self, codes=found, sizes={**self.sizes, **sizes})


def open_codes(table: Mapping[str, Any], request: Request) -> tuple[CodeSource, CodeSource | None]:
    """Normalised patches of photographs; targets come with `CodeSource.completed`.

    With the pictures of scikit-image, in the same order and by the same random numbers as `unroll demo`.
    """
    settings = read_table(CodeSettings, table, "[data]")
    for key, least in (("samples", 1), ("validate", 0), ("patch", 1), ("limit", 0), ("memory", 0)):
        if getattr(settings, key) is not None:
            at_least(getattr(settings, key), least, key)
    for key in ("tolerance", "alpha"):
        value = getattr(settings, key)
        if value is not None and not value > 0:
            raise DataError(f"[data] {key}: found {value}, expected above 0")
    fraction(settings.held_out, "held_out", "folder")
    signal = _signal(request)
    code = request.only_target("codes") if request.targets else None
    if code is not None and code.type.rank != 1:
        raise DataError(
            f"`{code.name}` of `{request.spec.name}` is {code.type}, and codes are vectors"
        )
    side = settings.patch or isqrt(request.known(signal.type.shape[0]) or SIDE**2)
    sizes = request.sizes(signal, (side * side,), f"patches of {side} x {side}")
    training, held_out, left_out = _photographs(settings, side, request)
    if not held_out:
        settings = replace(settings, validate=0)
    rng = np.random.default_rng(request.seed)
    counts = (
        SAMPLES if settings.samples is None else settings.samples,
        VALIDATE if settings.validate is None else settings.validate,
    )
    fewer = (settings.samples is None, settings.validate is None)
    both = signals(training, held_out, counts, side, rng, fewer=fewer)
    X, X_test = (torch.from_numpy(part).to(request.dtype) for part in both)
    first = CodeSource(
        signal, code, X, sizes, settings, request.spec, snr=settings.snr, left_out=left_out
    )
    return first, replace(first, signals=X_test, left_out=()) if len(X_test) else None


def completed(source: Source, bind: Mapping[str, Any]) -> Source:
    """A source with all that it can give once names are bound: of "codes" the targets."""
    return source.completed(bind) if isinstance(source, CodeSource) else source


def dictionary_of(given: str | None, spec: Spec, bind: Mapping[str, Any], length: int) -> str:
    """The name of the bound dictionary of signals of some length."""
    matrices = [n for n, v in bind.items() if getattr(v, "ndim", 0) == 2 and v.shape[0] == length]
    if given is not None:
        if given not in matrices:
            raise DataError(
                f"[data] dictionary: `{given}` is no bound matrix of {length} rows",
                choose(given, matrices),
            )
        return given
    if len(matrices) != 1:
        names = ", ".join(f"`{n}`" for n in matrices) or "none"
        raise DataError(
            f'data of kind "codes" are of a bound matrix with {length} rows; found {names}',
            _dictionary_mend(spec, matrices),
        )
    return matrices[0]


def _dictionary_mend(spec: Spec, matrices: Sequence[str]) -> str:
    if matrices:
        return f'name it: [data] dictionary = "{matrices[0]}"'
    for constant in spec.graph.constants:
        if isinstance(constant.type, Array) and constant.type.rank == 2:
            return f'bind it: [bind] {constant.name} = {{make = "dictionary"}}'
    return (
        f"`{spec.name}` binds no matrix: give signals and their codes from a file, "
        '[data] kind = "arrays", file = "pairs.npz", or as `source=` of `unroll_dsl.train`'
    )


def weight(given: float | None, spec: Spec, bind: Mapping[str, Any]) -> float:
    """The weight of the l1 norm: what is asked for, else the program's `alpha` or `lambda`."""
    if given is not None:
        return given
    for constant in spec.graph.constants:
        if constant.name in ("alpha", "lambda") and constant.type == Array():
            if constant.name in bind:
                return float(bind[constant.name])
            node = None if constant.default is None else spec.graph.nodes[constant.default]
            if node is not None and isinstance(node.op, Number):
                return float(node.op.value)
    return ALPHA


def _signal(request: Request) -> Entry:
    vectors = [entry for entry in request.inputs if entry.type.rank == 1]
    if len(vectors) == 1:
        return vectors[0]
    found = ", ".join(f"`{e.name}`: {e.type}" for e in request.inputs) or "none"
    raise DataError(
        f'data of kind "codes" give one input, a vector; `{request.spec.name}` has to be given {found}',
        'for data from a file there is the kind "arrays"',
    )


def _photographs(
    settings: CodeSettings, side: int, request: Request
) -> tuple[list[NDArray[Any]], list[NDArray[Any]], tuple[str, ...]]:
    if settings.folder is None:
        return (
            [samples.picture(name) for name in samples.TRAINING],
            [samples.picture(name) for name in samples.HELD_OUT],
            (),
        )

    def opened(folder: str) -> Pictures:
        paths = image_paths(request.base / folder)
        return open_pictures(
            paths[: settings.limit or None],
            least=(side, side),
            real=True,
            budget=settings.memory * GIB,
        )

    training: Pictures = opened(settings.folder)
    held_out: Pictures | None
    if isinstance(settings.held_out, str):
        held_out = opened(settings.held_out)
    else:
        training, held_out = split(training, settings.held_out, request.seed)
    return _grey(training), [] if held_out is None else _grey(held_out), training.problems


def _grey(pictures: Pictures) -> list[NDArray[Any]]:
    stored = pictures.stored(range(len(pictures.planes)))
    return [scaled(stored[i])[0] for i in range(len(stored))]
