"""What a run is made of: every key, its default, its range and what it is about.

The same declarations read a TOML file (`tables.py`), write `run.toml`, print `unroll train --show` and are
held against docs/training.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from unroll_dsl.settings import key


@dataclass(frozen=True, slots=True)
class Training:
    """`[train]`: how the weights change."""

    steps: int = key(2000, "updates of the weights, in each stage", least=1)
    epochs: float = key(0.0, "passes over the data in each stage, in place of `steps`", least=0)
    batch: int = key(64, "samples an update, all processes together", least=1)
    optimizer: str = key("adam", "", choices=("adam", "adamw", "sgd"))
    rate: float = key(1e-4, "learning rate", above=0)
    momentum: float = key(0.0, "of sgd", least=0, below=1)
    weight_decay: float = key(0.0, "", least=0)
    schedule: str = key(
        "constant", "of the rate, within a stage", choices=("constant", "cosine", "step")
    )
    decay: float = key(0.5, "factor of `step`", above=0, most=1)
    decay_every: int = key(500, "updates between two decays of `step`", least=1)
    warmup: int = key(0, "updates in which the rate rises from 0", least=0)
    clip: float = key(0.0, "largest norm of the gradient; 0: any", least=0)
    accumulate: int = key(1, "parts that a batch is worked through in, to save memory", least=1)
    precision: str = key(
        "float32",
        "bf16 and fp16 are mixed with float32",
        choices=("float32", "float64", "bf16", "fp16"),
    )
    device: str = key("auto", "auto: a GPU if there is one", choices=("auto", "cpu"))
    compile: bool = key(False, "torch.compile of a phase")
    checkpoint: str = key(
        "", "phase: keep the states between phases alone, to save memory", choices=("", "phase")
    )
    gradient: Literal["unroll", "implicit"] | int = key(
        "unroll",
        "unroll, implicit, or the number of last phases",
        least=1,
        words='"unroll", "implicit" or a number of phases',
    )
    regime: str = key(
        "whole",
        "see docs/training.md",
        choices=("whole", "layerwise", "tied-then-untied", "curriculum"),
    )
    refine: tuple[float, ...] = key(
        (0.2, 0.02), "layerwise: factors of the rate, all layers jointly", above=0
    )
    counts: tuple[int, ...] = key(
        (), "curriculum: numbers of phases; none given: 1, 2, 4, ...", least=1
    )
    start: str = key(
        "",
        "where a new phase starts: the program's own values, or those of the phase before; "
        "by default layerwise from the former, curriculum from the latter",
        choices=("", "classical", "previous"),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """`[[group]]`: parameters whose names match, treated alike. The first group that matches counts."""

    match: str = key("", "a name of the program or of the state_dict, with * and ?")
    rate: float = key(-1.0, "in place of `train.rate`; -1: that one", least=0, other=-1)
    weight_decay: float = key(
        -1.0, "in place of `train.weight_decay`; -1: that one", least=0, other=-1
    )
    freeze: bool = key(False, "keep them as they are")


@dataclass(frozen=True, slots=True)
class StageTable:
    """`[[stage]]`: one stage of a regime of one's own. What is left out is as in `[train]`."""

    name: str = key("", "")
    phases: int = key(0, "0: as the run has", least=0)
    learn: Mapping[str, str] = key({}, "added to those of the run and of the stages before")
    train: tuple[str, ...] = key((), "patterns of what is trained; none: everything")
    steps: int = key(0, "0: as in [train]", least=0)
    rate: float = key(-1.0, "-1: as in [train]", above=0, other=-1)


@dataclass(frozen=True, slots=True)
class Validation:
    """`[validate]`: when, by what, and when to stop."""

    every: int = key(500, "updates", least=1)
    metric: str = key("", "by default psnr of images, nmse_db of all else")
    patience: int = key(
        0, "validations without improvement that end a stage; 0: any number", least=0
    )
    batch: int = key(0, "samples at a time; 0: as in [train]", least=0)
    samples: int = key(0, "at most so many of those held out, evenly from them; 0: all", least=0)


@dataclass(frozen=True, slots=True)
class Log:
    """`[log]`: rows of metrics.csv between validations."""

    every: int = key(50, "updates", least=1)
    tensorboard: bool = key(False, "write events for TensorBoard too")


@dataclass(frozen=True, slots=True)
class Saving:
    """`[save]`: checkpoints."""

    every: int = key(500, "updates", least=1)


@dataclass(frozen=True, slots=True)
class Config:
    """A run, as its TOML file has it. Relative paths start from `base`."""

    phases: Literal["fixed_point"] | int = key(
        0,
        "0: as many as the program says; fixed_point: until they rest",
        least=0,
        words='a number of phases or "fixed_point"',
    )
    tol: float = key(
        1e-6, "fixed_point: a phase at rest moves no state by more of its size", above=0
    )
    max_phases: int = key(1000, "fixed_point: at most so many", least=1)
    seed: int = key(0, "of everything random", least=0, most=2**63 - 1)
    learn: Mapping[str, str] = key({}, "fixed values to learn: shared or per phase")
    fix: tuple[str, ...] = key((), "learnables to keep at their classical values")
    base: str = key("", "folder that relative paths start from; by default that of the TOML file")
    bind: Mapping[str, Any] = key(
        {}, "values of fixed names: a number, a file, or a table such as {make = ...}"
    )
    dims: Mapping[str, int] = key({}, "sizes that nothing else tells", least=1)
    data: Mapping[str, Any] = key({}, "where samples come from")
    train: Training = field(default_factory=Training)
    group: tuple[Group, ...] = ()
    stage: tuple[StageTable, ...] = ()
    validate: Validation = field(default_factory=Validation)
    log: Log = field(default_factory=Log)
    save: Saving = field(default_factory=Saving)
