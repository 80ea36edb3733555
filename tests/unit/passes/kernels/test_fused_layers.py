"""Which convolutions are fused or taken by products, of which steps, and that layers compute what they did."""

from typing import Any

import pytest

from tests.unit.passes.pages import assert_same, built
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import ApplyLayer, ConvolveFew, ConvolvePair, LayerSteps
from unroll_dsl.ir.read_types import TypeReader
from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.kernels.convolutions import _has_few, _pays, fused, fusion
from unroll_dsl.types import Layer


def step(text: str) -> Any:
    layer = TypeReader().read(text)
    assert isinstance(layer, Layer)
    return layer.steps[0]


@pytest.mark.parametrize(
    ("first", "second", "alone", "pays"),
    [
        # 2 * 25 i o <= 9 c o, and 9 i c where nothing else reads what is between
        ("conv[1 -> 32, 3]", "conv[32 -> 1, 3]", True, True),
        ("conv[4 -> 16, 3]", "conv[16 -> 4, 3]", True, True),
        ("conv[4 -> 16, 3]", "conv[16 -> 4, 3]", False, False),
        ("conv[9 -> 50, 3]", "conv[50 -> 9, 3]", False, True),  # 50 * 81 = 9 * 450
        ("conv[9 -> 49, 3]", "conv[49 -> 9, 3]", False, False),
        ("conv[9 -> 25, 3]", "conv[25 -> 9, 3]", True, True),
        ("conv[9 -> 24, 3]", "conv[24 -> 9, 3]", True, False),
        ("conv[2 -> 12, 3]", "conv[12 -> 50, 3]", False, True),  # 5000 <= 5400
        ("conv[2 -> 11, 3]", "conv[11 -> 50, 3]", False, False),  # 5000 > 4950
        ("conv[2 -> 11, 3]", "conv[11 -> 50, 3]", True, True),  # 5000 <= 4950 + 198
        ("conv[50 -> 11, 3]", "conv[11 -> 2, 3]", True, True),
        ("conv[50 -> 11, 3]", "conv[11 -> 2, 3]", False, False),
        ("conv[1 -> 32, 3, bias]", "conv[32 -> 1, 3]", True, False),
        ("conv[1 -> 32, 3]", "conv[32 -> 1, 3, bias]", True, True),
        ("conv[1 -> 32, 5]", "conv[32 -> 1, 3]", True, False),
        ("conv[1 -> 32, 3]", "conv[32 -> 1, 5]", True, False),
        ("conv[1 -> 32, 3, padding=circular]", "conv[32 -> 1, 3]", True, False),
        ("conv[1 -> 32, 3]", "conv[32 -> 1, 3, padding=reflect]", True, False),
        ("conv[2 -> 32, 3, groups=2]", "conv[32 -> 1, 3]", True, False),
        ("conv[1 -> 32, 3]", "conv[32 -> 2, 3, groups=2]", True, False),
        ("conv[c -> 32, 3]", "conv[32 -> 1, 3]", True, False),
        ("conv[1 -> 32, 3]", "conv[32 -> c, 3]", True, False),
        ("conv[1 -> 32, 3]", "relu", True, False),
        ("relu", "conv[32 -> 1, 3]", True, False),
    ],
)
def test_fusing_pays_where_half_of_the_products_are_saved(
    first: str, second: str, alone: bool, pays: bool
) -> None:
    assert _pays(step(first), step(second), alone=alone) is pays


@pytest.mark.parametrize(
    ("text", "few"),
    [
        ("conv[2 -> 16, 3]", True),
        ("conv[16 -> 2, 3]", True),
        ("conv[16 -> 2, 5]", True),
        ("conv[16 -> 2, 7]", True),
        ("conv[16 -> 2, 1]", False),
        ("conv[16 -> 2, 9]", False),
        ("conv[3 -> 16, 3]", False),
        ("conv[1 -> 15, 3]", False),
        ("conv[1 -> 16, 3]", True),
        ("conv[3 -> 24, 3]", True),
        ("conv[3 -> 23, 3]", False),
        ("conv[c -> 16, 3]", False),
        ("conv[16 -> c, 3]", False),
        ("conv[2 -> 16, 3, groups=2]", False),
        ("conv[2 -> 16, 3, padding=circular]", False),
        ("conv[2 -> 16, 3, bias]", True),
        ("relu", False),
    ],
)
def test_few_are_an_eighth_of_sixteen_or_more(text: str, few: bool) -> None:
    assert _has_few(step(text)) is few


PAGE = """algorithm p
dims h, w
input x : {field}image[{first}, h, w]
learnable D : {one} ~ xavier_normal
learnable H : {two} ~ xavier_normal
output {output}
"""
SIZES = {"h": 5, "w": 4}


def page(one: str, two: str, output: str = "H(D(x))", field: str = "") -> Graph:
    first = one.removeprefix("conv[").split(" ")[0]
    return built(PAGE.format(one=one, two=two, output=output, first=first, field=field))


def made(graph: Graph) -> list[str]:
    """What is applied, in order: layers by their steps."""
    words = []
    for node in dead(fusion(graph)).nodes:
        if isinstance(node.op, ApplyLayer | ConvolveFew | ConvolvePair):
            words.append(type(node.op).__name__)
        elif isinstance(node.op, LayerSteps):
            words.append(f"{node.op.start}:{node.op.stop}")
    return words


ONE = "conv[1 -> 32, 3]"
CHAIN = "conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]"
FUSED: dict[str, tuple[Graph, list[str]]] = {
    "two single ones": (page(ONE, "conv[32 -> 1, 3]"), ["ConvolvePair"]),
    "the first of a chain": (page(ONE, CHAIN), ["0:1", "ConvolvePair", "1:3", "ApplyLayer"]),
    "the last of a chain": (
        page("conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]", "conv[32 -> 1, 3]"),
        ["0:2", "ApplyLayer", "2:3", "ConvolvePair"],
    ),
    "the last and the first": (
        page(
            "conv[16 -> 16, 3] >> relu >> conv[16 -> 64, 3]",
            "conv[64 -> 1, 3] >> tanh >> conv[1 -> 1, 1]",
        ),
        ["0:2", "ApplyLayer", "2:3", "0:1", "ConvolvePair", "1:3", "ApplyLayer"],
    ),
    "few to many, by itself": (page(ONE, ONE, "D(x)"), ["ConvolveFew"]),
    "few at the begin": (
        page("conv[1 -> 32, 3, bias] >> relu >> conv[32 -> 32, 3]", ONE, "D(x)"),
        ["0:1", "ConvolveFew", "1:3", "ApplyLayer"],
    ),
    "few at the end": (
        page("conv[32 -> 32, 3] >> relu >> conv[32 -> 1, 3]", ONE, "D(x)"),
        ["0:2", "ApplyLayer", "2:3", "ConvolveFew"],
    ),
    "few at both ends": (
        page("conv[1 -> 32, 3] >> relu >> conv[32 -> 1, 3]", ONE, "D(x)"),
        ["0:1", "ConvolveFew", "1:2", "ApplyLayer", "2:3", "ConvolveFew"],
    ),
    "nothing between": (
        page("conv[1 -> 32, 5] >> conv[32 -> 1, 5]", ONE, "D(x)"),
        ["0:1", "ConvolveFew", "1:2", "ConvolveFew"],
    ),
    "many": (page("conv[16 -> 16, 3]", ONE, "D(x)"), ["ApplyLayer"]),
    "piecewise linear units, channels last": (
        page("conv[1 -> 32, 3] >> plf >> conv[32 -> 1, 3]", ONE, "D(x)"),
        ["0:2", "ApplyLayer", "2:3", "ConvolveFew"],
    ),
    "complex images": (
        page(ONE, "conv[32 -> 1, 3]", field="complex "),
        ["ApplyLayer", "ApplyLayer"],
    ),
    "read besides": (
        common(page("conv[4 -> 16, 3]", "conv[16 -> 4, 3]", "H(D(x)), D(x)")),
        ["ApplyLayer", "ApplyLayer"],
    ),
}


@pytest.mark.parametrize("name", FUSED)
def test_what_is_made_of_layers(name: str) -> None:
    graph, wanted = FUSED[name]
    assert made(graph) == wanted
    assert_same(graph, fusion(graph), SIZES)


def test_what_an_update_or_a_trace_reads_is_read() -> None:
    text = """algorithm p
dims h, w
input x : image[4, h, w]
learnable D : conv[4 -> 16, 3] ~ xavier_normal
learnable H : conv[16 -> 4, 3] ~ xavier_normal
state z : image[16, h, w] = 0
state v : image[4, h, w] = 0
phase (2):
    d = D(v + x)
    z <- {update}
    v <- H(d)
    {trace}
output v, z
"""
    for update, trace, pairs in (("0.5 * z", "", 1), ("d", "", 0), ("0.5 * z", "trace r = d", 0)):
        graph = built(text.format(update=update, trace=trace))
        assert made(graph).count("ConvolvePair") == pairs


def test_what_is_told_of_other_channels() -> None:
    graph = dead(fusion(page("conv[2 -> 32, 3]", "conv[32 -> 3, 3]")))
    assert fused(graph) == ("D and H are one convolution of 5 x 5: 150 products a pixel, not 1440",)
