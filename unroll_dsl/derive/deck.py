"""Pages by tables: algorithms/problems/deck.toml says from what each shipped page comes, checked.toml what `check` leaves open."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from unroll_dsl.derive.model import Options
from unroll_dsl.resources import problem_path


def deck() -> Mapping[str, Mapping[str, Any]]:
    """The entries by the name of the shipped page."""
    path = problem_path("deck").with_suffix(".toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def undecided() -> Mapping[str, Mapping[str, str]]:
    """What `check` cannot decide of pages that are derived: why, by problem and method."""
    path = problem_path("checked").with_suffix(".toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def options_of(entry: Mapping[str, Any], name: str | None = None) -> Options:
    """The options of an entry."""
    return Options(
        split=tuple(entry.get("split", ())),
        momentum=entry.get("momentum", "nesterov"),
        letters=entry.get("letters", {}),
        values=entry.get("values", {}),
        output=entry.get("give"),
        start=entry.get("start"),
        statements=tuple(entry.get("with", ())),
        name=name,
        phases=entry.get("phases"),
    )
