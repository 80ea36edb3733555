"""Conjugate gradients that run out of iterations: named, and not taken for a fault of the compiler."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from unroll_dsl.passes.routes import routes
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import network, tensors
from unroll_dsl.verify.report import Row, Verdict

_WORDS = "conjugate gradients"


def check_iterations(spec: Spec, instance: Instance, phases: int) -> list[Row]:
    """A note where the iterations that the program allows do not solve its systems on this instance."""
    if not any(route.name == _WORDS for route in routes(spec.graph)):
        return []
    net = network(spec, instance, phases, torch.float64)
    with _heard() as told:
        net(*tensors(instance.inputs, torch.float64))
    return [Row("systems", "solved", Verdict.NOTE, detail=told[0])] if told else []


def solved(check: Callable[[], list[Row]]) -> list[Row]:
    """The rows of a check; where systems are not solved, what differs is no failure of the compiler."""
    with _heard() as told:
        rows = check()
    if not told:
        return rows
    return [
        dataclasses.replace(row, verdict=Verdict.SKIPPED, detail=told[0])
        if row.verdict is Verdict.FAILED
        else row
        for row in rows
    ]


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What conjugate gradients tell meanwhile, once each; other warnings are passed on."""
    told: list[str] = []
    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=f".*{_WORDS}")
        shown = warnings.showwarning

        def hear(message: Warning | str, *where: Any, **more: Any) -> None:
            words = str(message)
            if _WORDS not in words:
                shown(message, *where, **more)
            elif words not in told:
                told.append(words)

        warnings.showwarning = hear
        yield told
