"""How all benchmarks take times."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable
from statistics import median

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in glibc


def medians(jobs: dict[str, Callable[[], object]], repetitions: int = 7) -> dict[str, float]:
    """Seconds of each job, the median of repetitions; the jobs take turns."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repetitions):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            taken[name].append(time.perf_counter() - begin)
    return {name: median(values) for name, values in taken.items()}


def keep_memory() -> None:
    """Freed memory stays with the process, as it does in a long run of large tensors: else glibc hands
    every result back to the system and takes it anew, page by page, which hides what is measured."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)
