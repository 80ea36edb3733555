"""`derive`: pages from problems, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_a_page_is_printed_or_written(unroll: Unroll, tmp_path: Path) -> None:
    printed = unroll("derive", "lasso", "--method", "ista")
    assert (printed.status, printed.err) == (0, "")
    assert "    x <- soft(x - A' @ (A @ x - y) / L, lambda / L)\n" in printed.out
    assert len(printed.out.split("\n")) <= 40
    page = tmp_path / "page.unroll"
    assert unroll("derive", "lasso", "--method", "ista", "-o", str(page)).status == 0
    assert page.read_text("utf-8") == printed.out
    again = unroll("derive", "lasso", "--method", "ista", "-o", str(page))
    assert again.status == 2  # it is there
    assert unroll_dsl.load(page).name == "lasso_ista"


def test_without_a_method_all_are_listed(unroll: Unroll) -> None:
    out = unroll("derive", "lasso").out
    assert "\nadmm " in out and "\ngradient" in out
    assert "no: the l1 norm has no gradient everywhere (13:39)" in out


def test_options(unroll: Unroll) -> None:
    out = unroll(
        "derive", "cs_mri", "--method", "admm", "--with", "let D = grad(padding=circular)",
        "--with", "def g(v) = sum(norm2(v, axis=1))", "--value", "rho=0.02", "--letter", "multiplier=beta",
        "--start", "A' @ y", "--phases", "7", "--name", "tv",
    ).out  # fmt: skip
    assert "algorithm tv\n" in out and "phase (7):\n" in out
    assert "    z <- pixel_soft(D @ x + beta, lambda / rho)\n" in out
    assert "state x       : complex image[1, h, w] = A' @ y\n" in out


def test_what_is_wrong_is_said(unroll: Unroll) -> None:
    result = unroll("derive", "lasso", "--method", "admn")
    assert (result.status, result.err) == (
        2,
        "error: there is no method `admn`\nhelp: did you mean `admm`?\n",
    )
    result = unroll("derive", "lasso", "--method", "ista", "--value", "rho=2")
    assert result.status == 1 and "U0611" in result.err
    result = unroll("derive", "lasso", "--method", "ista", "--with", "let A = ")
    assert result.status == 1 and "U01" in result.err


def test_show_of_a_problem(unroll: Unroll) -> None:
    out = unroll("show", "lasso").out
    assert "prox at v, step t  solve(I + t * A' @ A, v + t * A' @ y)" in out
    assert "conjugate's, at p, step s  linf_ball(p, lambda)" in out
    assert '"lipschitz": "norm(A)^2"' in unroll("show", "lasso", "--json").out


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--start", "(x"), "`--start (x`: it is no formula"),
        (("--give", "x +"), "`--give x +`: it is no formula"),
        (("--value", "rho=)"), "`--value rho=)`: it is no formula"),
        (("--letter", "penalty=a b"), "`--letter penalty=a b`: it is no name"),
        (("--letter", "penalty=x"), "there is a `x` already"),
        (("--name", "3"), "`--name 3`: it is no name"),
        (("--split", "z = Q @ x"), "the problem has no `Q`"),
    ],
)
def test_options_that_cannot_be_read(unroll: Unroll, option: tuple[str, ...], words: str) -> None:
    result = unroll("derive", "lasso", "--method", "admm", *option)
    assert result.status == 1 and "U0611" in result.err and words in result.err
