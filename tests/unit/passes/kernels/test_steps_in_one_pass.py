"""Steps in one pass over memory compute what was written; what they cannot take is left."""

import pytest

from tests.unit.passes.pages import assert_same, built
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.kernels.steps import updates

PAGE = """algorithm p
dims n
input y : {field}vector[n]
input a : scalar
fixed W : matrix[n, n]
fixed c : complex scalar
learnable t : scalar = 0.3
learnable u : vector[n] = 0.4
state x : {field}vector[n] = y
state w : {field}vector[n] = 0
phase (3):
    w <- x
    x <- {step}
output x
"""


def page(step: str, field: str = "") -> Graph:
    return built(PAGE.format(step=step, field=field))


def kernels(graph: Graph) -> list[str]:
    names = ("axpy", "axmy", "extrapolate")
    return [
        n.op.function
        for n in dead(graph).nodes
        if isinstance(n.op, Builtin) and n.op.function in names
    ]


@pytest.mark.parametrize(
    ("step", "kernel"),
    [
        ("x - t * exp(x)", "axmy"),
        ("x - exp(x) * t", "axmy"),
        ("x - exp(x) / (t + 2)", "axmy"),
        ("x + t * exp(x)", "axpy"),
        ("t * exp(x) + x", "axpy"),
        ("exp(x) * t + x", "axpy"),
        ("x + exp(x) / (t + 2)", "axpy"),
        ("t * exp(x) + t * sin(x)", "axpy"),
        ("t * exp(x) - t * sin(x)", "axmy"),
        ("x + t * (x - prev(w))", "extrapolate"),
        ("x + (x - prev(w)) * t", "extrapolate"),
        ("(x - prev(w)) / (t + 2) + x", "extrapolate"),
        ("x + t * (prev(w) - x)", "axpy"),
        ("x - t * (x - prev(w))", "axmy"),
        ("x + t * (y - prev(w))", "axpy"),
        ("x + t * (x + prev(w))", "axpy"),
        ("x + t * (x - t)", "axpy"),
    ],
)
def test_values(step: str, kernel: str) -> None:
    before = page(step)
    after = updates(before)
    assert kernels(after) == [kernel]
    assert_same(before, after, {"n": 4})


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("x - a * exp(x)", ""),
        ("x - u * exp(x)", ""),
        ("x - t * exp(x) * u", ""),
        ("x - t / exp(x)", ""),
        ("t * exp(x) - x", ""),
        ("x - t * (x[1] * t)", ""),
        ("t - t * exp(x)", ""),
        ("x - t * exp(x)", "complex "),
        ("x * (t * exp(x))", ""),
    ],
)
def test_what_is_left(step: str, field: str) -> None:
    before = page(step, field)
    assert kernels(updates(before)) == []
    assert updates(before) == before


def test_what_is_read_twice_is_kept() -> None:
    before = built(
        PAGE.format(step="x - d\n    w <- d", field="").replace(
            "w <- x\n    x", "d = t * exp(x)\n    x"
        )
    )
    assert kernels(updates(before)) == []
    before = built(
        PAGE.format(step="x + t * d\n    w <- d", field="").replace(
            "w <- x\n    x", "d = x - prev(w)\n    x"
        )
    )
    after = updates(before)
    assert kernels(after) == ["axpy"]
    assert_same(before, after, {"n": 4})


def test_what_is_computed_once_keeps_its_formula() -> None:
    before = page("x + (u - t * exp(u))")
    assert kernels(updates(before)) == []


def test_a_factor_of_a_phase_is_one_number() -> None:
    text = PAGE.replace("t : scalar = 0.3", "t : scalar per phase = 0.3 * k")
    before = built(text.format(step="x - exp(x) * t", field=""))
    after = updates(before)
    assert kernels(after) == ["axmy"]
    assert_same(before, after, {"n": 4})
