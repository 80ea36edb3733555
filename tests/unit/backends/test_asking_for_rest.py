"""What `phases`, `tol` and `max_phases` ask for, and which pages have a fixed point that can be asked for."""

from math import inf, nan
from typing import Any

import pytest

import unroll_dsl
from unroll_dsl.backends.resting import FIXED_POINT, MOST, TOLERANCE, Rest, resting
from unroll_dsl.diagnostics import UnrollError

PAGE = """algorithm p
dims n
input y : vector[n]
learnable w : scalar = 0.5
state x : vector[n] = 0
phase (3):
    x <- w * x + y
output x
"""
GRAPH = unroll_dsl.loads(PAGE).graph


@pytest.mark.parametrize("phases", [None, 1, 7])
def test_a_number_of_phases_has_no_limits_of_rest(phases: int | None) -> None:
    assert resting(GRAPH, phases, None, None) is None
    for limits in ((1e-3, None), (None, 5), (1e-3, 5)):
        with pytest.raises(ValueError, match="are of phases="):
            resting(GRAPH, phases, *limits)


@pytest.mark.parametrize(
    ("tol", "most", "found"),
    [
        (None, None, Rest(TOLERANCE, MOST)),
        (1e-3, None, Rest(1e-3, MOST)),
        (None, 1, Rest(TOLERANCE, 1)),
        (1, 5, Rest(1.0, 5)),
    ],
)
def test_limits_of_rest(tol: float | None, most: int | None, found: Rest) -> None:
    assert resting(GRAPH, FIXED_POINT, tol, most) == found
    assert (TOLERANCE, MOST) == (1e-6, 1000)


@pytest.mark.parametrize("tol", [0, -1.0, inf, nan])
def test_a_tolerance_is_a_number_above_0(tol: float) -> None:
    with pytest.raises(ValueError, match="`tol` is a number above 0"):
        resting(GRAPH, FIXED_POINT, tol, None)


@pytest.mark.parametrize(
    ("phases", "most"), [("rest", None), (FIXED_POINT, 0), (FIXED_POINT, True), (FIXED_POINT, 2.5)]
)
def test_words_and_counts_that_are_none(phases: str, most: Any) -> None:
    with pytest.raises(UnrollError) as caught:
        resting(GRAPH, phases, None, most)
    assert caught.value.diagnostics[0].code == "U0513"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([("scalar = 0.5", "scalar per phase = 0.5")], "each phase has a `w` of its own"),
        ([("w * x", "w / k * x")], "what its phases compute depends on `k`"),
        (
            [("state x", "state t : scalar = 1\nstate x"), ("    x <-", "    t <- t / 2\n    x <-")],
            "its state `t` depends on no input, as one that counts phases",
        ),
        (
            [("y\noutput x", "y\n    trace r = x\noutput x\nloss:\n    sum over phases sumsq(r)")],
            "its loss sums over phases",
        ),
        ([("state x : vector[n] = 0\nphase (3):\n    x <- w * x + y\noutput x", "output w * y")],
         "it has no phases"),
    ],
)  # fmt: skip
def test_pages_that_have_no_fixed_point(changes: list[tuple[str, str]], why: str) -> None:
    text = PAGE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(UnrollError) as caught:
        resting(unroll_dsl.loads(text).graph, FIXED_POINT, None, None)
    (found,) = caught.value.diagnostics
    assert found.code == "U0545" and why in found.message()


def test_a_loss_of_outputs_is_no_sum_over_phases() -> None:
    text = PAGE + "loss:\n    sumsq(x)\n"
    assert resting(unroll_dsl.loads(text).graph, FIXED_POINT, None, None) == Rest()
    outside = PAGE.replace("output x", "output x / 2")
    assert resting(unroll_dsl.loads(outside).graph, FIXED_POINT, None, None) == Rest()
