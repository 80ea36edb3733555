"""Checkpoints: everything that the rest of a run depends on, in one file that is verified on reading.

    unroll checkpoint 1\\n  SHA-256 of the rest, in hex\\n  what torch.save writes

There is no state of a random generator in it: the batch of a step is a function of the seed, the stage and
the step. `last.ckpt` is never written over: the one before it becomes `previous.ckpt`, which stands in where
`last.ckpt` turns out to be damaged.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from unroll_dsl.train.errors import BadCheckpoint
from unroll_dsl.train.files import write_whole

_MAGIC = b"unroll checkpoint 1\n"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run between two updates.

    Attributes
    ----------
    step
        Updates done in all stages together.
    stage, stage_step
        The number of the stage, from 0, and the updates done in it.
    network, optimizer, scaler
        State dictionaries; `scaler` is None but for fp16.
    counters
        What validation and reporting have counted, see `loop.Counters`.
    sizes
        Lengths in bytes of the files that grow: metrics.csv, learned.jsonl.
    seconds
        Time spent so far.
    texts
        program.unroll and run.toml as this run has them, by the names of the files.
    """

    step: int
    stage: int
    stage_step: int
    network: dict[str, Any]
    optimizer: dict[str, Any]
    scaler: dict[str, Any] | None
    counters: dict[str, Any]
    sizes: dict[str, int]
    seconds: float
    texts: dict[str, str] = field(default_factory=dict)


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `last.ckpt`; the one that was there becomes `previous.ckpt`."""
    buffer = io.BytesIO()
    state = {entry.name: getattr(checkpoint, entry.name) for entry in fields(checkpoint)}
    torch.save(state, buffer)
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest().encode()
    write_whole(folder / LAST, _MAGIC + digest + b"\n" + payload, keep=folder / PREVIOUS)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint and verify it; no code in it is run.

    Raises
    ------
    BadCheckpoint
        If the file is cut short or a bit of it has changed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path}: {error.strerror or error}") from error
    if not data.startswith(_MAGIC):
        raise BadCheckpoint(f"{path} is no checkpoint of this version")
    start = len(_MAGIC) + 65
    digest, payload = data[len(_MAGIC) : start - 1], data[start:]
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise BadCheckpoint(f"{path} is damaged: it is not what was written")
    return Checkpoint(**torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True))


def newest(folder: Path) -> Checkpoint | None:
    """The last checkpoint of a run, or the one before where the last is damaged; None: there is none.

    Raises
    ------
    BadCheckpoint
        If neither can be read.
    """
    last, previous = folder / LAST, folder / PREVIOUS
    if not last.exists():
        return read(previous) if previous.exists() else None  # killed between two renames
    try:
        return read(last)
    except BadCheckpoint as error:
        if not previous.exists():
            raise BadCheckpoint(
                error.message, f"there is no {PREVIOUS} to go back to: start the run again"
            ) from error
        found = read(previous)
        warnings.warn(f"{error.message}; going on from {PREVIOUS}, step {found.step}", stacklevel=2)
        return found


__all__ = ["LAST", "PREVIOUS", "Checkpoint", "newest", "read", "save"]
