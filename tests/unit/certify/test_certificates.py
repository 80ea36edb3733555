"""Worst cases: against closed forms, against programs of PEPit written by hand, and against what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.certify import Certificate, certify
from unroll_dsl.certify.table import to_text
from unroll_dsl.diagnostics.raised import UnrollError

pytest.importorskip("PEPit", reason="needs PEPit: pip install 'unroll_dsl[certify]'")

GRADIENT = """\
algorithm steps
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
fixed h : scalar per phase = 1
minimize over x:
    1/2 * sumsq(A @ x - y)
state x : vector[n] = 0
phase (7):
    x <- x - h / L * A' @ (A @ x - y)
output x
"""
STEP = "x <- x - h / L * A' @ (A @ x - y)"


def page(old: str = "", new: str = "", *more: tuple[str, str]) -> Any:
    text = GRADIENT
    for before, after in ((old, new), *more):
        assert before in text
        text = text.replace(before, after) if before else text
    return unroll_dsl.loads(text, "steps.unroll")


def refusal(spec: Any, **options: Any) -> str:
    with pytest.raises(UnrollError) as caught:
        certify(spec, **options)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "U0630"
    assert diagnostic.labels()
    return diagnostic.message()


def test_gradient_descent_and_proximal_gradient_in_closed_form() -> None:
    """1 / (4 K + 2) (Drori, Teboulle, 2014), 1 / (4 K) (Taylor, Hendrickx, Glineur, 2017), in L |x_0 - x*|^2."""
    gradient = certify(unroll_dsl.load("gradient_descent"), at=(1, 5))
    proximal = certify(unroll_dsl.load("ista"), at=(1, 5))
    for k in (1, 5):
        assert gradient[k] == pytest.approx(1 / (4 * k + 2), abs=1e-6)
        assert proximal[k] == pytest.approx(1 / (4 * k), abs=1e-6)
    assert gradient.unit is None  # the steps are multiples of 1 / L, whatever A is
    assert [f.words for f in proximal.functions] == ["convex, L-smooth", "convex"]


@pytest.mark.slow
def test_gradient_descent_and_proximal_gradient_over_more_phases() -> None:
    gradient = certify(unroll_dsl.load("gradient_descent"), at=(20,))
    proximal = certify(unroll_dsl.load("ista"), at=(10,))
    assert gradient[20] == pytest.approx(1 / 82, abs=1e-4)
    assert proximal[10] == pytest.approx(1 / 40, abs=1e-4)


def test_fista_is_better_than_its_bound() -> None:
    """2 / (K + 1)^2 (Beck, Teboulle, 2009), and 2 / (K^2 + 5 K + 2), which holds for its smooth form."""
    found = certify(unroll_dsl.load("fista"), at=(2, 5))
    assert found[5] < 2 / (5**2 + 5 * 5 + 2) < 2 / 6**2
    assert found[5] == pytest.approx(0.037512, abs=2e-6)
    assert found[2] < certify(unroll_dsl.load("ista"), at=(1,))[1]


def test_the_silver_schedule_is_better_than_constant_steps() -> None:
    """h_k = 1 + (1 + sqrt 2)^(nu(k) - 1), nu(k) the power of 2 in k (Altschuler, Parrilo, 2023)."""
    silver = [1 + (1 + 2**0.5) ** ((k & -k).bit_length() - 2) for k in range(1, 8)]
    assert silver[:4] == pytest.approx([2**0.5, 2, 2**0.5, 2 + 2**0.5])
    found, constant = certify(page(), init={"h": silver}), certify(page(), at=(7,))
    assert [b.phases for b in found.bounds] == [1, 2, 4, 7]
    assert found[7] == pytest.approx(0.018421, abs=2e-6)
    assert constant[7] == pytest.approx(1 / 30, abs=1e-6)


def test_momentum_however_it_is_written() -> None:
    """A velocity that starts at 0, and the point of one phase ago."""
    velocity = page(
        STEP,
        "s <- 0.5 * s - A' @ (A @ x - y) / L\n    x <- x + s",
        ("state x :", "state x, s :"),
        ("fixed h : scalar per phase = 1\n", ""),
    )
    before = page(
        STEP,
        "x <- x - A' @ (A @ x - y) / L + 0.5 * (x - w)\n    w <- prev(x)",
        ("state x :", "state x, w :"),
        ("fixed h : scalar per phase = 1\n", ""),
    )
    opened = page(
        STEP,
        "g = A' @ A @ x - A' @ y\n    x <- x - g / L + 0.5 * (x - w)\n    w <- prev(x)",
        ("state x :", "state x, w :"),
        ("fixed h : scalar per phase = 1\n", ""),
    )
    values = [certify(spec, at=(3,))[3] for spec in (velocity, before, opened)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-6)


def test_other_terms_and_starts() -> None:
    """A logistic loss with a tilt; a penalty written out; a start that is an input; a projection."""
    logistic = unroll_dsl.loads("""\
algorithm logistic
dims m, n
input b : vector[m]
input x0 : vector[n]
fixed A : matrix[m, n]
fixed lambda : scalar > 0 = 0.1
let L = norm(A)^2 / 4
minimize over x:
    sum(log(1 + exp(A @ x))) - dot(b, A @ x) + lambda * norm1(x)
state x : vector[n] = x0
phase (4):
    v = x - A' @ (sigmoid(A @ x) - b) / L
    x <- sign(v) * relu(abs(v) - lambda / L)
output x
""")
    found = certify(logistic, at=(2,))
    assert found[2] == pytest.approx(1 / 8, abs=1e-6)
    assert found.assumed[0] == "x_0 and x* anywhere, in any dimension"
    positive = certify(unroll_dsl.load("nonneg_least_squares"), at=(2,))
    assert positive.functions[1].indicator
    assert positive[2] == pytest.approx(1 / 8, abs=1e-6)
    groups = certify(unroll_dsl.load("group_lasso"), at=(2,))  # a matrix unknown behind a map
    assert groups[2] == pytest.approx(1 / 8, abs=1e-6)


def test_strong_convexity_and_distance_in_closed_form() -> None:
    """|x_K - x*| <= max(|1 - h mu|, |1 - h L|)^K |x_0 - x*| of gradient steps."""
    spec = page("1/2 * sumsq(A @ x - y)", "1/2 * sumsq(A @ x - y) + 0.05 * sumsq(x)")
    spec = unroll_dsl.loads(
        spec.program.file.text.replace("- y)\n", "- y) - h / L * 0.1 * x\n").replace(
            "let L = norm(A)^2", "let L = norm(A)^2 + 0.1"
        )
    )
    A = np.diag([1.2, 0.5, 0.4])[:, [0, 2, 1]]
    found = certify(spec, at=(2,), bind={"A": A}, measure="distance")
    mu, L = 0.1, 1.2**2 + 0.1
    assert found.unit == pytest.approx(L)
    assert found.functions[0].strong == pytest.approx(mu / L)
    assert found[2] == pytest.approx((1 - mu / L) ** 4, rel=1e-6)


def test_least_squares_are_better_than_all_convex_functions() -> None:
    found = certify(page(), at=(2,), of="quadratic")
    assert found[2] < 0.08 < certify(page(), at=(2,))[2]


def by_hand(alphas: list[float], threshold_steps: list[float], L: float) -> float:
    """The worst case of proximal gradient steps as PEPit's own examples write it."""
    from PEPit import PEP
    from PEPit.functions import ConvexFunction, SmoothConvexFunction
    from PEPit.primitive_steps import proximal_step

    problem = PEP()
    f = problem.declare_function(SmoothConvexFunction, L=L)
    h = problem.declare_function(ConvexFunction)
    F = f + h
    xs = F.stationary_point()
    x = x0 = problem.set_initial_point()
    problem.set_initial_condition((x0 - xs) ** 2 <= 1)
    for alpha, step in zip(alphas, threshold_steps, strict=True):
        x, _, _ = proximal_step(x - alpha * f.gradient(x), h, step)
    problem.set_performance_metric(F(x) - F(xs))
    return float(problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)) / L


def test_a_trained_network_has_a_certificate_of_its_own(tmp_path: Path) -> None:
    """Step-LISTA: as PEPit has it by hand for the learnt steps, and kept by the data that it was trained on."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((6, 9)) / 6**0.5
    y = (A @ (rng.standard_normal((9, 20)) * (rng.random((9, 20)) < 0.2))).T
    np.savez(tmp_path / "data.npz", y=y)
    run = unroll_dsl.train(
        "step_lista",
        tmp_path / "run",
        {
            "phases": 3,
            "data": {"kind": "arrays", "file": str(tmp_path / "data.npz")},
            "train": {"steps": 10, "batch": 8, "rate": 0.05, "precision": "float64"},
            "validate": {"every": 10},
        },
        bind={"A": A},
    )
    spec, bind = unroll_dsl.load("step_lista"), {"A": A}
    net: Any = run.network("last")
    values = spec.values(net, bind=bind)
    found = certify(spec, 3, bind=bind, init=values)
    alphas = values["alpha"].double().tolist()
    assert max(abs(a * found.unit - 1) for a in alphas) > 0.01  # it has learnt something
    assert found[3] == pytest.approx(by_hand(alphas, alphas, found.unit), rel=1e-5)
    assert found.steps == pytest.approx([a * found.unit for a in alphas])
    rest: Any = unroll_dsl.load("ista").compile("fixed_point", bind={"A": A}, tol=1e-8)
    best = rest(torch.from_numpy(y)).detach().numpy()
    ref = spec.reference(3, bind=bind, init=values)
    gap = ref.objective({"x": ref(y)}, y) - ref.objective({"x": best}, y)
    assert (gap <= found[3] * found.unit * (best**2).sum(-1) + 1e-9).all()


def test_thresholds_that_belong_to_other_steps() -> None:
    """A threshold of its own is a proximal step of its own: 0.02 where lambda is 0.1 is one of 0.2. It rests
    elsewhere than at the minimiser, so that nothing bounds it over the class."""
    spec = unroll_dsl.loads("""\
algorithm two_steps
dims n
input y : vector[n]
fixed A : matrix[n, n]
minimize over x:
    1/2 * sumsq(A @ x - y) + 0.1 * norm1(x)
state x : vector[n] = 0
phase (2):
    x <- soft(x - 0.7 * A' @ (A @ x - y), 0.02)
output x
""")
    found = certify(spec, bind={"A": np.eye(3)})
    assert found.unit == 1.0
    assert found.steps == pytest.approx((0.2, 0.2))
    assert found[2] == float("inf")
    assert "none: gradients and proximal maps take steps that do not belong together" in to_text(
        found
    )


def test_proximal_maps_that_solve_systems() -> None:
    """ADMM's steps are read, two proximal maps a phase; |x_0 - x*| alone does not bound them."""
    found = certify(
        unroll_dsl.load("admm_lasso"), at=(1,), bind={"A": np.eye(3)[:, [1, 2, 0]] * 2.0}
    )
    assert found.unit == pytest.approx(4.0)
    assert found.steps == pytest.approx((4.0, 4.0))
    assert found.bounds[0].value == float("inf")
    assert "u" in found.besides and "Where that is a multiplier" in to_text(found)


def test_a_lipschitz_constant_that_is_not_known_can_be_given() -> None:
    """No page can compute the norm of a map from outside."""
    spec = unroll_dsl.loads("""\
algorithm outside
dims m, n
input y : vector[m]
fixed T : linear vector[n] -> vector[m]
fixed L : scalar > 0 = 1
minimize over x:
    1/2 * sumsq(T @ x - y)
state x : vector[n] = 0
phase (2):
    x <- x - T' @ (T @ x - y) / L
output x
""")
    assert "is not known" in refusal(spec, dims={"m": 2, "n": 3})
    found = certify(spec, dims={"m": 2, "n": 3}, smoothness=1.0)
    assert found[2] == pytest.approx(1 / 10, abs=1e-6)


def test_what_is_refused() -> None:
    no_h = ("fixed h : scalar per phase = 1\n", "")
    learned = page("h / L * A' @", "B @", (no_h[0], "learnable B : matrix[n, m] = A' / L\n"))
    assert "`x` is made with `B`, which is learned" in refusal(learned)
    hard = page(
        STEP,
        "x <- hard(x - A' @ (A @ x - y) / L, 0.1)",
        no_h,
        ("@ x - y)\nstate", "@ x - y) + 0.1 * norm1(x)\nstate"),
    )
    assert "in phase 1, `hard` is the proximal map of no term" in refusal(hard)
    adaptive = page(STEP, "g = A' @ (A @ x - y)\n    x <- x - g * sumsq(g) / sumsq(A @ g)", no_h)
    assert "takes a step that depends on the iterates" in refusal(adaptive)
    random = page(
        "fixed h : scalar per phase = 1", "learnable h : scalar per phase ~ uniform(0, 1)"
    )
    assert "`h` starts at random" in refusal(random)
    varying = page("@ x - y)\nstate", "@ x - y) + h * sumsq(x)\nstate")
    assert "its objective changes from phase to phase, with `h`" in refusal(varying)
    bent = page("@ x - y)\nstate", "@ x - y) + norm0(x)\nstate")
    assert "`norm0(x)` is not convex" in refusal(bent)
    other = page("A @ x - y)\noutput", "A @ x + y)\noutput")
    assert "along no gradient of the objective" in refusal(other)
    denoised = unroll_dsl.loads(
        GRADIENT.replace("A @ x - y", "x - y")
        .replace("A' @ ", "")
        .replace("vector[m]", "vector[n]")
    )
    assert "is not told from the points beside it" in refusal(denoised)
    forgotten = page("@ x - y)\nstate", "@ x - y) + norm1(x)\nstate")
    assert "no phase asks for" in refusal(forgotten)
    absolute = page("h / L *", "0.1 *", no_h)
    assert "depend on more of `A` than the Lipschitz constant" in refusal(absolute)
    assert certify(absolute, at=(1,), smoothness=10.0)[1] == pytest.approx(1 / 6, abs=1e-6)
    outside = page(
        STEP,
        "v <- x - A' @ (A @ x - y) / L\n    x <- nonneg(v)",
        no_h,
        ("state x :", "state x, v :"),
        ("output x", "output v"),
        ("@ x - y)\nstate", "@ x - y) + indicator(min(x) >= 0)\nstate"),
    )
    assert "its output may lie outside of the set" in refusal(outside)


def test_words_that_it_has_not() -> None:
    spec = page()
    with pytest.raises(ValueError, match="the class is one of convex, quadratic"):
        certify(spec, of="linear")
    with pytest.raises(ValueError, match="the numbers of phases are from 1 to 3"):
        certify(spec, 3, at=(4,))
    assert isinstance(unroll_dsl.certify(spec, 1), Certificate)


def test_what_lies_behind_a_map_is_named() -> None:
    """The dual of PDHG lies in the space of what a term without gradient is given."""
    spec = unroll_dsl.load("tv_pdhg")
    with pytest.raises(UnrollError) as caught:
        certify(spec, at=(1,), dims={"h": 3, "w": 3})
    (diagnostic,) = caught.value.diagnostics
    assert "lies in another space than `x`" in (diagnostic.help() or "")
