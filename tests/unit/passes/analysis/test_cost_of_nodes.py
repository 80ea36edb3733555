"""What each kind of node costs: leading terms of Golub & Van Loan, Matrix Computations, 4th ed. (table of section 5.5.6
for decompositions of singular values; 4.2.5, 5.2.9, 8.3 for the others), products two operations each."""

from fractions import Fraction

import pytest

from unroll_dsl.passes.analysis.cost import cost
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.types import Dim

M, N = Dim.of("m"), Dim.of("n")
CUBE = Count.of(N * N * N)
SQUARE = Count.of(N * N)
SMALL = Count.of(M * M * M)


def of_call(graph, text):
    return cost(graph(text))


@pytest.mark.parametrize(
    ("node", "type_", "flops"),
    [
        ("cholesky", "matrix[n, n]", CUBE * Fraction(1, 3)),
        ("orthogonal_factor", "matrix[n, n]", CUBE * Fraction(8, 3)),
        ("symmetric_eigenvectors", "matrix[n, n]", CUBE * 9),
        ("psd_part", "matrix[n, n]", CUBE * 11),
        ("sqrtm", "matrix[n, n]", CUBE * 11),
        ("inv", "matrix[n, n]", CUBE * 2),
        ("spectral_norm", "scalar", CUBE * 4),
        ("nuclear_norm", "scalar", CUBE * 26),
        ("orthogonal_part", "matrix[n, n]", CUBE * 26),
        ("exp", "matrix[n, n]", SQUARE),
        ("sumsq", "scalar", SQUARE * 2),
        ("norm2", "scalar", SQUARE * 2),
        ("norm1", "scalar", SQUARE),
    ],
)
def test_records_of_square_matrices(graph, node, type_, flops):
    kind = node if node == "exp" else f"builtin[{node}]"
    found = of_call(
        graph,
        f"""
        input B : matrix[n, n]
        output %1
        %0 = input B : matrix[n, n]
        %1 = {kind} %0 : {type_}
        """,
    )
    assert found.call.flops == flops


def test_records_of_tall_matrices(graph):
    """Of a matrix [m, n]: singular values 6 m n^2 + 20 n^3, the norm 2 m n^2 + 2 n^3; of its rows alone 6 n m^2 +
    11 m^3."""

    def flops(node, type_):
        found = of_call(
            graph,
            f"""
            input B : matrix[m, n]
            output %1
            %0 = input B : matrix[m, n]
            %1 = builtin[{node}] %0 : {type_}
            """,
        )
        return found.call.flops

    wide = Count.of(M * N * N)
    assert flops("pinv", "matrix[n, m]") == wide * 6 + CUBE * 20
    assert flops("spectral_norm", "scalar") == wide * 2 + CUBE * 2
    thin = flops("right_singular_vectors, count={m}", "matrix[n, m]")
    assert thin == Count.of(N * M * M) * 6 + SMALL * 11


def test_systems_cost_what_their_right_hand_sides_do(graph):
    def call(node, right):
        return of_call(
            graph,
            f"""
            input B : matrix[n, n]
            input b : {right}
            output %2
            %0 = input B : matrix[n, n]
            %1 = input b : {right}
            %2 = {node} : {right}
            """,
        )

    for node, factor, more in (
        ("builtin[cholesky_solve] %1, %0", 2, Count()),
        ("builtin[triangular_solve] %1, %0", 1, Count()),
        ("builtin[solve_dense] %1, %0", 2, CUBE * Fraction(2, 3)),
        ("solve %0, %1", 2, CUBE * Fraction(2, 3)),
    ):
        found = call(node, "vector[n]")
        assert found.call.flops == SQUARE * factor + more, node
        name = node.partition(" ")[0].removeprefix("builtin[").removesuffix("]")
        assert found.call.applications == ((name, 1),)
        assert call(node, "matrix[n, m]").call.flops == Count.of(N * N * M) * factor + more, node


def test_what_only_moves_complex_numbers_counts_two_each(graph):
    found = of_call(
        graph,
        """
        input y : complex vector[n]
        output %1
        %0 = input y : complex vector[n]
        %1 = mul %0, %0 : complex vector[n]
        """,
    )
    assert found.call.flops == Count.of(N) * 2
    assert found.call.numbers == Count.of(N) * 6


def test_records_of_complex_values_count_four_times(graph):
    found = of_call(
        graph,
        """
        input B : complex matrix[n, n]
        output %1
        %0 = input B : complex matrix[n, n]
        %1 = builtin[inv] %0 : complex matrix[n, n]
        """,
    )
    assert found.call.flops == CUBE * 8


def test_a_function_called_twice_moves_its_numbers_twice(graph):
    """Three passes over v of which each reads and writes n numbers, at the size of the call."""
    found = of_call(
        graph,
        """
        input y : vector[m]
        output %2

        def f(v : vector[n]) = %2
            %0 = argument 0 : vector[n]
            %1 = abs %0 : vector[n]
            %2 = exp %1 : vector[n]

        %0 = input y : vector[m]
        %1 = invoke[f] %0 : vector[m]
        %2 = invoke[f] %1 : vector[m]
        """,
    )
    assert found.call.numbers == Count.of(M) * 8
    assert found.call.flops == Count.of(M) * 4


def test_what_makes_a_learnable_that_nobody_reads_is_not_paid(graph):
    text = """
        input y : vector[n]
        fixed B : matrix[n, n]
        learnable C : matrix[n, n] = %3
        output {}
        %0 = input y : vector[n]
        %1 = fixed B : matrix[n, n]
        %2 = learnable C : matrix[n, n]
        %3 = contract %1, %1 : matrix[n, n]
        %4 = contract %2, %0 : vector[n]
        """
    assert of_call(graph, text.format("%4")).setup.flops == CUBE * 2
    assert of_call(graph, text.format("%0")).setup.flops == Count()


def test_filters_and_what_is_applied_are_named(graph):
    found = of_call(
        graph,
        """
        input y : image[1, m, n]
        fixed B : matrix[3, 3]
        output %6
        %0 = input y : image[1, m, n]
        %1 = fixed B : matrix[3, 3]
        %2 = builtin[transfer, h={m}, w={n}] %1 : complex mask[m, n]
        %3 = builtin[filtered] %0, %2 : image[1, m, n]
        %4 = builtin[filtered] %3, %2 : image[1, m, n]
        %5 = operator[dct2] : linear image[1, m, n] -> image[1, m, n]
        %6 = apply %5, %4 : image[1, m, n]
        """,
    )
    assert found.call.applications == (("fft2 and its inverse", 2), ("dct2", 1))
