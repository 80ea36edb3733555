"""What the Fourier transform makes diagonal: the diagonal is that of the map, and no other map has one."""

from typing import Any

import numpy as np
import pytest

from tests.unit.passes.pages import prepared
from unroll_dsl.backends.numpy import Reference
from unroll_dsl.backends.numpy.maps import as_map
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.passes.fourier import symbol
from unroll_dsl.passes.rewrite import Rewriting
from unroll_dsl.types import Array

PAGE = """algorithm p
dims h, w
input y : {field}image[{channels}, h, w]
fixed q : matrix[3, 2]
fixed K : matrix[3, 3]
fixed B : tensor[4, 3, 3]
fixed g : complex mask[h, w]
fixed r : mask[h, w]
fixed c : complex scalar
fixed t : vector[4]
let C = blur(q, padding=circular)
let E = blur(K, padding=circular)
let Z = blur(q, padding=zero)
let F = filters(B, padding=circular)
let G = grad(padding=circular)
output solve({system}, y)
"""
SIZES = {"h": 5, "w": 4}
REAL = (
    "C' @ C + I",
    "C + 3 * I",
    "C' + 3 * I",
    "C @ E' + 3 * I",
    "E' @ C - C' @ E - 2 * I",
    "(C @ E)' @ (C @ E) + I",
    "F' @ F + I",
    "F' @ diag(t) @ F + 3 * I",
    "F' @ (2 * F) + C' @ C + I",
    "G' @ G + I",
    "C' @ C + G' @ G - F' @ F",
    "C' @ (G' @ G) @ C + I",
    "-(C' @ C) - I",
)
COMPLEX = (
    "ifft2 @ diag(g) @ fft2",
    "fft2' @ diag(g) @ fft2 + I",
    "(ifft2 @ diag(g) @ fft2)' + I",
    "ifft2 @ diag(g) @ fft2 @ C + I",
    "C' @ ifft2 @ diag(g) @ fft2 + I",
    "(diag(r) @ fft2)' @ (diag(r) @ fft2) + C' @ C + I",
    "(diag(g) @ fft2)' @ (diag(g) @ fft2) + I",
    "c * (C' @ C) + I",
    "(c * C)' @ C + I",
    "(c * C)' @ (c * E) + I",
    "ifft2 @ diag(g) @ diag(r) @ fft2 - I",
    "ifft2 @ (diag(g) + 2 * I) @ fft2",
    "ifft2 @ (c * diag(g)) @ fft2",
    "fft2 @ diag(g) @ fft2'",
)


def found_symbol(system: str, field: str, channels: int) -> tuple[Any, Any, Any]:
    graph = prepared(PAGE.format(system=system, field=field, channels=channels))
    (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
    matrix, b = graph.nodes[index].args
    space = graph.nodes[b].type
    assert isinstance(space, Array)
    new = Rewriting.of(graph)
    for node in graph.nodes:
        new.add(node.op, node.args, node.type, node.origin)
    found = symbol(graph.nodes, range(len(graph.nodes)), matrix, space, new)
    return graph, matrix, (found, new)


def check(system: str, field: str, channels: int = 1) -> None:
    from dataclasses import replace

    graph, matrix, (found, new) = found_symbol(system, field, channels)
    assert found is not None
    rng = np.random.default_rng(0)
    given = {}
    for c in graph.constants:
        value = rng.standard_normal([d.substitute(SIZES).value for d in c.type.shape])
        if c.type.field.name == "COMPLEX":
            value = value + 1j * rng.standard_normal(value.shape)
        given[c.name] = value
    reference = Reference(replace(graph, nodes=tuple(new.nodes)), 1, given, {}, SIZES)
    map_, diagonal = reference.before_inputs([matrix, found], 1)
    map_ = as_map(map_.item())
    x = rng.standard_normal((channels, 5, 4))
    if field:
        x = x + 1j * rng.standard_normal(x.shape)
    ours = np.fft.ifft2(diagonal * np.fft.fft2(x))
    assert ours == pytest.approx(map_.forward(x), abs=1e-10)


@pytest.mark.parametrize("system", [s for s in COMPLEX if s != "fft2 @ diag(g) @ fft2'"] + [*REAL])
def test_the_diagonal_is_that_of_the_map(system: str) -> None:
    check(system, "complex ")


@pytest.mark.parametrize("system", REAL)
def test_the_diagonal_of_a_map_of_real_images(system: str) -> None:
    check(system, "")


@pytest.mark.parametrize("system", ["C' @ C + I", "E' @ C + 3 * I"])
def test_all_channels_have_the_same_diagonal(system: str) -> None:
    check(system, "", 3)


@pytest.mark.parametrize(
    ("system", "field", "channels"),
    [
        ("Z' @ Z + I", "", 1),
        ("grad' @ grad + I", "", 1),
        ("C' @ C + diag(r)", "", 1),
        ("dct2' @ diag(r) @ dct2 + I", "", 1),
        ("fft2' @ diag(g) @ C @ fft2 + I", "complex ", 1),
        ("fft2 @ diag(g) @ fft2 + I", "complex ", 1),
        ("fft2 + I", "complex ", 1),
        ("fft2 @ diag(g) @ fft2'", "complex ", 1),
    ],
)
def test_other_maps_have_none(system: str, field: str, channels: int) -> None:
    assert found_symbol(system, field, channels)[2][0] is None
