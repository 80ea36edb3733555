"""A small run that was really trained, and copies of it to damage."""

import shutil
from pathlib import Path

import pytest

import unroll_dsl

PROGRAM = """\
# A small <network>, for tests.
#
# A. Author: A & B. Journal, 2020.
algorithm small
dims m, n
input     y     : vector[m]
fixed     A     : matrix[m, n]
measure   y     = A @ x_star
let       L     = norm(A)^2
learnable gamma : scalar per phase = 1 / L              # step
learnable theta : scalar >= 0 per phase = 0.1 / L       # threshold
learnable bend  : scalar = 1                            # gain
let       half  = gamma / 2
state x : vector[n] = 0
phase (3):
    x <- bend * soft(x - 2 * half * A' @ (A @ x - y), theta)
output x
loss (x_star : vector[n]):
    sumsq(x - x_star)
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    unroll_dsl.train(
        unroll_dsl.loads(PROGRAM, "small.unroll"),
        folder / "run",
        {
            "dims": {"m": 8, "n": 16},
            "data": {"kind": "sparse", "samples": 64, "validate": 32},
            "train": {"steps": 6, "batch": 16, "rate": 1e-2},
            "validate": {"every": 2},
            "log": {"every": 1},
        },
    )
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
