"""Inner loops: how many steps each has, and what has a value in each of them."""

from __future__ import annotations

import math

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.model import Symbol
from unroll_dsl.semantics.scopes import Reporter, names_in
from unroll_dsl.syntax.nodes import Declaration, Expr, Phase, Repeat, Role, State
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import Array, Dim, Form, Type

MOST = 100  # of an inner loop, whose steps are written out
_Why = errors.NotAllowedHere.Why


def count_steps(
    symbols: dict[str, Symbol], phase: Phase | None, reporter: Reporter
) -> dict[Repeat, int]:
    """The number of steps of each inner loop. What is declared `per step` gets a first axis of as many entries."""

    def literal(name: str) -> Expr | None:
        symbol = symbols.get(name)
        return None if symbol is None else symbol.value

    steps: dict[Repeat, int] = {}
    for line in () if phase is None else phase.body:
        if isinstance(line, Repeat):
            count = as_number(line.count, literal)
            if count is None or not 1 <= count <= MOST or count != math.floor(count):
                text = expression_text(line.count)
                report = errors.PhaseCountInvalid(line.count.span, text, "steps", MOST)
                reporter.report(report)
                count = 1
            steps[line] = int(count)
    for symbol in list(symbols.values()):
        definer = symbol.definer
        if isinstance(definer, Declaration) and definer.per_step:
            _per_step(symbols, symbol, definer, steps, reporter)
    return steps


def _per_step(
    symbols: dict[str, Symbol],
    symbol: Symbol,
    definer: Declaration,
    steps: dict[Repeat, int],
    reporter: Reporter,
) -> None:
    counts = {count for loop, count in steps.items() if symbol.name in _read(loop)}
    type_: Type | None = symbol.type
    why, text = None, ""
    if definer.role is Role.INPUT:
        return  # refused as a whole: roles.py
    if not isinstance(type_, Array) or type_.form is not Form.PLAIN:
        why, text = _Why.LAYER_PER_STEP, definer.type.span.text
    elif not counts:
        why = _Why.STEP_NOT_READ
    elif len(counts) > 1:
        why, text = _Why.STEPS_DIFFER, " and ".join(map(str, sorted(counts)))
    if why is not None:
        reporter.report(errors.NotAllowedHere(symbol.span, symbol.name, why, text))
    if isinstance(type_, Array):
        type_ = Array((Dim.of(max(counts, default=1)), *type_.shape), type_.field)
    symbols[symbol.name] = Symbol(
        symbol.name, symbol.sort, symbol.span, definer, type_, symbol.per_phase, per_step=True
    )


def _read(loop: Repeat) -> set[str]:
    lines = (line for line in loop.body if not isinstance(line, State))
    return {name.text for line in lines for name in names_in(line.value)}
