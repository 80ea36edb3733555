"""The first phase that is spared work computes what the phase computes where states are 0."""

from dataclasses import replace

import pytest

from tests.unit.passes.pages import assert_same, prepared
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Apply, ApplyLayer, Builtin, Contract, Solve
from unroll_dsl.ir.stages import reachable
from unroll_dsl.passes.beginning import beginning
from unroll_dsl.passes.solving import Solving

PAGE = """algorithm p
dims m, n
input y : {field}vector[n]
input b : vector[n]
fixed A : {field}matrix[m, n]
learnable W : matrix[n, n] = 0.3
learnable t : scalar = 0.3
state x : {field}vector[n] = 0
state s : scalar = 0
state v : {field}vector[n] = y
phase (3):
    x <- {step}
    s <- s + 1
    v <- 0.5 * v + y
output x, s, v
"""
SIZES = {"m": 5, "n": 4}
COSTLY = Contract | Apply | ApplyLayer | Solve | Builtin

STEPS = (
    "W @ x + y",
    "y + W @ x",
    "W @ x - y",
    "y - W @ x",
    "(W @ x - y) - b",
    "b - (W @ x - y)",
    "(W @ x - y) + b",
    "(W @ x - y) + (W @ x - b)",
    "(W @ x - y) - (W @ x - b)",
    "(W @ x - y) * (W @ x - b)",
    "(W @ x - y) * b",
    "b * (W @ x - y)",
    "(W @ x - y) / (b^2 + 1)",
    "(W @ x - y) / (W @ x - b)",
    "b / (W @ x - y)",
    "W @ (W @ x - y)",
    "-(W @ x - y)",
    "-(W @ x) + y",
    "abs(W @ x) + y",
    "sign(W @ x) + y",
    "sqrt(abs(W @ x)) + y",
    "relu(W @ x) + y",
    "sin(W @ x) + y",
    "tanh(W @ x) + y",
    "tanh(W @ x - y)",
    "exp(W @ x - y)",
    "abs(W @ x - y)",
    "W @ x / (1 + b^2) + y",
    "(W @ x) * b + y",
    "b * (W @ x) + y",
    "W' @ (t * (W @ x - y))",
    "x + t * W' @ (y - W @ x)",
    "s * b - (s * (W @ x) - y)",
)
COMPLEX = (
    "A' @ (A @ x - y[1] * A[:, 1]) + y",
    "conj(W @ x - y)",
    "real(W @ x - y) + y",
    "imag(W @ x - y) - y",
    "conj(W @ x) - y",
    "real(W @ x) + y",
    "imag(W @ x) + y",
)


def taken(graph: Graph, name: str = "x") -> tuple[Graph, int | None]:
    found = beginning(graph)
    (first,) = (slot.first for slot in found.states if slot.name == name)
    return found, first


def costly(graph: Graph, index: int) -> int:
    return sum(isinstance(graph.nodes[i].op, COSTLY) for i in reachable(graph.nodes, (index,)))


def held(before: Graph) -> None:
    after, first = taken(before)
    assert first is not None
    assert_same(before, after, SIZES)
    (slot,) = (slot for slot in after.states if slot.name == "x")
    assert costly(after, first) < costly(after, slot.update)


@pytest.mark.parametrize("step", STEPS)
def test_values_are_those_of_any_phase(step: str) -> None:
    held(prepared(PAGE.format(field="", step=step)))


@pytest.mark.parametrize("step", COMPLEX[1:])
def test_values_of_complex_states(step: str) -> None:
    held(prepared(PAGE.format(field="complex ", step=step)))


SYSTEMS = ("W' @ W + I", "A' @ A + I", "W + I", "A' @ A + t^2 * I")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("side", ["W @ x", "-(W @ x)"])
def test_what_is_solved_for_0_is_0(system: str, side: str) -> None:
    graph = prepared(PAGE.format(field="", step=f"solve({system}, {side}) + y"))
    for made in (graph, Solving({})(graph), Solving(SIZES)(graph)):
        held(made)


MATRICES = """algorithm p
dims m, n
input Y : matrix[n, n]
learnable W : matrix[n, n] = 0.3
state X : matrix[n, n] = 0
phase (3):
    X <- {step}
output X
"""


@pytest.mark.parametrize(
    "step", ["(W @ X)' @ Y + Y", "Y' @ (W @ X)' - Y", "(W @ X - Y)' @ Y", "(Y - W @ X) @ Y"]
)
def test_values_of_matrices(step: str) -> None:
    before = prepared(MATRICES.format(step=step))
    after, first = taken(before, "X")
    assert first is not None
    assert_same(before, after, SIZES)


IMAGES = """algorithm p
dims h, w
input y : image[1, h, w]
learnable D : conv[1 -> 2, 3] >> relu >> conv[2 -> 1, 3]
learnable t : scalar = 0.3
state x : image[1, h, w] = 0
phase (3):
    x <- {step}
output x
"""


@pytest.mark.parametrize(
    ("step", "sign"),
    [("dct2 @ x + y", 1), ("dct2 @ (y - dct2 @ x)", 1), ("dct2 @ (dct2 @ x - t * y)", -1)],
)
def test_maps_of_what_is_left(step: str, sign: int) -> None:
    graph = prepared(IMAGES.format(step=step))
    after, first = taken(graph)
    assert first is not None
    assert_same(graph, after, {"h": 3, "w": 4})


def test_what_both_phases_compute_is_one_value() -> None:
    after, first = taken(prepared(PAGE.format(field="", step="W @ x + W' @ (W @ y)")))
    (slot,) = (slot for slot in after.states if slot.name == "x")
    assert first is not None
    assert reachable(after.nodes, (first,)) < reachable(after.nodes, (slot.update,))


def test_a_layer_of_0_is_no_0() -> None:
    """It may have biases; of its argument nothing is known, as of that of a function which is not 0 at 0."""
    graph = prepared(IMAGES.format(step="D(dct2 @ x) + y"))
    assert taken(graph)[1] is None
    graph = prepared(PAGE.format(field="", step="exp(W @ x) + y"))
    assert taken(graph)[1] is None


def test_a_negative_value_is_written_out_for_what_is_not_linear() -> None:
    graph = prepared(IMAGES.format(step="D(dct2 @ x - y)"))
    after, first = taken(graph)
    assert first is not None
    argument = after.nodes[after.nodes[first].args[1]]
    assert (argument.op.function, after.nodes[argument.args[0]].op.name) == ("neg", "y")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x : vector[n] = 0", "x : vector[n] = 1"),
        ("x : vector[n] = 0", "x : vector[n] = y"),
        ("x <- W @ x + y", "x <- t * x + y"),
        ("x <- W @ x + y", "x <- W @ x + t"),
        ("x <- W @ x + y", "x <- y / (W @ x)"),
        ("x <- W @ x + y", "x <- y^(W @ x)"),
        ("x <- W @ x + y", "x <- (W @ x) * y + W[1, :]"),
        ("s + 1", "s + 1\n    trace r = x"),
        ("output x, s, v", "output s, v"),
        (" + y\noutput x", "\noutput v"),
        ("learnable W : matrix[n, n] = 0.3\nlearnable t", "fixed W : matrix[n, n] = 0.3\nfixed t"),
    ],
    ids=[
        "starts at 1",
        "starts at y",
        "spares nothing",
        "another shape",
        "divides by 0",
        "a power",
        "the same for all samples in the first phase alone",
        "a trace",
        "not handed on",
        "another last phase",
        "nothing is learnt",
    ],
)
def test_other_states_begin_as_any_phase(old: str, new: str) -> None:
    text = PAGE.format(field="", step="W @ x + y")
    assert taken(prepared(text))[1] is not None
    assert old in text
    graph = prepared(text.replace(old, new))
    assert beginning(graph) == graph


def test_complex_values_of_real_ones_are_no_sum_with_0() -> None:
    graph = prepared(PAGE.format(field="complex ", step="W @ x + b"))
    assert beginning(graph) == graph


def test_a_phase_that_makes_nothing_is_as_it_was() -> None:
    graph = prepared(PAGE.format(field="", step="W @ x + y"))
    assert beginning(replace(graph, parameters=())) == replace(graph, parameters=())
