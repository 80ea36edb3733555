"""What stands exactly at a limit: numbers that are exact in binary, or limits that are made so."""

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from tests.unit.verify.test_judging import against, reached, searched
from unroll_dsl.verify import agreement, optimality, settling
from unroll_dsl.verify.cases import sizes
from unroll_dsl.verify.derived import applied_maps
from unroll_dsl.verify.instance import drawn_constants
from unroll_dsl.verify.optimality import TOLERANCE
from unroll_dsl.verify.rates import Least, Proof, rate_row
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.searching import WALL, Searched, search
from unroll_dsl.verify.settling import End, _end

P, F, U = Verdict.PASSED, Verdict.FAILED, Verdict.UNDECIDED


# ---- above the least value ----------------------------------------------------------------------


def verdict(above: float, **more: Any) -> Verdict:
    found = against(above, **more)
    assert found is not None
    return found.verdict


def test_what_is_allowed_is_allowed_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimality, "_NEAR", 0.25)
    assert verdict(0.5, tolerance=0.5) is U and verdict(0.5, tolerance=0.4375) is F
    assert verdict(0.25, tolerance=0.5) is P and verdict(0.3125, tolerance=0.5) is U
    assert verdict(0.125, tolerance=0.5, gap=0.125) is P
    assert verdict(0.5, tolerance=0.25, gap=0.25) is U
    monkeypatch.setattr(optimality, "_FAR", 0.5)
    assert verdict(0.5, tolerance=np.inf, rises=True) is U
    assert verdict(0.5625, tolerance=np.inf, rises=True) is F


def test_searches_at_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert searched(monkeypatch, reached(TOLERANCE)).verdict is P
    assert searched(monkeypatch, reached(0.0, 1e-6)).verdict is P
    assert searched(monkeypatch, reached(0.0, 4e-6), tolerance=4e-6).verdict is P


@pytest.mark.parametrize(("height", "inside"), [(WALL, False), (WALL / 2, True)])
def test_a_wall_is_none_of_the_values(height: float, inside: bool) -> None:
    from tests.unit.verify.test_judging import judge, place

    made = judge(lambda p: np.full(len(p), height))
    found = made.decide(place((1.0, 1.0)))
    assert (found.words.startswith("it violates a constraint")) is not inside
    assert (made.least(place((1.0, 1.0))) is None) is True


def test_a_fall_of_the_tolerance_is_none() -> None:
    """|x| falls by 2 from 2, which is allowed: the search goes on and comes to 0."""
    made = Searched(lambda p: np.abs(p).sum(1), np.sign)
    found = search(made, np.array([2.0]), 0, 2.0)
    assert found.fall == 2.0 and found.reached == pytest.approx(-2.0)
    assert search(made, np.array([2.0]), 0, 1.5).reached == 0.0


# ---- ends of runs -------------------------------------------------------------------------------


def walk(before: float, after: float, count: int = 300) -> Any:
    """To and fro by so much in the phases before half-way and after."""
    steps = np.where(np.arange(count - 1) < count // 2, before, after)
    return (8 + np.concatenate([[0], np.cumsum(steps * (-1.0) ** np.arange(count - 1))]))[
        :, None, None
    ]


@pytest.mark.parametrize(
    ("after", "end"), [(0.5, End.MOVES), (0.5625, End.WANDERS), (0.4375, End.MOVES)]
)
def test_a_run_that_moves_on_moves_no_less(
    monkeypatch: pytest.MonkeyPatch, after: float, end: End
) -> None:
    monkeypatch.setattr(settling, "_LESSER", 0.5)
    assert _end(walk(1.0, after))[0] is end


@pytest.mark.parametrize(
    ("last", "most", "end"),
    [
        (1000.0, 1.0, End.MOVES),
        (1000.0625, 1.0, End.DIVERGES),
        (1800.0, 2000.0, End.MOVES),
        (1801.0, 2000.0, End.DIVERGES),
    ],
)
def test_out_of_bounds_is_beyond_them(last: float, most: float, end: End) -> None:
    path = np.ones((300, 1, 1))
    path[200], path[-1] = most, last
    assert _end(path)[0] is end


def test_a_run_at_rest_moves_by_the_limit_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    path = np.ones((300, 1, 1))
    path[-2] = 1.5
    for limit, end in ((0.5, End.RESTS), (0.4375, End.MOVES)):
        monkeypatch.setattr(settling, "_RESTS", limit)
        assert (_end(path)[0] is End.RESTS) is (end is End.RESTS)


def test_what_counts_as_early_is_a_thirtieth_and_three_phases_at_least() -> None:
    for count, early in ((300, 10), (60, 3), (90, 3), (120, 4)):
        for place, end in ((early - 1, End.MOVES), (early, End.DIVERGES)):
            path = np.ones((count, 1, 1))
            path[place], path[-1] = 10.0, 5000.0
            assert (_end(path)[0] is End.DIVERGES) is (end is End.DIVERGES), (count, place)


# ---- what is drawn ------------------------------------------------------------------------------


def drawn(default: str) -> list[float]:
    text = f"algorithm p\ndims n\ninput y : vector[n]\nfixed c : scalar = {default}\noutput c * y\n"
    graph = unroll_dsl.loads(text).graph
    found = [drawn_constants(graph, seed) for seed in range(40)]
    return [float(values["c"]) for values in found if "c" in values]


@pytest.mark.parametrize(
    ("default", "least", "most"),
    [
        ("1", 0.4, 2.5),
        ("0.05", 0.02, 0.125),  # times what is drawn
        ("0.04", 0.04, 0.25),  # about a tenth
        ("1e-4", 0.04, 0.25),
        ("-1", -2.5, -0.4),
        ("1.5", 0.6, 3.75),
    ],
)
def test_defaults_at_the_limits_of_what_is_drawn(default: str, least: float, most: float) -> None:
    found = drawn(default)
    assert len(found) == 40 and least <= min(found) and max(found) <= most
    assert min(found) < least + 0.3 * (most - least) < max(found)


@pytest.mark.parametrize("default", ["0.99e-4", "-0.5e-4", "2", "100"])
def test_defaults_that_stay(default: str) -> None:
    assert drawn(default) == []


def test_sizes_of_five_names_are_not_searched() -> None:
    text = "algorithm p\ndims {}\ninput y : vector[a]\nfixed A : matrix[a, b]\noutput A[1, 1] * y\n"
    four = sizes(unroll_dsl.loads(text.format("a, b, c, d")).graph, 1.5, {})
    assert (four["a"], four["b"]) in {(9, 6), (6, 4), (3, 2)} and len(set(four.values())) == 4
    five = sizes(unroll_dsl.loads(text.format("a, b, c, d, e")).graph, 1.5, {})
    assert five == {"a": 4, "b": 5, "c": 3, "d": 6}


def test_maps_that_are_learnt_are_looked_at() -> None:
    text = (
        "algorithm p\ndims n\ninput y : vector[n]\nlearnable W : matrix[n, n] = I\n"
        "learnable V : matrix[n, n] per phase = I\nstate x : vector[n] = 0\nphase (2):\n"
        "    x <- W @ x + V @ y + (x[1] * W) @ y\noutput x\n"
    )
    names = [m.name for m in applied_maps(unroll_dsl.loads(text).graph)]
    assert "W" in names and "V" not in names and not any("x[1]" in name for name in names)


# ---- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "verdict"), [(1.0, P), (1.5, F)])
def test_the_whole_of_a_bound_may_be_taken(gap: float, verdict: Verdict) -> None:
    phases = np.arange(1, 21)
    values = np.where(phases == 8, gap + 1e-12, 0.0)
    found = rate_row(
        "g", phases, values, Least(0.0, 0.0, 1.0, 1.0), Proof(np.ones(20), "r", "f", 8)
    )
    assert found is not None and found[0].verdict is verdict


def test_roundings_of_two_seeds_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[tuple[float, int]] = []

    def of(
        cls: Any, spec: Any, instance: Any, phases: int, roundoff: float = 0.0, seed: int = 0
    ) -> Any:
        seeds.append((roundoff, seed))
        return seed

    monkeypatch.setattr(agreement.ReferenceRun, "of", classmethod(of))
    monkeypatch.setattr(agreement, "_changed", lambda exact, other: [1e-9, 3e-9][other])
    monkeypatch.setattr(agreement, "_iterates", lambda graph: False)
    import torch

    exact = agreement.ReferenceRun([], (), None, 1.0)
    spec: Any = type("S", (), {"graph": None})
    assert agreement._allowed(spec, None, 3, exact, torch.float32) == pytest.approx(  # type: ignore[arg-type]
        max(20 * 3e-9, 2.0**-23)
    )
    assert seeds == [(2.0**-24, 0), (2.0**-24, 1)]
