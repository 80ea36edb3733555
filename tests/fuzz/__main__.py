"""Try random programs: `python -m tests.fuzz --count 10000 --jobs 2`.

Prints a table of outcomes; every program at fault is printed, reduced to few lines, with its seed, which
writes the same program again (`--seeds 17`). Exit status 1 if there was any.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.progress import track

from tests.fuzz.trial import Outcome, trial, tried

_EXPORTED = 20  # one program in so many is exported too: that takes longer than all the rest


def _one(seed: int) -> Outcome:
    import torch

    torch.set_num_threads(1)
    return trial(seed, export=seed % _EXPORTED == 0)


def _outcomes(seeds: list[int], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(_one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_one, seeds, chunksize=8)


def reduced(outcome: Outcome) -> str:
    """The program with as many lines left out as leave the fault what it is."""
    kind = _kind(outcome.fault)
    lines = outcome.text.splitlines()
    index = len(lines) - 1
    while index > 0:
        fewer = lines[:index] + lines[index + 1 :]
        found = tried(outcome.seed, "\n".join(fewer) + "\n")
        if found.fault is not None and _kind(found.fault) == kind:
            lines = fewer
        index -= 1
    return "\n".join(lines)


def _kind(fault: str | None) -> str:
    """The fault without its figures; that a shorter program is refused is another."""
    return "".join(c for c in (fault or "")[:60] if not (c.isdigit() or c in ".-+e%`"))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="programs (10000)")
    parser.add_argument("--start", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seeds", type=int, nargs="*", help="these seeds alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--faults", type=int, default=20, help="stop after so many faults (20)")
    parser.add_argument("--show", action="store_true", help="print the programs of the seeds")
    parser.add_argument("--out", type=Path, help="write outcomes there, as JSON lines")
    chosen = parser.parse_args(argv)
    seeds = chosen.seeds or list(range(chosen.start, chosen.start + chosen.count))
    begun, counts, faults = time.monotonic(), Counter[str](), []
    for outcome in track(_outcomes(seeds, chosen.jobs), "programs", len(seeds)):
        counts["fault" if outcome.fault else outcome.note or "all agree"] += 1
        if chosen.show:
            print(f"---- seed {outcome.seed}: {outcome.fault or outcome.note or 'all agree'}")
            print(outcome.text)
        if outcome.fault:
            faults.append(outcome)
            print(f"---- seed {outcome.seed}: {outcome.fault}\n{reduced(outcome)}\n", flush=True)
        if chosen.out and (outcome.fault or outcome.note):
            line = {"seed": outcome.seed, "fault": outcome.fault, "note": outcome.note}
            with chosen.out.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        if len(faults) >= chosen.faults:
            print(f"stopped after {len(faults)} faults")
            break
    for what, count in counts.most_common():
        print(f"{count:7d}  {what}")
    print(f"{sum(counts.values())} programs in {time.monotonic() - begun:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
