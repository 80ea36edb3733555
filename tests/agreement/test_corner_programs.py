"""Programs that were once refused or computed wrongly: torch and NumPy agree on them now."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import check

HEAD = "algorithm q\ndims n\ninput y : vector[n]\n"
PHASE = "state x : vector[n] = 0\nphase (3):\n    "


def program(declared: str, line: str, more: str = "") -> Any:
    return unroll_dsl.loads(f"{HEAD}{declared}\n{PHASE}{line}\noutput x\n{more}")


CASES = {
    "a start that is another's literal": (
        "learnable a : scalar = 2.5\nlearnable b : scalar per phase = a", "x <- x + a * b * y"
    ),
    "a start per phase from another's": (
        "learnable a : scalar = 2.5\nlearnable b : scalar per phase = 2 * a^k", "x <- x / a + b * y"
    ),
    "a start from a schedule": (
        "fixed g : scalar per phase = 0.9^k\nlearnable r : scalar per phase = g", "x <- x + r * y"
    ),
    "a start from a number that stays fixed": (
        "fixed L : scalar = 3\nlearnable B : scalar = 1 / L", "x <- x + B * y"
    ),
    "a phase with a value of its own that reads no state": (
        "learnable c : scalar per phase = 1", "x <- c * y"
    ),
    "a name that generated code uses": (
        "learnable positive : scalar > 0 = 0.5", "x <- x + positive * y"
    ),
    "names that Python takes for one": (
        "learnable x₁, x1 : vector[n] = 1\nlearnable µ : scalar = 1\nlearnable μ : scalar = 2",
        "x <- x + (µ * x₁ - 2 * μ * x1) * y",
    ),
    "a condition as the value of a state": ("", "x <- x + (y > x)"),
}  # fmt: skip


@pytest.mark.parametrize(("declared", "line"), CASES.values(), ids=CASES.keys())
def test_programs(declared: str, line: str) -> None:
    report = check(program(declared, line))
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]


def test_a_loss_may_read_what_is_computed_once_a_call() -> None:
    net = program(
        "learnable w : scalar = 0.5\nlet X = abs(y)", "x <- w * x + y", "loss:\n    sumsq(x - X)\n"
    ).compile()
    y = torch.randn(4, 3, dtype=torch.float32)
    expected = ((net(y) - y.abs()) ** 2).sum(-1).mean()
    torch.testing.assert_close(net.loss(y), expected)


def test_a_loss_cannot_read_a_value_per_phase_outside_a_sum() -> None:
    with pytest.raises(unroll_dsl.UnrollError, match="U0406"):
        program(
            "learnable w : scalar per phase = 1\nlet half = w / 2",
            "x <- x + half * y",
            "loss:\n    sumsq(x - y) + half^2\n",
        )


def test_sizes_are_drawn_so_that_no_shape_is_empty() -> None:
    report = check(
        unroll_dsl.loads(
            "algorithm d\ndims m, n\ninput y : vector[m - n]\nfixed A : matrix[m - n, n]\n"
            "output A' @ y\n"
        )
    )
    assert report.passed
    assert report.sizes["m"] > report.sizes["n"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"learn": ["lambda"]}, TypeError),
        ({"fix": "lambda"}, TypeError),
        ({"learn": {"lambda": "shared"}, "fix": ["lambda"]}, unroll_dsl.UnrollError),
        ({"dtype": torch.int32}, unroll_dsl.UnrollError),
        ({"dtype": "float32"}, unroll_dsl.UnrollError),
    ],
)
def test_arguments_of_the_wrong_kind(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        unroll_dsl.load("ista").compile(bind={"A": np.eye(3)}, **options)


def test_values_of_a_network_without_phases_of_their_own() -> None:
    spec = program("learnable w : scalar per phase = 1", "x <- x + y", "loss:\n    sumsq(x)\n")
    assert spec.values(spec.compile()) == {}
