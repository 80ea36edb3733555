"""Where phases come to rest: at the solution of an affine map, of real and complex states together."""

import warnings
from typing import Any

import numpy as np
import pytest

from unroll_dsl.backends.numpy.resting import _joined, _moves_by, _parted, come_to_rest
from unroll_dsl.backends.resting import DEPTH, Rest

RNG = np.random.default_rng(0)


def contraction(size: int, norm: float) -> Any:
    matrix = RNG.standard_normal((size, size))
    return norm * matrix / np.linalg.norm(matrix, 2)


class Affine:
    """The phase z <- M z + b of one state, counted."""

    def __init__(self, matrix: Any, b: Any) -> None:
        self.matrix, self.b, self.count = matrix, b, 0

    def __call__(self, states: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        return {"z": self.matrix @ states["z"] + self.b}

    def rest(self, rest: Rest) -> Any:
        return come_to_rest(self, {"z": np.zeros_like(self.b)}, rest)["z"]

    @property
    def point(self) -> Any:
        return np.linalg.solve(np.eye(len(self.b)) - self.matrix, self.b)


@pytest.mark.parametrize("norm", [0.1, 0.9, 0.999])
def test_an_affine_phase_rests_at_its_fixed_point(norm: float) -> None:
    phase = Affine(contraction(6, norm), RNG.standard_normal(6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = phase.rest(Rest(1e-12, 1000))
    np.testing.assert_allclose(found, phase.point, rtol=1e-9)


def test_acceleration_is_exact_in_as_many_phases_as_there_are_unknowns() -> None:
    """Of five unknowns, fewer than what is looked back: the plain iteration would take thousands."""
    phase = Affine(0.9999 * np.linalg.qr(RNG.standard_normal((5, 5)))[0], RNG.standard_normal(5))
    assert len(phase.b) < DEPTH
    found = phase.rest(Rest(1e-9, 1000))
    np.testing.assert_allclose(found, phase.point, rtol=1e-6)
    assert phase.count <= 20


def test_what_goes_away_from_its_fixed_point_by_itself_is_found_all_the_same() -> None:
    phase = Affine(np.diag([-3.0, 0.5]), np.array([4.0, 1.0]))
    np.testing.assert_allclose(phase.rest(Rest(1e-10, 100)), [1.0, 2.0], rtol=1e-8)


def test_complex_and_real_states_rest_together() -> None:
    """x = i z / 2 + 1 and z = re(x) / 2 + 1: 0 is no fixed point, and neither state alone has one."""

    def phase(states: dict[str, Any]) -> dict[str, Any]:
        x, z = states["x"], states["z"]
        return {"x": 0.5j * z + 1 + x / 4, "z": x.real / 2 + 1}

    start = {"x": np.zeros((2, 1), complex), "z": np.zeros((2, 1))}
    found = come_to_rest(phase, start, Rest(1e-12, 200))
    again = phase(found)
    assert found["x"].dtype == np.complex128 and found["x"].shape == (2, 1)
    for name in ("x", "z"):
        np.testing.assert_allclose(again[name], found[name], rtol=1e-9)
    np.testing.assert_allclose(found["x"].real, 4 / 3)


def test_phases_that_run_out_are_told() -> None:
    phase = Affine(np.diag([0.5]), np.array([1.0]))
    with pytest.warns(
        RuntimeWarning, match=r"did not come to rest in 1 phases: .* by 1\.0e\+00 of"
    ):
        phase.rest(Rest(1e-6, 1))
    assert phase.count == 2  # the phase that is allowed, and the one that is given


def test_what_is_no_number_is_told_at_once() -> None:
    count = [0]

    def phase(states: dict[str, Any]) -> dict[str, Any]:
        count[0] += 1
        return {"z": states["z"] + (np.nan if count[0] > 2 else 1.0)}

    with pytest.warns(RuntimeWarning, match="did not come to rest"), np.errstate(all="ignore"):
        come_to_rest(phase, {"z": np.zeros(2)}, Rest(1e-6, 50))
    assert count[0] <= 6


def test_a_phase_that_leaves_states_as_they_are_takes_no_more() -> None:
    phase = Affine(np.eye(3), np.zeros(3))
    assert not phase.rest(Rest(1e-6, 100)).any() and phase.count == 2


def test_states_are_one_vector_and_states_again() -> None:
    states = {"a": np.array([[1.0, 2.0]]), "b": np.array([3 + 4j]), "c": np.asarray(5.0)}
    joined = _joined(states)
    np.testing.assert_array_equal(joined, [1, 2, 3, 4, 5])
    again = _parted(2 * joined, states)
    for name, value in states.items():
        np.testing.assert_array_equal(again[name], 2 * value)
        assert again[name].shape == value.shape


def test_moves_are_told_by_the_state_that_moves_most_of_its_size() -> None:
    like = {"a": np.zeros(2), "b": np.zeros(1)}
    image = np.array([3.0, 4.0, 100.0])
    assert _moves_by(np.array([0.5, 0.0, 1.0]), image, image, like) == pytest.approx(0.1)
    assert _moves_by(np.array([0.0, 0.0, 50.0]), image, image, like) == pytest.approx(0.5)
    assert np.isnan(_moves_by(np.array([np.nan, 0.0, 0.0]), image, image, like))
    fallen = np.array([0.0, 0.0, 1.0])  # to 0, from 5: what is left of it is rounding
    left = _moves_by(np.array([1e-17, 0.0, 0.0]), fallen, image, like)
    assert left == pytest.approx(1e-17 / (5 * np.finfo(float).eps))


@pytest.mark.parametrize("winds", [False, True])
def test_no_more_phases_are_run_than_are_allowed(winds: bool) -> None:
    """Of maps without a fixed point: one that goes on by 1, and one that winds, whose looks ahead are given up."""
    count = [0]

    def phase(states: dict[str, Any]) -> dict[str, Any]:
        count[0] += 1
        z = states["z"]
        return {"z": z + (2 + np.sin(5 * z) if winds else np.array([1.0, 0.0]))}

    with pytest.warns(RuntimeWarning, match="did not come to rest in 20 phases"):
        come_to_rest(phase, {"z": np.array([0.3, 0.4])}, Rest(1e-9, 20))
    assert count[0] in (
        21,
        22,
    )  # one more where the last look ahead is given up, and the one that is given
