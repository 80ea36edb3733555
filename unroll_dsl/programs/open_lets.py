"""Scalars that a program derives, as constants that can be given.

let L = norm(A)^2      =>      fixed L : scalar = norm(A)^2
"""

from __future__ import annotations

import dataclasses
from collections.abc import Set

from unroll_dsl.syntax.nodes import (
    Declaration,
    Let,
    Name,
    Program,
    Role,
    Sharing,
    SpaceType,
    Statement,
)


def with_open_lets(program: Program, names: Set[str]) -> Program:
    """`program` with those of its scalar lets that are among `names` declared `fixed`."""
    statements = tuple(
        _declared(s) if isinstance(s, Let) and s.name.text in names else s
        for s in program.statements
    )
    return dataclasses.replace(program, statements=statements)


def _declared(line: Let) -> Statement:
    span = line.span
    scalar = SpaceType(Name("scalar", span), (), False, span)
    return Declaration(
        Role.FIXED, (line.name,), scalar, None, Sharing.SHARED, line.value, line.comment, span
    )
