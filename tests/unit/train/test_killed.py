"""A run that is killed, at any moment and without warning, goes on to the bits of one that was not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sparse_problem import same_weights, without_times

import unroll_dsl
from unroll_dsl.train import Run

ROOT = Path(unroll_dsl.__file__).resolve().parents[1]

# Imports once and forks before anything is computed, so that a trial costs no start of an interpreter.
TRIALS = """
import os, random, signal, sys, time, traceback
from pathlib import Path
import accelerate, torch
from unroll_dsl.loading import load
from unroll_dsl.train.training import resume, train

CONFIG = {
    "phases": 3, "dims": {"m": 6, "n": 12}, "data": {"samples": 200, "validate": 50, "snr": 30},
    "train": {"steps": 120, "batch": 8, "rate": 0.01, "regime": "curriculum", "counts": [1, 3]},
    "log": {"every": 7}, "validate": {"every": 30, "patience": 9}, "save": {"every": 20},
}

def work(folder):
    torch.set_num_threads(1)
    if (folder / "run.toml").exists():
        resume(folder)
    else:
        train(load("lista_cp"), folder, CONFIG)

def trial(folder, patience):
    child = os.fork()
    if child == 0:
        try:
            work(folder)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None

whole, parts = Path("whole"), Path("parts")
begin = time.monotonic()
assert trial(whole, 60) == 0
took = time.monotonic() - begin
moments = random.Random(int(sys.argv[1]))
killed = 0
while killed < 4:
    status = trial(parts, moments.uniform(0.1, 0.6) * took)
    if status == 0:
        break
    assert status is None, status
    killed += 1
assert trial(parts, 60) == 0
print(killed)
"""


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    program = tmp_path / "trials.py"
    program.write_text(TRIALS)
    done = subprocess.run(
        [sys.executable, str(program), "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 2  # it was killed, and not only before it had begun
    whole, parts = Run.open(tmp_path / "whole"), Run.open(tmp_path / "parts")
    for name in ("best.safetensors", "last.safetensors"):
        assert same_weights(whole.path / name, parts.path / name)
    assert without_times(whole) == without_times(parts)
    assert whole.learned() == parts.learned()
