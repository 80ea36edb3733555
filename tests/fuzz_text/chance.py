"""Damage by chance, until the time is up; what fails is kept, shortened."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from random import Random

from tests.fuzz_text.mutations import mutated
from tests.fuzz_text.trial import Failure, tried


def shortened(data: bytes, failure: Failure, until: float) -> bytes:
    """The text without pieces that it fails the same way without."""
    size = len(data) // 2
    while size >= 1 and time.monotonic() < until:
        place = 0
        while place < len(data) and time.monotonic() < until:
            shorter = data[:place] + data[place + size :]
            found = tried(shorter)
            if found is not None and found.kind == failure.kind:
                data = shorter
            else:
                place += size
        size //= 2
    return data


def by_chance(minutes: float, seed: int, out: Path) -> int:
    end = time.monotonic() + 60 * minutes
    kinds: dict[str, Failure] = {}
    count, slowest = 0, 0.0
    while time.monotonic() < end:
        data = mutated(Random(f"{seed} {count}"))
        begin = time.process_time()
        failure = tried(data)
        slowest = max(slowest, time.process_time() - begin)
        count += 1
        if failure is None or failure.kind in kinds:
            continue
        kinds[failure.kind] = failure
        data = shortened(data, failure, min(end, time.monotonic() + 30))
        keep(data, failure, out)
    print(f"{count:,} texts, the slowest took {slowest:.2f} s, {len(kinds)} kinds of failure")
    return 1 if kinds else 0


def keep(data: bytes, failure: Failure, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{hashlib.sha256(data).hexdigest()[:12]}.unroll"
    path.write_bytes(data)
    print(f"{failure.kind}: {path}\n{failure.detail}", flush=True)
