"""What no input changes becomes a declaration of its own."""

from collections.abc import Callable

from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.folding import folding

BEFORE = """
    input x : vector[n]
    fixed A : matrix[n, n]
    learnable rho : scalar
    learnable t : scalar per phase
    state z : vector[n] = %0 then %11
    output %12
    phases 3
    %0 = input x : vector[n]
    %1 = fixed A : matrix[n, n]
    %2 = learnable rho : scalar
    %3 = learnable t : scalar
    %4 = mul %2, %3 : scalar
    %5 = phase_number : scalar
    %6 = constant 2 : scalar
    %7 = add %5, %6 : scalar
    %8 = state z : vector[n]
    %9 = contract %1, %8 : vector[n]
    %10 = mul %4, %9 : vector[n]
    %11 = mul %7, %10 : vector[n]
    %12 = final z : vector[n]
"""


def test_products_of_learnables_are_declared_and_numbers_stay(
    graph: Callable[[str], Graph], rewrite: Callable[..., str], lines: Callable[[str], str]
) -> None:
    def name(graph: Graph, index: int) -> str:
        return "folded"

    after = rewrite(lambda g: folding(g, name).graph, BEFORE)
    assert after == lines("""
        frozen folded : scalar per phase
        output %10
        phases 3
        %0 = input x : vector[n]
        %1 = fixed A : matrix[n, n]
        %2 = learnable folded : scalar
        %3 = phase_number : scalar
        %4 = constant 2 : scalar
        %5 = add %3, %4 : scalar
        %6 = state z : vector[n]
        %7 = contract %1, %6 : vector[n]
        %8 = mul %2, %7 : vector[n]
        %9 = mul %5, %8 : vector[n]
        %10 = final z : vector[n]
    """)
    found = folding(graph(BEFORE), name)
    assert [c.name for c in found.graph.constants] == ["A"]
    assert [(p.name, p.per_phase, p.trainable) for p in found.graph.parameters] == [
        ("folded", True, False)
    ]
    assert found.values == {"A": 1, "folded": 4}


def test_names_of_folded_values_are_those_of_nothing_else(graph: Callable[[str], Graph]) -> None:
    """Not of an input, a state, a size or another value."""
    for wish in ("x", "z", "n", "A", "t"):
        found = folding(graph(BEFORE), lambda graph, index, wish=wish: wish)
        assert [p.name for p in found.graph.parameters] == [f"{wish}_2"]


def test_truths_and_views_are_no_values_of_their_own(graph: Callable[[str], Graph]) -> None:
    found = folding(
        graph("""
        input x : vector[n]
        fixed A : matrix[m, n]
        fixed c : scalar
        output %8
        %0 = input x : vector[n]
        %1 = fixed A : matrix[m, n]
        %2 = transpose %1 : matrix[n, m]
        %3 = contract %1, %0 : vector[m]
        %4 = fixed c : scalar
        %5 = exp %4 : scalar
        %6 = expand %5 : vector[m]
        %7 = mul %6, %3 : vector[m]
        %8 = contract %2, %7 : vector[n]
        """),
        lambda graph, index: "folded",
    )
    assert found.values == {"A": 1, "folded": 5}
    assert [c.name for c in found.graph.constants] == ["A", "folded"]
