"""Tables of configuration files as frozen dataclasses: the fields are the keys, with their defaults.

The type of a field says which values are taken, `key` their range. What is wrong with a table is a `Fault`
that knows the place; who reads the table words it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_RANGES: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "least": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "most": ("at most", operator.le),
    "below": ("below", operator.lt),
}


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """`key` is none of those of the table at `path`."""

    path: str
    key: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingKey:
    """`key` has no default, and the table at `path` does not say it."""

    path: str
    key: str
    hint: Any


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that is not of the type of its key; `words` is what the key says of its values itself."""

    path: str
    hint: Any
    value: Any
    words: str


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A number that is not, say, "at least" a `bound`."""

    path: str
    relation: str
    bound: float
    value: Any


@dataclass(frozen=True, slots=True)
class NoChoice:
    """A word that is none of those that its key takes."""

    path: str
    choices: tuple[str, ...]
    value: Any


Fault = UnknownKey | MissingKey | Misfit | OutOfRange | NoChoice
Worded = Callable[[Fault], Exception]


def key(
    default: Any,
    about: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    other: float | None = None,
    choices: tuple[str, ...] = (),
    words: str = "",
) -> Any:
    """A field of a table: its default, its range, and what it is about.

    `other` is a value out of the range that means something of its own; `words` name all values that a
    key takes where its type does not.
    """
    facts = {"about": about, "choices": choices, "other": other, "words": words}
    facts |= {"least": least, "above": above, "most": most, "below": below}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=facts)
    return field(default=default, metadata=facts)


def from_table(kind: type[T], table: Mapping[str, Any], worded: Worded, path: str = "") -> T:
    """What a table says, with the defaults of what it does not.

    Lists become tuples, and whole numbers numbers where a key takes numbers.

    Parameters
    ----------
    kind
        A dataclass; its fields are of `int`, `float`, `str`, `bool`, `None`, `Literal`, `Any`, tuples and
        mappings of one of them, unions, dataclasses and tuples of a dataclass.
    worded
        Makes an error of a fault: the first that there is is raised.
    path
        Where the table stands: "train", "stage[1]".
    """
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]  # any dataclass
    for name in table:
        if name not in known:
            raise worded(UnknownKey(path, name, tuple(known)))
    for name, entry in known.items():
        needed = entry.default is MISSING and entry.default_factory is MISSING
        if needed and name not in table:
            raise worded(MissingKey(path, name, hints[name]))
    given = {
        name: _value(known[name], hints[name], value, worded, f"{path}.{name}" if path else name)
        for name, value in table.items()
    }
    return kind(**given)


def _value(entry: Field[Any], hint: Any, value: Any, worded: Worded, path: str) -> Any:
    rows = row_of(hint)
    if rows is not None and isinstance(value, list | tuple):
        return tuple(_row(rows, row, worded, f"{path}[{i}]") for i, row in enumerate(value, 1))
    if is_dataclass(hint):
        return _row(hint, value, worded, path)
    fits, found = as_type(hint, value)
    if not fits:
        raise worded(Misfit(path, hint, value, entry.metadata.get("words", "")))
    if "choices" in entry.metadata:
        _check_range(entry.metadata, found, worded, path)
    return found


def _row(kind: Any, value: Any, worded: Worded, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise worded(Misfit(path, kind, value, ""))
    return from_table(kind, value, worded, path)


def row_of(hint: Any) -> Any:
    """The dataclass that a list of tables has for each; None: it is no such list."""
    if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
        return get_args(hint)[0]
    return None


def as_type(hint: Any, value: Any) -> tuple[bool, Any]:
    """Whether a value is of a type, and the value as one of it."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True, value
    if origin in (Union, UnionType):
        found = (made for fits, made in (as_type(option, value) for option in inner) if fits)
        first = next(found, MISSING)
        return first is not MISSING, value if first is MISSING else first
    if origin is Literal:
        return isinstance(value, str) and value in inner, value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False, value
        parts = [as_type(inner[0], entry) for entry in value]
        return all(fits for fits, _ in parts), tuple(made for _, made in parts)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False, value
        items = {str(name): as_type(inner[1], entry) for name, entry in value.items()}
        return all(fits for fits, _ in items.values()), {n: made for n, (_, made) in items.items()}
    if hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number, float(value) if number else value
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    return isinstance(value, hint), value


def _check_range(facts: Mapping[str, Any], value: Any, worded: Worded, path: str) -> None:
    for number in _numbers(value):
        if number == facts["other"] or isinstance(number, str):
            continue
        for name, (relation, holds) in _RANGES.items():
            bound = facts[name]
            if bound is not None and not holds(number, bound):
                raise worded(OutOfRange(path, relation, bound, number))
    if facts["choices"] and value not in facts["choices"]:
        raise worded(NoChoice(path, facts["choices"], value))


def _numbers(value: Any) -> tuple[Any, ...]:
    match value:
        case Mapping():
            return tuple(value.values())
        case tuple():
            return value
        case _:
            return (value,)
