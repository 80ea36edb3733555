"""Products with scaled, turned and diagonal matrices and maps: taken apart they have the values they had."""

import pytest

from tests.unit.passes.pages import assert_same, built
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Apply, ComposeMap, Contract, DiagonalMap, ScaleMap, Solve, State
from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.passes.solving import Solving
from unroll_dsl.types import Array

VECTORS = """algorithm p
dims m, n
input y : {field}vector[n]
fixed A, B : {field}matrix[m, n]
fixed S : {field}matrix[n, n]
fixed c : {field}scalar
fixed d : {field}vector[n]
fixed e : {field}vector[m]
learnable W : matrix[n, n] = 0.3
learnable t : scalar = 0.7
state x : {field}vector[n] = y
phase (2):
    x <- {step}
output x
"""
SIZES = {"m": 3, "n": 4}
STEPS = (
    "(c * A)' @ ((c * A) @ x)",
    "(A / c)' @ (A / c @ x) - (-S) @ x",
    "(A' * c) @ (A * c @ x)",
    "(t * (A' @ A)) @ x",
    "(t * W)' @ (W / t @ x)",
    "(c * A)' @ (B @ diag(d)) @ x",
    "A' @ (diag(e) @ (A @ diag(d))) @ x",
    "(A @ diag(d))' @ (A @ diag(d)) @ x",
    "(diag(e) @ A)' @ (diag(e) @ B) @ x",
    "S @ I @ x + (I @ S)' @ x - S' @ (I @ x)",
    "(S')' @ x + S'' @ x",
    "(W @ S)' @ x",
    "(W @ W' @ S) @ x",
    "((c * S) @ (S / c)) @ x + (S' @ (c * S)) @ x",
    "((-S)' @ (c * S)') @ x",
    "solve(c * (S' @ S + I), x)",
    "solve((S' @ S + I) / c, x) - solve(-(S' @ S + I), x)",
    "solve((S' @ S + I) * c, x)",
)


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("step", STEPS)
def test_matrices(step: str, field: str) -> None:
    before = built(VECTORS.format(step=step, field=field))
    assert_same(before, scaling(before), SIZES)
    assert_same(before, scaling(common(before)), SIZES)


IMAGES = """algorithm p
dims h, w
input y : {field}image[{channels}, h, w]
fixed q : matrix[3, 2]
fixed B : tensor[2, 3, 3]
fixed c : {field}scalar
fixed g, r : {field}mask[h, w]
fixed u : vector[2]
state x : {field}image[{channels}, h, w] = y
phase (2):
    x <- {step}
output x
"""
MAPS = (
    "(c * dct2)' @ ((c * dct2) @ x)",
    "(dct2' @ diag(g) @ dct2) @ x",
    "(diag(g) @ dct2)' @ ((diag(r) @ dct2) @ x)",
    "(dct2 + 2 * I)' @ ((dct2 - c * I) @ x)",
    "(diag(g) @ diag(r))' @ x - (I - diag(g))' @ x",
    "(blur(q, padding=zero) @ (c * diag(g)))' @ x",
    "(dct2 @ (I @ dct2')) @ x + dct2'' @ x",
    "((c * dct2) @ (c * blur(q, padding=circular)))' @ x",
)


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("step", MAPS)
def test_maps(step: str, field: str) -> None:
    before = built(IMAGES.format(step=step, field=field, channels=1))
    after = dead(scaling(before))
    assert_same(before, after, {"h": 4, "w": 3})
    left = [n.op for n in after.nodes if isinstance(n.op, ScaleMap | ComposeMap | DiagonalMap)]
    assert left == []


@pytest.mark.parametrize("size", [2, 3])
def test_a_number_a_channel_and_a_mask_are_not_one(size: int) -> None:
    """With as many channels as rows the one would be taken for a number a row."""
    step = "filters(B, padding=zero)' @ ((diag(g) @ diag(u) @ filters(B, padding=zero)) @ x)"
    before = built(IMAGES.format(step=step, field="", channels=1))
    assert_same(before, scaling(before), {"h": size, "w": 2})


def products(graph: Graph) -> int:
    return sum(isinstance(n.op, Contract) for n in dead(graph).nodes)


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("(diag(d) @ S) @ x", 1),
        ("(S @ diag(d)) @ x", 1),
        ("(I @ S) @ x", 1),
        ("(S @ I) @ x", 1),
        ("diag(d) @ x", 0),
        ("I @ x", 0),
    ],
)
def test_products_with_diagonals_and_identities_are_none(step: str, count: int) -> None:
    assert products(scaling(built(VECTORS.format(step=step, field="")))) == count


GUESSED = """algorithm p
dims h, w
input y : complex image[1, h, w]
fixed P : linear complex image[1, h, w] -> complex image[1, h, w]
state x : {field}image[1, h, w] = 0
state z : complex image[1, h, w] = 0
phase (2):
    z <- {first}
    x <- {second}
output x, z
"""


@pytest.mark.parametrize(
    ("first", "second", "field", "found"),
    [
        ("y", "solve(P' @ P + I, y)", "complex ", "x"),
        ("y", "real(solve(P' @ P + I, y))", "", "x"),
        ("solve(P' @ P + I, y)", "abs(y)", "", "z"),
        ("y", "imag(solve(P' @ P + I, y))", "", None),
        ("y", "solve(P' @ P + I, y) + y", "complex ", None),
        ("y", "real(solve(P' @ P + I, y) + y)", "", None),
    ],
)
def test_a_solution_begins_at_the_state_that_it_becomes(
    first: str, second: str, field: str, found: str | None
) -> None:
    graph = scaling(common(built(GUESSED.format(first=first, second=second, field=field))))
    after = Solving()(graph)
    (solved,) = (node for node in dead(after).nodes if isinstance(node.op, Solve))
    guesses = [dead(after).nodes[a].op for a in solved.args[2:]]
    assert guesses == ([] if found is None else [State(found)])


@pytest.mark.parametrize("normal", [False, True])
def test_normal_equations_are_those_of_the_map(normal: bool) -> None:
    matrix = "P + I" if normal else "P' @ P + I"
    graph = scaling(
        common(built(GUESSED.format(first="y", second=f"solve({matrix}, y)", field="complex ")))
    )
    after = dead(Solving()(graph))
    (solved,) = (node for node in after.nodes if isinstance(node.op, Solve))
    side = after.nodes[solved.args[1]]
    assert isinstance(side.op, Apply) is normal
    assert isinstance(side.type, Array)
    if normal:
        outer = after.nodes[solved.args[0]]
        assert isinstance(outer.op, ComposeMap) and outer.args[0] == side.args[0]
