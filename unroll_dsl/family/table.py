"""A family as a table of words, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import assert_never

from unroll_dsl.family.model import Member, NoMember, Row

_HEAD = ("method", "network", "phase", "states", "learnables", "entries", "starts")
_GAP = "  "


def to_text(rows: Sequence[Row]) -> str:
    """A line a row, the same columns for all; what there is not has its reason in place of them."""
    cells = [_cells(row) for row in rows]
    widths = [
        max(len(row[i]) for row in (_HEAD, *cells) if i < 2 or len(row) == len(_HEAD))
        for i in range(len(_HEAD))
    ]
    lines = [_line(_HEAD, widths)]
    last: list[str] = []
    for _, group in groupby(zip(rows, cells), key=lambda pair: pair[0].choice.method.name):
        block = [_line(own, widths) for _, own in group]
        alone = len(block) == 1 and len(last) <= 1  # those that do not serve stand together
        lines += block if alone and last else ["", *block]
        last = block
    return "\n".join([*lines, "", *_recipes(rows), _closing(rows)]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{cell:<{width}}" for cell, width in zip(cells, widths)).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    first = (row.choice.method.name, row.choice.name or "-")
    match row:
        case NoMember(choice, reason, place):
            if choice.name:
                return (*first, f"no: {reason}")
            line, column = place.file.position(place.start)
            return (*first, f"no: {reason} ({line}:{column})")
        case Member():
            states = ", ".join(name for name, _ in row.states) or "-"
            learnt = ", ".join(x.name for x in row.learnt) or "-"
            lines = f"{row.lines} line{'s' if row.lines != 1 else ''}"
            return (*first, lines, states, learnt, _entries(row), _start(row))
        case _:
            assert_never(row)


def _entries(member: Member) -> str:
    """The numbers of entries of the learnables."""
    found = []
    if str(member.per_phase) != "0":
        found.append(f"{member.per_phase} a phase")
    if str(member.shared) != "0":
        found.append(f"{member.shared} shared")
    return ", ".join(found) or "-"


def _start(member: Member) -> str:
    if not member.choice.relaxations:
        return "-"
    words = member.start.value.replace("the algorithm", member.choice.method.name)
    return words + (f"; the same page as {member.same_as}" if member.same_as else "")


def _recipes(rows: Sequence[Row]) -> Iterator[str]:
    """What published networks relax, those that there are."""
    found = [r.choice for r in rows if isinstance(r, Member) and r.choice.published]
    if found:
        width = max(len(c.name) for c in found)
        yield from (
            f"{c.name:<{width}}  {c.method.name}: {', '.join(c.relaxations)}" for c in found
        )
        yield ""


def _closing(rows: Sequence[Row]) -> str:
    methods = [row for row in rows if not row.choice.name]
    served = sum(isinstance(row, Member) for row in methods)
    networks = sum(isinstance(r, Member) and r.is_network and r.same_as is None for r in rows)
    plural = "s" if len(methods) != 1 else ""
    return f"{served} of {len(methods)} method{plural} derived; networks that differ: {networks}"


def command(problem: str, member: Member, statements: Sequence[str] = ()) -> str:
    """How a shell asks for the page of a member: `unroll derive PROBLEM --method M --relax R,...`."""
    choice = member.choice
    options = choice.options
    words = ["unroll", "derive", problem, "--method", choice.method.name]
    for flag, values in (
        ("--with", (*statements, *options.statements)),
        ("--split", options.split),
        ("--letter", [f"{role}={name}" for role, name in options.letters.items()]),
        ("--value", [f"{name}={value}" for name, value in options.values.items()]),
        ("--start", [options.start] if options.start else []),
        ("--give", [options.output] if options.output else []),
        ("--phases", [str(options.phases)] if options.phases else []),
        ("--name", [member.name]),
        ("--relax", [",".join(choice.relaxations)] if choice.relaxations else []),
    ):
        for value in values:
            words += [flag, value]
    return shlex.join(words)


def to_json(rows: Sequence[Row], problem: str, statements: Sequence[str] = ()) -> list[object]:
    """An object a row: what it is, then what it gives or why there is none."""
    return [_object(row, problem, statements) for row in rows]


def _object(row: Row, problem: str, statements: Sequence[str]) -> dict[str, object]:
    choice = row.choice
    found: dict[str, object] = {
        "method": choice.method.name,
        "network": choice.name or None,
        "relaxations": list(choice.relaxations),
        "published": choice.published,
        "derived": isinstance(row, Member),
    }
    match row:
        case NoMember(_, reason, place, instead):
            line, column = place.file.position(place.start)
            where = {"file": place.file.name, "line": line, "column": column}
            return {**found, "reason": reason, "place": where, "instead": list(instead)}
        case Member():
            return {
                **found,
                "rate": choice.method.rate,
                "lines": row.lines,
                "phases": row.phases,
                "states": [{"name": name, "type": type_} for name, type_ in row.states],
                "learnables": [
                    {"name": x.name, "type": x.type, "per_phase": x.per_phase} for x in row.learnt
                ],
                "entries": {"per_phase": str(row.per_phase), "shared": str(row.shared)},
                "start": row.start.name.lower(),
                "notes": list(row.notes),
                "same_as": row.same_as,
                "command": command(problem, row, statements),
            }
        case _:
            assert_never(row)
