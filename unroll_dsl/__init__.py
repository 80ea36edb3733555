"""unroll_dsl: one page of mathematics as a network, a classical solver, and the proof that they agree.

import unroll_dsl

spec = unroll_dsl.load("lista")
net = spec.compile(phases=7, bind={"Wd": Wd})
Z = net(X)

The commands are functions: `check`, `show`, `derive`, `train`, `report`, `evaluate`, `compare`, `explore`, `certify`,
`export`, `format`, `explain`. In a notebook, `%load_ext unroll_dsl` gives `%%unroll` cells. See docs/python.md.
"""

from __future__ import annotations

import typing as _typing

from unroll_dsl.version import VERSION as __version__

if _typing.TYPE_CHECKING:
    from unroll_dsl.certify.run import certify
    from unroll_dsl.commands import (
        algorithms,
        check,
        compare,
        derive,
        evaluate,
        explain,
        explore,
        format,
        report,
        show,
    )
    from unroll_dsl.diagnostics.model import Diagnostic
    from unroll_dsl.diagnostics.raised import InternalError, UnrollError
    from unroll_dsl.export.writing import export
    from unroll_dsl.loading import load, loads
    from unroll_dsl.measure import Measurement, measurement
    from unroll_dsl.spec import Derived, Spec
    from unroll_dsl.train.training import train
    from unroll_dsl.weights.container import load_network, save_network

_HOMES = {
    **dict.fromkeys(
        ("algorithms", "check", "compare", "evaluate", "explain", "format", "show"),
        "unroll_dsl.commands",
    ),
    "Derived": "unroll_dsl.spec",
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
_PACKAGES = (
    "certify",
    "derive",
    "explore",
    "export",
    "report",
    "train",
)  # that can be called: calling.py


def __getattr__(name: str) -> _typing.Any:
    """Public names are imported when they are first used, so that `import unroll_dsl` costs nothing."""
    from importlib import import_module

    if name in _PACKAGES:
        return import_module(f"unroll_dsl.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: _typing.Any) -> None:
    """`%load_ext unroll_dsl`: cells that begin with `%%unroll` are programs."""
    from importlib import import_module

    import_module("unroll_dsl.notebook").register(shell)


__all__ = [
    "Derived",
    "Diagnostic",
    "InternalError",
    "Measurement",
    "Spec",
    "UnrollError",
    "__version__",
    "algorithms",
    "certify",
    "check",
    "compare",
    "derive",
    "evaluate",
    "explain",
    "explore",
    "export",
    "format",
    "load",
    "load_network",
    "loads",
    "measurement",
    "report",
    "save_network",
    "show",
    "train",
]
