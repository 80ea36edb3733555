"""What the lines of a page declare, as far as their first words tell: for messages about lines that do not parse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_LINE = re.compile(
    r"^[ \t]*(?P<role>input|fixed|learnable|state)[ \t]+(?P<names>\w[\w, \t]*?)[ \t]*:[ \t]*"
    r"(?P<kind>(?:complex[ \t]+)?\w+)(?P<sizes>\[[^\]\n]*\])?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class DeclaredNames:
    """Names by what they are declared as; `states` with their types."""

    maps: frozenset[str]
    values: frozenset[str]
    states: dict[str, str]


@lru_cache(maxsize=8)
def declared(text: str) -> DeclaredNames:
    """What a page declares, read off its text line by line; nothing of it is checked."""
    maps: set[str] = {"I", "fft2", "ifft2", "dct2", "grad", "divergence"}
    values: set[str] = set()
    states: dict[str, str] = {}
    for line in _LINE.finditer(text):
        kind = line["kind"].split()[-1]
        names = [name.strip() for name in line["names"].split(",")]
        (maps if kind in ("matrix", "linear") else values).update(names)
        if line["role"] == "state":
            states.update(dict.fromkeys(names, line["kind"] + (line["sizes"] or "")))
    return DeclaredNames(frozenset(maps), frozenset(values), states)
