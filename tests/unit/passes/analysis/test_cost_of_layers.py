"""What layers cost: two operations a product, one an entry of anything else, five of a norm; numbers moved."""

import pytest

from tests.unit.passes.pages import built
from unroll_dsl.ir.read_types import TypeReader
from unroll_dsl.passes.analysis.cost import cost, parameter_count
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.passes.analysis.layer_cost import layer_flops
from unroll_dsl.passes.kernels.convolutions import fusion
from unroll_dsl.types import Array, Block, Dim, Field, Layer

H, W = Dim.of("h"), Dim.of("w")
AREA = Count.of(H * W)
P = 36  # pixels, in units of h w
IMAGE = Array((Dim.of(4), H * 6, W * 6))


def layer(text: str) -> Layer:
    found = TypeReader().read(text)
    assert isinstance(found, Layer)
    return found


def no_block(block: Block, arguments: tuple[Array, ...]) -> None:
    return None


STEPS = {
    "conv[4 -> 6, 3]": 2 * 4 * 9 * 6 * P,
    "conv[4 -> 6, 5, bias]": 2 * 4 * 25 * 6 * P + 6 * P,
    "conv[4 -> 6, 3, groups=2]": 2 * 2 * 9 * 6 * P,
    "conv[4 -> 6, 3, stride=2]": 2 * 4 * 9 * 6 * P // 4,
    "conv[4 -> 6, 3, bias, stride=2]": (2 * 4 * 9 * 6 + 6) * P // 4,
    "conv[4 -> 6, 3, bias, dilation=2]": (2 * 4 * 9 * 6 + 6) * P,
    "conv[4 -> 6, 3, stride=2, groups=2]": 2 * 2 * 9 * 6 * P // 4,
    "deconv[4 -> 6, 2, stride=2]": 2 * 4 * 4 * 6 * P,
    "deconv[4 -> 6, 3, bias, stride=2]": 2 * 4 * 9 * 6 * P + 6 * 4 * P,
    "max_pool[2]": 4 * P,
    "avg_pool[3]": 4 * P,
    "up[2, nearest]": 0,
    "up[2]": 0,
    "up[2, bilinear]": 4 * P,
    "instance_norm": 5 * 4 * P,
    "group_norm[2]": 5 * 4 * P,
    "batch_norm": 5 * 4 * P,
    "layer_norm": 5 * 4 * P,
    "softmax": 4 * P,
    "prelu": 4 * P,
    "dropout[0.5]": 0,
    "relu": 4 * P,
    "conv[4 -> 6, 3] >> relu >> conv[6 -> 2, 3]": (2 * 4 * 9 * 6 + 6 + 2 * 6 * 9 * 2) * P,
    "conv[4 -> 6, 3, stride=2] >> relu": (2 * 4 * 9 * 6 + 6) * P // 4,
    "max_pool[2] >> instance_norm": 4 * P + 5 * 4 * P // 4,
    "max_pool[3] >> conv[4 -> 5, 1] >> relu": 4 * P + (2 * 4 * 5 + 5) * P // 9,
    "up[2, nearest] >> relu": 4 * 4 * P,
    "dropout[0.1] >> relu": 4 * P,
}


@pytest.mark.parametrize("text", STEPS)
def test_steps(text: str) -> None:
    assert layer_flops(layer(text), (IMAGE,), no_block) == AREA * STEPS[text]


def test_of_complex_data_both_parts_are_taken() -> None:
    found = layer_flops(layer("conv[4 -> 6, 3]"), (Array(IMAGE.shape, Field.COMPLEX),), no_block)
    assert found == AREA * (2 * 2 * 4 * 9 * 6 * P)


def test_a_matrix_on_the_last_axis() -> None:
    rows = Array((Dim.of(7), Dim.of(4)))
    found = {
        flag: layer_flops(layer(f"dense[4 -> 5{flag}] >> relu"), (rows,), no_block)
        for flag in ("", ", bias")
    }
    assert found == {
        "": Count.of(7 * (2 * 4 * 5 + 5)),
        ", bias": Count.of(7 * (2 * 4 * 5 + 5 + 5)),
    }


def test_what_is_not_known_has_no_cost() -> None:
    three = Array((Dim.of(4), H * 3, W * 3))
    assert layer_flops(layer("max_pool[2]"), (three,), no_block) is None  # halves of odd sides


BLOCKS = """algorithm p
dims h, w
def block Twice[c](x) = relu(x) + conv[c -> c, 3, bias](x)
def block Join[c](x, z) = conv[c -> c, 1](x * z) + z
input y : image[4, h, w]
learnable D : Twice[4] >> relu >> Twice[4]
learnable E : Join[4] >> relu
output {output}
"""


def test_blocks_cost_what_their_bodies_do() -> None:
    """An entry each for relu, sum and product, two a product of a convolution, one a bias."""
    twice = 4 + 4 + 2 * 4 * 4 * 9 + 4
    assert cost(built(BLOCKS.format(output="D(y)"))).call.flops == AREA * (2 * twice + 4)
    of_two = 4 + 2 * 4 * 4 + 4
    assert cost(built(BLOCKS.format(output="E(y, y)"))).call.flops == AREA * (of_two + 4)


PAIR = """algorithm p
dims h, w
input y : image[1, h, w]
learnable D : conv[1 -> 32, 3]
learnable G : conv[32 -> {last}, 3]
output G(D(y))
"""


@pytest.mark.parametrize("last", [1, 2])
def test_two_convolutions_as_one_cost_a_kernel_of_5_by_5(last: int) -> None:
    graph = fusion(built(PAIR.format(last=last)))
    found = cost(graph)
    assert found.call.flops == AREA * (2 * 25 * last)
    assert found.call.applications == (("D with G", 1),)
    weights = 9 * 32 + 9 * 32 * last
    assert found.call.numbers == AREA * (1 + last) + weights
    assert found.shared == Count.of(weights)


def test_a_convolution_of_few_channels_costs_what_it_did() -> None:
    text = PAIR.replace("G(D(y))", "D(y)")
    before = built(text.format(last=1))
    after = fusion(before)
    assert before != after
    assert cost(after).call.flops == cost(before).call.flops == AREA * (2 * 9 * 32)
    assert cost(after).call.applications == (("D", 1),)
    assert cost(after).call.numbers == AREA * 33 + 9 * 32


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("conv[4 -> 6, 3, bias]", 4 * 6 * 9 + 6),
        ("conv[4 -> 6, 3, groups=2] >> relu >> conv[6 -> 1, 5]", 2 * 6 * 9 + 6 * 25),
        ("dense[4 -> 5, bias]", 4 * 5 + 5),
        ("conv[4 -> 6, 3] >> prelu", 4 * 6 * 9 + 6),
    ],
)
def test_entries_of_learnables(text: str, entries: int) -> None:
    assert parameter_count(layer(text)) == Count.of(entries)
