import pytest

from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.passes.routes import routes
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.passes.solving import Solving

# solve(A' @ A + shift * I, b) in a phase
RIDGE = """
    fixed A : matrix[m, n]
    {declared}
    state x : vector[n] = %2 then %10
    output %11
    phases 3
    %0 = fixed A : matrix[m, n] ; - A
    %1 = constant 0 : scalar
    %2 = expand %1 : vector[n]
    %3 = state x : vector[n]
    %4 = {shift} : scalar ; - rho
    %5 = transpose %0 : matrix[n, m]
    %6 = contract %5, %0 : matrix[n, n]
    %7 = eye : matrix[n, n]
    %8 = mul %4, %7 : matrix[n, n]
    %9 = add %6, %8 : matrix[n, n]
    %10 = solve %9, %3 : vector[n] ; a.unroll:9 x
    %11 = final x : vector[n]
"""
LEARNT = (
    RIDGE.format(declared="learnable rho : scalar > %1 per phase = %12", shift="learnable rho")
    + "    %12 = constant 1 : scalar\n"
)
SHARED = LEARNT.replace(" per phase", "")
FIXED = RIDGE.format(declared="fixed rho : scalar > %1", shift="fixed rho")
FREE = RIDGE.format(declared="fixed rho : scalar", shift="fixed rho")


def _solved(rewrite, text, sizes=None):
    """The nodes from `A'` on, without names and places."""

    def transform(graph):
        return dead(common(Solving(sizes or {})(graph)))

    lines = rewrite(transform, text).splitlines()
    nodes = [line for line in lines if line.startswith("%")]
    start = next(i for i, line in enumerate(nodes) if "= transpose" in line)
    return [line.partition(" ; ")[0] for line in nodes[start:]]


@pytest.mark.parametrize("text", [LEARNT, SHARED])
def test_a_shift_that_a_learnable_moves_takes_a_basis_and_two_products(rewrite, text):
    assert _solved(rewrite, text)[:13] == [
        "%5 = transpose %0 : matrix[n, m]",
        "%6 = contract %5, %0 : matrix[n, n]",
        "%7 = builtin[symmetric_eigenvectors] %6 : matrix[n, n]",
        "%8 = contract %0, %7 : matrix[m, n]",
        "%9 = builtin[sumsq, axis=1] %8 : vector[n]",
        "%10 = builtin[min] %9 : scalar",
        "%11 = builtin[max] %9 : scalar",
        '%12 = builtin[regular_sum, place="a.unroll:9"] %4, %10, %11 : scalar',
        "%13 = transpose %7 : matrix[n, n]",
        "%14 = contract %13, %3 : vector[n]",
        "%15 = add %9, %12 : vector[n]",
        "%16 = div %14, %15 : vector[n]",
        "%17 = contract %7, %16 : vector[n]",
    ]


def test_fewer_rows_than_columns_take_the_thin_basis(rewrite):
    nodes = _solved(rewrite, LEARNT, {"m": 2, "n": 8})  # %5: right singular vectors, [n, m]
    assert nodes[:-2] == [
        "%10 = transpose %5 : matrix[m, n]",
        "%11 = contract %10, %3 : vector[m]",
        "%12 = add %7, %9 : vector[m]",
        "%13 = div %7, %12 : vector[m]",
        "%14 = mul %11, %13 : vector[m]",
        "%15 = contract %5, %14 : vector[n]",
        "%16 = sub %3, %15 : vector[n]",
        "%17 = div %16, %9 : vector[n]",
    ]


def test_without_a_positive_shift_the_thin_basis_is_not_taken(graph):
    # beside the rows of A the solution is b / shift, which may not exist
    text = LEARNT.replace(" > %1", "")
    assert routes(graph(text), {"m": 2, "n": 8})[0].name == "eigenvectors at set-up"


def test_fixed_and_positive_definite_is_factorised_once(rewrite):
    assert _solved(rewrite, FIXED)[-3:-1] == [
        "%10 = builtin[cholesky] %9 : matrix[n, n]",
        "%11 = builtin[cholesky_solve] %3, %10 : vector[n]",
    ]


def test_many_fewer_rows_than_columns_are_factorised_on_their_side(rewrite):
    nodes = _solved(rewrite, FIXED, {"m": 2, "n": 8})
    assert "%7 = contract %0, %5 : matrix[m, m]" in nodes
    assert '%9 = builtin[regular_shift, place="a.unroll:9"] %4, %8 : scalar' in nodes
    assert "%12 = builtin[cholesky] %11 : matrix[m, m]" in nodes
    assert not any("matrix[n, n]" in line for line in nodes)


def test_fixed_and_not_known_to_be_definite_takes_qr_factors(rewrite):
    assert _solved(rewrite, FREE)[-5:-1] == [
        "%11 = transpose %10 : matrix[n, n]",
        "%12 = contract %11, %9 : matrix[n, n]",
        "%13 = contract %11, %3 : vector[n]",
        "%14 = builtin[triangular_solve] %13, %12 : vector[n]",
    ]


def test_the_solution_keeps_its_name_and_place(graph):
    for text in (LEARNT, FIXED, FREE):
        result = Solving()(graph(text))
        last = result.nodes[result.states[0].update]
        assert last.label == "x"
        assert last.origin is not None and last.origin.line == 9


SYSTEM = """
    input b : vector[n]
    fixed W : matrix[n, n]
    fixed A : matrix[m, n]
    learnable q : vector[n] > %9 per phase = %8
    learnable F : matrix[m, n] = %2
    learnable rho : scalar > %9 per phase = %7
    state x : vector[n] = %0 then %{last}
    output %6
    phases 3
    %0 = input b : vector[n]
    %1 = fixed W : matrix[n, n]
    %2 = fixed A : matrix[m, n]
    %3 = learnable q : vector[n]
    %4 = learnable F : matrix[m, n]
    %5 = learnable rho : scalar
    %6 = final x : vector[n]
    %7 = constant 1 : scalar
    %8 = expand %7 : vector[n]
    %9 = constant 0 : scalar
    %10 = eye : matrix[n, n]
    %11 = mul %5, %10 : matrix[n, n]
    %12 = state x : vector[n]
    %13 = transpose %2 : matrix[n, m]
    %14 = contract %13, %2 : matrix[n, n]
    %15 = transpose %4 : matrix[n, m]
    %16 = contract %15, %4 : matrix[n, n]
    %17 = builtin[diagonal_matrix] %3 : matrix[n, n]
"""


@pytest.mark.parametrize(
    ("matrix", "name"),
    [
        ("add %14, %17", "Cholesky factor"),  # a diagonal that moves as a whole
        ("add %16, %11", "Cholesky factor"),  # a learnable matrix and a moving shift
        ("add %1, %11", "dense solution"),  # not symmetric, and moving
        ("add %11, %17", "division"),
        ("sub %14, %11", "eigenvectors at set-up"),  # need not be definite
    ],
)
def test_routes_of_other_matrices(graph, matrix, name):
    text = SYSTEM.format(last=19) + f"    %18 = {matrix} : matrix[n, n]\n"
    text += "    %19 = solve %18, %12 : vector[n]\n"
    assert [route.name for route in routes(graph(text))] == [name]


def test_a_learnable_matrix_gets_no_basis_as_that_has_no_derivative(graph):
    text = SYSTEM.format(last=19) + "    %18 = add %16, %11 : matrix[n, n]\n"
    text += "    %19 = solve %18, %12 : vector[n]\n"
    found = optimize(graph(text))
    ops = [getattr(node.op, "function", "") for node in found.nodes]
    assert "symmetric_eigenvectors" not in ops and "right_singular_vectors" not in ops


def test_what_is_solved_where_its_matrix_is_known_is_solved_directly(graph):
    text = """
        input b : vector[n]
        input W : matrix[n, n]
        output %2
        %0 = input b : vector[n]
        %1 = input W : matrix[n, n]
        %2 = solve %1, %0 : vector[n]
    """
    assert routes(graph(text))[0].name == "dense solution"


def test_a_map_of_unknown_sign_is_solved_by_its_normal_equations(rewrite, lines):
    before = """
        input b : vector[n]
        fixed P : linear vector[n] -> vector[n]
        output %2
        %0 = input b : vector[n]
        %1 = fixed P : linear vector[n] -> vector[n]
        %2 = solve[tolerance=0.001, iterations=20] %1, %0 : vector[n]
    """
    after = """
        output %5
        %0 = input b : vector[n]
        %1 = fixed P : linear vector[n] -> vector[n]
        %2 = adjoint_map %1 : map
        %3 = apply %2, %0 : vector[n]
        %4 = compose_map %2, %1 : map
        %5 = solve[tolerance=0.001, iterations=20] %4, %3 : vector[n]
    """
    assert rewrite(Solving(), before) == lines(after)


def test_a_diagonal_map_divides_an_image(rewrite, lines):
    before = """
        input b : image[1, m, n]
        fixed P : mask[m, n]
        output %6
        %0 = input b : image[1, m, n]
        %1 = fixed P : mask[m, n]
        %2 = constant 2 : scalar
        %3 = diagonal_map %1 : map
        %4 = identity_map : map
        %5 = scale_map %2, %4 : map
        %6 = add_map %3, %5 : map
        %7 = solve %6, %0 : image[1, m, n]
    """.replace("output %6", "output %7")
    after = """
        output %5
        %0 = input b : image[1, m, n]
        %1 = fixed P : mask[m, n]
        %2 = constant 2 : scalar
        %3 = add %1, %2 : mask[m, n]
        %4 = builtin[regular, place=""] %3 : mask[m, n]
        %5 = div %0, %4 : image[1, m, n]
    """
    assert rewrite(lambda g: dead(Solving()(scaling(g))), before) == lines(after)


def test_a_system_in_a_function_is_solved_densely(rewrite):
    text = """
        input b : vector[n]
        fixed W : matrix[n, n]
        output %2

        def f(M : matrix[n, n], v : vector[n]) = %2
            %0 = argument 0 : matrix[n, n]
            %1 = argument 1 : vector[n]
            %2 = solve %0, %1 : vector[n]

        %0 = input b : vector[n]
        %1 = fixed W : matrix[n, n]
        %2 = invoke[f] %1, %0 : vector[n]
    """
    solved = rewrite(Solving(), text).splitlines()
    assert '    %2 = builtin[regular_matrix, place=""] %0 : matrix[n, n]' in solved
    assert "    %3 = builtin[solve_dense] %1, %2 : vector[n]" in solved


def test_sums_without_end_are_taken_as_one_matrix(graph):
    nodes, last = "", 1
    for index in range(2, 62):
        nodes += f"        %{index} = add %{last}, %{last} : matrix[n, n]\n"
        last = index
    text = f"""
        input b : vector[n]
        fixed W : matrix[n, n]
        output %62
        %0 = input b : vector[n]
        %1 = fixed W : matrix[n, n]
{nodes}        %62 = solve %61, %0 : vector[n]
    """
    assert routes(graph(text))[0].name == "QR factors"


DIAGONAL = """
    input b : vector[n]
    fixed v : vector[n] > %1
    output %6
    %0 = input b : vector[n]
    %1 = constant 0 : scalar
    %2 = fixed v : vector[n]
    %3 = constant {above} : scalar
    %4 = {entries} : vector[n]
    %5 = diagonal_map %4 : map
    %6 = solve %5, %0 : vector[n]
"""


@pytest.mark.parametrize(
    ("above", "entries", "last"),
    [
        (1, "div %3, %2", "mul %0, %2"),
        (2, "div %3, %2", "div %0, %4"),
        (1, "div %2, %3", "div %0, %4"),
        (1, "mul %2, %3", "div %0, %4"),
    ],
)
def test_what_one_is_divided_by_is_multiplied_with(rewrite, above, entries, last):
    """(1 / v)^-1 is v; that of 2 / v and of v / 1 is no such value."""
    text = DIAGONAL.format(above=above, entries=entries)
    found = rewrite(lambda g: dead(Solving()(g)), text).splitlines()
    assert f"= {last} : vector[n]" in found[-1]
    assert any("%2 = fixed v" in line for line in found)
