"""`demo --quick`: it runs, it leaves its files, and the same seed gives the same figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Unroll = Callable[..., Any]  # the fixtures `unroll` and `process`


@pytest.mark.slow
def test_quick_demo(process: Unroll, tmp_path: Path) -> None:
    first, second = (process("demo", "--quick", "--json", "--out", name) for name in ("a", "b"))
    assert first.status == second.status == 0, first.err
    figures, again = json.loads(first.out), json.loads(second.out)
    assert figures["untrained_gap"] < 1e-10
    del figures["seconds"], again["seconds"]
    assert figures == again
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"lista.py", "plot.png", "plot.svg", "results.json"} <= names
    text = (tmp_path / "a" / "lista.py").read_bytes()
    assert text == (tmp_path / "b" / "lista.py").read_bytes()


def test_refuses_a_file(unroll: Unroll, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert unroll("demo", "--out", "out").status == 2
