"""How all benchmarks take times."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def medians(jobs: dict[str, Callable[[], object]], repetitions: int = 7) -> dict[str, float]:
    """Seconds of each job, the median of repetitions; the jobs take turns."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repetitions):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            taken[name].append(time.perf_counter() - begin)
    return {name: median(values) for name, values in taken.items()}
