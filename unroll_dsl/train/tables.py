"""From TOML to a `Config` and back, with errors that name the key.

Files are read with tomllib and written with tomlkit, each key with its explanation as a comment.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from unroll_dsl.backends.resting import FIXED_POINT
from unroll_dsl.files.toml import BadToml, parse_toml, read_toml
from unroll_dsl.train.config import (
    Config,
    Group,
    Log,
    Saving,
    StageTable,
    Training,
    Validation,
)
from unroll_dsl.train.errors import TrainingError, which

Kind = TypeVar("Kind")

_RANGES: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "least": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "most": ("at most", operator.le),
    "below": ("below", operator.lt),
}
_TABLES: dict[str, type] = {
    "Training": Training,
    "Validation": Validation,
    "Log": Log,
    "Saving": Saving,
}
_LISTS: dict[str, type] = {"tuple[Group, ...]": Group, "tuple[StageTable, ...]": StageTable}


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
    found = _read(Config, table, place, "")
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


def _read(kind: type[Kind], table: Any, where: str, path: str) -> Kind:
    if not isinstance(table, Mapping):
        raise TrainingError(f"{where}`{path}` is a table, found {_shown(table)}")
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]  # of dataclasses
    for name in table:
        if name not in known:
            place = f"[{path}]" if path else "the run"
            raise TrainingError(f"{where}{place} has no key `{name}`", which(name, known))
    given = {
        name: _value(known[name], value, where, f"{path}.{name}" if path else name)
        for name, value in table.items()
    }
    return kind(**given)


def _value(entry: Field[Any], value: Any, where: str, path: str) -> Any:
    annotation = str(entry.type)
    if annotation in _TABLES:
        return _read(_TABLES[annotation], value, where, path)
    if annotation in _LISTS:
        if not isinstance(value, list | tuple):
            raise TrainingError(f"{where}`{path}` is a list of tables: write [[{path}]]")
        rows = enumerate(value, start=1)
        return tuple(_read(_LISTS[annotation], row, where, f"{path}[{i}]") for i, row in rows)
    words, convert = _KINDS[annotation]
    try:
        found = convert(value)
    except TypeError:
        raise TrainingError(f"{where}`{path}` is {words}, found {_shown(value)}") from None
    _check_range(entry, found, where, path)
    return found


def _check_range(entry: Field[Any], value: Any, where: str, path: str) -> None:
    facts = entry.metadata
    for number in _numbers(value):
        if number == facts["other"] or isinstance(number, str):
            continue
        for name, (words, holds) in _RANGES.items():
            bound = facts[name]
            if bound is not None and not holds(number, bound):
                raise TrainingError(f"{where}`{path}` is {words} {bound}, found {number}")
    choices = facts["choices"]
    if choices and value not in choices:
        raise TrainingError(
            f"{where}`{path}` is one of {', '.join(map(repr, choices))}, found {value!r}",
            which(value, (c for c in choices if c)),
        )


def _numbers(value: Any) -> tuple[Any, ...]:
    match value:
        case Mapping():
            return tuple(value.values())
        case tuple():
            return value
        case _:
            return (value,)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."


# ---- values by the annotation of their key ------------------------------------------------------


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _gradient(value: Any) -> int | str:
    if value in ("unroll", "implicit"):
        return str(value)
    if _int(value) < 1:
        raise TypeError
    return _int(value)


def _phases(value: Any) -> int | str:
    return FIXED_POINT if value == FIXED_POINT else _int(value)


def _tuple(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def converted(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError
        return tuple(map(convert, value))

    return converted


def _mapping(convert: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def converted(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise TypeError
        return {str(name): convert(item) for name, item in value.items()}

    return converted


_KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "int": ("a whole number", _int),
    "float": ("a number", _float),
    "bool": ("true or false", _bool),
    "str": ("a text", _str),
    "int | str": ('"unroll", "implicit" or a number of phases', _gradient),
    "str | int": (f'a number of phases or "{FIXED_POINT}"', _phases),
    "tuple[str, ...]": ("a list of texts", _tuple(_str)),
    "tuple[int, ...]": ("a list of whole numbers", _tuple(_int)),
    "tuple[float, ...]": ("a list of numbers", _tuple(_float)),
    "Mapping[str, str]": ("a table of texts", _mapping(_str)),
    "Mapping[str, int]": ("a table of whole numbers", _mapping(_int)),
    "Mapping[str, Any]": ("a table", _mapping(lambda value: value)),
}


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
