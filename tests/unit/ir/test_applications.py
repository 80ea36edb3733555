"""How often parts of maps are applied: once to one value; what would take too long is refused in words."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.ir.applications import as_written, too_long
from unroll_dsl.ir.nodes import Apply


def page(made: str, depth: int, output: str = "B{0} @ y") -> str:
    lets = "".join(f"let B{i + 1} = {made.format(f'B{i}')}\n" for i in range(depth))
    head = "algorithm a\ndims n\ninput y : vector[n]\nfixed B0, C : linear vector[n] -> vector[n]\n"
    return f"{head}{lets}output {output.format(depth)} + C @ y\n"


@pytest.mark.parametrize(
    ("made", "depth", "written", "distinct"),
    [
        ("{0} + {0}", 3, 15, 4),
        ("{0} @ {0}", 3, 15, 8),
        ("{0} + {0}' @ {0}", 2, 21, 8),
        ("{0} - {0} @ C", 3, 29, 13),
    ],
)
def test_counts(made: str, depth: int, written: int, distinct: int) -> None:
    nodes = unroll_dsl.loads(page(made, depth)).graph.nodes
    (first, *_) = (n.args[0] for n in nodes if isinstance(n.op, Apply))
    assert as_written(nodes)[first] == written
    index = too_long(nodes, distinct - 1)
    assert index is not None and nodes[index].args[0] == first
    assert too_long(nodes, distinct) is None


def test_maps_of_the_same_parts_again_and_again_take_no_longer() -> None:
    spec = unroll_dsl.loads(page("0.5 * {0} + 0.5 * {0}", 30, "solve(B{0}' @ B{0} + I, y)"))
    rng = np.random.default_rng(0)
    B, C, y = rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
    expected = np.linalg.solve(B.T @ B + np.eye(3), y) + C @ y
    bind = {"B0": B, "C": C}
    begin = time.perf_counter()
    np.testing.assert_allclose(spec.reference(bind=bind)(y), expected, rtol=1e-9)
    for level in (0, 1, 2):
        net = spec.compile(bind=bind, optimize=level, dtype=torch.float64)
        np.testing.assert_allclose(net(torch.as_tensor(y)), expected, rtol=1e-9)
    assert time.perf_counter() - begin < 300


def test_the_part_of_a_part_is_that_of_its_adjoint() -> None:
    spec = unroll_dsl.loads(page("0.5 * {0} + {0}' @ {0}", 4, "B{0}' @ y"))
    rng = np.random.default_rng(1)
    C, y = rng.normal(size=(3, 3)), rng.normal(size=3)
    first = B = 0.3 * rng.normal(size=(3, 3))
    for _ in range(4):
        B = 0.5 * B + B.T @ B
    for level in (0, 1, 2):
        net = spec.compile(bind={"B0": first, "C": C}, optimize=level, dtype=torch.float64)
        np.testing.assert_allclose(net(torch.as_tensor(y)), B.T @ y + C @ y, rtol=1e-9)
    np.testing.assert_allclose(
        spec.reference(bind={"B0": first, "C": C})(y), B.T @ y + C @ y, rtol=1e-9
    )
