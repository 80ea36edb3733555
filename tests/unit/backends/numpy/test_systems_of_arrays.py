"""Systems of the reference, asked directly: matrices, maps made of others, what is singular or too large."""

import warnings
from typing import Any

import numpy as np
import pytest

from unroll_dsl.backends.numpy import maps, systems
from unroll_dsl.backends.numpy.maps import AdjointOf, MapValue, Multiple, Product, Sum, as_map, made
from unroll_dsl.backends.numpy.systems import Systems, least_squares, look
from unroll_dsl.diagnostics.raised import UnrollError

RNG = np.random.default_rng(0)


def complex_normal(*shape: int) -> Any:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, B, C = complex_normal(5, 5), complex_normal(5, 5), complex_normal(5, 5)
rhs = complex_normal(5)
EYE = np.eye(5)

# a map made of others, and its matrix
MADE: dict[str, tuple[MapValue, Any]] = {
    "sum": (made(Sum(as_map(A), as_map(B), 1)), A + B),
    "difference": (made(Sum(as_map(A), as_map(B), -1)), A - B),
    "product": (made(Product(as_map(A), as_map(B))), A @ B),
    "multiple": (made(Multiple(np.asarray(2 - 1j), as_map(A))), (2 - 1j) * A),
    "adjoint": (made(AdjointOf(as_map(A))), A.conj().T),
    "adjoint of a sum": (
        made(AdjointOf(made(Sum(as_map(A), made(Multiple(np.asarray(1j), as_map(B))), -1)))),
        (A - 1j * B).conj().T,
    ),
    "adjoint of a product": (
        made(AdjointOf(made(Product(as_map(A), as_map(B))))),
        (A @ B).conj().T,
    ),
    "twice": (
        made(Sum(made(Product(as_map(A), as_map(B))), made(Product(as_map(A), as_map(C))), 1)),
        A @ B + A @ C,
    ),
    "shifted": (made(Sum(as_map(A), maps.identity(), 1)), A + EYE),
}


@pytest.mark.parametrize("name", MADE)
def test_maps_made_of_others(name: str) -> None:
    map_, matrix = MADE[name]
    np.testing.assert_allclose(map_.forward(rhs), matrix @ rhs)
    np.testing.assert_allclose(map_.adjoint(rhs), matrix.conj().T @ rhs)
    found = Systems().solve(map_, rhs, None)
    np.testing.assert_allclose(found.x, np.linalg.solve(matrix, rhs), rtol=1e-9)
    assert found.condition == pytest.approx(np.linalg.cond(matrix, 1))


def test_a_part_that_occurs_twice_is_applied_once() -> None:
    calls: list[str] = []
    part = MapValue(
        lambda x: calls.append("forward") or A @ x,  # type: ignore[func-returns-value]
        lambda y: calls.append("adjoint") or A.conj().T @ y,  # type: ignore[func-returns-value]
    )
    twice = made(Sum(part, part, 1))
    four = made(Sum(twice, twice, 1))
    np.testing.assert_allclose(four.forward(rhs), 4 * A @ rhs)
    np.testing.assert_allclose(four.adjoint(rhs), 4 * A.conj().T @ rhs)
    assert calls == ["forward", "adjoint"]
    four.forward(rhs)
    assert calls == ["forward", "adjoint", "forward"]  # nothing is kept between applications


def test_bound_matrices_act_on_flattened_arrays() -> None:
    matrix = complex_normal(4, 6)
    map_ = maps.bound(matrix, (2, 3), (4, 1))
    x, y = complex_normal(2, 3), complex_normal(4, 1)
    np.testing.assert_allclose(map_.forward(x), (matrix @ x.ravel()).reshape(4, 1))
    np.testing.assert_allclose(map_.adjoint(y), (matrix.conj().T @ y.ravel()).reshape(2, 3))


def test_diagonals_conjugate_in_their_adjoint() -> None:
    d = complex_normal(5)
    map_ = maps.diagonal(d, lambda values, x: values)
    np.testing.assert_allclose(map_.forward(rhs), d * rhs)
    np.testing.assert_allclose(map_.adjoint(rhs), d.conj() * rhs)


def test_matrices_are_solved_with_one_or_several_right_hand_sides() -> None:
    right = complex_normal(5, 3)
    found = Systems().solve(A, right, None)
    np.testing.assert_allclose(found.x, np.linalg.solve(A, right))
    assert found.condition == pytest.approx(np.linalg.cond(A, 1))


def test_real_maps_have_real_solutions() -> None:
    real = made(Sum(as_map(A.real), as_map(B.real), 1))
    assert Systems().solve(real, rhs.real, None).x.dtype == np.float64
    assert Systems().solve(real, rhs, None).x.dtype == np.complex128


def test_the_same_map_on_other_shapes_is_another_matrix() -> None:
    solver = Systems()
    double = made(Multiple(np.asarray(2.0), maps.identity()))
    for shape in ((2, 3), (6,), (3, 2)):
        array = RNG.standard_normal(shape)
        np.testing.assert_allclose(solver.solve(double, array, None).x, array / 2)


def test_another_map_is_another_matrix_in_one_call_and_after() -> None:
    solver = Systems()
    scale = [2.0]
    moving = MapValue(lambda x: scale[0] * x, lambda y: scale[0] * y)
    other = MapValue(lambda x: 8 * x, lambda y: 8 * y)
    assert solver.solve(moving, np.ones(3), None).x[0] == 0.5
    assert solver.solve(other, np.ones(3), None).x[0] == 0.125
    scale[0] = 4.0
    solver.begin()
    assert solver.solve(moving, np.ones(3), None).x[0] == 0.25


def test_matrices_are_forgotten_where_they_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "_KEPT", 30)
    solver = Systems()
    for factor in (2.0, 3.0, 2.0):
        scaled = MapValue(lambda x, f=factor: f * x, lambda y, f=factor: f * y)  # type: ignore[misc]
        solver.begin()
        np.testing.assert_allclose(solver.solve(scaled, np.ones(5), None).x, 1 / factor)
        assert sum(m.entries.size for m in solver._known.values()) <= 30


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 1.0, 1e-17])], ids=str
)
def test_what_is_singular_is_refused(matrix: Any) -> None:
    for system in (matrix, as_map(matrix)):
        with pytest.raises(UnrollError) as caught:
            Systems().solve(system, np.ones(3), None)
        assert caught.value.diagnostics[0].code == "U0518"
    Systems().solve(np.diag([1.0, 1.0, 1e-15]), np.ones(3), None)


EPS = float(np.finfo(np.float64).eps)
SINGULAR = np.diag([1.0, 0.0])
# what generated code looks at, and whether it is refused
LOOKS: list[tuple[str, tuple[Any, ...], bool]] = [
    ("regular_matrix", (SINGULAR,), True),
    ("regular_factor", (SINGULAR,), True),
    ("regular_matrix", (np.eye(2),), False),
    ("regular", (np.array([1.0, 2 * EPS]),), False),
    ("regular", (np.array([-1.0, EPS / 2]),), True),
    ("regular", (np.array([1.0, 0.0]),), True),
    ("regular", (np.array([1j, -1.0]),), False),
    ("regular_eigenvalues", (np.array([1.0, 2 * EPS]),), True),
    ("regular_eigenvalues", (np.array([1.0, 5 * EPS]),), False),
    ("regular_shift", (0.0, 1.0), True),
    ("regular_shift", (EPS / 2, 1.0), True),
    ("regular_shift", (0.1, 1.0), False),
    ("regular_sum", (1.0, -1.0, 5.0), True),
    ("regular_sum", (1.0, -0.9, 5.0), False),
    ("regular_shift", (0.0, np.inf), False),
    ("another", (SINGULAR,), False),
]


@pytest.mark.parametrize(("name", "arguments", "refused"), LOOKS, ids=str)
def test_what_generated_code_looks_at(name: str, arguments: tuple[Any, ...], refused: bool) -> None:
    if not refused:
        look(name, arguments, None)
        return
    with pytest.raises(UnrollError) as caught:
        look(name, arguments, None)
    assert caught.value.diagnostics[0].code == "U0518"


@pytest.mark.parametrize("is_complex", [False, True])
def test_least_squares_solves_to_rounding(is_complex: bool) -> None:
    matrix = A if is_complex else A.real
    b = rhs if is_complex else rhs.real
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = least_squares(as_map(matrix), b)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, b), rtol=1e-9)
    assert np.iscomplexobj(found) == is_complex


def test_least_squares_ends_in_as_many_steps_as_there_are_unknowns() -> None:
    """Conjugate gradients are exact after n steps, but for rounding: an orthogonal matrix takes one."""
    orthogonal, _ = np.linalg.qr(RNG.standard_normal((6, 6)))
    applied = [0]

    def forward(x: Any) -> Any:
        applied[0] += 1
        return orthogonal @ x

    found = least_squares(MapValue(forward, lambda y: orthogonal.T @ y), np.arange(6.0))
    np.testing.assert_allclose(found, orthogonal.T @ np.arange(6.0), atol=1e-14)
    assert applied[0] <= 2


def test_zero_is_the_solution_for_zero() -> None:
    assert not least_squares(as_map(A), np.zeros(5)).any()
