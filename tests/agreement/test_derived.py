"""What methods write, against the pages that people wrote: equal to 1e-12 in every phase."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.derive import Options, derive
from unroll_dsl.verify.instance import draw

PHASES = 12
TV = (
    "let D = grad(padding=circular)",
    "def g(v) = sum(norm2(v, axis=1))",
    "fixed lambda : scalar > 0 = 0.002",
)


def states_of(spec: Any, instance: Any, name: str) -> Any:
    arguments = {"bind": instance.bind, "init": instance.init, "dims": instance.sizes}
    known = {c.name for c in spec.graph.constants}
    arguments["bind"] = {k: v for k, v in instance.bind.items() if k in known}
    reference = spec.reference(PHASES, **arguments)
    return np.array([states[name] for states in reference.trajectory(*instance.inputs)])


@pytest.mark.parametrize(
    ("problem", "method", "shipped", "state", "options"),
    [
        ("lasso", "ista", "ista", "x", Options()),
        ("lasso", "fista", "fista", "x", Options()),
        ("lasso", "fista", "fista_cd", "x", Options(momentum="chambolle-dossal")),
        ("elastic_net", "ista", "elastic_net", "x", Options()),
        ("group_lasso", "fista", "group_lasso", "X", Options()),
        ("gradient_descent", "gradient", "gradient_descent", "x", Options()),
        ("nonneg_least_squares", "projected_gradient", "nonneg_least_squares", "x", Options()),
        ("lasso", "admm", "admm_lasso", "z", Options()),
        ("lasso", "douglas_rachford", "douglas_rachford", "z", Options()),
        ("pdhg", "pdhg", "pdhg", "x", Options()),
        ("cs_mri", "admm", "tv_admm", "x", Options(values={"rho": "0.02"}, statements=TV)),
        ("cs_mri", "pdhg", "tv_pdhg", "x", Options(values={"tau": "5"}, statements=TV)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_the_shipped_page(
    problem: str, method: str, shipped: str, state: str, options: Options
) -> None:
    derivation = derive(unroll_dsl.load(problem).typed, method, options)
    derived, page = unroll_dsl.loads(derivation.text), unroll_dsl.load(shipped)
    instance = draw(page.graph, seed=3)
    expected = states_of(page, instance, state)
    found = states_of(derived, instance, state)
    assert np.abs(expected[-1]).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("method", ["admm", "fista"])
def test_derived_pages_pass_check(method: str) -> None:
    """Both backends, adjoints, gradients, the objective: as any page."""
    from unroll_dsl.verify import check

    report = check(unroll_dsl.load("lasso").derive(method).spec, phases=3)
    assert report.passed


def test_splittings() -> None:
    """z = D @ x has a system of D; z = x has none, and the proximal map goes through a unitary D alone."""
    problem = unroll_dsl.load("cs_mri")
    behind = problem.derive("admm", split="z = D @ x").text
    before = problem.derive("admm", split="z = x").text
    assert "z <- soft(D @ x + u, lambda / rho)" in behind
    assert "z <- D' @ soft(D @ (x + u), lambda / rho)" in before
    with pytest.raises(unroll_dsl.UnrollError, match="does not go through `D`"):
        problem.derive("admm", split="z = x", statements="let D = grad(padding=circular)")


@pytest.mark.parametrize(
    ("half", "values", "value", "condition"),
    [
        ("1/2 * ", {}, "norm(A)^2", ": so for norm(M) <= 1"),
        ("", {}, "2 * norm(A)^2", ": so for norm(M) <= 1"),
        ("1/2 * ", {"L": "7"}, "7", ""),
    ],
)
def test_a_norm_that_is_not_known_is_at_most_1_and_the_page_says_so(
    half: str, values: dict[str, str], value: str, condition: str
) -> None:
    spec = unroll_dsl.load("emt")
    body = f"{half}sumsq(A @ (M @ x) - b) + lambda * norm1(Psi @ x)"
    statement = f"minimize over x : image[1, h, w]:\n    {body}"
    found = derive(spec.typed, "ista", Options(statements=(statement,), values=values))
    text = " ".join(found.text.split())
    words = f"# at least the gradient's Lipschitz constant{condition}"
    declared = f"fixed L : scalar > 0 = {value}"
    assert f"{words} {declared}" in text or f"{declared} {words}" in text


@pytest.mark.parametrize(("problem", "sigma"), [("tv_deblurring", "L / (2 * 8)"), ("emt", "L / 2")])
def test_the_steps_of_condat_and_vu_share_the_bound(problem: str, sigma: str) -> None:
    """tau = 1 / L, whatever the units of the objective are."""
    text = derive(unroll_dsl.load(problem).typed, "condat_vu").text
    lines = [" ".join(t.split()) for t in text.splitlines()]
    assert any(t.startswith(f"fixed sigma : scalar > 0 = {sigma} #") for t in lines)
    spec = unroll_dsl.loads(text)
    bind = draw(spec.graph, seed=1).bind | {"L": 5.0}
    if problem == "tv_deblurring":
        bind.pop("L")
    reference = spec.reference(1, bind=bind, dims=draw(spec.graph, seed=1).sizes)
    constant = 5.0 if problem == "emt" else float(np.abs(bind["kernel"]).sum()) ** 2
    assert float(reference.constant("tau")) == pytest.approx(1 / constant)
