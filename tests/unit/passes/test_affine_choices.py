"""What composing products costs and spares, and that what is composed has the values of what was written."""

from collections.abc import Callable

import pytest

from tests.unit.passes.pages import assert_same, built, prepared
from unroll_dsl.ir.nodes import Builtin, Contract, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.passes.affine import AffineComposition, choices
from unroll_dsl.passes.dead import dead

PAGE = """algorithm p
dims m, n, q
input y : vector[m]
input b : vector[n]
fixed A : matrix[m, n]
fixed B : matrix[q, n]
fixed H : matrix[n, n]
fixed c, d : scalar
state x : vector[n] = b
state z : vector[m] = 0
phase (3):
    {step}
output x, z
"""
SIZES = {"m": 5, "n": 4, "q": 3}


def page(step: str) -> str:
    return PAGE.format(step=step if "<-" in step else f"x <- {step}\n    z <- tanh(x[1] * y)")


STEPS = (
    "A' @ (A @ x - y)",
    "A' @ (y - A @ x)",
    "x - c * A' @ (A @ x - y) / d",
    "c * x + A' @ (A @ x)",
    "A' @ (A @ x) - x",
    "x / d - B' @ (B @ x) - A' @ (A @ x - y)",
    "b - B' @ (B @ x) + c * A' @ (y - A @ x)",
    "(b - A' @ (A @ x)) - (b - H @ (H @ x)) - c * b",
    "solve(H, A' @ (A @ x - y))",
    "solve(H, A' @ (y - A @ x) - c * (b - x))",
    "solve(H, H @ x) / d",
    "H @ (c * (H @ x)) - b",
    "H' @ (H @ (x / d - b) * c)",
)


@pytest.mark.parametrize("step", STEPS)
def test_one_product_has_the_values_of_all(step: str) -> None:
    text = page(step.replace("solve(H", "solve(H' @ H + I"))
    before = prepared(text)
    after = dead(AffineComposition(SIZES)(before))
    assert_same(before, after, SIZES, 1e-10)
    found = stages(after)
    products = [
        index
        for index, node in enumerate(after.nodes)
        if found[index] is Stage.PHASE
        and node.op in (Contract(), Builtin("solve_dense"))
        and "x" in {getattr(after.nodes[a].op, "name", "") for a in node.args}
    ]
    assert len(products) == 1, products


# ---- the model, as the heading of affine.py tells it --------------------------------------------


@pytest.mark.parametrize(
    ("step", "whole", "work", "forming"),
    [
        ("A' @ (A @ x)", "nn", "2 * mn", "mnn"),
        ("A' @ (A @ x - y)", "nn", "2 * mn", "mnn"),
        ("H @ (H @ x)", "nn", "2 * nn", "nnn"),
        ("A' @ (A @ (H @ x))", "nn", "nn + 2 * mn", "2 * mnn"),
        ("solve(H, H @ x)", "nn", "nn + 2 * nn", "nnn // 3 + nnn"),
        ("solve(H, A' @ (A @ x))", "nn", "2 * mn + 2 * nn", "mnn + nnn // 3 + nnn"),
        ("A' @ (A @ x) + H @ (H @ x)", "nn", "2 * mn + 2 * nn", "mnn + nnn"),
        ("A' @ (A @ x) - c * (H @ x) / d", "nn", "2 * mn + nn", "mnn"),
        ("B' @ (B @ x)", "nn", "2 * nq", None),
        ("z <- A @ (H @ (H @ x))\n    x <- tanh(z[1] * b)", "mn", "2 * nn + mn", "nnn + mnn"),
    ],
)
def test_the_figures_of_a_choice(step: str, whole: str, work: str, forming: str | None) -> None:
    """Multiplications of one product, of what is written, and of forming the matrix; q < n / 2 spares nothing."""
    m, n, q = 50_000, 40_000, 1_000
    known = {"mn": m * n, "nn": n * n, "nq": n * q, "mnn": m * n * n, "nnn": n * n * n}
    (choice,) = choices(built(page(step)), {"m": m, "n": n, "q": q})
    expected = (
        f"as it is written: one matrix would take {eval(whole, known):,} multiplications a sample in "
        f"place of {eval(work, known):,}"
    )
    if forming is not None:
        expected += f", and {eval(forming, known):,} to form"
    assert not choice.taken and choice.reason == expected


CALL, PASS, USES = 20_000, 10_000, 10_000


def pays(products: int, passes: int, still: bool, work: int, forming: int, whole: int) -> bool:
    saved = work + products * CALL + passes * PASS - whole - CALL - (PASS if still else 0)
    return forming <= USES * saved


@pytest.mark.parametrize(
    ("step", "products", "passes", "still", "work", "forming"),
    [
        ("H @ (H @ x)", 2, 0, False, lambda n: 2 * n**2, lambda n: n**3),
        ("H @ (c * (H @ x))", 2, 1, False, lambda n: 2 * n**2, lambda n: n**3),
        ("H @ (H @ x - b)", 2, 1, True, lambda n: 2 * n**2, lambda n: n**3),
        ("H @ (H @ x) + x", 2, 1, False, lambda n: 2 * n**2, lambda n: n**3),
        ("c * (H @ (H @ x)) + x / d", 2, 3, False, lambda n: 2 * n**2, lambda n: n**3),
        ("H @ (H @ (H @ x))", 3, 0, False, lambda n: 3 * n**2, lambda n: 2 * n**3),
        ("H @ (H @ x) - H' @ (H' @ x)", 4, 1, False, lambda n: 4 * n**2, lambda n: 2 * n**3),
        ("solve(H, H @ x)", 3, 0, False, lambda n: 3 * n**2, lambda n: n**3 // 3 + n**3),
    ],
)
def test_a_matrix_is_formed_up_to_the_size_at_which_it_pays(
    step: str,
    products: int,
    passes: int,
    still: bool,
    work: Callable[[int], int],
    forming: Callable[[int], int],
) -> None:
    last = max(
        n for n in range(5_000, 20_000) if pays(products, passes, still, work(n), forming(n), n * n)
    )
    graph = built(page(step))
    taken = [choices(graph, {"m": 3, "n": n, "q": 2})[0].taken for n in (last, last + 1)]
    assert taken == [True, False]


@pytest.mark.parametrize(
    ("step", "passes", "sizes"),
    [
        ("A' @ (A @ x)", 0, [(1424, 2500), (9998, 10_000), (1_000_050, 19_802), (980_049, 19_798)]),
        (
            "A' @ (c * (A @ x))",
            1,
            [(625, 1200), (800, 1500), (426, 851), (1727, 2954), (1_119_858, 19_823)],
        ),
    ],
)
def test_a_matrix_that_pays_back_exactly_is_formed(
    step: str, passes: int, sizes: list[tuple[int, int]]
) -> None:
    """m n^2 multiplications are earned back within 10,000 phases, and no more than that."""
    graph = built(page(step))
    found = []
    for m, n in sizes:
        spare = USES * (2 * m * n + CALL + passes * PASS - n * n) - m * n * n
        assert abs(spare) < USES  # so that one more of anything would tell
        (choice,) = choices(graph, {"m": m, "n": n, "q": 2})
        assert choice.taken == (spare >= 0), (m, n)
        found.append(choice.taken)
    assert set(found) == {True, False}


def test_a_matrix_of_learnables_is_none() -> None:
    text = page("H @ (H @ x)").replace("fixed H : matrix[n, n]", "learnable H : matrix[n, n] = 1")
    assert choices(built(text), SIZES) == ()


@pytest.mark.parametrize(
    "step", ["x[1] * (H @ (H @ x))", "H @ (x[1] * (H @ x))", "H @ (H @ x + z[1] * b)"]
)
def test_numbers_of_a_phase_are_no_part_of_a_matrix(step: str) -> None:
    before = prepared(page(step))
    after = dead(AffineComposition(SIZES)(before))
    assert_same(before, after, SIZES)


def test_what_is_decided_outside_is_not_asked_again() -> None:
    """Of three products one choice is told, not one of the last two besides."""
    (choice,) = choices(built(page("H @ (H @ (H @ x))")), SIZES)
    assert choice.taken
    first, second = choices(built(page("x <- H @ (H @ x)\n    z <- A @ (H @ x)")), SIZES)
    assert (first.taken, second.taken) == (True, True)
    assert first.origin is not None and second.origin is not None
    assert first.origin.line < second.origin.line
