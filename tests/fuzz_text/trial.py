"""One text through all that `unroll check --static` does, timed."""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll_dsl.diagnostics.render import render_all, render_json
from unroll_dsl.driver import check_path

SECONDS = 2.0
_HANGS = 30.0  # of this process alone: others may share the machine


@dataclass(frozen=True)
class Failure:
    """What went wrong: a name for it, alike for texts that fail alike, and all that is known."""

    kind: str
    detail: str


class _Hangs(BaseException):
    pass


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _Hangs

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(data: bytes, folder: Path | None = None) -> Failure | None:
    """Check a text; None if it was answered in words and in time."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "page.unroll"
        path.write_bytes(data)
        begin = time.process_time()
        try:
            with _alarm():
                checked = check_path(path, "page.unroll")
                render_all(checked.diagnostics)
                render_json(checked.diagnostics)
        except _Hangs:
            return Failure(f"no answer in {_HANGS:g} s", traceback.format_exc(limit=-12))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = f"{type(error).__name__} in {Path(place.filename).name}:{place.name}"
            return Failure(name, traceback.format_exc(limit=-12))
        seconds = time.process_time() - begin
    if seconds > SECONDS:
        return Failure(f"{seconds:.0f} s", f"{seconds:.1f} s of a processor for {len(data)} bytes")
    return None
