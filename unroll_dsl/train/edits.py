"""What has been edited in a run folder between two sittings of a run.

A checkpoint holds the texts that its run had. What is in the folder when the run goes on is held against
them: a run whose program or configuration is another one would say of its figures what is not true.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.folder import CONFIG, PROGRAM
from unroll_dsl.train.tables import config

# What a checkpoint cannot go on with: the network, the state of the optimiser, the columns of metrics.csv.
_SETTLED = (
    *("phases", "tol", "max_phases", "learn", "fix", "dims", "bind", "stage", "group"),
    *("train.regime", "train.counts", "train.refine", "train.start"),
    *("train.optimizer", "train.precision", "validate.metric", "validate.samples"),
)


def check_edits(
    folder: Path, began: Mapping[str, str], now: Mapping[str, str], edited: bool
) -> str:
    """What of a configuration has changed, in words; nothing if nothing has.

    Parameters
    ----------
    began, now
        The texts of program.unroll and run.toml, when the run was last worked on and as they are.
    edited
        Whether the user says that they were edited on purpose.

    Raises
    ------
    TrainingError
        That names each difference, unless `edited` and a checkpoint can go on with all of them.
    """
    if not began:
        return ""  # nothing has been trained yet, or by a version that kept no texts
    program = _program(began[PROGRAM], now[PROGRAM])
    if program is not None:
        raise TrainingError(
            f"{folder / PROGRAM} is no longer what the run trains: {program}",
            "undo it, or train the new program in a folder of its own",
        )
    changes = dict(_changes(_tables(began[CONFIG]), _tables(now[CONFIG])))
    if not changes:
        return ""
    told = "; ".join(changes.values())
    settled = [name for name in changes if _is_settled(name)]
    if settled:
        raise TrainingError(
            f"{folder / CONFIG} was edited: {told}",
            f"a run cannot go on with another `{settled[0]}`: undo it, or start a new one, "
            f"`unroll train {folder / PROGRAM} --config {folder / CONFIG} --out ANOTHER`",
        )
    if not edited:
        raise TrainingError(
            f"{folder / CONFIG} was edited: {told}",
            f"undo it, or say that it is meant: `unroll train --resume {folder} --edited`",
        )
    return told


def _program(began: str, now: str) -> str | None:
    """The first line that differs, as both texts have it."""
    old, new = began.splitlines(), now.splitlines()
    for kind, i, _, j, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            was = f"`{old[i].strip()}`" if i < len(old) else "the end"
            found = f"`{new[j].strip()}`" if j < len(new) else "the end"
            return f"line {j + 1} is {found}, and was {was}"
    return None


def _tables(text: str) -> dict[str, Any]:
    """All keys of a configuration, those that the text leaves out too: `train.rate`."""
    return dict(_flat(config(tomllib.loads(text)), ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        for entry in fields(value):
            yield from _flat(
                getattr(value, entry.name), f"{path}.{entry.name}" if path else entry.name
            )
    elif isinstance(value, Mapping):
        yield path, dict(value)
    else:
        yield path, value


def _changes(began: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in now.items():
        was = began[name]
        if was == value:
            continue
        if isinstance(value, dict):
            for key in dict.fromkeys((*was, *value)):
                if was.get(key) != value.get(key):
                    yield f"{name}.{key}", _told(f"{name}.{key}", value.get(key), was.get(key))
        elif name in ("group", "stage"):
            yield name, f"[[{name}]] is not what it was"
        else:
            yield name, _told(name, value, was)


def _told(name: str, value: Any, was: Any) -> str:
    return f"`{name}` is {_shown(value)}, and was {_shown(was)}"


def _shown(value: Any) -> str:
    return "left out" if value is None else repr(value)


def _is_settled(name: str) -> bool:
    return any(name == key or name.startswith(f"{key}.") for key in _SETTLED)
