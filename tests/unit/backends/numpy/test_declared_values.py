"""Values of constants and learnables before any input is known, their bounds, and arrays of a call."""

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.backends.errors import EmptyBounds, NotFinite, OutsideBounds, RealInput, WrongField
from unroll_dsl.backends.numpy import Reference
from unroll_dsl.backends.numpy.random import draw
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.types import Field
from unroll_dsl.types.pieces import CELLS


def reference(text: str, phases: int = 3, seed: int = 0, **given: Any) -> Reference:
    graph = unroll_dsl.loads("algorithm program\n" + text).graph
    constants, parameters = given.get("bind", {}), given.get("init", {})
    return Reference(graph, phases, constants, parameters, given.get("dims", {}), seed)


def problems(run: Reference, only: Any = None) -> list[Any]:
    try:
        run.check_limits(only)
    except UnrollError as error:
        return list(error.diagnostics)
    return []


# ---- learnables of phases ------------------------------------------------------------------------

PHASES = """\
dims n
input y : vector[n]
learnable s : scalar per phase = 10 * k
learnable w : vector[n] = 3
learnable v : vector[n] per phase = k
learnable r : scalar per phase ~ normal(0, 1)
learnable q : scalar per phase ~ normal(0, 1)
state x : vector[n] = 0
phase (3):
    x <- x + s * w + v * y + r * q
output x
"""


def test_a_learnable_has_its_value_of_each_phase() -> None:
    declared = reference(PHASES, dims={"n": 2})._declared
    assert [float(declared.learnable("s", k)) for k in (1, 2, 3)] == [10, 20, 30]
    assert [declared.learnable("v", k).tolist() for k in (1, 3)] == [[1, 1], [3, 3]]
    assert declared.learnable("w", 3).tolist() == [3, 3]


def test_a_value_for_one_phase_is_that_of_all() -> None:
    run = reference(PHASES, init={"v": np.array([1.0, 2.0]), "s": 5.0}, dims={"n": 2})
    np.testing.assert_array_equal(run.parameter("v"), [[1, 2]] * 3)
    np.testing.assert_array_equal(run.parameter("s"), [5, 5, 5])


def test_each_learnable_is_drawn_by_itself() -> None:
    """By the seed and its place among the learnables: r is the fourth, q the fifth."""
    run = reference(PHASES, seed=7, dims={"n": 2})
    spec = {p.name: p for p in run.graph.parameters}
    for place, name in ((3, "r"), (4, "q")):
        rng = np.random.default_rng([7, place])
        drawn = [draw(spec[name].initial, (), Field.REAL, rng) for _ in range(3)]  # type: ignore[arg-type]
        np.testing.assert_array_equal(run.parameter(name), drawn)


def test_values_are_made_anew_where_sizes_change() -> None:
    run = reference(PHASES)
    for n in (2, 5):
        assert run(np.ones(n)).shape == (n,) and run.parameter("w").shape == (n,)


# ---- layers ---------------------------------------------------------------------------------------

LAYER = """\
dims h, w
input y : image[2, h, w]
learnable D : conv[2 -> 3, 3, bias] >> batch_norm >> prelu >> plf{} ~ normal(0, 1)
state x : image[3, h, w] = 0
phase (2):
    x <- D(y)
output x
"""


@pytest.mark.parametrize("count", [(), (2,)], ids=["shared", "per phase"])
def test_tensors_of_a_layer_start_as_those_of_torch(count: tuple[int, ...]) -> None:
    run = reference(LAYER.format(" per phase" if count else ""), 2, seed=5)
    value = run.parameter("D")
    assert {name: tensor.shape for name, tensor in value.items()} == {
        "0.weight": (*count, 3, 2, 3, 3),
        "0.bias": (*count, 3),
        "1.weight": (*count, 3),
        "1.bias": (*count, 3),
        "1.running_mean": (*count, 3),
        "1.running_var": (*count, 3),
        "2.weight": (*count, 3),
        "3.slopes": (*count, 3, CELLS + 2),
        "3.start": (*count, 3),
    }
    for name, number in (("0.bias", 0), ("1.weight", 1), ("1.bias", 0), ("2.weight", 0.25)):
        assert (value[name] == number).all()
    assert (value["1.running_mean"] == 0).all() and (value["1.running_var"] == 1).all()
    left, right = np.split(value["3.slopes"], 2, axis=-1)
    assert not left.any() and (right == 1).all() and not value["3.start"].any()
    rng = np.random.default_rng([5, 0])
    drawn = [rng.standard_normal((3, 2, 3, 3)) for _ in range(2)]
    np.testing.assert_array_equal(value["0.weight"], np.stack(drawn) if count else drawn[0])
    if count:
        assert run._declared.learnable("D", 2)["0.weight"].shape == (3, 2, 3, 3)
        np.testing.assert_array_equal(run._declared.learnable("D", 2)["0.weight"], drawn[1])


def test_tensors_that_are_given_are_those() -> None:
    given = {"D": {"0.bias": np.array([1.0, 2.0, 3.0])}}
    value = reference(LAYER.format(" per phase"), 2, init=given).parameter("D")
    np.testing.assert_array_equal(value["0.bias"], [[1, 2, 3]] * 2)
    assert value["0.weight"].any() and (value["1.weight"] == 1).all()


# ---- bounds --------------------------------------------------------------------------------------

BOUNDS = """\
dims n
input y : vector[n]
fixed a : scalar >= 0 = 1
fixed b : scalar in (0, 2] = 1
fixed L : scalar > 0
learnable u : vector[n] >= b per phase = 1
learnable t : scalar in [0, 1) = 0.5
fixed idle : scalar > 0
state x : vector[n] = 0
phase (3):
    x <- soft(x + t * y / L, u)
output a * x
"""
BOUND = {"L": 1.0, "idle": 1.0}


def of_bounds(**given: Any) -> Reference:
    bind = {**BOUND, **given.pop("bind", {})}
    return reference(BOUNDS, bind=bind, dims={"n": 2}, **given)


def test_values_within_their_bounds_have_no_problem() -> None:
    assert problems(of_bounds()) == []
    assert problems(of_bounds(bind={"a": 0.0, "b": 1.0}, init={"t": 0.0})) == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"bind": {"a": -1e-9}}, [("a", -1e-9)]),
        ({"bind": {"b": 0.0}}, [("b", 0.0)]),
        ({"bind": {"L": 0.0}}, [("L", 0.0)]),
        ({"init": {"t": 1.0}}, [("t", 1.0)]),
        ({"init": {"t": -0.5}}, [("t", -0.5)]),
        ({"init": {"u": np.array([1.0, 0.5])}}, [("u", 0.5)]),
        ({"bind": {"a": -1.0}, "init": {"t": 2.0}}, [("a", -1.0), ("t", 2.0)]),
        ({"bind": {"b": 2.0}}, [("u", 1.0)]),
    ],
    ids=str,
)
def test_values_outside_are_named_with_an_entry(
    given: dict[str, Any], found: list[tuple[str, float]]
) -> None:
    told = problems(of_bounds(**given))
    assert all(isinstance(problem, OutsideBounds) for problem in told)
    assert [(problem.name, problem.found) for problem in told] == found


def test_only_what_is_asked_for_is_looked_at_wherever_it_stands() -> None:
    run = of_bounds(bind={"a": -1.0}, init={"t": 2.0})
    assert [p.name for p in problems(run, {"t"})] == ["t"]
    assert [p.name for p in problems(run, {"a"})] == ["a"]
    assert problems(run, {"b"}) == problems(run, ()) == []


def test_bounds_between_which_there_is_nothing_are_told() -> None:
    text = (
        "input y : scalar\nfixed c : scalar = 1\nlearnable s : scalar in [c, 2] = 1.5\n"
        "learnable t : scalar in (c, 2) = 1.5\noutput s * y + t\n"
    )
    (problem,) = problems(reference(text, 1, bind={"c": 3.0}), {"c"})[:1]
    assert isinstance(problem, EmptyBounds) and problem.name == "s"
    assert [p.name for p in problems(reference(text, 1, bind={"c": 2.0}), {"c"})] == ["t"]
    assert problems(reference(text, 1, bind={"c": 1.9}), {"c"}) == []


def test_what_nothing_needs_may_have_no_value() -> None:
    run = reference(BOUNDS, bind={"L": 1.0}, dims={"n": 2})
    assert problems(run) == []
    with pytest.raises(UnrollError) as caught:
        reference(BOUNDS, bind={"idle": 1.0}, dims={"n": 2}).check_limits()
    assert [d.code for d in caught.value.diagnostics] == ["U0502"]
    told = problems(reference(BOUNDS, bind={**BOUND, "idle": -1.0}, dims={"n": 2}))
    assert [problem.name for problem in told] == ["idle"]


# ---- arrays of a call ------------------------------------------------------------------------------

CALL = """\
dims n
input y : vector[n] >= 0
input z : complex vector[n]
output y, z
loss (t : vector[n]):
    sumsq(y - t)
"""
Y, Z = np.array([0.0, 1.0]), np.array([1j, 2.0])


@pytest.mark.parametrize(
    ("y", "z", "kinds"),
    [
        (Y, Z, []),
        (Y - 1, Z, [OutsideBounds]),
        (Y + 0j, Z, [WrongField]),
        (Y, Z.real, [RealInput]),
        (Y * np.nan, Z, [NotFinite]),
        (Y - 1, Z * np.nan, [OutsideBounds, NotFinite]),
    ],
)
def test_what_is_wrong_with_arrays_is_told_of_all(y: Any, z: Any, kinds: list[type]) -> None:
    run = reference(CALL, 1)
    if not kinds:
        run(y, z)
        return
    with pytest.raises(UnrollError) as caught:
        run(y, z)
    assert [type(problem) for problem in caught.value.diagnostics] == kinds


def test_targets_need_not_be_finite() -> None:
    assert np.isnan(reference(CALL, 1).loss(Y, Z, Y * np.nan))


def test_samples_are_told_apart_along_any_batch_axes() -> None:
    run = reference(CALL, 1)
    y, z = np.ones((2, 3, 4)), 1j * np.arange(24).reshape(2, 3, 4)
    first, second = run(y, z)
    np.testing.assert_array_equal(first, y)
    np.testing.assert_array_equal(second, z)
    empty = run(y[:, :0], z[:, :0])
    assert [value.shape for value in empty] == [(2, 0, 4)] * 2
    with pytest.raises(TypeError, match=r"takes \(y, z\), 1 arrays are given"):
        run(y)


def test_the_loss_is_the_mean_over_samples() -> None:
    run = reference(CALL, 1)
    y, t = np.arange(6.0).reshape(3, 2), np.zeros((3, 2))
    assert run.loss(y, 1j * y, t) == pytest.approx((y**2).sum() / 3)
    _, _, loss = run.results((y, 1j * y), (t,))
    assert loss == run.loss(y, 1j * y, t)


# ---- operations ------------------------------------------------------------------------------------


def test_a_number_a_channel_or_a_row_meets_the_first_axis() -> None:
    text = (
        "dims c, h, w, m, n\ninput x : image[c, h, w]\ninput A : matrix[m, n]\n"
        "fixed a : vector[c]\nfixed b : vector[m]\noutput a * x, b * A, diag(a) @ x\n"
    )
    rng = np.random.default_rng(0)
    x, A = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5))
    a, b = rng.standard_normal(2), rng.standard_normal(2)
    run = reference(text, 1, bind={"a": a, "b": b}, dims={"c": 2, "m": 2})
    first, second, third = run(x, A)
    np.testing.assert_array_equal(first, a[:, None, None] * x)
    np.testing.assert_array_equal(second, b[:, None] * A)
    np.testing.assert_array_equal(third, a[:, None, None] * x)


def test_values_can_be_disturbed_and_left_alone_again() -> None:
    run = reference("input y : scalar\noutput 2 * y + 1\n", 1)
    assert run(3.0) == 7
    run.disturb(lambda value: value * 2)
    assert run(3.0) != 7
    run.disturb(None)
    assert run(3.0) == 7


def test_the_condition_is_the_largest_so_far() -> None:
    text = "input y : vector[2]\nfixed A : matrix[2, 2]\noutput solve(A, y), solve(2 * I, y)\n"
    run = reference(text, 1, bind={"A": np.diag([1.0, 100.0])})
    assert run.condition == 1
    run(np.ones(2))
    assert run.condition == pytest.approx(100)


def test_what_is_known_already_is_not_computed_again() -> None:
    graph = unroll_dsl.loads(
        "algorithm p\ninput y : scalar\nfixed c : scalar = 2\nlet d = 3 * c\noutput d * y + c\n"
    ).graph
    d = next(i for i, node in enumerate(graph.nodes) if node.label == "d")
    assert Reference(graph, 1, {}, {}, {})(5.0) == 32
    known = Reference(graph, 1, {}, {}, {}, setup={d: np.asarray(100.0)})
    assert known(5.0) == 502
