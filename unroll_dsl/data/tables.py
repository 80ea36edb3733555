"""Tables of `[data]` and `[bind]` as dataclasses, and what is wrong with them in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, assert_never, get_args, get_origin

from unroll_dsl import settings
from unroll_dsl.data.errors import DataError, choose

T = TypeVar("T")
_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "nothing",
}


def read_table(kind: type[T], table: Mapping[str, Any], place: str) -> T:
    """What a table says, as `settings.from_table` reads it.

    Parameters
    ----------
    place
        What a message calls the table: "[data]".

    Raises
    ------
    DataError
        For a key that there is not, a value of another type, a key that is needed.
    """
    return settings.from_table(kind, table, lambda fault: _worded(fault, place))


def _worded(fault: settings.Fault, place: str) -> DataError:
    match fault:
        case settings.UnknownKey(_, key, known):
            return DataError(f"{place}: there is no key `{key}` here", choose(key, known))
        case settings.MissingKey(_, key, hint):
            return DataError(f"{place}: `{key}` is needed", f"it is {_described(hint)}")
        case settings.Misfit(path, hint, value):
            return _misfit(f"{place} {path}", hint, value)
        case settings.OutOfRange(path, relation, bound, value):
            return DataError(f"{place} {path}: found {value!r}, expected one {relation} {bound}")
        case settings.NoChoice(path, choices, value):
            return DataError(
                f"{place} {path}: {value!r} is none of its values", choose(value, choices)
            )
        case _:
            assert_never(fault)


def _misfit(place: str, hint: Any, value: Any) -> DataError:
    wrong = value
    if isinstance(value, list | tuple) and get_origin(hint) is tuple:
        hint = get_args(hint)[0]
        wrong = next(entry for entry in value if not settings.as_type(hint, entry)[0])
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
