"""The memory of one inference, plain rendering against generated network, each in a process of its own:
the most that was held during a second call above what was held before it."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table


def held() -> float:
    """The most that this process has held since `forget`, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def forget() -> None:
    """Count from what this process uses now: what it has freed goes back to the system first."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def inference(name: str, side: str) -> float:
    """MiB of one inference, in this process."""
    import torch

    from benchmarks.networks import CASES

    case = CASES[name]()
    net, inputs = getattr(case, side), case.inputs
    del case
    with torch.no_grad():
        net(*inputs)  # what libraries load on their first use
        forget()
        before = held()
        net(*inputs)
    return held() - before


def elsewhere(code: str) -> str:
    """What Python prints for `code`, in a process of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(*names: str) -> None:
    from benchmarks.networks import CASES

    table = Table(title="Memory of one inference", title_justify="left")
    for heading in ("network", "plain, MiB", "ours, MiB", "share"):
        table.add_column(heading, justify="right" if table.columns else "left")
    for name in names or CASES:
        theirs, ours = (
            float(
                elsewhere(
                    f"from benchmarks.memory import inference; print(inference({name!r}, {side!r}))"
                )
            )
            for side in ("theirs", "ours")
        )
        table.add_row(name, f"{theirs:.0f}", f"{ours:.0f}", f"{ours / theirs:.2f}")
    Console().print(table)
