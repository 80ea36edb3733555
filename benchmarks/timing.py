"""How all benchmarks take times."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in glibc


def _seconds(job: Callable[[], object]) -> float:
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def medians(jobs: dict[str, Callable[[], object]], repetitions: int = 7) -> dict[str, float]:
    """Seconds of each job, the median of repetitions; the jobs take turns."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repetitions):
        for name, job in jobs.items():
            taken[name].append(_seconds(job))
    return {name: median(values) for name, values in taken.items()}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of jobs that took turns, a column a repetition."""

    taken: dict[str, list[float]]

    def median(self, job: str) -> float:
        return median(self.taken[job])

    def ratio(self, job: str, by: str) -> tuple[float, float, float]:
        """Quartiles and median of the ratio within one repetition: what slows the machine for longer than
        that slows both."""
        ratios = [a / b for a, b in zip(self.taken[job], self.taken[by], strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        return low, middle, high


def spread(jobs: dict[str, Callable[[], object]], repetitions: int = 15) -> Times:
    """What each job takes after two runs for nothing; the jobs take turns, and turns in going first."""
    for job in (*jobs.values(), *jobs.values()):
        job()
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    order = list(jobs.items())
    for repetition in range(repetitions):
        for name, job in order if repetition % 2 else order[::-1]:
            taken[name].append(_seconds(job))
    return Times(taken)


def keep_memory() -> None:
    """Freed memory stays with the process, as it does in a long run of large tensors: else glibc hands
    every result back to the system and takes it anew, page by page, which hides what is measured."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)
