"""The NumPy interpreter against iterations that are written out here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.backends.binding import bind
from unroll_dsl.backends.numpy import Reference
from unroll_dsl.diagnostics import UnrollError

Numbers = np.ndarray[Any, Any]
M, N = 4, 6


def reference(text: str, phases: int = 3, **given: Any) -> Reference:
    """The program of that text; sizes follow from the values as in `Spec.reference`."""
    graph = unroll_dsl.loads("algorithm program\n" + text).graph
    constants, parameters = given.get("constants", {}), given.get("parameters", {})
    sizes = bind(graph, phases, constants, parameters, given.get("sizes", {})).sizes
    return Reference(graph, phases, constants, parameters, sizes, given.get("seed", 0))


def soft(v: Numbers, t: Any) -> Numbers:
    return np.sign(v) * np.maximum(np.abs(v) - t, 0)


@pytest.fixture
def A() -> Numbers:
    return np.random.default_rng(0).normal(size=(M, N))


@pytest.fixture
def y() -> Numbers:
    return np.random.default_rng(1).normal(size=(2, M))


ISTA = """\
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed lambda : scalar > 0 = 0.1
let L = norm(A)^2
minimize over x : vector[n]:
    1/2 * sumsq(A @ x - y) + lambda * norm1(x)
state x : vector[n] = 0
phase (3):
    x <- soft(x - A' @ (A @ x - y) / L, lambda / L)
output x
"""


def test_ista(A: Numbers, y: Numbers) -> None:
    run = reference(ISTA, constants={"A": A, "lambda": 0.2})
    L = np.linalg.norm(A, 2) ** 2
    x = np.zeros((2, N))
    states = run.trajectory(y)
    for k in range(3):
        x = soft(x - (x @ A.T - y) @ A / L, 0.2 / L)
        np.testing.assert_allclose(states[k]["x"], x, atol=1e-14)
    assert len(states) == 3
    np.testing.assert_allclose(run(y), x, atol=1e-14)
    assert run(y).dtype == np.float64


def test_fista_reads_the_values_that_the_phase_began_with(A: Numbers, y: Numbers) -> None:
    text = ISTA.replace(
        "state x : vector[n] = 0", "state x, v : vector[n] = 0\nstate t : scalar = 1"
    )
    text = text.replace("(A @ x - y) / L, ", "(A @ v - y) / L, ").replace("soft(x - ", "soft(v - ")
    text = text.replace(
        "output",
        "    t <- (1 + sqrt(1 + 4 * t^2)) / 2\n"
        "    v <- x + (prev(t) - 1) / t * (x - prev(x))\noutput",
    )
    states = reference(text, phases=4, constants={"A": A}).trajectory(y[0])
    L = np.linalg.norm(A, 2) ** 2
    x = v = np.zeros(N)
    t = 1.0
    for state in states:
        before, t_before = x, t
        x = soft(v - A.T @ (A @ v - y[0]) / L, 0.1 / L)
        t = (1 + np.sqrt(1 + 4 * t**2)) / 2
        v = x + (t_before - 1) / t * (x - before)
        np.testing.assert_allclose(state["x"], x, atol=1e-14)
        np.testing.assert_allclose(state["v"], v, atol=1e-14)
        assert state["t"] == pytest.approx(t, abs=1e-14)


def test_updates_see_the_updates_above_them() -> None:
    text = """\
input y : scalar
state a, b : scalar = 1
phase (2):
    a <- a + y
    b <- b * a
output b
"""
    run = reference(text, phases=2)
    assert run(2.0) == 3 * 5  # a is 3, then 5
    assert [float(state["a"]) for state in run.trajectory(2.0)] == [3, 5]


SCHEDULE = """\
dims n
input y : vector[n]
fixed c : scalar = 0.5
learnable s : scalar > 0 per phase = c / k
learnable w : vector[n] = 2 * c
let r = s + k
state x : vector[n] = 0
phase (3):
    x <- x + r * w * y
output x
"""


def test_values_per_phase_and_the_phase_number(y: Numbers) -> None:
    run = reference(SCHEDULE, phases=3, sizes={"n": M})
    np.testing.assert_allclose(run.parameter("s"), [0.5, 0.25, 0.5 / 3])
    np.testing.assert_allclose(run.values()["w"], np.ones(M))
    factor = sum(0.5 / k + k for k in (1, 2, 3))
    np.testing.assert_allclose(run(y), factor * y)


def test_given_values_replace_classical_ones(y: Numbers) -> None:
    given = {"s": np.array([1.0, 2.0, 3.0]), "w": np.arange(1.0, M + 1)}
    run = reference(SCHEDULE, phases=3, parameters=given, sizes={"n": M})
    np.testing.assert_allclose(run(y), (1 + 2 + 3 + 1 + 2 + 3) * given["w"] * y)


@pytest.mark.parametrize("name", ["s", "w"])
def test_any_of_the_learnables_may_be_given_alone(name: str) -> None:
    value = {"s": np.array([1.0, 2.0, 3.0]), "w": np.arange(1.0, M + 1)}[name]
    spec = unroll_dsl.loads("algorithm program\n" + SCHEDULE)
    run = spec.reference(3, init={name: value}, dims={"n": M})
    classical = {"s": np.array([1.0, 1 / 2, 1 / 3]) / 2, "w": np.ones(M)}
    expected = {**classical, name: value}
    for each, array in run.values().items():
        np.testing.assert_allclose(array, expected[each])


def test_a_classical_value_may_read_a_learnable_and_then_reads_its_classical_value() -> None:
    text = """\
input y : scalar
learnable a : scalar per phase = k
learnable b : scalar per phase = 10 * a
state x : scalar = 0
phase (3):
    x <- x + b * y
output x
"""
    run = reference(text, phases=3)
    np.testing.assert_allclose(run.parameter("b"), [10, 20, 30])


def test_sizes_that_only_inputs_tell_may_differ_from_call_to_call(y: Numbers) -> None:
    run = reference(SCHEDULE, phases=3)
    for length in (2, 4, 3):
        assert run(y[:, :length]).shape == (2, length)


def test_batch_axes_are_those_beyond_the_rank(A: Numbers, y: Numbers) -> None:
    run = reference(ISTA, constants={"A": A})
    one = run(y[1])
    assert one.shape == (N,)
    np.testing.assert_array_equal(run(y)[1], one)
    np.testing.assert_array_equal(run(np.stack([y, y, y]))[2, 1], one)
    assert run(y[:0]).shape == (0, N)


def test_the_objective_is_a_number_for_each_sample(A: Numbers, y: Numbers) -> None:
    run = reference(ISTA, constants={"A": A})
    x = np.random.default_rng(2).normal(size=(2, N))
    expected = 0.5 * np.sum((x @ A.T - y) ** 2, axis=1) + 0.1 * np.abs(x).sum(1)
    np.testing.assert_allclose(run.objective({"x": x}, y), expected)


def test_a_loss_is_averaged_and_reads_the_traces_of_every_phase(y: Numbers) -> None:
    text = """\
dims n
input y : vector[n]
learnable s : scalar per phase = k
state x : vector[n] = 0
phase (2):
    x <- x + s * y
    trace r = x - y
output x
loss (z : vector[n]):
    mean((x - z)^2) + 0.5 * sum over phases sumsq(r)
"""
    z = np.random.default_rng(3).normal(size=y.shape)
    x = 3 * y
    expected = np.mean((x - z) ** 2) + 0.5 * np.mean(np.sum((3 * y - y) ** 2, axis=1))
    assert reference(text, phases=2).loss(y, z) == pytest.approx(expected)


SUMMED = """\
dims n
input y : vector[n]
learnable s : scalar per phase = k
state x : vector[n] = 1
state v : vector[n] = 0
phase (3):
    x <- x + s * y
    v <- v + x
    trace r = x - y
output x, 2 * v
loss (z : vector[n]):
    mean((x - z)^2) + sum over phases k * s * sumsq(r)
"""


def test_a_sum_over_phases_reads_what_each_phase_has(y: Numbers) -> None:
    """Its trace, its number and its value of a learnable per phase, from the first phase on."""
    z = np.random.default_rng(3).normal(size=y.shape)
    weights, steps = np.array([4.0, 5.0, 6.0]), np.cumsum([4.0, 5.0, 6.0])
    run = reference(SUMMED, parameters={"s": weights})
    terms = [
        k * s * np.mean(np.sum((1 + t * y - y) ** 2, axis=1))
        for k, (s, t) in enumerate(zip(weights, steps, strict=True), start=1)
    ]
    expected = np.mean((1 + 15 * y - z) ** 2) + sum(terms)
    assert run.loss(y, z) == pytest.approx(expected)


def test_results_are_trajectory_outputs_and_loss_of_one_run(y: Numbers) -> None:
    z = np.random.default_rng(3).normal(size=y.shape)
    run = reference(SUMMED)
    along, outputs, loss = run.results((y,), (z,))
    apart = run.trajectory(y)
    assert len(along) == len(apart) == 3
    for ours, theirs in zip(along, apart, strict=True):
        for name in ("x", "v"):
            np.testing.assert_array_equal(ours[name], theirs[name])
    for ours, theirs in zip(outputs, run(y), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loss == run.loss(y, z)
    along, outputs, loss = run.results((y,))  # without targets there is no loss
    assert loss is None and len(along) == 3 and len(outputs) == 2


def test_maps_are_applied_through_their_structure(A: Numbers) -> None:
    """(c A diag(w) + B)' and its product with itself, without a matrix of either."""
    text = """\
dims m, n
input y : vector[m]
fixed A, B : matrix[m, n]
fixed w : vector[n]
fixed c : scalar
let T = c * A @ diag(w) + B
output T' @ y, T' @ (T @ (T' @ y))
"""
    rng = np.random.default_rng(4)
    B, w, y = rng.normal(size=(M, N)), rng.normal(size=N), rng.normal(size=M)
    T = 1.5 * A @ np.diag(w) + B
    first, second = reference(text, constants={"A": A, "B": B, "w": w, "c": 1.5})(y)
    np.testing.assert_allclose(first, T.T @ y)
    np.testing.assert_allclose(second, T.T @ T @ T.T @ y)


def test_complex_adjoints_conjugate() -> None:
    text = """\
dims m, n
input y : complex vector[m]
fixed A : complex matrix[m, n]
fixed w : complex vector[m]
output A' @ y, (diag(w) @ A)' @ y, dot(y, y), norm(y), sign(y)
"""
    rng = np.random.default_rng(5)
    A, w, y = (rng.normal(size=s) + 1j * rng.normal(size=s) for s in ((M, N), (M,), (M,)))
    adjoint, composed, inner, length, sign = reference(text, constants={"A": A, "w": w})(y)
    np.testing.assert_allclose(adjoint, A.conj().T @ y)
    np.testing.assert_allclose(composed, (np.diag(w) @ A).conj().T @ y)
    np.testing.assert_allclose([inner, length], [np.vdot(y, y), np.linalg.norm(y)])
    np.testing.assert_allclose(sign * np.abs(y), y)


def test_solve_takes_matrices_maps_and_several_right_hand_sides(A: Numbers) -> None:
    text = """\
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed w : vector[n]
let V = vec(m, n)
output solve(A' @ A + diag(w), A' @ y), solve(A @ A', A), solve(2 * (V' @ V), A)
"""
    w, y = np.full(N, 0.3), np.ones(M)
    x, G, half = reference(text, constants={"A": A, "w": w}, sizes={"m": M, "n": N})(y)
    np.testing.assert_allclose(x, np.linalg.solve(A.T @ A + np.diag(w), A.T @ y))
    np.testing.assert_allclose(G, np.linalg.pinv(A).T, atol=1e-13)
    np.testing.assert_allclose(half, A / 2, atol=1e-14)  # a map of matrices


def test_conditions_are_numbers_outside_of_logic() -> None:
    text = """\
dims n
input y : vector[n]
output (y > 0) + (y > 1), sum(y > 0), mean(y > 0), -(y > 0), where(y > 0 and not (y > 1), y, 0)
"""
    y = np.array([-1.0, 0.5, 2.0])
    both, total, share, negative, chosen = reference(text)(y)
    np.testing.assert_array_equal(both, [0, 1, 2])
    np.testing.assert_array_equal([total, share * 3], [2, 2])
    np.testing.assert_array_equal(negative, [0, -1, -1])
    np.testing.assert_array_equal(chosen, [0, 0.5, 0])


def test_a_function_is_evaluated_at_the_sizes_of_each_call() -> None:
    text = """\
dims m, n
input x : vector[m]
input y : vector[n]
output simplex(x), simplex(y)
"""
    rng = np.random.default_rng(6)
    for found in reference(text)(rng.normal(size=(2, 5)), rng.normal(size=(2, 9))):
        np.testing.assert_allclose(found.sum(1), 1)


RANDOM = """\
dims n
input y : vector[n]
learnable a : vector[n] ~ normal(1, 0.5)
learnable b : matrix[n, n] per phase ~ xavier_uniform
state x : vector[n] = a
phase (2):
    x <- b @ x + y
output x
"""


def test_a_random_start_depends_on_the_seed_alone() -> None:
    first, again, other = (
        reference(RANDOM, phases=2, sizes={"n": 5}, seed=seed) for seed in (3, 3, 4)
    )
    b = first.parameter("b")  # asked for in another order than below
    a = first.parameter("a")
    np.testing.assert_array_equal(again.parameter("a"), a)
    np.testing.assert_array_equal(again.parameter("b"), b)
    assert not np.allclose(other.parameter("a"), a)
    assert not np.allclose(b[0], b[1])


# ---- errors -------------------------------------------------------------------------------------


def codes(caught: pytest.ExceptionInfo[UnrollError]) -> list[str]:
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_inputs_must_be_what_is_declared(A: Numbers, y: Numbers) -> None:
    run = reference(ISTA, constants={"A": A}, sizes={"m": M, "n": N})
    for wrong, code in ((y[0, 0], "U0503"), (y + 1j, "U0504"), (y[:, 1:], "U0508")):
        with pytest.raises(UnrollError) as caught:
            run(wrong)
        assert codes(caught) == [code]
    with pytest.raises(TypeError, match=r"takes \(y\), 2 arrays"):
        run(y, y)


def test_batches_must_agree() -> None:
    run = reference("dims n\ninput a, b : vector[n]\noutput a + b\n")
    with pytest.raises(ValueError, match="batch shapes"):
        run(np.ones((2, 3)), np.ones((4, 3)))


def test_a_value_without_a_classical_one_is_asked_for(y: Numbers) -> None:
    with pytest.raises(UnrollError) as caught:
        reference(ISTA, sizes={"m": M, "n": N})(y)
    assert codes(caught) == ["U0502"]


def test_a_size_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(UnrollError) as caught:
        reference(SCHEDULE).values()
    assert codes(caught) == ["U0507"]


def test_constraints_of_given_and_of_classical_values_are_checked() -> None:
    reference(SCHEDULE, sizes={"n": M}).check_limits()
    bad = reference(SCHEDULE, parameters={"s": np.array([1.0, 0.0, 2.0])}, sizes={"n": M})
    with pytest.raises(UnrollError) as caught:
        bad.check_limits()
    assert codes(caught) == ["U0506"]
    bad.check_limits(only={"w"})
