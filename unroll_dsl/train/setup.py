"""Everything that a run is made of, put together and checked before the first update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unroll_dsl.backends.networks import is_network
from unroll_dsl.backends.resting import FIXED_POINT
from unroll_dsl.data.metrics import Metric
from unroll_dsl.data.source import Source
from unroll_dsl.measure import Measurement, measurement
from unroll_dsl.programs.loss_terms import term_names
from unroll_dsl.spec import Spec
from unroll_dsl.train import groups
from unroll_dsl.train.batches import Feed
from unroll_dsl.train.config import Config
from unroll_dsl.train.devices import dtype
from unroll_dsl.train.opening import sizes_of
from unroll_dsl.train.regimes import TrainingStage, stages
from unroll_dsl.train.task import Task, metric_named, task
from unroll_dsl.weights.held import standalone


@dataclass(frozen=True)
class Setup:
    """A run before it runs.

    Attributes
    ----------
    config : Config
        With what the program chooses filled in, see `opening.filled`.
    bind : mapping
        Values of `fixed` names, files read and matrices made.
    validation : Source or None
    terms : tuple of str
        The terms of the loss, as they are written; none where it is a single one.
    """

    spec: Spec
    config: Config
    source: Source
    validation: Source | None
    bind: Mapping[str, Any]
    sizes: Mapping[str, int]
    stages: tuple[TrainingStage, ...]
    task: Task
    metric: Metric
    measurement: Measurement | None
    terms: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Updates in all stages together."""
        return sum(stage.steps for stage in self.stages)

    def program(self, stage: TrainingStage) -> Spec:
        """The program with the roles of a stage; its text says them."""
        return standalone(self.spec.with_roles(stage.learn, self.config.fix))

    def network(
        self, spec: Spec, stage: TrainingStage, device: torch.device | str | None = None
    ) -> nn.Module:
        """The untrained network of a stage; `spec` is its program or one derived from it."""
        learnt = {p.name for p in spec.graph.parameters}
        known = learnt | {c.name for c in spec.graph.constants}
        train = self.config.train
        phases: dict[str, Any] = {"phases": stage.phases}
        if self.config.phases == FIXED_POINT:
            limits = {"tol": self.config.tol, "max_phases": self.config.max_phases}
            phases = {"phases": FIXED_POINT, **limits}
        return spec.compile(
            **phases,
            bind={k: v for k, v in self.bind.items() if k in known - learnt},
            init={k: v for k, v in self.bind.items() if k in learnt},
            dims=self.sizes,
            dtype=dtype(train),
            device=device,
            seed=self.config.seed,
            checkpoint="phase" if train.checkpoint == "phase" else None,
            gradient=train.gradient,
        )

    def constants(self, spec: Spec) -> dict[str, Any]:
        """What is bound in a network of `spec`, as `load_network` takes it."""
        fixed = {c.name for c in spec.graph.constants}
        fixed |= {p.name for p in spec.graph.parameters if is_network(p)}
        return {name: value for name, value in self.bind.items() if name in fixed}

    def feed(
        self, source: Source, device: torch.device, learned: Mapping[str, Any] | None = None
    ) -> Feed:
        """Arguments of the loss from samples of `source`, measured with what has been `learned`, until the feed
        follows a network."""
        kind = dtype(self.config.train)
        made = self.measurement
        module = None
        if made is not None:
            known = {**self.bind, **(learned or {})}
            module = made.untrained(known, self.sizes, kind, device)
        return Feed(source, self.task, made, module, self.sizes, self.config.seed, kind, device)

    def check_patterns(self) -> None:
        """Raise `TrainingError` for a pattern of the configuration that matches no parameter.

        Of groups in the network of the last stage, of a stage in its own.
        """
        config = self.config
        if config.group:
            known = self._names(self.stages[-1])
            groups.check_patterns((("[[group]] match", g.match) for g in config.group), known)
        for stage, table in zip(self.stages, config.stage, strict=False):
            if table.train:
                patterns = (("[[stage]] train", pattern) for pattern in table.train)
                groups.check_patterns(patterns, self._names(stage))

    def _names(self, stage: TrainingStage) -> dict[str, str]:
        spec = self.program(stage)
        return groups.names(spec, self.network(spec, stage))


def prepare(
    spec: Spec,
    config: Config,
    source: Source,
    validation: Source | None,
    bind: Mapping[str, Any],
) -> Setup:
    """Put a run together and check what can be checked before it starts.

    Raises
    ------
    TrainingError, UnrollError, DataError
        For whatever does not fit.
    """
    made = measurement(spec)
    found = task(spec, source.names, made, config.validate.metric)
    plan = stages(config, spec, source.size)
    setup = Setup(
        spec=spec,
        config=config,
        source=source,
        validation=validation,
        bind=bind,
        sizes=sizes_of(spec, bind, {**source.sizes, **config.dims}),
        stages=plan,
        task=found,
        metric=metric_named(found.metric),
        measurement=made,
        terms=term_names(spec.program),
    )
    setup.check_patterns()
    return setup
