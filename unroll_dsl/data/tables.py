"""A table of a configuration file as a frozen dataclass: its fields are the keys, with defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from unroll_dsl.data.errors import DataError, choose

T = TypeVar("T")
_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "nothing",
}


def read_table(settings: type[T], table: Mapping[str, Any], place: str) -> T:
    """What a table says, with the defaults of what it does not.

    Lists become tuples, and whole numbers numbers where a key takes numbers.

    Parameters
    ----------
    settings
        A dataclass; its fields are of `int`, `float`, `str`, `bool`, `None`, `Literal`, tuples of one of
        them and unions.
    place
        What a message calls the table: "[data]".

    Raises
    ------
    DataError
        For a key that there is not, a value of another type, a key that is needed.
    """
    hints = get_type_hints(settings)
    known = {field.name: field for field in fields(settings)}  # type: ignore[arg-type]  # any dataclass
    for key in table:
        if key not in known:
            raise DataError(f"{place}: there is no key `{key}` here", choose(key, known))
    for name, field in known.items():
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and name not in table:
            raise DataError(f"{place}: `{name}` is needed", f"it is {_described(hints[name])}")
    values = {}
    for key, value in table.items():
        fits, values[key] = _as(hints[key], value)
        if not fits:
            raise _misfit(f"{place} {key}", hints[key], value)
    return settings(**values)


def _as(hint: Any, value: Any) -> tuple[bool, Any]:
    """Whether a value is of a type, and the value as one of it."""
    if get_origin(hint) in (Union, UnionType):
        for option in get_args(hint):
            fits, found = _as(option, value)
            if fits:
                return True, found
        return False, value
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint), value
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            return False, value
        parts = [_as(get_args(hint)[0], entry) for entry in value]
        return all(fits for fits, _ in parts), tuple(found for _, found in parts)
    if get_origin(hint) is not None and issubclass(get_origin(hint), Mapping):
        if not isinstance(value, Mapping):
            return False, value
        return all(_as(get_args(hint)[1], entry)[0] for entry in value.values()), dict(value)
    if hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number, float(value) if number else value
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    return isinstance(value, hint), value


def _misfit(place: str, hint: Any, value: Any) -> DataError:
    wrong = value
    if isinstance(value, list | tuple) and get_origin(hint) is tuple:
        hint = get_args(hint)[0]
        wrong = next(entry for entry in value if not _as(hint, entry)[0])
    options = _choices(hint)
    if isinstance(wrong, str) and options:
        return DataError(f"{place}: {wrong!r} is none of its values", choose(wrong, options))
    return DataError(f"{place}: found {wrong!r}, expected {_described(hint)}")


def _choices(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return tuple(text for option in get_args(hint) for text in _choices(option))
    return ()


def _described(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_described(option) for option in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(f'"{text}"' for text in get_args(hint))
    if get_origin(hint) is tuple:
        return f"a list, each {_described(get_args(hint)[0])}"
    if get_origin(hint) is not None:
        return "a table"
    return _WORDS[hint]
