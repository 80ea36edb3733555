import pytest

from unroll_dsl.passes.gram import Gram, choices

ISTA = """
    input y : vector[m]
    fixed A : matrix[m, n]
    state x : vector[n] = %6 then %8
    output %9
    phases 3
    %0 = input y : vector[m]
    %1 = fixed A : matrix[m, n]
    %2 = transpose %1 : matrix[n, m]
    %3 = state x : vector[n]
    %4 = contract %1, %3 : vector[m]
    %5 = sub %4, %0 : vector[m]
    %6 = contract %2, %0 : vector[n]
    %7 = contract %2, %5 : vector[n]
    %8 = sub %3, %7 : vector[n]
    %9 = final x : vector[n]
"""


def test_two_products_of_a_phase_become_one(rewrite):
    found = rewrite(Gram({"m": 30, "n": 20}), ISTA)
    assert "%7 = contract %2, %1 : matrix[n, n]" in found
    assert "%8 = contract %7, %3 : vector[n]" in found
    assert "%9 = contract %2, %0 : vector[n]" in found
    assert "%10 = sub %8, %9 : vector[n]" in found


def test_the_residual_may_have_either_sign(rewrite):
    found = rewrite(Gram({"m": 30, "n": 20}), ISTA.replace("sub %4, %0", "sub %0, %4"))
    assert "%10 = sub %9, %8 : vector[n]" in found


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"m": 100, "n": 300}, "two products: the normal matrix would take 90,000"),
        ({"m": 2000, "n": 4000}, "and 32,000,000,000 to form"),
    ],
    ids=["more work", "too long to form"],
)
def test_what_does_not_pay_is_left(rewrite, graph, sizes, reason):
    assert rewrite(Gram(sizes), ISTA) == rewrite(lambda found: found, ISTA)
    (choice,) = choices(graph(ISTA), sizes)
    assert not choice.taken and reason in choice.reason


def test_sizes_that_are_not_known_leave_the_program_as_it_is(rewrite):
    assert rewrite(Gram({"n": 20}), ISTA) == rewrite(lambda found: found, ISTA)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fixed A : matrix[m, n]\n    state", "learnable A : matrix[m, n] ~ zeros()\n    state"),
        ("%8 = sub %3, %7 : vector[n]\n    %9", "%8 = builtin[sum] %5 : scalar\n    %9"),
    ],
    ids=["learnt", "residual read elsewhere"],
)
def test_a_normal_matrix_is_formed_of_fixed_values_for_this_alone(rewrite, old, new):
    text = ISTA.replace(old, new)
    if "learnable" in new:
        text = text.replace("fixed A : matrix[m, n]\n    %2", "learnable A : matrix[m, n]\n    %2")
    else:
        text = text.replace("then %8", "then %7")
        text = text.replace("output %9", "trace r = %8\n    output %9")
    assert "matrix[n, n]" not in rewrite(Gram({"m": 30, "n": 20}), text)
