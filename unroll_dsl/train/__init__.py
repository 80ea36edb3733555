"""Training: `unroll_dsl.train(spec, out, config)`. See docs/training.md.

The package can be called: it is the function `train` of `training.py`. What it offers besides is imported when it is
first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

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


class _Callable(ModuleType):
    """A package that is its main function as well, as the name says what it does."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from unroll_dsl.train.training import train

        return train(*arguments, **options)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


sys.modules[__name__].__class__ = _Callable

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
