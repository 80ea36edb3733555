"""Periodic blur by transforms: how many there are in a phase, and that values stay, for each way to write a step."""

import pytest

from tests.unit.passes.pages import assert_same, prepared
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Apply, Builtin, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.periodic import Periodic, filters

PAGE = """algorithm p
dims h, w, p, q
input y : {field}image[2, h, w]
input K : matrix[p, q]
fixed B, D : matrix[p, q]
learnable t : scalar per phase = 0.3
learnable E : matrix[p, q] per phase = 0.1
let C = blur(B, padding=circular)
let F = blur(D, padding=circular)
state x : {field}image[2, h, w] = y
phase (2):
    x <- {step}
output x
"""
SIZES = {"h": 6, "w": 5, "p": 5, "q": 5}


def transforms(graph: Graph) -> tuple[int, int]:
    """Products with transfer functions in a phase, and applications of blur that are left."""
    found = stages(graph)
    phase = [n for i, n in enumerate(graph.nodes) if found[i] is Stage.PHASE]
    return sum(n.op == Builtin("filtered") for n in phase), sum(
        isinstance(n.op, Apply) for n in phase
    )


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize(
    ("step", "filtered", "applied"),
    [
        ("C @ x", 1, 0),
        ("C' @ x", 1, 0),
        ("C' @ (C @ x)", 1, 0),
        ("C' @ (C @ x - y)", 1, 0),
        ("C' @ (C @ x + y)", 1, 0),
        ("C' @ (y - C @ x)", 2, 0),
        ("x - t * C' @ (C @ x - y)", 1, 0),
        ("C' @ (C @ x - x)", 2, 0),  # what moves is not known before the phase
        ("C @ (C @ x - y)", 2, 0),
        ("C' @ (C' @ x - y)", 2, 0),
        ("C' @ (F @ x - y)", 2, 0),
        ("F' @ (F @ x - y) + C' @ (C @ x)", 2, 0),
        ("C' @ (C @ x - y) + (C @ x - y)", 2, 0),
        ("C' @ (C @ x - t)", 2, 0),
        ("blur(E, padding=circular) @ x", 0, 1),
        ("blur(K, padding=circular) @ x", 0, 1),
        ("blur(B, padding=zero) @ x + C @ x", 1, 1),
    ],
)
def test_steps(step: str, filtered: int, applied: int, field: str) -> None:
    before = prepared(PAGE.format(step=step, field=field))
    after = dead(Periodic(SIZES)(before))
    assert transforms(after) == (filtered, applied)
    assert_same(before, after, SIZES)
    words = filters(after)
    assert bool(words) is bool(filtered)
    if filtered == 1:
        assert words[0].startswith("page.unroll:12:")
        assert ": 2 Fourier transforms of real images" in words[0]


@pytest.mark.parametrize(
    ("p", "q", "taken"), [(5, 5, True), (13, 2, True), (4, 6, False), (6, 4, False), (2, 13, True)]
)
def test_from_so_many_entries_on(p: int, q: int, taken: bool) -> None:
    """Fewer are cheaper as a convolution; what is counted are the entries of the kernel."""
    before = prepared(PAGE.format(step="C @ x", field=""))
    after = Periodic({"h": 6, "w": 5, "p": p, "q": q})(before)
    assert (after != before) is taken


@pytest.mark.parametrize("name", ["h", "w", "p", "q"])
def test_all_sizes_are_known(name: str) -> None:
    before = prepared(PAGE.format(step="C @ x", field=""))
    assert Periodic({n: s for n, s in SIZES.items() if n != name})(before) == before
