"""Instances are of the declared types, within their bounds, and unlike what they stand in for."""

import math

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.ir.graph import Graph
from unroll_dsl.verify.cases import _RATIOS, sizes
from unroll_dsl.verify.instance import _between, _conditioned, draw, drawn_constants, granularity

BODY = "state x : vector[n] = 0\nphase (2):\n    x <- x + A' @ (y - A @ x)\noutput x\n"
HEAD = "algorithm p\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"


def graph(constants: str = "", body: str = BODY) -> Graph:
    return unroll_dsl.loads(HEAD + constants + "\n" + body).graph


@pytest.mark.parametrize(
    ("declared", "least", "most"),
    [
        ("scalar = 1", 0.4, 2.5),
        ("scalar = -0.5", -1.25, -0.2),
        ("scalar > 0 = 0.3", 0.12, 0.75),
        ("scalar >= 0 = 0", 0.04, 0.25),
        ("scalar in [0, 1] = 0.8", 0.2, 0.9 + 0.1),
        ("scalar in [0, 1] = 0", 0.25, 0.5),
        ("scalar in [0, 1] = 1", 0.5, 0.75),
        ("scalar in [-3, 0] = -1", -2.0, -0.5),
        ("scalar < 1.3 = 1", 0.4, 1.3),
        ("scalar > 0.9 = 1", 0.9, 2.5),
    ],
)
def test_constants_are_drawn_near_their_defaults(declared: str, least: float, most: float) -> None:
    made = graph(f"fixed c : {declared}")
    default = float(declared.rpartition("=")[2])
    found = [float(drawn_constants(made, seed)["c"]) for seed in range(30)]
    assert all(least <= value <= most for value in found)
    assert all(abs(value - default) >= 0.04 * max(abs(default), 1) for value in found)
    assert len(set(found)) > 20


@pytest.mark.parametrize(
    ("bounds", "least", "most"),
    [("in [-1, 1]", -1, 1), (">= -0.5", -0.5, math.inf), ("< -2", -math.inf, -2)],
)
def test_bounds_below_0_are_bounds(bounds: str, least: float, most: float) -> None:
    made = graph(f"fixed c : vector[n] {bounds}")
    found = np.concatenate([draw(made, seed=seed).bind["c"] for seed in range(20)])
    assert (found >= least).all() and (found <= most).all() and np.ptp(found) > 0.5


def test_constants_that_count_or_guard_stay() -> None:
    made = graph(
        "fixed a : scalar = 3\nfixed b : scalar = 1e-8\nfixed c : scalar = 2.5\nfixed d : vector[n] = 1\n"
        "fixed e : scalar = 2 * 3"
    )
    assert set(drawn_constants(made, 0)) == {"c"}


def test_only_what_has_no_value_is_drawn_unless_constants_are_asked_for() -> None:
    made = graph("fixed c : scalar = 1\nfixed t : vector[n] = 1")
    assert set(draw(made).bind) == {"A"}
    assert set(draw(made, constants=True).bind) == {"A", "c"}


def test_singular_values_are_spread_from_half_of_the_norm_to_the_norm() -> None:
    rng = np.random.default_rng(0)
    found = np.linalg.svd(_conditioned(rng.standard_normal((4, 7)), 3.0), compute_uv=False)
    assert found[[0, -1]] == pytest.approx([3.0, 1.5])
    given = np.diag([8.0, 5.0, 2.0])
    assert np.linalg.svd(_conditioned(given, 2.0))[1] == pytest.approx([2.0, 1.5, 1.0])
    assert np.linalg.svd(_conditioned(2 * np.eye(3), 1.7))[1] == pytest.approx([1.7] * 3)
    mask = (rng.random((4, 4)) < 0.5).astype(float)
    assert _conditioned(mask, 3.0) is mask


def test_norms_are_those_of_matrices_without_bounds() -> None:
    made = graph("fixed c : scalar = 1\nfixed M : matrix[m, n] >= 0\nfixed v : vector[n]")
    found = draw(made, norm=3.0).bind
    assert set(found) == {"A", "M", "v"}
    assert np.linalg.norm(found["A"], 2) == pytest.approx(3.0)
    assert (found["M"] >= 0.1).all()
    assert np.array_equal(found["v"], draw(made).bind["v"])


@pytest.mark.parametrize("size", [0.0, 0.1, 1.0, 100.0])
def test_values_lie_within_their_bounds_and_not_at_them(size: float) -> None:
    values = np.array([-size, size])
    both = _between(values, -2.0, 6.0)
    assert (both >= 0).all() and (both < 4).all()
    assert both == pytest.approx(-2 + 8 * (0.25 + 0.5 * size / (1 + size)))
    assert _between(values, 3.0, None).tolist() == [3.1 + size] * 2
    assert _between(values, None, 3.0) == pytest.approx([2.9 - size] * 2)
    assert _between(values, None, None) is values


def test_images_have_the_sizes_that_subsampling_and_wavelets_divide() -> None:
    head = "algorithm p\ndims h, w\ninput y : image[1, h, w]\noutput "
    for map_, step in [("subsample(3)", 3), ("wavelet(levels=2)", 4), ("grad", 1)]:
        try:
            made = unroll_dsl.loads(f"{head}{map_} @ y\n").graph
        except unroll_dsl.UnrollError:
            continue
        assert granularity(made) == step, map_


@pytest.mark.parametrize(("ratio", "wide"), [(_RATIOS[0], True), (_RATIOS[1], False)])
def test_matrices_of_long_runs_are_wide_then_tall(ratio: float, wide: bool) -> None:
    found = sizes(graph(), ratio, {})
    assert (found["m"] < found["n"]) is wide
    assert math.log(found["m"] / found["n"]) == pytest.approx(math.log(ratio), abs=0.06)
    given = sizes(graph(), ratio, {"n": 6})
    assert given == {"m": 4 if wide else 9}


def test_images_of_long_runs_are_small() -> None:
    made = unroll_dsl.loads("algorithm p\ndims h, w\ninput y : image[1, h, w]\noutput grad @ y\n")
    assert sizes(made.graph, 1.5, {}) == {"h": 4, "w": 5}
