"""Program -> TypedProgram: names resolved, every expression typed, the structure sound.

All that is wrong is reported in one go. What has been reported has the type `Unknown`, which agrees
with everything, so that one mistake is one message, and the rest has its types whatever is wrong.
"""

from __future__ import annotations

from contextlib import suppress

from unroll_dsl.diagnostics.model import Diagnostic, first_of
from unroll_dsl.semantics.blocks import check_blocks
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.errors import SizeWithoutEnd
from unroll_dsl.semantics.lets import check_lets
from unroll_dsl.semantics.lookalikes import check_lookalikes
from unroll_dsl.semantics.measures import check_measures
from unroll_dsl.semantics.model import TypedProgram
from unroll_dsl.semantics.scopes import Enough, Reporter
from unroll_dsl.semantics.values import check_declaration, check_state
from unroll_dsl.syntax.nodes import Declaration, Dims, Program, State
from unroll_dsl.types import SizeTooLong


def check(program: Program, prelude: Program) -> tuple[TypedProgram, tuple[Diagnostic, ...]]:
    """What could be typed of a program, and all that is wrong with it.

    With an error among the diagnostics some expressions are `Unknown` or have no type: such a program is for
    editors, never for `ir.build`. `prelude` supplies the definitions that every program may call.
    """
    reporter = Reporter()
    checking = Checking(program, prelude, reporter)
    with suppress(Enough):
        _run(checking)
    return checking.typed(), first_of(sorted(reporter.diagnostics, key=_position))


def _run(checking: Checking) -> None:
    try:
        _look(checking)
    except SizeTooLong as error:  # of sizes that are multiplied by what a line does with them
        report = SizeWithoutEnd(checking.program.name.span, str(error))
        checking.reporter.report(report)


def _look(checking: Checking) -> None:
    checking.begin()
    check_lets(checking)
    for statement in checking.program.statements:
        match statement:
            case Dims(dimensions):
                checking.dims += map(checking.declarations.size, dimensions)
            case Declaration():
                check_declaration(checking, statement)
            case State():
                check_state(checking, statement)
            case _:
                pass
    check_blocks(checking)
    check_measures(checking)
    check_lookalikes(checking.symbols, checking.reporter)


def _position(diagnostic: Diagnostic) -> int:
    labels = diagnostic.labels()
    return labels[0].span.start if labels else -1
