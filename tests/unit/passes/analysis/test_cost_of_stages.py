"""Where a network's costs are paid, what is counted in each stage, and what things are called."""

from fractions import Fraction

import pytest

from tests.unit.passes.pages import built
from unroll_dsl.passes.analysis.cost import Cost, cost
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.types import Dim

M, N = Dim.of("m"), Dim.of("n")
ONE = Count.of(1)


def test_costs_are_added_with_what_both_apply() -> None:
    one = Cost(Count.of(N), Count.of(M), (("A", 2), ("B", 1)))
    other = Cost(Count.of(M), Count.of(1), (("B", 3), ("C", 1)))
    found = one + other
    assert found.flops == Count.of(N) + Count.of(M)
    assert found.numbers == Count.of(M) + 1
    assert dict(found.applications) == {"A": 2, "B": 4, "C": 1}
    assert found.substitute({"n": 3, "m": 4}) == Cost(Count.of(7), Count.of(5), found.applications)


STAGES = """algorithm p
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed B : matrix[n, n] = A' @ A
let G = B @ B
learnable t : scalar = 1
learnable u : vector[n] per phase = 1
fixed w : vector[m] per phase = 1
state x : vector[n] = A' @ y
phase (3):
    x <- x - t * (G @ x) + u + A' @ w
output tanh(x)
"""


def test_each_stage_pays_for_its_own() -> None:
    found = cost(built(STAGES))
    square = Count.of(N * N)
    assert found.setup.flops == Count.of(M * N * N) * 2 + square * N * 2
    assert dict(found.setup.applications) == {"A'": 1, "B": 1}
    assert found.call.flops == Count.of(M * N) * 2
    assert found.phase.flops == square * 2 + Count.of(M * N) * 2 + Count.of(N) * 4
    assert found.output.flops == Count.of(N)
    assert (found.shared, found.per_phase) == (ONE, Count.of(N))  # w is not learnt


def test_what_is_given_is_not_made() -> None:
    """The default of B is paid at set-up; of a constant without one nothing is."""
    text = STAGES.replace(" = A' @ A", "")
    assert cost(built(text)).setup.flops == Count.of(N * N * N) * 2


def test_only_states_that_phases_read_are_started() -> None:
    text = STAGES.replace("x <- x - t * (G @ x) + u + A' @ w", "x <- t * y[1] + u + A' @ w")
    assert cost(built(text)).call.flops == Count()


FIELDS = """algorithm p
dims m, n
input y : {first}vector[n]
input z : {second}vector[n]
fixed A : {first}matrix[m, n]
output {output}
"""


@pytest.mark.parametrize(
    ("first", "second", "factor"),
    [("", "", 1), ("complex ", "", 2), ("", "complex ", 2), ("complex ", "complex ", 4)],
)
def test_products_count_twice_for_each_complex_factor(first: str, second: str, factor: int) -> None:
    graph = built(FIELDS.format(first=first, second=second, output="A @ z"))
    assert cost(graph).call.flops == Count.of(M * N) * (2 * factor)


@pytest.mark.parametrize(
    ("first", "second", "factor"), [("", "", 1), ("complex ", "", 4), ("", "complex ", 4)]
)
def test_records_count_four_times_where_any_argument_is_complex(
    first: str, second: str, factor: int
) -> None:
    graph = built(FIELDS.format(first=first, second=second, output="dot(y, z)"))
    assert cost(graph).call.flops == Count.of(N) * (2 * factor)


@pytest.mark.parametrize(
    ("output", "flops"),
    [
        ("sumsq(y)", 2),
        ("norm(y)", 2),
        ("norm1(y)", 1),
        ("sum(y)", 1),
        ("max(y)", 1),
        ("sort(y)", 1),
    ],
)
def test_records_of_vectors(output: str, flops: int) -> None:
    graph = built(FIELDS.format(first="", second="", output=output))
    assert cost(graph).call.flops == Count.of(N) * flops


@pytest.mark.parametrize(
    ("node", "arguments", "flops"),
    [("axpy", "%0, %1, %2", 2), ("axmy", "%0, %1, %2", 2), ("extrapolate", "%0, %1, %2", 3)],
)
def test_steps_in_one_pass(graph, node, arguments, flops):
    found = cost(
        graph(f"""
        input y : vector[n]
        input z : vector[n]
        fixed t : scalar
        output %3
        %0 = input y : vector[n]
        %1 = input z : vector[n]
        %2 = fixed t : scalar
        %3 = builtin[{node}] {arguments} : vector[n]
        """)
    )
    assert found.call.flops == Count.of(N) * flops
    assert found.call.numbers == Count.of(N) * 3 + 1


def test_functions_at_other_sizes_cost_what_these_say() -> None:
    text = """algorithm p
dims m, n
input y : vector[m]
input Y : matrix[m, n]
def f(v) = abs(v) + exp(v) * v
output f(y), f(Y)
"""
    found = cost(built(text))
    assert found.call.flops == (Count.of(M) + Count.of(M * N)) * 4
    assert found.call.applications == ()


def test_two_systems_and_what_is_applied_are_counted_by_name() -> None:
    text = """algorithm p
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed P : linear vector[n] -> vector[n]
let B = A' @ A
output solve(B, y), solve(B, 2 * y), A' @ (A @ y), (A @ P)' @ (A @ y), P' @ P @ y
"""
    found = dict(cost(built(text)).call.applications)
    assert found["solve"] == 2
    assert (found["A"], found["A'"]) == (2, 1)
    assert any("'" in name and "A @ P" in name for name in found)
    assert found["P'" if "P'" in found else "P' @ P"] >= 1


def test_a_count_of_polynomials() -> None:
    a, b = Count.of(M) + 2, Count.of(N) * Fraction(1, 2) - Count() if False else Count.of(N) * 3
    assert a * b == Count.of(M * N) * 3 + Count.of(N) * 6
    assert 2 * a == a + a
    assert a + Count.of(M) * -1 == Count.of(2)
    assert str(Count.of(M * M * N) * -2 + 1) == "-2 m^2 n + 1"
    assert str(Count.of(M) * -1) == "-m" and str(Count.of(-3)) == "-3"
    assert str(Count.of(M) * Fraction(3, 2) + Count.of(N) * -4) == "3/2 m - 4 n"
    assert str(Count.of(M) + Count.of(M * M)) == "m^2 + m"
    assert Count.of(0) == Count() and Count().value == 0
    assert (Count.of(M) * Fraction(1, 3)).substitute({"m": 2}).value == 1
    assert (Count.of(M) * N).substitute({"m": 2}) == Count.of(N) * 2
