"""What is drawn of a trained network: constants, shrinkage, filters."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.runs.constants import changes, constants
from unroll_dsl.runs.filters import filters
from unroll_dsl.runs.learned import Learned, learned
from unroll_dsl.runs.shrinkage import shrinkages


def network(name: str, phases: int, init: dict[str, Any], **given: Any) -> Learned:
    """A network whose learnables have the values `init`."""
    spec = unroll_dsl.load(name)
    net = spec.compile(phases, init=init, seed=0, **given)
    dims = given.get("dims", {})
    values = spec.values(net, bind=given["bind"], dims=dims)
    return learned(spec, phases, values, bind=given["bind"], dims=dims, start={})


A = torch.eye(4, 6)
NO_ZERO = torch.cat([torch.eye(4), torch.ones(4, 2) / 2], 1)  # analytic weights divide by columns


def test_a_learnt_scalar_stands_beside_its_classical_value() -> None:
    found = network("alista", 2, {"gamma": torch.tensor([0.5, 2.0])}, bind={"A": NO_ZERO})
    gamma = constants(found)[0]
    assert (gamma.name, gamma.comment) == ("gamma", "step")
    assert (gamma.trained, gamma.classical) == ((0.5, 2.0), (1.0, 1.0))


def test_of_a_vector_the_median_and_a_band_are_shown() -> None:
    theta = torch.arange(1.0, 7.0).expand(2, 6)
    found = network("lista", 2, {"theta": theta}, bind={"Wd": A})
    constant = next(c for c in constants(found) if c.name == "theta")
    assert constant.trained == (3.5, 3.5) and constant.band is not None
    assert constant.band[0] == pytest.approx((1.5, 1.5))


def test_what_a_let_makes_of_learnables_is_a_constant_too() -> None:
    bind = {"A": torch.eye(3), "R": torch.eye(3), "M": torch.eye(3, 4)}
    found = network("fista_net", 3, {"w_mu": 0.0, "c_mu": 0.0}, bind=bind, dims={"h": 2, "w": 2})
    mu = next(c for c in constants(found) if c.name == "mu")
    assert mu.trained == pytest.approx([np.log(2)] * 3)


def test_change_of_a_matrix_is_relative_to_its_start() -> None:
    start = A / torch.linalg.matrix_norm(A, 2) ** 2
    found = network("lista_cp", 2, {"W": torch.stack([start, 1.5 * start])}, bind={"A": A})
    panel = changes(found)
    assert panel is not None and panel.lines[0].y == pytest.approx((0.0, 0.5))


def test_soft_thresholding_is_drawn_with_its_learned_threshold() -> None:
    found = network("alista", 2, {"theta": torch.tensor([0.5, 0.0])}, bind={"A": NO_ZERO})
    (shrinkage,) = shrinkages(found)
    at = np.array(shrinkage.at)
    assert shrinkage.found[0] == pytest.approx(np.sign(at) * np.maximum(np.abs(at) - 0.5, 0))
    assert shrinkage.found[1] == pytest.approx(at)


def test_a_piecewise_linear_function_goes_through_its_knots() -> None:
    q = torch.linspace(-1, 1, 101).abs().expand(2, 8, 101)
    found = network("admm_net", 2, {"q": q}, bind={"P": torch.ones(4, 4)})
    curves = shrinkages(found)
    assert len(curves) == 8
    assert curves[0].found[0] == pytest.approx(np.abs(curves[0].at), abs=1e-6)


def test_a_bank_of_filters_is_computed_for_each_phase() -> None:
    gamma = torch.stack([torch.eye(8), 2 * torch.eye(8)])
    found = network("admm_net", 2, {"gamma_H": gamma}, bind={"P": torch.ones(4, 4)})
    bank = next(f for f in filters(found) if f.name == "H")
    assert bank.kernels.shape == (2, 8, 3, 3)
    assert bank.kernels[1] == pytest.approx(2 * bank.kernels[0])


def test_kernels_from_one_channel_are_drawn() -> None:
    bind = {"Phi": torch.eye(4, 16), "Q": torch.eye(16, 4)}
    found = network("ista_net_plus", 2, {}, bind=bind, dims={"h": 4, "w": 4})
    assert {f.name: f.kernels.shape for f in filters(found)} == {
        "D": (2, 32, 3, 3),
        "G": (2, 32, 3, 3),
    }


def test_rows_of_a_matrix_are_drawn_only_where_signals_are_patches() -> None:
    found = network("lista", 2, {}, bind={"Wd": torch.randn(16, 20)})
    assert filters(found) == ()
    assert [f.name for f in filters(found, atoms=True)] == ["We"]
