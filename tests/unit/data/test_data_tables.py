"""Tables as dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from unroll_dsl.data.errors import DataError
from unroll_dsl.data.tables import read_table


@dataclass(frozen=True, kw_only=True)
class Settings:
    name: str
    count: int = 3
    ratio: float | None = None
    mode: Literal["fast", "exact"] | int = "fast"
    steps: tuple[Literal["up", "down"], ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def test_defaults_stay_and_lists_become_tuples() -> None:
    found = read_table(Settings, {"name": "a", "ratio": 1, "steps": ["up"], "mode": 2}, "[t]")
    assert found == Settings(name="a", ratio=1.0, steps=("up",), mode=2)
    assert isinstance(found.ratio, float)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, r"\[t\]: `name` is needed; it is text"),
        ({"name": "a", "cuont": 1}, r"no key `cuont` here; did you mean `count`\?"),
        ({"name": "a", "xyz": 1}, "there is `name`, `count`"),
        ({"name": 3}, r"\[t\] name: found 3, expected text"),
        ({"name": "a", "count": 1.5}, "found 1.5, expected a whole number"),
        ({"name": "a", "count": True}, "found True, expected a whole number"),
        ({"name": "a", "ratio": "b"}, "found 'b', expected a number or nothing"),
        ({"name": "a", "mode": "fasst"}, "'fasst' is none of its values; did you mean `fast`"),
        ({"name": "a", "steps": ["up", "dwn"]}, "'dwn' is none of its values; did you mean `down`"),
        ({"name": "a", "words": {"a": 1}}, "expected a table"),
    ],
)
def test_what_is_wrong_is_said(table: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(Settings, table, "[t]")
