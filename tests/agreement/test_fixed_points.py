"""`phases="fixed_point"`: where the phase rests, and the derivatives of that point."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.verify import check
from unroll_dsl.weights import load_network, save_network

RIDGE = """
algorithm ridge
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
learnable mu : scalar > 0 = 0.5
state x : vector[n] = 0
phase (10):
    x <- x - (A' @ (A @ x - y) + mu * x) / (L + mu)
output x
loss (x_star : vector[n]):
    1/2 * sumsq(x - x_star)
"""
# two states of different size and field, one of them complex, one a number; an output that is a formula
COUPLED = """
algorithm coupled
dims n
input y : complex vector[n]
input b : scalar
fixed W : complex matrix[n, n]
learnable s : scalar = 0.3
state z : complex vector[n] = 0
state t : scalar = 1
phase (50):
    z <- tanh(s) * W @ z / 2 + y + 0.01 * t
    t <- 0.4 * cos(t + b) + 0.1 * real(dot(y, z)) / sumsq(z)
output z, t + b
"""
MATRIX = np.random.default_rng(3).standard_normal((12, 8))
SIGNALS = torch.randn(3, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def gradients(net: Any, *inputs: torch.Tensor) -> tuple[Any, list[torch.Tensor]]:
    given = [x.clone().requires_grad_() for x in inputs]
    found = net(*given)
    outputs = found if isinstance(found, tuple) else (found,)
    total = sum((o.abs().square() * torch.arange(1, o.shape[-1] + 1)).sum() for o in outputs)
    total.backward()  # type: ignore[union-attr]
    return found, [*(x.grad for x in given), *(p.grad for p in net.parameters())]  # type: ignore[misc]


def test_ridge_regression_in_closed_form() -> None:
    """x = (A'A + mu I)^-1 A'y, dx/dmu = -(A'A + mu I)^-1 x, dx/dy = (A'A + mu I)^-1 A'."""
    A = torch.from_numpy(MATRIX)
    net: Any = unroll_dsl.loads(RIDGE).compile("fixed_point", bind={"A": A}, tol=1e-13)
    y = SIGNALS.clone().requires_grad_()
    x = net(y)
    x.sum().backward()
    system = A.mT @ A + 0.5 * torch.eye(8, dtype=torch.float64)
    expected = torch.linalg.solve(system, A.mT @ SIGNALS.mT).mT
    torch.testing.assert_close(x, expected, rtol=1e-10, atol=1e-12)
    by_mu = -torch.linalg.solve(system, expected.mT).sum()
    torch.testing.assert_close(net.mu.grad, by_mu, rtol=1e-10, atol=1e-12)
    by_y = torch.linalg.solve(system, A.mT).sum(0).expand(3, 12)
    torch.testing.assert_close(y.grad, by_y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["ista", "admm_lasso"])
def test_the_lasso_on_its_support(name: str) -> None:
    """x_S = (A_S' A_S)^-1 (A_S' y - lambda sign(x_S)), hence dx_S / dlambda."""
    net: Any = unroll_dsl.load(name).compile(
        "fixed_point",
        bind={"A": torch.from_numpy(MATRIX)},
        init={"lambda": 3.0},
        learn={"lambda": "shared"},
        tol=1e-13,
    )
    x = net(SIGNALS[0])
    x.sum().backward()
    support = x.detach().nonzero().flatten()
    A = torch.from_numpy(MATRIX)[:, support]
    signs = x.detach()[support].sign()
    expected = torch.linalg.solve(A.mT @ A, A.mT @ SIGNALS[0] - 3.0 * signs)
    assert 0 < len(support) < 8
    torch.testing.assert_close(x.detach()[support], expected, rtol=1e-9, atol=1e-11)
    slope = -torch.linalg.solve(A.mT @ A, signs).sum()
    torch.testing.assert_close(net.lambda_.grad, slope, rtol=1e-9, atol=0)


def test_against_long_unrolling_and_the_reference() -> None:
    generator = torch.Generator().manual_seed(2)
    y = torch.randn(2, 5, 4, dtype=torch.complex128, generator=generator)
    b = torch.randn(5, dtype=torch.float64, generator=generator)  # batch axes that broadcast
    W = torch.randn(4, 4, dtype=torch.complex128, generator=generator) / 3
    spec = unroll_dsl.loads(COUPLED)
    rest, plain = (
        spec.compile(phases, bind={"W": W}, **limits)
        for phases, limits in (("fixed_point", {"tol": 1e-14}), (400, {}))
    )
    (found, slopes), (expected, others) = gradients(rest, y, b), gradients(plain, y, b)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)
    for ours, theirs in zip(slopes, others, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)
    ref = spec.reference("fixed_point", bind={"W": W.numpy()}, tol=1e-14)
    whole = ref(y.numpy(), b.expand(2, 5).numpy())
    for ours, theirs in zip(found, whole, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-11, atol=1e-12)


def test_acceleration_takes_fewer_phases() -> None:
    """A system of condition 10^3: a thousand plain phases are far from rest."""
    scales = np.logspace(0, -1.5, 12)
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))[0]
    A = torch.from_numpy(rotation * scales)
    spec = unroll_dsl.loads(RIDGE)
    init = {"mu": 1e-6}
    net: Any = spec.compile("fixed_point", bind={"A": A}, init=init, tol=1e-10)
    y = SIGNALS
    exact = torch.linalg.solve(A.mT @ A + 1e-6 * torch.eye(12, dtype=torch.float64), A.mT @ y.mT).mT
    with torch.no_grad():
        torch.testing.assert_close(net(y), exact, rtol=1e-4, atol=1e-4)
        plain = spec.compile(1000, bind={"A": A}, init=init)(y)
    assert (plain - exact).norm() > 0.1 * exact.norm()


def test_acceleration_does_not_run_away() -> None:
    """Far out every phase moves by the same: what is extrapolated from rounding, or beyond where the map bends, is
    given up. Left in, it ends at 10^13, where no move is large beside the size."""
    spec = unroll_dsl.loads("""
algorithm flat
dims n
input y : vector[n]
fixed W : matrix[n, n]
state x : vector[n] = y
phase (9):
    x <- x - 0.5 * tanh(2 * (W @ x))
output x
""")
    bind = {"W": np.eye(3) + 0.1}
    sizes = torch.tensor([1.0, 10.0, 30.0, 100.0], dtype=torch.float64)
    y = sizes[:, None] * SIGNALS[:2, :6].reshape(4, 3)
    net: Any = spec.compile("fixed_point", bind=bind, dtype=torch.float64, tol=1e-9)
    assert net(y).abs().max() < 1e-8
    assert np.abs(spec.reference("fixed_point", bind=bind, tol=1e-9)(y.numpy())).max() < 1e-8


def test_a_sample_does_not_depend_on_its_batch() -> None:
    net: Any = unroll_dsl.load("ista").compile(
        "fixed_point", bind={"A": torch.from_numpy(MATRIX)}, tol=1e-6
    )
    scaled = SIGNALS * torch.tensor([[1e-3], [1.0], [0.0]], dtype=torch.float64)
    whole = net(scaled)
    for i, y in enumerate(scaled):
        torch.testing.assert_close(net(y), whole[i], rtol=1e-10, atol=1e-14)
    assert not whole[2].any()
    assert net(scaled[:0]).shape == (0, 8)


def test_it_says_where_it_does_not_rest() -> None:
    turning = unroll_dsl.loads("""
algorithm turning
input y : vector[2]
state x : vector[2] = 0
phase (4):
    x <- where(abs(x) > 0.5, 0 * x, 1 + 0 * y)
output x
""")
    net: Any = turning.compile("fixed_point", dtype=torch.float64, max_phases=30)
    with pytest.warns(
        RuntimeWarning, match=r"did not come to rest in 30 phases: the last one moved"
    ):
        net(torch.ones(2, dtype=torch.float64))
    with pytest.warns(RuntimeWarning, match="did not come to rest in 30 phases"):
        turning.reference("fixed_point", max_phases=30)(np.ones(2))


def test_precisions() -> None:
    """In single precision it rests as near as rounding lets it, and says nothing."""
    spec = unroll_dsl.loads(RIDGE)
    exact = spec.reference("fixed_point", bind={"A": MATRIX}, tol=1e-13)(SIGNALS.numpy())
    for dtype, allowed in ((torch.float32, 1e-4), (torch.bfloat16, 0.5)):
        net = spec.compile("fixed_point", bind={"A": MATRIX}, dtype=dtype, tol=1e-12)
        found = net(SIGNALS.to(dtype))
        assert found.dtype == dtype
        np.testing.assert_allclose(found.detach().double().numpy(), exact, atol=allowed, rtol=0)
    net = spec.compile("fixed_point", bind={"A": MATRIX}, dtype=torch.float32, tol=0.02)
    with torch.autocast("cpu", torch.bfloat16):
        net(SIGNALS.float()).sum().backward()


def test_frozen_saved_and_loaded(tmp_path: Path) -> None:
    A = torch.from_numpy(MATRIX)
    spec = unroll_dsl.loads(RIDGE, "ridge.unroll")
    net: Any = spec.compile("fixed_point", bind={"A": A}, tol=1e-11, max_phases=77)
    with torch.no_grad():
        net.mu.fill_(0.7)
    expected = net(SIGNALS)
    torch.testing.assert_close(net.freeze()(SIGNALS), expected, rtol=1e-12, atol=1e-14)
    save_network(tmp_path / "ridge.safetensors", spec, net, bind={"A": A})
    again: Any = load_network(tmp_path / "ridge.safetensors", bind={"A": A})
    torch.testing.assert_close(again(SIGNALS), expected, rtol=1e-12, atol=1e-14)
    assert "tolerance=1e-11" in spec.source("fixed_point", tol=1e-11)
    assert again.phases == 77


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fista", "`t` depends on no input"),
        ("fista_cd", "depends on `k`"),
        ("lista", "each phase has a `theta` of its own"),
        ("baseline_tanh", "it has no phases"),
    ],
)
def test_programs_that_have_none(name: str, why: str) -> None:
    spec = unroll_dsl.load(name)
    for ask in (spec.source, spec.compile, spec.reference):
        with pytest.raises(UnrollError, match=why) as caught:
            ask("fixed_point")
        assert caught.value.diagnostics[0].code == "U0545"


def test_words_that_it_has_not() -> None:
    spec = unroll_dsl.load("ista")
    with pytest.raises(unroll_dsl.UnrollError, match="found 'rest'"):
        spec.source("rest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='`tol` and `max_phases` are of phases="fixed_point"'):
        spec.source(7, tol=1e-3)
    with pytest.raises(ValueError, match="`tol` is a number above 0"):
        spec.source("fixed_point", tol=0.0)
    with pytest.raises(ValueError, match="the gradient of its fixed point"):
        spec.source("fixed_point", gradient=3)
    with pytest.raises(UnrollError, match="at least 1"):
        spec.source("fixed_point", max_phases=0)


def test_check_looks_at_it() -> None:
    spec = unroll_dsl.loads(RIDGE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check(spec, phases="fixed_point")
    rows = {row.name: row.verdict.value for row in report.rows if row.group == "fixed point"}
    assert report.passed
    assert rows["comes to rest"] == rows["outputs, torch against NumPy"] == "passed"
    assert rows["gradient, mu"] == "passed"
    with pytest.raises(UnrollError, match="no fixed point"):
        check(unroll_dsl.load("lista"), phases="fixed_point")


def test_training_at_rest(tmp_path: Path) -> None:
    """The weight of a ridge regression is learnt at its fixed point; the run is evaluated there too."""
    spec = unroll_dsl.loads(RIDGE + "measure y = A @ x_star + 0.5 * noise\n", "ridge.unroll")
    run = unroll_dsl.train(
        spec,
        tmp_path / "run",
        {
            "phases": "fixed_point",
            "tol": 1e-5,
            "max_phases": 200,
            "dims": {"m": 12, "n": 8},
            "data": {"kind": "sparse", "validate": 8},
            "train": {"steps": 8, "batch": 4, "rate": 0.05, "precision": "float64"},
            "validate": {"every": 8},
        },
    )
    rows = run.metrics()
    assert rows[-1]["val.loss"] < rows[0]["val.loss"]
    net: Any = run.network("last")
    assert net.phases == 200
    assert net.mu.item() != 0.5
    with pytest.raises(unroll_dsl.train.TrainingError, match="no number of phases that a regime"):
        unroll_dsl.train(
            spec,
            tmp_path / "grown",
            {"phases": "fixed_point", "train": {"regime": "curriculum"}, "dims": {"m": 12, "n": 8}},
        )
