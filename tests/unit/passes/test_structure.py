"""The terms of a matrix are the matrix: what they are, and that their sum is what was written."""

from typing import Any

import numpy as np
import pytest

from tests.unit.passes.pages import prepared
from unroll_dsl.backends.numpy import Reference
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.passes.structure import (
    Dense,
    DiagonalTerm,
    Gram,
    Identity,
    MapTerm,
    Opaque,
    terms,
)

PAGE = """algorithm p
dims m, n
input y : {field}vector[n]
fixed A : {field}matrix[m, n]
fixed W : {field}matrix[n, n]
fixed d : vector[n]
fixed u : vector[m]
fixed a, b, c : scalar
output solve({system}, y)
"""
SIZES = {"m": 3, "n": 4}
# the matrix, and its terms: sign, how many factors and divisors, kind
SYSTEMS: dict[str, list[tuple[int, int, int, str]]] = {
    "W": [(1, 0, 0, "Dense")],
    "W - I": [(1, 0, 0, "Dense"), (-1, 0, 0, "Identity")],
    "-W - (I - diag(d))": [(-1, 0, 0, "Dense"), (-1, 0, 0, "Identity"), (1, 0, 0, "DiagonalTerm")],
    "A' @ A + a * I": [(1, 0, 0, "Gram"), (1, 1, 0, "Identity")],
    "A' @ A / a - b * (W + c * I)": [
        (1, 0, 1, "Gram"),
        (-1, 1, 0, "Dense"),
        (-1, 2, 0, "Identity"),
    ],
    "(W - diag(d)) / (a * b) * c - I": [
        (1, 1, 1, "Dense"),
        (-1, 1, 1, "DiagonalTerm"),
        (-1, 0, 0, "Identity"),
    ],
    "(-a) * W + I": [(-1, 1, 0, "Dense"), (1, 0, 0, "Identity")],
    "(-(-a)) * W - (-I)": [(1, 1, 0, "Dense"), (1, 0, 0, "Identity")],
    "(1 / a) * W + (b / c) * I": [(1, 0, 1, "Dense"), (1, 1, 1, "Identity")],
    "(-1) * W - (-1) * I": [(-1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
    "(-b / -a) * W + 1 * I": [(-1, 1, 1, "Dense"), (1, 0, 0, "Identity")],
    "W @ W' + I": [(1, 0, 0, "Gram"), (1, 0, 0, "Identity")],
    "W @ W + I": [(1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
    "W' @ W' + I": [(1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
    "A' @ diag(u) @ A + I": [(1, 0, 0, "Gram"), (1, 0, 0, "Identity")],
    "(diag(u) @ A)' @ A + I": [(1, 0, 0, "Gram"), (1, 0, 0, "Identity")],
    "A' @ (A * u) + I": [(1, 0, 0, "Gram"), (1, 0, 0, "Identity")],
    "W @ diag(d) @ W + I": [(1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
    "W' @ (W * W) + I": [(1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
    "diag(d) @ W + I": [(1, 0, 0, "Dense"), (1, 0, 0, "Identity")],
}


def of_system(text: str) -> tuple[Graph, int]:
    graph = prepared(text)
    (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
    return graph, graph.nodes[index].args[0]


def whole(found: tuple[MapTerm, ...], value: Any) -> Any:
    total = np.zeros((4, 4))
    for term in found:
        match term.core:
            case Identity():
                core = np.eye(4)
            case DiagonalTerm(entries):
                core = np.diag(value(entries))
            case Gram(factor, turned, weight):
                F = value(factor).conj().T if turned else value(factor)
                core = F.conj().T @ (F if weight is None else value(weight)[:, None] * F)
            case Dense(matrix):
                core = value(matrix)
            case Opaque():
                raise AssertionError
        for factor in term.times:
            core = value(factor) * core
        for divisor in term.over:
            core = core / value(divisor)
        total = total + term.sign * core
    return total


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("system", SYSTEMS)
def test_terms(system: str, field: str) -> None:
    graph, matrix = of_system(PAGE.format(system=system, field=field))
    found = terms(graph.nodes, matrix)
    told = [(t.sign, len(t.times), len(t.over), type(t.core).__name__) for t in found]
    assert sorted(told) == sorted(SYSTEMS[system])
    rng = np.random.default_rng(0)
    given = {
        c.name: rng.standard_normal([d.substitute(SIZES).value for d in c.type.shape])
        for c in graph.constants
    }
    if field:
        given |= {name: given[name] + 1j * rng.standard_normal(given[name].shape) for name in "AW"}
    reference = Reference(graph, 1, given, {}, SIZES)

    def value(index: int) -> Any:
        return reference.before_inputs([index], 1)[0]

    assert whole(found, value) == pytest.approx(value(matrix))
    for term in found:  # what is said of each is where the term is
        assert np.allclose(
            whole((MapTerm(1, (), (), term.core, term.source),), value), value(term.source)
        )


@pytest.mark.parametrize(("copies", "count"), [(31, 32), (32, 1)])
def test_as_many_as_thirty_two_terms_are_told_apart(copies: int, count: int) -> None:
    system = "I" + "".join(f" + {k} * W" for k in range(2, copies + 2))
    graph, matrix = of_system(PAGE.format(system=system, field=""))
    assert len(terms(graph.nodes, matrix)) == count


MAPS = """algorithm p
dims h, w, m
input y : image[1, h, w]
fixed T : linear image[1, h, w] -> vector[m]
fixed g : mask[h, w]
fixed a : scalar
output solve({system}, y)
"""


@pytest.mark.parametrize(
    ("system", "kinds"),
    [
        ("T' @ T + a * I", [(1, 0, "Opaque"), (1, 1, "Identity")]),
        ("T' @ T - diag(g)", [(1, 0, "Opaque"), (-1, 0, "DiagonalTerm")]),
        (
            "a * (T' @ T - a * diag(g)) - I",
            [(1, 1, "Opaque"), (-1, 2, "DiagonalTerm"), (-1, 0, "Identity")],
        ),
    ],
)
def test_terms_of_maps(system: str, kinds: list[tuple[int, int, str]]) -> None:
    graph, matrix = of_system(MAPS.format(system=system))
    found = [(t.sign, len(t.times), type(t.core).__name__) for t in terms(graph.nodes, matrix)]
    assert sorted(found) == sorted(kinds)


def test_an_eye_that_is_not_square_is_no_identity(graph: Any) -> None:
    found = graph("""
        input y : vector[m]
        output %1
        %0 = input y : vector[m]
        %1 = eye : matrix[m, n]
        %2 = eye : matrix[n, n]
    """)
    assert terms(found.nodes, 1)[0].core == Dense(1)
    assert terms(found.nodes, 2)[0].core == Identity()
