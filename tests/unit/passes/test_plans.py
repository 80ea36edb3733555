"""Which plan is made for a system, of which parts, and what is said of it."""

from typing import Any

import pytest

from tests.unit.passes.pages import assert_same, prepared
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.plans import (
    Cholesky,
    Divide,
    Orthogonal,
    Plan,
    Planner,
    Spectral,
    Woodbury,
)
from unroll_dsl.passes.solving import Solving

PAGE = """algorithm p
dims m, n
input y : {field}vector[n]
fixed A : {field}matrix[m, n]
fixed B : matrix[m, n]
fixed W : matrix[n, n]
fixed z : complex vector[n]
fixed v : complex vector[m]
fixed d, e : vector[n] > 0
fixed f : vector[n]
fixed u : vector[m]
fixed c : scalar > 0 = 0.7
fixed g : scalar = 0.3
fixed i : complex scalar = 0.5
learnable rho : scalar > 0 = 0.5
learnable tau : scalar = 2.5
learnable F : {field}matrix[m, n] = A
state x : {field}vector[n] = 0
phase (2):
    x <- solve({system}, y + x)
output x
"""
WIDE, TALL = {"m": 3, "n": 6}, {"m": 7, "n": 4}


def graph_of(system: str, field: str = "") -> Graph:
    return prepared(PAGE.format(system=system, field=field))


def planned(system: str, sizes: dict[str, int], field: str = "") -> Plan:
    graph = graph_of(system, field)
    (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
    return Planner(graph, sizes).plan(index)


def parts(method: Any) -> tuple[Any, ...]:
    """The kind of a plan, how many terms are fixed and how many are the shift, and what else it has."""
    match method:
        case Spectral(fixed, moving, shift, thin, scale):
            found = "moving" if moving else "", "thin" if thin else "", "scale" if scale else ""
            return (Spectral, len(fixed), len(shift), *filter(None, found))
        case Woodbury(_, shift):
            return Woodbury, len(shift)
        case Divide(terms):
            return Divide, len(terms)
        case _:
            return (type(method),)


PLANS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {  # for wide and for tall matrices
    "2 * I": ((Divide, 1), (Divide, 1)),
    "rho * I - diag(f)": ((Divide, 2), (Divide, 2)),
    "A' @ A + rho * I": ((Spectral, 1, 1, "thin"), (Spectral, 1, 1)),
    "A' @ A + rho * I + c * I": ((Spectral, 1, 2, "thin"), (Spectral, 1, 2)),
    "A' @ A + tau * I": ((Spectral, 1, 1), (Spectral, 1, 1)),
    "A' @ A - rho * I": ((Spectral, 1, 1), (Spectral, 1, 1)),
    "rho * A' @ A + I": ((Spectral, 1, 1, "moving", "thin"), (Spectral, 1, 1, "moving")),
    "A' @ A / rho + tau * I": ((Spectral, 1, 1, "moving"), (Spectral, 1, 1, "moving")),
    "A' @ A + B' @ B + rho * I": ((Spectral, 2, 1), (Spectral, 2, 1)),
    "A' @ A + diag(f) + rho * I": ((Spectral, 2, 1), (Spectral, 2, 1)),
    "A' @ diag(u) @ A + rho * I": ((Spectral, 1, 1), (Spectral, 1, 1)),
    "rho * A' @ A + B' @ B + c * I": ((Cholesky,), (Cholesky,)),
    "rho * A' @ A + rho * B' @ B + I": ((Spectral, 2, 1, "moving"), (Spectral, 2, 1, "moving")),
    "A' @ A / rho + rho * B' @ B + I": ((Cholesky,), (Cholesky,)),
    "A' @ A + rho * diag(d)": ((Spectral, 1, 1, "scale"), (Spectral, 1, 1, "scale")),
    "rho * diag(d) + A' @ A": ((Spectral, 1, 1, "scale"), (Spectral, 1, 1, "scale")),
    "A' @ A + rho * diag(d) + rho * I": ((Spectral, 1, 2, "scale"), (Spectral, 1, 2, "scale")),
    "A' @ A + diag(d) / rho": ((Spectral, 1, 1, "scale"), (Spectral, 1, 1, "scale")),
    "A' @ A + rho * c * diag(d)": ((Spectral, 1, 1, "scale"), (Spectral, 1, 1, "scale")),
    "A' @ A + g * (rho * diag(d))": ((Orthogonal,), (Orthogonal,)),
    "A' @ A + rho * diag(f)": ((Orthogonal,), (Orthogonal,)),
    "A' @ A - rho * diag(d)": ((Orthogonal,), (Orthogonal,)),
    "A' @ A + tau * diag(d)": ((Spectral, 1, 1, "scale"), (Spectral, 1, 1, "scale")),
    "tau * A' @ A + rho * diag(d)": (
        (Spectral, 1, 1, "moving", "scale"),
        (Spectral, 1, 1, "moving", "scale"),
    ),
    "A' @ A + rho * diag(d) + tau * diag(e)": ((Orthogonal,), (Orthogonal,)),
    "F' @ F + c * I": ((Woodbury, 1), (Cholesky,)),
    "F' @ F + rho * I": ((Woodbury, 1), (Cholesky,)),
    "c * F' @ F + rho * I + c * I": ((Woodbury, 2), (Cholesky,)),
    "F' @ F + rho * diag(d)": ((Cholesky,), (Cholesky,)),
    "F' @ F + B' @ B + rho * I": ((Cholesky,), (Cholesky,)),
    "F' @ diag(u^2 + 1) @ F + rho * I": ((Cholesky,), (Cholesky,)),
    "F' @ F + tau * I": ((Orthogonal,), (Orthogonal,)),
    "W": ((Orthogonal,), (Orthogonal,)),
    "W + c * I": ((Orthogonal,), (Orthogonal,)),
    "W + rho * I": ((Orthogonal,), (Orthogonal,)),
    "A' @ A - c * I": ((Orthogonal,), (Orthogonal,)),
}


@pytest.mark.parametrize("system", PLANS)
def test_plans(system: str) -> None:
    for sizes, wanted in zip((WIDE, TALL), PLANS[system], strict=True):
        assert parts(planned(system, sizes).method) == wanted, sizes


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("system", PLANS)
def test_solutions_are_those_of_the_matrix_as_it_is_written(system: str, field: str) -> None:
    before = graph_of(system, field)
    for sizes in (WIDE, TALL):
        for known in (sizes, {}):
            assert_same(before, dead(Solving(known)(before)), sizes, 1e-9)


OF_COMPLEX_NUMBERS: dict[str, type] = {
    "i * A' @ A + rho * I": Orthogonal,  # not Hermitian: no basis of eigenvectors
    "A' @ A / i + rho * I": Orthogonal,
    "A' @ A + i * I + rho * I": Spectral,  # a shift may be complex
    "A' @ A + diag(z) + rho * I": Orthogonal,
    "A' @ A + rho * diag(z)": Orthogonal,
    "A' @ diag(v) @ A + rho * I": Orthogonal,
    "i * rho * I + A' @ A": Spectral,
    "i * F' @ F + rho * I": Orthogonal,
    "F' @ F + i * I": Orthogonal,
    "i * I - diag(z)": Divide,
}


@pytest.mark.parametrize("system", OF_COMPLEX_NUMBERS)
def test_complex_coefficients_and_diagonals(system: str) -> None:
    for sizes in (WIDE, TALL):
        assert type(planned(system, sizes, "complex ").method) is OF_COMPLEX_NUMBERS[system]
        before = graph_of(system, "complex ")
        assert_same(before, dead(Solving(sizes)(before)), sizes, 1e-9)


@pytest.mark.parametrize(
    ("system", "sizes", "kind"),
    [
        ("F' @ F + c * I", (5, 6), Woodbury),
        ("F' @ F + c * I", (6, 6), Cholesky),
        ("F @ F' + c * I", (6, 5), Woodbury),
        # kept for all phases: 4 m n + 2 m^2 < 2 n^2 for m < 0.41 n
        ("A' @ A + c * I", (12, 29), Woodbury),
        ("A' @ A + c * I", (12, 28), Cholesky),
        ("A' @ A + c * I", (29, 70), Cholesky),
        ("A' @ A + c * I", (29, 71), Woodbury),
    ],
)
def test_the_smaller_side_is_factorised_where_that_is_cheaper(
    system: str, sizes: tuple[int, int], kind: type
) -> None:
    if "F @ F'" in system:
        text = PAGE.replace("[n]", "[m]").format(system=system, field="")
        text = text.replace("A : matrix[m, n]", "A : matrix[m, n]").replace(
            "W : matrix[n, n]", "W : matrix[m, m]"
        )
        graph = prepared(text)
        (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
        plan = Planner(graph, dict(zip("mn", sizes, strict=True))).plan(index)
    else:
        plan = planned(system, dict(zip("mn", sizes, strict=True)))
    assert isinstance(plan.method, kind)


@pytest.mark.parametrize(("sizes", "thin"), [((5, 6), True), ((6, 6), False), ((7, 6), False)])
def test_the_basis_is_thin_where_there_are_fewer_rows(sizes: tuple[int, int], thin: bool) -> None:
    method = planned("A' @ A + rho * I", dict(zip("mn", sizes, strict=True))).method
    assert isinstance(method, Spectral) and (method.thin is not None) == thin


@pytest.mark.parametrize(
    ("system", "sizes", "words"),
    [
        ("2 * I", WIDE, "the matrix is diagonal: one division"),
        (
            "A' @ A + rho * I",
            WIDE,
            "only rho moves, before a fixed matrix and I: the 3 singular vectors of A (3 < 6) are computed once, "
            "at set-up, then two products with them a phase",
        ),
        (
            "A' @ A + rho * I",
            TALL,
            "only rho moves, before a fixed matrix and I: the eigenvectors of `A' @ A` are computed once, at "
            "set-up, then two products with them a phase",
        ),
        (
            "A' @ A / rho + tau * diag(d)",
            TALL,
            "only tau and rho move, before a fixed matrix and a fixed diagonal: the eigenvectors of `A' @ A` are "
            "computed once, at set-up, then two products with them a phase",
        ),
        (
            "F' @ F + c * I",
            WIDE,
            "F has 3 rows and 6 columns: the Cholesky factor of the 3-by-3 side is computed once a call",
        ),
        (
            "A' @ A + c * I",
            {"m": 4, "n": 6},
            "4 < 6, but two 6-by-6 triangles cost less a phase than the way over the 4-by-4 side: the Cholesky "
            "factor is computed once, at set-up",
        ),
        (
            "A' @ A + c * I",
            TALL,
            "`A' @ A + c * I` is positive definite: its Cholesky factor is computed once, at set-up",
        ),
        (
            "W",
            WIDE,
            "W is not known to be positive definite: its QR factors are computed once, at set-up",
        ),
    ],
)
def test_reasons(system: str, sizes: dict[str, int], words: str) -> None:
    assert planned(system, sizes).reason == words


def test_a_matrix_that_moves_in_the_phase_is_said_to() -> None:
    text = PAGE.replace("rho : scalar > 0 = 0.5", "rho : vector[n] > 0 per phase = 0.5")
    graph = prepared(text.format(system="A' @ A + diag(rho)", field=""))
    (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
    assert Planner(graph, WIDE).plan(index).reason == (
        "`A' @ A + diag(rho)` is positive definite: its Cholesky factor is computed in every phase, as what moves "
        "in it is no multiple of the identity"
    )
