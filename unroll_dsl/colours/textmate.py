"""The table as a TextMate grammar: what VS Code and other editors colour pages by."""

from __future__ import annotations

import json
from typing import Any

from unroll_dsl.colours.table import ColourRule, patterns

SCOPE = "source.unroll"


def grammar() -> dict[str, Any]:
    """The grammar as JSON has it."""
    table = patterns()
    inside = [{"include": "#options"}, {"include": "#parts"}]
    brackets = {
        "begin": table.opening,
        "end": table.closing,
        "beginCaptures": {"0": {"name": "punctuation.unroll"}},
        "endCaptures": {"0": {"name": "punctuation.unroll"}},
        "patterns": inside,
    }
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "unroll",
        "scopeName": SCOPE,
        "fileTypes": ["unroll"],
        "patterns": [{"include": "#parts"}],
        "repository": {
            "parts": {
                "patterns": [*map(_pattern, table.rules[:-1]), brackets, _pattern(table.rules[-1])]
            },
            "options": {"patterns": [_pattern(rule) for rule in table.bracketed]},
        },
    }


def grammar_text() -> str:
    """The grammar as a file."""
    return json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"


def _pattern(rule: ColourRule) -> dict[str, Any]:
    names = [f"{part.value}.unroll" for part in rule.parts]
    if not rule.has_groups:
        return {"match": rule.pattern, "name": names[0]}
    captures = {str(number): {"name": name} for number, name in enumerate(names, 1)}
    return {"match": rule.pattern, "captures": captures}
