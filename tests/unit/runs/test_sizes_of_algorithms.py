"""An algorithm held against a network: sizes that nothing bound to it tells are those of the network."""

from __future__ import annotations

from pathlib import Path

import torch

import unroll_dsl
from unroll_dsl.runs.classical import fitted
from unroll_dsl.runs.solver import Samples, Solver


def test_of_images_measured_by_a_matrix(tmp_path: Path) -> None:
    """Phi is [m, h * w] to both: it tells neither h nor w."""
    problem = unroll_dsl.load("block_cs")
    page = tmp_path / "algorithm.unroll"
    page.write_text(problem.derive("admm").text, "utf-8")
    Phi = torch.randn(12, 30)
    spec = problem.derive("ista").spec
    like = Solver("network", spec, 2, {"Phi": Phi}, {"h": 6, "w": 5})
    truth = torch.rand(3, 1, 6, 5)
    samples = Samples((truth.flatten(1) @ Phi.T,), truth)
    found = fitted(str(page), like, samples, 2)
    assert found.dims == {"h": 6, "w": 5}
    assert found.after([1, 2], samples)[1].shape == truth.shape
