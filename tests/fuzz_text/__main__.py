"""`python -m tests.fuzz_text --minutes 5 [--seed 0] [--out DIR]`: damaged pages until the time is up.

Each kind of failure is kept once in DIR, as short as removing pieces makes it; the exit status is 1 if
there was one. Where atheris is installed, `--atheris` lets coverage choose the damage.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz_text.mutations import MOST, mutated, seeds
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


def by_coverage(minutes: float, out: Path) -> int:
    import atheris

    with atheris.instrument_imports(include=["unroll_dsl"]):
        import unroll_dsl.driver  # noqa: F401

    def one(data: bytes) -> None:
        failure = tried(data[:MOST])
        if failure is not None:
            keep(data[:MOST], failure, out)
            raise AssertionError(failure.kind)

    corpus = out / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, text in enumerate(seeds()):
        (corpus / f"{place:04d}").write_text(text, encoding="utf-8")
    limits = [f"-max_total_time={int(60 * minutes)}", f"-max_len={MOST}", "-timeout=60"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], one)
    atheris.Fuzz()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_text", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz-text"))
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    if options.atheris:
        return by_coverage(options.minutes, options.out)
    return by_chance(options.minutes, options.seed, options.out)


if __name__ == "__main__":
    sys.exit(main())
