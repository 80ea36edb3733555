"""`relax`: networks of pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import unroll_dsl

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_a_page_of_a_network(unroll: Unroll, tmp_path: Path) -> None:
    page = tmp_path / "net.unroll"
    asked = "matrices,threshold(entrywise)"
    result = unroll("relax", "ista", "--relax", asked, "--name", "net", "-o", str(page))
    assert result.status == 0
    spec = unroll_dsl.load(page)
    assert spec.name == "net" and [p.name for p in spec.graph.parameters] == ["We", "S", "theta"]
    assert "soft(We @ y + S @ x, theta)" in page.read_text("utf-8")


def test_derived_and_relaxed_at_once(unroll: Unroll) -> None:
    result = unroll("derive", "lasso", "--method", "ista", "--relax", "gradient(analytic),step")
    assert "    x <- soft(x - mu * W' @ (A @ x - y), lambda / L)\n" in result.out
    assert "does not start at the classical value" in result.err


def test_without_any_they_are_listed(unroll: Unroll) -> None:
    out = unroll("relax", "ista").out
    assert "threshold(shared, free, entrywise, channels, letter=, value=)\n" in out
    assert "does not start at the classical value" in out


def test_what_does_not_fit_is_said(unroll: Unroll) -> None:
    result = unroll("relax", "ista", "--relax", "momentum")
    assert result.status == 1 and "U0620" in result.err
