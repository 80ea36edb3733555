import pytest

import unroll_dsl
from unroll_dsl.passes.analysis.cost import cost
from unroll_dsl.passes.kernels.convolutions import fused, fusion
from unroll_dsl.passes.pipeline import optimize

CHAIN = """
    input x : image[1, m, n]
    learnable D : conv[1 -> 32, 3]
    learnable H : conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]
    learnable G : conv[32 -> 1, 3]
    output {output}
    %0 = input x : image[1, m, n]
    %1 = learnable D : conv[1 -> 32, 3]
    %2 = learnable H : conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]
    %3 = learnable G : conv[32 -> 1, 3]
    %4 = apply_layer %1, %0 : image[32, m, n]
    %5 = apply_layer %2, %4 : image[32, m, n]
"""


def test_a_convolution_joins_the_first_of_a_chain(rewrite, lines):
    after = rewrite(fusion, CHAIN.format(output="%5")).splitlines()
    assert (
        after[-3:]
        == lines("""
        %6 = convolve_pair %1, %5, %0 : image[32, m, n]
        %7 = layer_steps[1:3] %2 : relu >> conv[32 -> 32, 3]
        %8 = apply_layer %7, %6 : image[32, m, n]
    """).splitlines()
    )


def test_what_does_not_pay_is_left(rewrite, lines):
    wide = CHAIN.format(output="%5").replace("conv[1 -> 32, 3]", "conv[32 -> 32, 3]")
    wide = wide.replace("image[1, m, n]", "image[32, m, n]").replace(
        "conv[32 -> 1", "conv[32 -> 32"
    )
    assert "convolve_pair" not in rewrite(fusion, wide)


def test_what_was_fused_is_told_with_what_it_saves():
    graph = optimize(unroll_dsl.load("ista_net_plus").graph)
    assert fused(graph) == (
        "D, of few channels at one end, is taken by products",
        "D and H[0] are one convolution of 5 x 5: 800 products a pixel, not 9504",
        "Ht[2] and G are one convolution of 5 x 5: 800 products a pixel, not 9504",
    )


def test_multiplications_of_ista_net_plus_a_pixel():
    """Of some 56 thousand in its authors' program 20 are left (two flops each)."""
    spec = unroll_dsl.load("ista_net_plus")
    sizes = {"h": 33, "w": 33, "m": 272}
    flops = {
        level: float(str(cost(optimize(spec.graph, sizes, level), sizes).phase.flops))
        for level in (1, 2)
    }
    assert flops[2] / 33**2 / 2 == pytest.approx(20_000, rel=0.02)
    assert flops[1] / 33**2 / 2 == pytest.approx(37_500, rel=0.02)


PAIR = """
    input x : image[4, m, n]
    learnable D : conv[4 -> 16, 3]
    learnable H : conv[16 -> 4, 3]
    output {output}
    %0 = input x : image[4, m, n]
    %1 = learnable D : conv[4 -> 16, 3]
    %2 = learnable H : conv[16 -> 4, 3]
    %3 = apply_layer %1, %0 : image[16, m, n]
    %4 = apply_layer %2, %3 : image[4, m, n]
"""


def test_the_first_of_two_is_saved_where_nothing_else_reads_it(rewrite):
    """800 products for 1152 pay, for the 576 of the second alone they do not."""
    assert "convolve_pair %1, %2, %0" in rewrite(fusion, PAIR.format(output="%4"))
    assert "convolve_pair" not in rewrite(fusion, PAIR.format(output="%4, %3"))
