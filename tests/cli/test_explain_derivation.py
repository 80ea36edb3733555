"""`derive --explain`: the way as text, LaTeX and HTML."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from unroll_dsl.derive.deck import deck

Unroll = Callable[..., Any]  # the fixture `unroll`
LASSO = ("derive", "lasso", "--method", "admm", "--relax", "penalty,rate")


def test_text(unroll: Unroll) -> None:
    out = unroll(*LASSO, "--explain", "text").out
    for line in (
        "        z = x",
        "        Lagrangian = 1 / 2 * sumsq(A @ x - y) + lambda * norm1(z) + rho / 2 * sumsq(x - z + u)",
        "        z <- argmin over z: lambda * norm1(z) + rho / 2 * sumsq(x - z + u)",
        "        z <- soft(x + u, lambda / rho)",
        "    before   u <- u + x - z",
        "    after    u <- u + eta * (x - z)",
        "    learned  rho : scalar > 0 per phase = 1",
    ):
        assert f"{line}\n" in out


def balanced(text: str) -> bool:
    depth = 0
    for c in re.sub(r"\\\\[{}]", "", text):
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    return depth == 0


def test_latex(unroll: Unroll) -> None:
    out = unroll(*LASSO, "--explain", "latex").out
    assert out.startswith(r"\documentclass{article}") and out.endswith("\\end{document}\n")
    assert r"z &\leftarrow \mathcal{S}_{\lambda / \rho}\!\left(x + u\right)" in out
    assert balanced(out)
    begun = re.findall(r"\\begin\{(\w+\*?)\}", out)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+\*?)\}", out))
    assert out.count(r"\left") - out.count(r"\leftarrow") == out.count(r"\right")


@pytest.mark.parametrize("name", ["ista_net", "admm_net", "fista_net_plus"])
def test_html_of_the_deck(unroll: Unroll, name: str) -> None:
    """Well-formed, with a formula for every step and every relaxation's lines."""
    pytest.importorskip("latex2mathml")
    entry = deck()[name]
    words = ["derive", entry["problem"], "--method", entry["method"], "--explain", "html"]
    for text in entry.get("with", ()):
        words += ["--with", text]
    for text in entry.get("split", ()):
        words += ["--split", text]
    words += ["--relax", ",".join(entry["relax"])]
    out = unroll(*words).out
    maths = re.findall(r"<math.*?</math>", out, re.S)
    assert len(maths) > 8
    for math in maths:
        ElementTree.fromstring(math)
    assert "<h2>The objective</h2>" in out and "<h2>The page</h2>" in out
    assert "\\" not in "".join(maths)  # no command was left as it was
