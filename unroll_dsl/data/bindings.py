"""`[bind]`: values of a program's names from numbers, files, and what is made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.given import rank_of
from unroll_dsl.data.making import MAKERS, Making, Measuring
from unroll_dsl.data.source import Source
from unroll_dsl.data.tables import read_table
from unroll_dsl.files import CannotRead
from unroll_dsl.files.arrays import read_array
from unroll_dsl.ir.graph import Constant, Parameter
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Declared, Dim, LinearMap, entries

LAST = ("least_squares",)  # made of what the others make


def bindings(
    table: Mapping[str, Any],
    spec: Spec,
    source: Source,
    *,
    seed: int = 0,
    base: Path | str = ".",
    dims: Mapping[str, int] | None = None,
    measuring: Measuring | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor | float]:
    """What `[bind]` binds, fit for `bind=` of `compile`.

    Parameters
    ----------
    table
        By name a number, the path of a file (.npy, .npz, .mat, .safetensors; `FILE:NAME` for one array of
        several), or a table with what to `make`. See `default_bindings` for names that it lacks.
    source
        The training data; "least_squares" and "dictionary" are made of it, and it tells sizes.
    dims
        Sizes that are settled.
    measuring
        From what is bound to a function from targets to measured inputs, by name and in batches. Without
        it a "least_squares" start is fitted to what the linear map of its `operator` measures.
    dtype
        Real numbers of this precision, complex ones of the same: arrays of files are converted to it.

    Raises
    ------
    DataError
        With the name at fault, and the mend.
    """
    known = {c.name: c for c in spec.graph.constants} | {p.name: p for p in spec.graph.parameters}
    for name in table:
        if name not in known:
            raise DataError(f"[bind]: `{spec.name}` has no `{name}` to bind", choose(name, known))
    state = _State(spec, {**dict(dims or {}), **source.sizes})
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str | Mapping):
            raise DataError(
                f"[bind] {name}: found {value!r}, expected a number, a file or a table",
                f'such as {name} = {{make = "gaussian"}}',
            )
        if isinstance(value, int | float):
            state.bound[name] = float(value)
        elif isinstance(value, str):
            state.add(known[name], _from_file(value, spec, name, Path(base)))
    made_ones = [name for name, value in table.items() if isinstance(value, Mapping)]
    for name in sorted(made_ones, key=lambda name: table[name].get("make") in LAST):
        rng = np.random.default_rng([seed, crc32(name.encode())])
        found = made(
            name,
            table[name],
            spec,
            state.sizes,
            source,
            rng,
            bound=state.bound,
            measuring=measuring,
        )
        state.add(known[name], found)
    return {
        name: value if isinstance(value, float) else _of_precision(value, dtype)
        for name, value in state.bound.items()
    }


def made(
    name: str,
    table: Mapping[str, Any],
    spec: Spec,
    sizes: Mapping[str, int],
    source: Source,
    rng: np.random.Generator,
    *,
    bound: Mapping[str, Tensor | float] | None = None,
    measuring: Measuring | None = None,
) -> Tensor:
    """One value that a table such as `{make = "orthonormal_rows", ratio = 0.25}` asks for, in double
    precision.

    Parameters are those of `bindings`; `sizes` are all dims known so far, `bound` what is bound already.
    """
    place = f"[bind] {name}"
    make = table.get("make")
    if make is None:
        raise DataError(f"{place}: what is to be made?", choose("", MAKERS))
    if not isinstance(make, str) or make not in MAKERS:
        raise DataError(f"{place}: {make!r} cannot be made", choose(str(make), MAKERS))
    maker = MAKERS[make]
    settings: Any = read_table(
        maker.settings, {k: v for k, v in table.items() if k != "make"}, place
    )
    declared = _declared(spec, name)
    shape = shape_of(declared)
    if shape is None:
        raise DataError(f"{place}: `{name}` is {declared.type}, which is not made but bound")
    defaults = {n: size for n, size in spec.graph.dims if size is not None}
    numbers = tuple(dim.substitute({**defaults, **sizes}).value for dim in shape)
    task = Making(
        place, name, spec, declared, numbers, dict(sizes), source, rng, dict(bound or {}), measuring
    )
    if maker.rank != len(shape):
        raise DataError(
            f'{place}: "{make}" is {("a number", "a vector", "a matrix")[maker.rank]}; `{name}` of '
            f"`{spec.name}` is {declared.type}"
        )
    return maker.make(task, settings)


def default_bindings(spec: Spec, table: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """What to make for the names that must be bound and are not in `[bind]`, where the program tells.

    Masks sample 20 % of k-space at random points, matrices that measure images have orthonormal rows at 25 %,
    the map back is fitted by least squares; a matrix is a learned dictionary for data of kind
    "codes", else Gaussian.
    """
    found: dict[str, dict[str, Any]] = {}
    for constant in spec.graph.constants:
        if constant.default is not None or constant.name in table:
            continue
        match constant.type:
            case LinearMap(Declared(domain, codomain)):
                back = any(
                    c.type == LinearMap(Declared(codomain, domain)) for c in spec.graph.constants
                )
                if codomain.rank > domain.rank and back:
                    found[constant.name] = {"make": "least_squares"}
                elif domain.rank > codomain.rank:
                    found[constant.name] = {"make": "orthonormal_rows", "ratio": 0.25}
            case Array() as array if array.form.value == "mask":
                found[constant.name] = {"make": "random_mask", "ratio": 0.2}
            case Array() as array if array.rank == 2:
                made = "dictionary" if kind == "codes" else "gaussian"
                found[constant.name] = {"make": made}
            case _:
                pass
    return found


def shape_of(declared: Constant | Parameter) -> tuple[Dim, ...] | None:
    """The shape of a value as an array: of a linear map that of its matrix; None of what has no entries."""
    match declared.type:
        case Array(shape):
            return shape
        case LinearMap(Declared(domain, codomain)):
            return entries(codomain.shape), entries(domain.shape)
        case _:
            return None


def _declared(spec: Spec, name: str) -> Constant | Parameter:
    declared: tuple[Constant | Parameter, ...] = (*spec.graph.constants, *spec.graph.parameters)
    return next(d for d in declared if d.name == name)


@dataclass
class _State:
    """What is bound so far, and the sizes that follow from it."""

    spec: Spec
    sizes: dict[str, int]
    bound: dict[str, Tensor | float] = field(default_factory=dict)

    def add(self, declared: Constant | Parameter, value: Tensor) -> None:
        self.bound[declared.name] = value
        shape = shape_of(declared)
        if shape is None or len(shape) != value.ndim:
            return  # `compile` says what does not fit
        equations = [
            Equation(dim, size, f"`{declared.name}`") for dim, size in zip(shape, value.shape)
        ]
        found, wrong = solve(equations, self.sizes, {})
        if wrong:
            known = [
                f"{n} = {self.sizes[n]}"
                for d in shape
                for n in sorted(d.symbols)
                if n in self.sizes
            ]
            raise DataError(
                f"[bind] {declared.name}: it is {' x '.join(map(str, value.shape))}; `{self.spec.name}` "
                f"has {declared.name} : {declared.type}, and data and dims give "
                f"{', '.join(dict.fromkeys(known)) or 'another size'}"
            )
        self.sizes = found


def _from_file(text: str, spec: Spec, name: str, base: Path) -> Tensor:
    path = base / text
    try:
        array = read_array(path, name=name, rank=rank_of(spec, name))
    except CannotRead as error:
        table = not Path(text).suffix and not path.exists()
        mend = 'to have it made, give a table: {make = "..."}' if table else error.mend
        raise DataError(f"[bind] {name}: {error.message}", mend) from error
    wide = np.complex128 if np.iscomplexobj(array) else np.float64
    return torch.from_numpy(np.array(array, dtype=wide, order="C"))


def _of_precision(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype.to_complex() if value.is_complex() else dtype)
