from fractions import Fraction

from unroll_dsl.passes.analysis.cost import cost
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.types import Dim

M, N = Dim.of("m"), Dim.of("n")

GRADIENT = """
    input y : vector[m]
    fixed A : matrix[m, n]
    learnable t : scalar per phase = %1
    learnable B : matrix[n, m] = %13
    state x : vector[n] = %3 then %11
    output %12
    phases 3
    %0 = input y : vector[m]
    %1 = constant 1 : scalar
    %2 = constant 0 : scalar
    %3 = expand %2 : vector[n]
    %4 = fixed A : matrix[m, n]
    %5 = learnable B : matrix[n, m]
    %6 = learnable t : scalar
    %7 = state x : vector[n]
    %8 = contract %4, %7 : vector[m]
    %9 = contract %5, %8 : vector[n]
    %10 = mul %6, %9 : vector[n]
    %11 = sub %7, %10 : vector[n]
    %12 = final x : vector[n]
    %13 = transpose %4 : matrix[n, m]
"""


def test_a_phase_costs_its_products_and_elementwise_operations(graph):
    found = cost(graph(GRADIENT))
    assert found.phase.flops == Count.of(M * N) * 4 + Count.of(N) * 2
    # products: matrix, argument, result twice; mul: 1 + 2 n; sub: 3 n
    assert found.phase.numbers == Count.of(M * N) * 2 + Count.of(N) * 7 + Count.of(M) * 2 + 1
    assert found.phase.applications == (("A", 1), ("B", 1))
    assert found.setup.flops == found.call.flops == found.output.flops == Count()


def test_parameters_are_counted_shared_and_per_phase(graph):
    found = cost(graph(GRADIENT))
    assert (found.shared, found.per_phase) == (Count.of(M * N), Count.of(1))


def test_sizes_make_numbers(graph):
    found = cost(graph(GRADIENT), {"m": 3, "n": 5})
    assert found.phase.flops.value == 4 * 15 + 10
    assert str(found.shared) == "15"


def test_complex_products_count_four_times(graph):
    found = cost(
        graph("""
        input y : complex vector[n]
        fixed A : complex matrix[m, n]
        output %2
        %0 = input y : complex vector[n]
        %1 = fixed A : complex matrix[m, n]
        %2 = contract %1, %0 : complex vector[m]
    """)
    )
    assert found.call.flops == Count.of(M * N) * 8
    assert found.call.numbers == Count.of(M * N) * 2 + Count.of(M + N) * 2


def test_a_function_costs_what_its_body_costs_at_the_size_of_the_call(graph):
    found = cost(
        graph("""
        input y : vector[m]
        output %1

        def f(v : vector[n]) = %2
            %0 = argument 0 : vector[n]
            %1 = abs %0 : vector[n]
            %2 = exp %1 : vector[n]

        %0 = input y : vector[m]
        %1 = invoke[f] %0 : vector[m]
    """)
    )
    assert found.call.flops == Count.of(M) * 2


def test_a_factorisation_is_paid_at_set_up_and_its_solution_in_the_phase(graph):
    program = optimize(
        graph("""
        fixed A : matrix[m, n]
        fixed rho : scalar > %2
        state x : vector[n] = %3 then %10
        output %11
        phases 3
        %0 = fixed A : matrix[m, n]
        %1 = fixed rho : scalar
        %2 = constant 0 : scalar
        %3 = expand %2 : vector[n]
        %4 = state x : vector[n]
        %5 = transpose %0 : matrix[n, m]
        %6 = contract %5, %0 : matrix[n, n]
        %7 = eye : matrix[n, n]
        %8 = mul %1, %7 : matrix[n, n]
        %9 = add %6, %8 : matrix[n, n]
        %10 = solve %9, %4 : vector[n]
        %11 = final x : vector[n]
    """)
    )
    found = cost(program)
    assert found.phase.flops == Count.of(N * N) * 2
    assert found.phase.applications == (("cholesky_solve", 1),)
    cube = Count.of(N * N * N) * Fraction(1, 3)
    assert found.setup.flops == cube + Count.of(M * N * N) * 2 + Count.of(N * N) * 2


def test_a_count_reads_like_a_polynomial():
    count = Count.of(M * N) * 4 + Count.of(N * N * N) * Fraction(1, 3) + Count.of(N) * -1 + 2
    assert str(count) == "1/3 n^3 + 4 m n - n + 2"
    assert count.value is None
    assert count.substitute({"n": 3, "m": 1}).value == 9 + 12 - 3 + 2
    assert str(Count()) == "0"
