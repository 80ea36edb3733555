"""From the tables of a configuration to data and bound values.

The order matters: data tell sizes; matrices and masks are made in those sizes, some of them from the data; and
data such as sparse codes need what is bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.data import bindings, completed, default_bindings, default_kind, open_source
from unroll_dsl.data.fewer import fewer
from unroll_dsl.data.source import Source
from unroll_dsl.measure import Measurement, measurement
from unroll_dsl.spec import Spec
from unroll_dsl.train.bound import kept
from unroll_dsl.train.config import Config
from unroll_dsl.train.devices import dtype
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.task import default_metric

GIVEN = "given"  # the kind of data that came as an object


@dataclass(frozen=True)
class Opened:
    """Data, bound values, and the configuration with what was chosen for it."""

    config: Config
    source: Source
    validation: Source | None
    bind: Mapping[str, Any]


def open_data(
    spec: Spec,
    config: Config,
    bind: Mapping[str, Any],
    source: Source | None = None,
    validation: Source | None = None,
) -> Opened:
    """Open `[data]` and make `[bind]`, but for what is given.

    Raises
    ------
    DataError
        With the key or the file at fault.
    """
    config = filled(spec, config, bind, given=source is not None)
    made = measurement(spec)
    measured = made.inputs if made is not None else ()
    base = Path(config.base)
    if source is None:
        source, validation = open_source(
            config.data,
            spec,
            seed=config.seed,
            base=base,
            dims=config.dims,
            measured=measured,
            dtype=dtype(config.train),
        )
    wanted = {name: value for name, value in config.bind.items() if name not in bind}
    found = bindings(
        wanted,
        spec,
        source,
        seed=config.seed,
        base=base,
        dims={**config.dims, **sizes_of(spec, bind, {**source.sizes, **config.dims})},
        measuring=None if made is None else _measuring(spec, made, config, bind, source),
        dtype=dtype(config.train),
    )
    both = {name: kept(value) for name, value in {**found, **bind}.items()}
    return Opened(
        config=config,
        source=completed(source, both),
        validation=None
        if validation is None
        else fewer(completed(validation, both), config.validate.samples),
        bind=both,
    )


def filled(spec: Spec, config: Config, bind: Mapping[str, Any], *, given: bool = False) -> Config:
    """The configuration with what the program chooses: phases, metric, kind of data, what is to be made.

    With `given`, data come as an object.
    """
    made = measurement(spec)
    measured = made.inputs if made is not None else ()
    kind = GIVEN if given else config.data.get("kind", default_kind(config.data, spec, measured))
    table = {"kind": GIVEN} if given else {"kind": kind, **config.data}
    chosen = default_bindings(spec, {**config.bind, **bind}, kind)
    metric = config.validate.metric or default_metric(spec)
    return replace(
        config,
        phases=config.phases or spec.graph.phases or 0,
        base=str(Path(config.base or ".").resolve()),
        data=table,
        bind={**chosen, **config.bind},
        validate=replace(config.validate, metric=metric),
    )


def sizes_of(spec: Spec, bind: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, int]:
    """All sizes that follow from bound values and known ones.

    Raises
    ------
    UnrollError
        If a bound value has another shape than the program says.
    """
    dims = {name for name, _ in spec.graph.dims}
    fixed = {c.name for c in spec.graph.constants}
    constants = {name: value for name, value in bind.items() if name in fixed}
    settled = {name: size for name, size in known.items() if name in dims}
    return dict(bind_values(spec.graph, 1, constants, {}, settled).sizes)


def _measuring(
    spec: Spec, made: Measurement, config: Config, given: Mapping[str, Any], source: Source
) -> Any:
    """How a start by least squares sees the inputs: as the program measures them, noise and all."""

    def measuring(bound: Mapping[str, Any]) -> Any:
        values = {**bound, **given}
        for name in made.learned:
            if name not in values:
                raise TrainingError(
                    f"a start by least squares is of data that stay as they are: they are made with `{name}`, which "
                    "is learned",
                    f"start by its adjoint, `{name}' @ ...`, or give `{name}` the value to start from in [bind]",
                )
        sizes = sizes_of(spec, values, {**source.sizes, **config.dims})
        kind = dtype(config.train)
        module = made.compile(bind=values, init=values, dims=sizes, dtype=kind)
        generator = torch.Generator().manual_seed(config.seed)

        def measure(targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
            chosen = [targets[name].to(_like(targets[name], kind)) for name in made.targets]
            noises = made.noise(len(chosen[0]), sizes, generator, kind)
            with torch.no_grad():
                found = module(*chosen, *noises)
            several = found if isinstance(found, tuple) else (found,)
            return dict(zip(made.inputs, several, strict=True))

        return measure

    return measuring


def _like(value: Tensor, real: torch.dtype) -> torch.dtype:
    return real.to_complex() if value.is_complex() else real
