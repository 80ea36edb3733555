"""`unroll eval`: what is bound is used, figures say what they are, and what is no number is an error."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from tests.cli.conftest import Unroll
from unroll_dsl.weights import save_network

PROGRAM = """\
algorithm small
dims m, n
input     y     : vector[m]
fixed     A     : matrix[m, n]
measure   y     = A @ x_star
learnable theta : scalar >= 0 per phase = 0.01
state x : vector[n] = 0
phase (2):
    x <- soft(x - 0.1 * A' @ (A @ x - y), theta)
output x
loss (x_star : vector[n]):
    sumsq(x - x_star)
"""
RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((2, 4, 8))
X = RNG.standard_normal((5, 8))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run on truths from a file; the same network in a file of its own; another matrix."""
    np.save(tmp_path / "B.npy", B)
    np.savez(tmp_path / "truths.npz", x_star=X)
    np.savez(tmp_path / "zeros.npz", x_star=0 * X)
    spec = unroll_dsl.loads(PROGRAM, "small.unroll")
    config = {
        "data": {"file": "truths.npz", "validate": "truths.npz"},
        "train": {"steps": 1, "batch": 2, "rate": 1e-9},
        "base": str(tmp_path),
    }
    unroll_dsl.train(spec, tmp_path / "run", config, bind={"A": A})
    net = spec.compile(bind={"A": A}, seed=0)
    save_network(tmp_path / "net.safetensors", spec, net, bind={"A": A})
    return tmp_path / "run"


def judged(unroll: Unroll, *arguments: str) -> Any:
    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    result = unroll("eval", *arguments, "--json")
    return json.loads(result.out, parse_constant=refuse), result


def nmse(matrix: Any) -> list[float]:
    """Of the network with another matrix, by the reference."""
    spec = unroll_dsl.loads(PROGRAM, "small.unroll")
    found = spec.reference(bind={"A": matrix})
    errors = [np.linalg.norm(found(matrix @ x) - x) / np.linalg.norm(x) for x in X]
    return [float(error) for error in errors]


def test_another_matrix_is_used_in_the_network_and_in_the_measurement(
    run: Path, unroll: Unroll
) -> None:
    own, _ = judged(unroll, "run", "--metric", "nmse")
    np.testing.assert_allclose(own["metrics"]["nmse"]["samples"], nmse(A), rtol=1e-5)
    other, _ = judged(unroll, "run", "--metric", "nmse", "--bind", "A=B.npy")
    np.testing.assert_allclose(other["metrics"]["nmse"]["samples"], nmse(B), rtol=1e-5)
    assert (other["data"], other["bind"]) == ("the run's validation set", {"A": "B.npy"})
    alone, _ = judged(
        unroll, "net.safetensors", "--data", "truths.npz", "--bind", "A=B.npy", "--metric", "nmse"
    )
    assert alone["metrics"]["nmse"]["samples"] == other["metrics"]["nmse"]["samples"]
    assert alone["data"] == "truths.npz"


def test_figures_of_a_set_say_what_they_are(run: Path, unroll: Unroll) -> None:
    found, _ = judged(unroll, "run", "--metric", "psnr,nmse_db,mse")
    figures = found["metrics"]
    assert {name: figures[name]["is"] for name in figures} == {
        "psnr": "mean of the samples' decibels",
        "nmse_db": "10 log10(sum of squared errors / sum of squared truths)",
        "mse": "mean over the samples",
    }
    assert figures["psnr"]["value"] == pytest.approx(np.mean(figures["psnr"]["samples"]))
    assert "mean" not in figures["nmse_db"]
    words = unroll("eval", "run", "--metric", "psnr,mse", "--bind", "A=B.npy").out
    assert "on the run's validation set, A = B.npy" in words
    assert "mean of 5 samples" in words
    assert "psnr: mean of the samples' decibels" in words


def test_figures_that_are_no_numbers_are_an_error(run: Path, unroll: Unroll) -> None:
    found, result = judged(unroll, "run", "--data", "zeros.npz", "--metric", "nmse")
    assert result.status == 1
    assert "error: `nmse` is no number for 5 of 5 samples, first of sample 1" in result.err
    assert found["metrics"]["nmse"]["value"] is None


@pytest.mark.parametrize(
    ("bind", "words"),
    [
        ("theta=0.5", "`theta` is learned by `small`: it has the value that training gave it"),
        ("C=B.npy", "`small` has no `C` to bind"),
        ("A=none.npy", "none.npy: there is no such file"),
    ],
)
def test_what_cannot_be_bound(bind: str, words: str, run: Path, unroll: Unroll) -> None:
    result = unroll("eval", "run", "--bind", bind)
    assert result.status == 2
    assert words in result.err
