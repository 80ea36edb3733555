"""A problem as a task of training: a loss, and how its input is made of the target."""

from __future__ import annotations

from unroll_dsl.derive.statements import with_statements
from unroll_dsl.objectives import NormalForm, read
from unroll_dsl.objectives.maps import apply
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.tidy import name, negative, tidy
from unroll_dsl.train.errors import TrainingError


def with_task(typed: TypedProgram) -> tuple[TypedProgram, tuple[str, ...]]:
    """The problem with a loss and measurements, and the statements that had to be put in.

    Without a loss it is the squared distance to a target of the variable's type; without `measure` lines an input
    that a square compares a linear map of the variable with, as in `sumsq(A @ x - y)`, is that map of the target.

    Raises
    ------
    TrainingError
        If neither says what is to be learnt: several variables, or an input that no square has.
    """
    statements = typed.program.statements
    if any(isinstance(s, n.Loss) for s in statements):
        return typed, ()
    form = read(typed)
    if len(form.variables) != 1:
        raise TrainingError(
            f"`{typed.program.name.text}` has several variables and no `loss`",
            "write one into the problem, or give it: --with 'loss (x_star : vector[n]): ...'",
        )
    variable = form.variables[0]
    target = f"{variable.name}_star"
    texts = [f"loss ({target} : {variable.type}):\n    sumsq({variable.name} - {target})"]
    if not any(isinstance(s, n.Measure) for s in statements):
        texts += [f"measure {word} = {_measured(form, word, target)}" for word in _inputs(typed)]
    return with_statements(typed, tuple(texts)), tuple(texts)


def _inputs(typed: TypedProgram) -> tuple[str, ...]:
    declared = (s for s in typed.program.statements if isinstance(s, n.Declaration))
    return tuple(w.text for s in declared if s.role is n.Role.INPUT for w in s.names)


def _measured(form: NormalForm, word: str, target: str) -> str:
    """The map of the target that an input is compared with."""
    variable = form.variables[0].name
    for term in form.terms:
        chain, shift = term.single(variable), term.shift()
        if not term.quadratic or chain is None or shift is None:
            continue
        if expression_text(tidy(negative(shift))) == word:
            return expression_text(tidy(apply(chain, name(target))))
    raise TrainingError(
        f"no square of `{form.typed.program.name.text}` compares `{word}` with the variable, so "
        "nothing says how it is measured",
        f"say it: --with 'measure {word} = ...'",
    )
