"""Packages that share their name with a command, and can be called as it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, cast


class CallablePackage(ModuleType):
    """A package that is a function as well: `unroll_dsl.train(...)` beside `unroll_dsl.train.Config`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return _function(self)(*arguments, **options)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(_function(self))


def callable_as(package: str, function: str) -> None:
    """Let a package be called as a function, `"unroll_dsl.train.training:train"`, imported at the first call."""
    module = sys.modules[package]
    module.__class__ = CallablePackage
    vars(module)["_function"] = function


def _function(module: ModuleType) -> Callable[..., Any]:
    home, _, name = str(vars(module)["_function"]).partition(":")
    return cast("Callable[..., Any]", getattr(import_module(home), name))
