"""unroll_dsl: one page of mathematics as a network, a classical solver, and the proof that they agree.

import unroll_dsl

spec = unroll_dsl.load("lista")
net = spec.compile(phases=7, bind={"Wd": Wd})
Z = net(X)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unroll_dsl.version import VERSION as __version__

if TYPE_CHECKING:
    from unroll_dsl.certify.run import certify
    from unroll_dsl.diagnostics.model import Diagnostic
    from unroll_dsl.diagnostics.raised import InternalError, UnrollError
    from unroll_dsl.loading import load, loads
    from unroll_dsl.measure import Measurement, measurement
    from unroll_dsl.spec import Spec
    from unroll_dsl.train.training import train
    from unroll_dsl.weights.container import load_network, save_network

_HOMES = {
    "Diagnostic": "unroll_dsl.diagnostics.model",
    "InternalError": "unroll_dsl.diagnostics.raised",
    "UnrollError": "unroll_dsl.diagnostics.raised",
    "Measurement": "unroll_dsl.measure",
    "measurement": "unroll_dsl.measure",
    "Spec": "unroll_dsl.spec",
    "load": "unroll_dsl.loading",
    "loads": "unroll_dsl.loading",
    "load_network": "unroll_dsl.weights.container",
    "save_network": "unroll_dsl.weights.container",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import unroll_dsl` costs nothing."""
    from importlib import import_module

    if name in ("certify", "train"):  # packages that can be called
        return import_module(f"unroll_dsl.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Diagnostic",
    "InternalError",
    "Measurement",
    "Spec",
    "UnrollError",
    "__version__",
    "certify",
    "load",
    "load_network",
    "loads",
    "measurement",
    "save_network",
    "train",
]
