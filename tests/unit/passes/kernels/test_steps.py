import pytest

from unroll_dsl.passes.kernels.steps import updates

_DECLARED = """
    input y : vector[n]
    learnable t : scalar per phase = %1
    state x : vector[n] = %0 then %6
    state w : vector[n] = %0 then %2
    output %7
    phases 3
    %0 = input y : vector[n]
    %1 = constant 1 : scalar
    %2 = state x : vector[n]
    %3 = learnable t : scalar
"""
_LAST = "%7 = final x : vector[n]\n"


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        (
            "%4 = exp %2 : vector[n]|%5 = mul %3, %4 : vector[n]|%6 = sub %2, %5 : vector[n]",
            "builtin[axmy] %2, %4, %3",
        ),
        (
            "%4 = exp %2 : vector[n]|%5 = mul %4, %3 : vector[n]|%6 = add %5, %2 : vector[n]",
            "builtin[axpy] %2, %4, %3",
        ),
        (
            "%4 = sub %2, %0 : vector[n]|%5 = mul %3, %4 : vector[n]|%6 = add %2, %5 : vector[n]",
            "builtin[extrapolate] %2, %0, %3",
        ),
    ],
    ids=["step", "sum", "momentum"],
)
def test_a_scaled_array_is_added_in_one_pass(rewrite, steps, found):
    before = _DECLARED + "    " + steps.replace("|", "\n    ") + "\n    " + _LAST
    assert found in rewrite(updates, before)


def test_a_quotient_takes_the_reciprocal(rewrite):
    before = (
        _DECLARED
        + """
    %4 = exp %2 : vector[n]
    %5 = div %4, %3 : vector[n]
    %6 = sub %2, %5 : vector[n]
    """
        + _LAST
    )
    found = rewrite(updates, before)
    assert "= div %6, %3 : scalar" in found and "builtin[axmy] %2, %4, %7" in found


@pytest.mark.parametrize(
    "steps",
    [
        "%4 = builtin[norm2] %2 : scalar|%5 = mul %4, %2 : vector[n]|%6 = sub %2, %5 : vector[n]",
        "%4 = exp %2 : vector[n]|%5 = mul %0, %4 : vector[n]|%6 = sub %2, %5 : vector[n]",
        "%4 = exp %2 : vector[n]|%5 = mul %3, %4 : vector[n]|%6 = sub %5, %5 : vector[n]",
        "%4 = exp %3 : scalar|%5 = mul %3, %2 : vector[n]|%6 = sub %4, %5 : vector[n]",
    ],
    ids=["differs by sample", "no number", "read twice", "another shape"],
)
def test_what_kernels_cannot_take_is_left(rewrite, steps):
    before = _DECLARED + "    " + steps.replace("|", "\n    ") + "\n    " + _LAST
    assert rewrite(updates, before) == rewrite(lambda graph: graph, before)
