from unroll_dsl.passes.fusion import fusion

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
