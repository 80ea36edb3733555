"""Training: `unroll_dsl.train(spec, out, config)`. See docs/training.md.

The package can be called: it is the function `train` of `training.py`. What it offers besides is imported when it is
first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unroll_dsl.calling import callable_as

if TYPE_CHECKING:
    from unroll_dsl.train.config import Config
    from unroll_dsl.train.errors import BadCheckpoint, DiskFull, Diverged, TrainingError
    from unroll_dsl.train.events import Hooks, StageBegun, StepDone, Validated
    from unroll_dsl.train.run import Run
    from unroll_dsl.train.training import resume, train

_HOMES = {
    "BadCheckpoint": "errors",
    "Config": "config",
    "DiskFull": "errors",
    "Diverged": "errors",
    "Hooks": "events",
    "Run": "run",
    "StageBegun": "events",
    "StepDone": "events",
    "TrainingError": "errors",
    "Validated": "events",
    "resume": "training",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


callable_as(__name__, "unroll_dsl.train.training:train")

__all__ = [
    "BadCheckpoint",
    "Config",
    "DiskFull",
    "Diverged",
    "Hooks",
    "Run",
    "StageBegun",
    "StepDone",
    "TrainingError",
    "Validated",
    "resume",
    "train",
]
