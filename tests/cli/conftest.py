"""Running the command line as a user does, in this process or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.cli.main import main

ROOT = Path(unroll_dsl.__file__).resolve().parents[1]


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str


Unroll = Callable[..., Result]


@pytest.fixture
def unroll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Unroll:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        status = main(arguments)
        captured = capsys.readouterr()
        return Result(int(status), captured.out, captured.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Unroll:
    """Run a command, or with `code=` a line of Python, as a process in an empty folder."""

    def run(*arguments: str, code: str | None = None) -> Result:
        program = ["-c", code] if code is not None else ["-m", "unroll_dsl.cli.main", *arguments]
        done = subprocess.run(
            [sys.executable, *program],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


GOOD = """\
algorithm halve
dims n
input y : vector[n]
output y / 2
"""

BAD = """\
algorithm ista
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed t : scalar > 0 = 0.1
state x : vector[n] = 0
phase (5):
    r = A @ x - y
    x <- x - t * (A @ r)
output x
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "halve.unroll"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "ista.unroll"
    path.write_text(BAD)
    return path
