"""Regimes of training as lists of stages.

whole             all phases from the beginning
layerwise         phase by phase: the new one alone, then all so far jointly at smaller rates (Chen, Liu, Wang,
                  Yin, 2018, as Open-L2O trains LISTA and its kin)
tied-then-untied  what each phase has of its own is first shared, then untied
curriculum        the number of phases grows, all of them trained
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll_dsl.backends.resting import FIXED_POINT
from unroll_dsl.spec import Spec
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """One network, what of it is trained, how long and how fast.

    Attributes
    ----------
    phases : int or None
        None for a program without phases; of a network at rest, the most that it takes.
    learn : mapping
        As for `Spec.compile`.
    trains : tuple of str
        Patterns of the parameters that are trained; empty: all.
    start : str
        Where phases that the stage before did not have start: "classical" or "previous".
    optional : bool
        Left out where its patterns match nothing, as for a phase that has no learnables of its own.
    """

    name: str
    phases: int | None
    learn: Mapping[str, str]
    trains: tuple[str, ...]
    steps: int
    rate: float
    start: str = "classical"
    optional: bool = False

    def same_network(self, other: TrainingStage) -> bool:
        """Whether both train a network of one shape, so that their metrics can be compared."""
        return self.phases == other.phases and dict(self.learn) == dict(other.learn)


def stages(config: Config, spec: Spec, samples: int) -> tuple[TrainingStage, ...]:
    """The stages of a run; `samples` is how many an epoch has.

    Raises
    ------
    TrainingError
        If the regime does not fit the program.
    """
    train = config.train
    count = config.phases or spec.graph.phases
    if isinstance(count, str):
        _refuse_counts(config)
        count = config.max_phases
    steps = train.steps
    if train.epochs:
        steps = max(1, round(train.epochs * samples / train.batch))
    if config.stage:
        if train.regime != "whole":
            raise TrainingError(
                f'`train.regime = "{train.regime}"` and [[stage]] exclude each other',
                "leave one of them out",
            )
        return _own(config, count, steps)
    if train.regime == "whole":
        return (TrainingStage("whole", count, config.learn, (), steps, train.rate),)
    if count is None:
        raise TrainingError(
            f"`{spec.name}` has no phases, which `{train.regime}` is about", 'regime = "whole"'
        )
    if train.regime == "curriculum":
        return _curriculum(config, count, steps)
    roles = spec.with_roles(config.learn, config.fix)
    own = tuple(p.name for p in roles.graph.parameters if p.per_phase and p.trainable)
    if not own:
        raise TrainingError(
            f"`{train.regime}` is about what each phase learns of its own; all that `{spec.name}` "
            "learns is shared",
            'make something "per phase" under [learn], or take regime = "whole"',
        )
    if train.regime == "tied-then-untied":
        tied = {**config.learn, **dict.fromkeys(own, "shared")}
        return (
            TrainingStage("tied", count, tied, (), steps, train.rate),
            TrainingStage("untied", count, config.learn, (), steps, train.rate),
        )
    shared = tuple(p.name for p in roles.graph.parameters if not p.per_phase and p.trainable)
    return _layerwise(config, count, steps, shared)


def _refuse_counts(config: Config) -> None:
    """A network at rest has no number of phases that could grow."""
    if config.train.regime != "whole" or any(table.phases for table in config.stage):
        raise TrainingError(
            f'`phases = "{FIXED_POINT}"` has no number of phases that a regime could change',
            'take regime = "whole", and leave `phases` out of [[stage]]',
        )


def _layerwise(
    config: Config, count: int, steps: int, shared: tuple[str, ...]
) -> tuple[TrainingStage, ...]:
    train = config.train
    start = train.start or "classical"
    found = []
    for t in range(1, count + 1):
        alone = (f"phases.{t - 1}.*", *shared)
        found.append(
            TrainingStage(
                f"layer {t}", t, config.learn, alone, steps, train.rate, start, optional=True
            )
        )
        for factor in train.refine:
            name = f"layers 1-{t} at {factor:g}"
            rate = train.rate * factor
            found.append(
                TrainingStage(name, t, config.learn, (), steps, rate, start, optional=True)
            )
    return tuple(found)


def _curriculum(config: Config, count: int, steps: int) -> tuple[TrainingStage, ...]:
    counts = config.train.counts
    if not counts:
        counts = (*(2**i for i in range(count.bit_length()) if 2**i < count), count)
    if list(counts) != sorted(set(counts)):
        raise TrainingError(
            f"`train.counts` grows from stage to stage, found {', '.join(map(str, counts))}"
        )
    if counts[-1] != count:
        raise TrainingError(
            f"`train.counts` ends at {counts[-1]} phases, the run has {count}",
            f"end it with {count}, or set `phases = {counts[-1]}`",
        )
    start = config.train.start or "previous"
    return tuple(
        TrainingStage(f"{k} phases", k, config.learn, (), steps, config.train.rate, start)
        for k in counts
    )


def _own(config: Config, count: int | None, steps: int) -> tuple[TrainingStage, ...]:
    found = []
    learn: dict[str, str] = dict(config.learn)
    for number, table in enumerate(config.stage, start=1):
        learn = {**learn, **table.learn}  # what one stage has learned the next does not forget
        found.append(
            TrainingStage(
                table.name or f"stage {number}",
                table.phases or count,
                learn,
                table.train,
                table.steps or steps,
                config.train.rate if table.rate < 0 else table.rate,
                config.train.start or "previous",
            )
        )
    return tuple(found)
