"""Programs that `check` accepts are accepted by the verifier at every step, and both backends run them.

`good/` has a program for each rule by which types combine, by the rule's room; adding one is adding a file. With
them go the programs that `check` once accepted and something below it did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.driver import check_path
from unroll_dsl.passes.pipeline import LEVELS, trace
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.networks import several, tensors, with_random_starts

GOOD = Path(__file__).parent / "good"
CASES = Path(__file__).parents[1] / "cases" / "results"
PROGRAMS = sorted([*GOOD.rglob("*.unroll"), *CASES.glob("*.unroll")])


def _pages() -> Iterator[Any]:
    for path in PROGRAMS:
        yield pytest.param(path, id=path.stem)


def _accepted(path: Path) -> bool:
    return not check_path(path).has_errors


@pytest.mark.parametrize("path", list(_pages()))
def test_what_is_accepted_runs_in_both_backends(path: Path) -> None:
    if path.is_relative_to(CASES) and not _accepted(path):
        return  # refused in words today
    spec = unroll_dsl.load(path)
    for level in LEVELS:
        assert list(trace(spec.graph, None, level))  # verified before and after each step
    phases = min(spec.graph.phases or 1, 3)
    instance = with_random_starts(spec, draw(spec.graph, seed=1, batch=2), phases)
    expected = several(spec.reference(phases, **instance.arguments())(*instance.inputs))
    for level in LEVELS:
        net = spec.compile(
            phases, **instance.arguments(), dtype=torch.float64, optimize=level, seed=0
        ).eval()
        found = several(net(*tensors(instance.inputs, torch.float64)))
        for ours, theirs in zip(found, expected, strict=True):
            values = ours.detach().numpy()
            scale = max(1.0, float(np.abs(theirs).max()))
            assert np.abs(values - theirs).max() <= 1e-9 * scale, level


def test_the_good_ones_are_accepted() -> None:
    """Each without a word, so that none of them stands for something else than it shows."""
    for path in GOOD.rglob("*.unroll"):
        assert [d.message() for d in check_path(path).diagnostics] == []


def test_most_of_the_old_cases_are_accepted() -> None:
    """The others are refused in words: a mistake of their authors."""
    refused = {path.stem for path in CASES.glob("*.unroll") if not _accepted(path)}
    assert len(refused) <= 4, refused
