"""The parse tables of `grammars/unroll.lark`.

Lark builds the LALR(1) tables once and they are kept as JSON in the user's cache directory,
together with the grammar they are of. Reading them back takes a few milliseconds and needs no Lark,
which is what lets a file be checked at the speed of a keystroke.
Where nothing can be kept (a read-only home) the tables are built anew in each process.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

from unroll_dsl.resources import grammar_path

LAYOUT = 2  # of the JSON below; raise it when that changes


@dataclass(frozen=True, slots=True)
class Production:
    """One alternative: `size` parts become a `name` node, filed under `origin` in the tables."""

    name: str
    origin: str
    size: int
    inlined: bool  # a single part stands for itself
    spliced: bool  # the parts are handed to the rule above: how Lark writes `x*`


class Record(TypedDict):
    """The tables as they are kept."""

    grammar: str
    states: list[dict[str, int]]
    start: int
    end: int
    rules: list[tuple[str, str, int, bool, bool]]
    words: dict[str, str]
    marks: list[tuple[str, str]]
    patterns: list[tuple[str, str]]
    ignored: list[str]


@dataclass(frozen=True, slots=True)
class Tables:
    """What the parser does in each state, and the terminals it does it with.

    An entry of `states` maps a symbol to an action: `n >= 0` shifts and goes to state `n`, `n < 0`
    reduces by `rules[-n - 1]`. `words` maps keywords to terminals, `marks` are terminals of a fixed
    spelling (longest first), `patterns` those given by a regular expression (most urgent first).
    """

    states: tuple[dict[str, int], ...]
    start: int
    end: int
    rules: tuple[Production, ...]
    words: dict[str, str]
    marks: tuple[tuple[str, str], ...]
    patterns: tuple[tuple[str, str], ...]
    ignored: frozenset[str]


@cache
def load_tables() -> Tables:
    """The tables of the installed grammar, from the cache or built."""
    grammar = grammar_path("unroll.lark").read_text(encoding="utf-8")
    record = _read(grammar)
    if record is None:
        record = build(grammar)
        _keep(grammar, record)
    return Tables(
        tuple(record["states"]),
        record["start"],
        record["end"],
        tuple(Production(*rule) for rule in record["rules"]),
        record["words"],
        tuple((name, text) for name, text in record["marks"]),
        tuple((name, pattern) for name, pattern in record["patterns"]),
        frozenset(record["ignored"]),
    )


def build(grammar: str) -> Record:
    """The tables of a grammar's text, by Lark."""
    from lark import Lark  # only here: importing it takes longer than a whole check
    from lark.lexer import PatternStr
    from lark.parsers.lalr_analysis import Shift

    lark = Lark(
        grammar, parser="lalr", lexer="basic", keep_all_tokens=True, maybe_placeholders=False
    )
    table = lark.parser.parser._parse_table
    rule_number = {rule: i for i, rule in enumerate(lark.rules)}
    # Lark numbers states as it comes upon them in sets. From the start state on, by symbols in
    # order, the same grammar always has the same numbers.
    order = [table.start_states["start"]]
    state_number = {order[0]: 0}
    states: list[dict[str, int]] = []
    for state in order:
        states.append({})
        for symbol, (action, argument) in sorted(table.states[state].items()):
            if action is not Shift:
                states[-1][symbol] = -1 - rule_number[argument]
                continue
            if argument not in state_number:
                state_number[argument] = len(order)
                order.append(argument)
            states[-1][symbol] = state_number[argument]
    rules = [
        (
            rule.alias or rule.origin.name,
            str(rule.origin.name),
            len(rule.expansion),
            bool(rule.options.expand1 and not rule.alias),
            rule.origin.name.startswith("_"),
        )
        for rule in lark.rules
    ]
    words: dict[str, str] = {}
    marks: list[tuple[str, str]] = []
    patterns: list[tuple[int, str, str]] = []
    for terminal in lark.terminals:
        match terminal.pattern:
            case PatternStr(value=text) if text.isalpha():
                words[text] = terminal.name
            case PatternStr(value=text):
                marks.append((terminal.name, text))
            case pattern:
                patterns.append((terminal.priority, terminal.name, pattern.to_regexp()))
    return Record(
        grammar=grammar,
        states=states,
        start=0,
        end=state_number[table.end_states["start"]],
        rules=rules,
        words=words,
        marks=sorted(marks, key=lambda mark: -len(mark[1])),
        patterns=[(name, text) for _, name, text in sorted(patterns, key=lambda p: -p[0])],
        ignored=list(lark.ignore_tokens),
    )


def _cache_file(grammar: str) -> Path | None:
    root = os.environ.get("XDG_CACHE_HOME") or (
        os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    )
    try:
        folder = Path(root) if root else Path.home() / ".cache"
    except RuntimeError:  # no home
        return None
    key = zlib.crc32(grammar.encode())
    return folder / "unroll_dsl" / f"grammar-{LAYOUT}-{key:08x}.json"


def _read(grammar: str) -> Record | None:
    file = _cache_file(grammar)
    if file is None:
        return None
    try:
        check, _, data = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    if check != _check(data):
        return None
    record = cast("Record", json.loads(data))
    return record if record["grammar"] == grammar else None


def _keep(grammar: str, record: Record) -> None:
    """Write the tables under a private name first, so that no reader ever sees half of them."""
    file = _cache_file(grammar)
    if file is None:
        return
    data = json.dumps(record, ensure_ascii=False).encode()
    part = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(_check(data) + b"\n" + data)
        part.replace(file)
    except OSError:
        pass


def _check(data: bytes) -> bytes:
    """What tells a whole file from a damaged one."""
    return b"%08x" % zlib.crc32(data)
