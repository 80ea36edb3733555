"""Damage that coverage chooses, by atheris (libFuzzer), until the time is up."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

from tests.fuzz_text.mutations import MOST, seeds


def by_coverage(minutes: float, out: Path) -> int:
    # only what is imported in here is followed: modules that are imported late too, by a first text each
    with atheris.instrument_imports(include=["unroll_dsl"]):
        from tests.fuzz_text.chance import keep
        from tests.fuzz_text.trial import tried

        for text in seeds():
            tried(text.encode())

    kinds: set[str] = set()

    def one(data: bytes) -> None:
        failure = tried(data[:MOST])
        if failure is not None and failure.kind not in kinds:  # libFuzzer would end at the first
            kinds.add(failure.kind)
            keep(data[:MOST], failure, out)

    # the process ends within libFuzzer: what failed lies in `out` then

    corpus = out / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, text in enumerate(seeds()):
        (corpus / f"{place:04d}").write_text(text, encoding="utf-8")
    limits = [f"-max_total_time={int(60 * minutes)}", f"-max_len={MOST}", "-timeout=60"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], one)
    atheris.Fuzz()
    return 0
