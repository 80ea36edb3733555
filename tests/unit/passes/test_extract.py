"""A part of a program as a program of its own."""

from __future__ import annotations

import numpy as np

import unroll_dsl
from unroll_dsl.ir.verify import verify
from unroll_dsl.passes.extract import restricted

PAGE = """\
algorithm page
dims m = 2, n = 3
input y : vector[m]
fixed A : matrix[m, n]
fixed beside : vector[n]
state x : vector[n] = A' @ y
phase (4):
    x <- x - 0.1 * A' @ (A @ x - y) + beside
output x
loss (target : vector[n]):
    mean((x - target)^2)
"""


def test_the_start_of_a_state_alone() -> None:
    spec = unroll_dsl.loads(PAGE)
    part = restricted(spec.graph, [spec.graph.states[0].initial], name="start")
    verify(part)
    assert (part.name, part.states, part.loss, part.phases) == ("start", (), None, None)
    assert len(part.nodes) < len(spec.graph.nodes)
    A, y = np.arange(6.0).reshape(2, 3), np.array([[1.0, -2.0]])
    found = spec.over(part).reference(bind={"A": A, "beside": np.zeros(3)})(y)
    np.testing.assert_allclose(found, y @ A)


def test_another_graph_leaves_the_program_as_it_is() -> None:
    spec = unroll_dsl.loads(PAGE)
    other = spec.over(restricted(spec.graph, [spec.graph.states[0].initial], name="start"))
    assert (other.name, spec.name) == ("start", "page")
    assert spec.graph.states
    assert other.program is spec.program
