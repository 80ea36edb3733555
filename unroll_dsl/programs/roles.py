"""`learn=` and `fix=`: the same program with other roles for some of its constants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from unroll_dsl.backends.errors import GivenTwice, RoleUnknown, UnknownBinding
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.semantics.measures import measures, needed_by
from unroll_dsl.syntax.nodes import Declaration, Measure, Program, Role, Sharing, Statement

SHARINGS = {"shared": Sharing.SHARED, "per phase": Sharing.PER_PHASE}


def with_roles(program: Program, learn: Mapping[str, str], fix: Iterable[str]) -> Program:
    """`program` with the constants in `learn` learnable and those in `fix` fixed.

    Data are made with the constant, whatever a network learns in its place: a `measure` line that reads one
    of `learn` is left out, and with it those that read what it makes.

    Parameters
    ----------
    learn
        For each name `"shared"` or `"per phase"`.
    fix
        Names of learnables to fix at their classical values.

    Raises
    ------
    UnrollError
        For a name that is neither a fixed value nor a learnable, or another sharing.
    """
    if isinstance(fix, str) or not isinstance(learn, Mapping):
        raise TypeError('`learn` is a mapping, {"alpha": "per phase"}; `fix` a list of names')
    fixed = tuple(fix)
    both = [name for name in fixed if name in learn]
    if both:
        raise UnrollError([GivenTwice(name, ("learn", "fix")) for name in both])
    if not learn and not fixed:
        return program
    declared = {
        name.text: statement
        for statement in program.statements
        if isinstance(statement, Declaration) and statement.role is not Role.INPUT
        for name in statement.names
    }
    problems: list[Diagnostic] = []
    for argument, names in (("learn", tuple(learn)), ("fix", fixed)):
        problems += [
            UnknownBinding(argument, name, tuple(declared))
            for name in names
            if name not in declared
        ]
    problems += [
        RoleUnknown(name, sharing) for name, sharing in learn.items() if sharing not in SHARINGS
    ]
    if problems:
        raise UnrollError(problems)
    statements: list[Statement] = []
    gone = left_out(program, learn)
    for statement in program.statements:
        if isinstance(statement, Measure) and statement in gone:
            continue
        if isinstance(statement, Declaration):
            statements += _split(statement, learn, fixed)
        else:
            statements.append(statement)
    return dataclasses.replace(program, statements=tuple(statements))


def left_out(program: Program, learn: Iterable[str]) -> list[Measure]:
    """The `measure` lines that need a constant which is learnt, or an input made by such a line."""
    gone = set(learn)
    found: list[Measure] = []
    for line in measures(program):
        if not gone.isdisjoint(needed_by(program, (line.value,))):
            gone.add(line.name.text)
            found.append(line)
    return found


def _split(
    declaration: Declaration, learn: Mapping[str, str], fixed: tuple[str, ...]
) -> list[Statement]:
    """A declaration, one for each name if their roles come to differ."""
    found: list[Statement] = []
    for name in declaration.names:
        if name.text in learn:
            sharing = SHARINGS[learn[name.text]]
            changed = dataclasses.replace(
                declaration, names=(name,), role=Role.LEARNABLE, sharing=sharing
            )
        elif name.text in fixed:
            changed = dataclasses.replace(declaration, names=(name,), role=Role.FIXED)
        else:
            changed = dataclasses.replace(declaration, names=(name,))
        found.append(changed)
    return found
