import re

import pytest

from unroll_dsl.passes.affine import AffineComposition, choices
from unroll_dsl.passes.dead import dead

ISTA = """
    input y : vector[m]
    fixed A : matrix[m, n]
    fixed L : scalar
    state x : vector[n] = %8 then %9
    output %10
    phases 3
    %0 = input y : vector[m]
    %1 = fixed A : matrix[m, n]
    %2 = fixed L : scalar
    %3 = transpose %1 : matrix[n, m]
    %4 = state x : vector[n]
    %5 = contract %1, %4 : vector[m]
    %6 = sub %5, %0 : vector[m]
    %7 = contract %3, %6 : vector[n]
    %8 = contract %3, %0 : vector[n]
    %9 = exp %7 : vector[n]
    %10 = final x : vector[n]
"""
STEP = ISTA.replace("%9 = exp %7 : vector[n]", "%9 = sub %4, %7 : vector[n]")
SYSTEM = """
    input y : vector[n]
    fixed H : matrix[n, n]
    state x : vector[n] = %0 then %5
    output %6
    phases 3
    %0 = input y : vector[n]
    %1 = fixed H : matrix[n, n]
    %2 = state x : vector[n]
    %3 = exp %2 : vector[n]
    %4 = add %3, %0 : vector[n]
    %5 = solve %1, %4 : vector[n]
    %6 = final x : vector[n]
"""


def same(graph):
    return graph


def test_two_products_of_a_phase_become_one(rewrite):
    found = rewrite(AffineComposition({"m": 30, "n": 20}), ISTA)
    assert "%7 = contract %3, %1 : matrix[n, n]" in found
    assert "%8 = contract %7, %4 : vector[n]" in found
    assert "%9 = contract %3, %0 : vector[n]" in found
    assert "%10 = sub %8, %9 : vector[n]" in found


def test_the_residual_may_have_either_sign(rewrite):
    found = rewrite(AffineComposition({"m": 30, "n": 20}), ISTA.replace("sub %5, %0", "sub %0, %5"))
    assert "neg" in found and "add" in found


def test_a_step_from_the_same_vector_is_part_of_the_matrix(rewrite):
    found = rewrite(AffineComposition({"m": 30, "n": 20}), STEP)
    assert "eye : matrix[n, n]" in found
    assert "sub %9, %10 : matrix[n, n]" in found
    assert "= add %12, %13 : vector[n]" in found  # one product with x, and A' y


def test_a_factor_known_at_set_up_scales_the_matrix(rewrite):
    text = ISTA.replace("%9 = exp %7", "%9 = div %7, %2")
    found = rewrite(AffineComposition({"m": 30, "n": 20}), text)
    assert "div %8, %2 : matrix[n, n]" in found or "div %9, %2 : matrix[n, n]" in found


def test_a_system_with_a_known_matrix_is_one_product(rewrite):
    found = rewrite(AffineComposition({"n": 20}), SYSTEM)
    assert "builtin[solve_dense]" in found and "solve %1, %4" not in found.split("composed")[-1]


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"m": 100, "n": 300}, "as it is written: one matrix would take 90,000"),
        ({"m": 2000, "n": 4000}, "and 32,000,000,000 to form"),
    ],
    ids=["more work", "too long to form"],
)
def test_what_does_not_pay_is_left(rewrite, graph, sizes, reason):
    assert rewrite(AffineComposition(sizes), ISTA) == rewrite(same, ISTA)
    (choice,) = choices(graph(ISTA), sizes)
    assert not choice.taken and reason in choice.reason


def test_sizes_that_are_not_known_leave_the_program_as_it_is(rewrite):
    assert rewrite(AffineComposition({"n": 20}), ISTA) == rewrite(same, ISTA)


def test_a_learnt_matrix_is_not_formed_in_every_call(rewrite):
    text = ISTA.replace(
        "fixed A : matrix[m, n]\n    fixed L",
        "learnable A : matrix[m, n] ~ normal(0.0, 1.0)\n    fixed L",
    )
    text = text.replace("fixed A : matrix[m, n]\n    %2", "learnable A : matrix[m, n]\n    %2")
    assert rewrite(AffineComposition({"m": 30, "n": 20}), text) == rewrite(same, text)


def test_what_is_read_elsewhere_is_kept(rewrite):
    text = ISTA.replace("    output %10", "    trace r = %6\n    output %10")
    assert "matrix[n, n]" not in rewrite(AffineComposition({"m": 30, "n": 20}), text)


def test_sums_of_two_vectors_of_the_phase_are_left(rewrite):
    text = ISTA.replace("    output %10", "    state w : vector[m] = %0 then %11\n    output %10")
    text = text.replace("sub %5, %0 : vector[m]", "sub %5, %11 : vector[m]")
    text = text.replace("    %5 = contract", "    %11 = state w : vector[m]\n    %5 = contract")
    order = {"%11": "%5", "%5": "%6", "%6": "%7", "%7": "%8", "%8": "%9", "%9": "%10", "%10": "%11"}
    text = re.sub(r"%\d+", lambda found: order.get(found[0], found[0]), text)
    assert rewrite(AffineComposition({"m": 30, "n": 20}), text) == rewrite(same, text)


@pytest.mark.parametrize(("sums", "left"), [(10, 0), (64, 3), (70, 9)])
def test_as_many_as_sixty_four_steps_are_composed_into_one(rewrite, sums, left):
    """Two products and a difference, then sums with x: what is beyond 64 of them stays a sum."""
    chain = [f"%{9 + i} = add %{7 if i == 0 else 8 + i}, %4 : vector[n]" for i in range(sums)]
    text = ISTA[: ISTA.index("    %9 =")].replace("then %9", f"then %{8 + sums}")
    text = text.replace("output %10", f"output %{9 + sums}")
    text += "\n".join(f"    {line}" for line in (*chain, f"%{9 + sums} = final x : vector[n]"))
    composing = AffineComposition({"m": 30, "n": 20})
    found = rewrite(lambda graph: dead(composing(graph)), text).splitlines()
    x = next(line.split()[0] for line in found if "state x : vector" in line)
    kept = [line for line in found if "= add" in line and line.endswith(f", {x} : vector[n]")]
    assert len(kept) == left
