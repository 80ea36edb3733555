"""Where a classical curve reaches the quality of a network."""

from typing import Any

import pytest

from unroll_dsl.runs.crossing import Curve, crossing, worth

PHASES = (1.0, 2.0, 4.0, 8.0)


def test_a_crossing_lies_on_the_line_between_two_points() -> None:
    assert crossing(PHASES, (10.0, 20.0, 30.0, 40.0), 25.0, "higher") == pytest.approx(3.0)


def test_lower_may_be_better() -> None:
    assert crossing(PHASES, (-1.0, -2.0, -4.0, -8.0), -6.0, "lower") == pytest.approx(6.0)


def test_the_first_crossing_counts() -> None:
    assert crossing(PHASES, (10.0, 30.0, 20.0, 30.0), 25.0, "higher") == pytest.approx(1.75)


def test_a_curve_that_begins_beyond_gives_its_first_point() -> None:
    assert crossing(PHASES, (10.0, 20.0, 30.0, 40.0), 5.0, "higher") == 1.0


def test_a_curve_that_never_gets_there_gives_none() -> None:
    assert crossing(PHASES, (10.0, 20.0, float("nan"), 24.0), 25.0, "higher") is None


def test_worth_holds_the_last_phase_against_the_curve() -> None:
    network = Curve("net", (1.0, 2.0), (12.0, 25.0))
    found = worth(
        network, Curve("ista", PHASES, (10.0, 20.0, 30.0, 40.0), classical=True), "higher"
    )
    assert (found.iterations, found.factor) == (pytest.approx(3.0), pytest.approx(1.5))


def test_worth_beyond_the_curve_says_how_far_it_was_run() -> None:
    found = worth(
        Curve("net", (1.0,), (50.0,)), Curve("ista", PHASES, (1.0, 2.0, 3.0, 4.0)), "higher"
    )
    assert found.words() == "more than 8"


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_curve_that_gets_there_at_its_last_point_gives_that_point(better: Any) -> None:
    """Reached is reached, not passed; where a curve is flat up to it, too."""
    sign = 1 if better == "higher" else -1
    rising = [sign * value for value in (10.0, 20.0, 30.0, 40.0)]
    assert crossing(PHASES, rising, sign * 40.0, better) == 8.0
    assert crossing(PHASES, rising, sign * 40.1, better) is None
    assert crossing(PHASES, rising, sign * 20.0, better) == 2.0
    assert crossing(PHASES, rising, sign * 10.0, better) == 1.0
