"""From TOML to a `Config` and back, with errors that name the key.

Files are read with tomllib and written with tomlkit, each key with its explanation as a comment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, assert_never, get_args, get_origin

from unroll_dsl import settings
from unroll_dsl.files.toml import BadToml, parse_toml, read_toml
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError, which

_WORDS: dict[Any, tuple[str, str]] = {  # one value, and several
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("a text", "texts"),
}


def read_file(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; relative paths in it start from its folder."""
    try:
        table = read_toml(path)
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror or error}") from error
    except BadToml as error:
        raise TrainingError(f"{path} is not TOML: {error}") from error
    return {"base": str(path.resolve().parent), **table}


def merged(table: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `table`, table by table."""
    found = dict(table)
    for name, value in over.items():
        old = found.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        found[name] = merged(old, value) if both else value  # type: ignore[arg-type]  # tested above
    return found


def setting(text: str) -> dict[str, Any]:
    """`train.rate=1e-3` as tables; the value is TOML, or else a word."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise TrainingError(f"`{text}` is not of the form key.sub=value")
    try:
        found: Any = parse_toml(f"value = {value}")["value"]
    except BadToml:
        found = value.strip()
    for part in reversed(name.strip().split(".")):
        found = {part: found}
    assert isinstance(found, dict)
    return found


def config(table: Mapping[str, Any], where: str = "") -> Config:
    """A `Config` from tables; what is left out has its default.

    Raises
    ------
    TrainingError
        For a key that there is not, a value of a wrong type or out of range; `where` says in what file.
    """
    place = f"{where}: " if where else ""
    _check_finite(table, place, "")
    found = settings.from_table(Config, table, lambda fault: _worded(fault, place))
    if found.train.momentum and found.train.optimizer != "sgd":
        raise TrainingError(
            f'{place}`train.momentum` is of sgd, and `train.optimizer` is "{found.train.optimizer}"',
            'leave it out, or take `optimizer = "sgd"`',
        )
    return found


def _check_finite(value: Any, where: str, path: str) -> None:
    """TOML knows nan and inf; no key of a run does, those of `[data]` and `[bind]` neither."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            _check_finite(item, where, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value, start=1):
            _check_finite(item, where, f"{path}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise TrainingError(f"{where}`{path}` is a number, found {value}")


def _worded(fault: settings.Fault, where: str) -> TrainingError:
    path = fault.path
    match fault:
        case settings.UnknownKey(_, key, known):
            place = f"[{path}]" if path else "the run"
            return TrainingError(f"{where}{place} has no key `{key}`", which(key, known))
        case settings.MissingKey(_, key, hint):
            return TrainingError(f"{where}[{path}] lacks its key `{key}`", f"it is {_words(hint)}")
        case settings.Misfit(_, hint, value, words):
            if settings.row_of(hint) is not None:
                return TrainingError(f"{where}`{path}` is a list of tables: write [[{path}]]")
            kind = words or _words(hint)
            return TrainingError(f"{where}`{path}` is {kind}, found {_shown(value)}")
        case settings.OutOfRange(_, relation, bound, value):
            return TrainingError(f"{where}`{path}` is {relation} {bound}, found {value}")
        case settings.NoChoice(_, choices, value):
            return TrainingError(
                f"{where}`{path}` is one of {', '.join(map(repr, choices))}, found {value!r}",
                which(value, (c for c in choices if c)),
            )
        case _:
            assert_never(fault)


def _words(hint: Any) -> str:
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        return f"a list of {_WORDS[inner[0]][1]}"
    if hint in _WORDS:
        return _WORDS[hint][0]
    return f"a table of {_WORDS[inner[1]][1]}" if inner and inner[1] in _WORDS else "a table"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."


# ---- and back -----------------------------------------------------------------------------------


def to_toml(made: Config) -> str:
    """A complete TOML file, every key with what it is about; `config` reads it again as the same."""
    import tomlkit

    document = tomlkit.document()
    tables = []
    for entry in fields(made):
        value = getattr(made, entry.name)
        if is_dataclass(value) or isinstance(value, Mapping) or entry.name in ("group", "stage"):
            tables.append((entry.name, value))
        else:
            _put(document, entry, value)
    for name, value in tables:
        if isinstance(value, tuple):
            if value:
                rows = tomlkit.aot()
                for row in value:
                    rows.append(_table(row))
                document.add(name, rows)
        else:
            document.add(name, _table(value))
    return tomlkit.dumps(document)


def _table(value: Any) -> Any:
    import tomlkit

    table = tomlkit.table()
    if isinstance(value, Mapping):
        for name, item in value.items():
            table.add(name, _plain(item))
        return table
    for entry in fields(value):
        _put(table, entry, getattr(value, entry.name))
    return table


def _put(container: Any, entry: Field[Any], value: Any) -> None:
    import tomlkit

    item = tomlkit.item(_plain(value))
    about, choices = entry.metadata["about"], entry.metadata["choices"]
    words = " | ".join(choice or '""' for choice in choices)
    comment = "; ".join(part for part in (words, about) if part)
    if comment:
        item.comment(comment)
    container.add(entry.name, item)


def _plain(value: Any) -> Any:
    """Tuples as lists, and mappings within a table on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update({name: _plain(item) for name, item in value.items()})
        return inline
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
