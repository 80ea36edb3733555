"""The wheel is all that a user needs: it carries the grammars and the algorithms, and works anywhere."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import pathlib, torch, unroll_dsl
assert pathlib.Path(unroll_dsl.__file__).is_relative_to(pathlib.Path.cwd() / "installed")
net = unroll_dsl.load("lista").compile(phases=3, bind={"Wd": torch.randn(5, 8)})
assert net(torch.randn(2, 5)).shape == (2, 8)
print("fine")
"""


@pytest.mark.slow
def test_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")  # what pip does with a wheel of pure Python
    shipped = {path.name for path in (tmp_path / "installed").rglob("*.unroll")}
    assert shipped == {
        p.name for f in ("algorithms", "grammars") for p in (ROOT / f).rglob("*.unroll")
    }
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    for arguments in (["-c", SCRIPT], ["-m", "unroll_dsl", "check", "ista"]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "fine" in done.stdout or "checks passed" in done.stdout
