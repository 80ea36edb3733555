"""Several variables: proximal gradient steps on each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.derive.method import Method
from unroll_dsl.derive.model import (
    Constant,
    Formula,
    Line,
    Options,
    Refusal,
    Scheme,
    State,
    Step,
)
from unroll_dsl.derive.setting import Setting, type_text
from unroll_dsl.derive.way import objective_step
from unroll_dsl.objectives.model import Term, Variable
from unroll_dsl.objectives.proximal import No
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.tidy import binary, cancelled, name, number, tidy, total

_BOLTE = (
    "J. Bolte, S. Sabach, M. Teboulle: Proximal alternating linearized minimization for nonconvex\n"
    "and nonsmooth problems. Mathematical Programming, 2014."
)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one variable brings to the scheme."""

    constants: tuple[Constant, ...]
    state: State
    lines: tuple[Line, ...]


def _block(setting: Setting, options: Options) -> Scheme | Refusal:
    form = setting.form
    if len(form.variables) < 2:
        return Refusal("it has one variable alone", form.variables[0].span, ("ista", "fista"))
    parts: list[_Part] = []
    for variable in form.variables:
        part = _part(setting, variable)
        if isinstance(part, Refusal):
            return part
        parts.append(part)
    lines = tuple(line for part in parts for line in part.lines)
    return Scheme(
        f"Block proximal gradient (PALM) for {form.typed.program.name.text}.\n\n{_BOLTE}\n\n"
        "A proximal gradient step on each variable in turn; the objective falls in every one.",
        tuple(constant for part in parts for constant in part.constants),
        tuple(part.state for part in parts),
        lines,
        tuple(name(v.name) for v in form.variables),
        {v.name: v.name for v in form.variables},
        200,
        _way(setting, lines),
    )


def _part(setting: Setting, variable: Variable) -> _Part | Refusal:
    """A proximal gradient step on a variable, with its step and its start."""
    form = setting.form
    constants: list[Constant] = []
    lines: list[Line] = []
    smooth = tuple(t for t in form.of(variable.name) if t.smooth)
    rough = tuple(t for t in form.of(variable.name) if not t.smooth)
    if not smooth:
        return Refusal(f"no term of `{variable.name}` is smooth", variable.span, ("admm",))
    step = _bound(setting, smooth, variable.name)
    if isinstance(step, Refusal):
        return step
    bound = step.expr()
    if not isinstance(bound, n.Number):
        letter = setting.letter(f"lipschitz_{variable.name}", f"L_{variable.name}")
        names = {v.name for v in form.variables}
        if any(word.text in names for word in names_in(bound)):
            lines.append(Line(letter, bound, update=False))
        else:
            words = f"Lipschitz constant of the gradient in {variable.name}"
            constants.append(Constant(letter, bound, words))
        step = Weight.of(letter)
    x = name(variable.name)
    gradient = setting.gradient(smooth, variable, x)
    forward = cancelled(tidy(binary("-", x, (ONE / step).times(gradient))))
    value = setting.prox(rough, variable, forward, ONE / step)
    if isinstance(value, No):
        return Refusal(value.reason, value.term.span)
    lines.append(Line(variable.name, value))
    start: n.Expr = number(0)
    if any(t.argument.blocks for t in form.terms):  # bilinear
        first = setting.letter(f"start_{variable.name}", f"{variable.name}0")
        words = f"where {variable.name} starts: not at 0, where nothing moves"
        constants.append(Constant(first, None, words, type_text(variable.type)))
        start = name(first)
    state = State((variable.name,), type_text(variable.type), start)
    return _Part(tuple(constants), state, tuple(lines))


def _way(setting: Setting, lines: Sequence[Line]) -> tuple[Step, ...]:
    return (
        objective_step(setting.form),
        Step(
            "One variable at a time",
            "While the others stand still, the smooth part has a Lipschitz gradient in each variable.",
        ),
        Step(
            "The scheme",
            "A proximal gradient step on each variable in turn, with the last values of the others. "
            "The objective falls in every step; for bilinear terms to a critical point.",
            tuple(Formula(line.target, line.value, "<-" if line.update else "=") for line in lines),
            _BOLTE.replace("\n", " "),
        ),
    )


def _bound(setting: Setting, smooth: tuple[Term, ...], variable: str) -> Weight | Refusal:
    found = []
    for term in smooth:
        constant = setting.facts.lipschitz(term, variable)
        if constant is None:
            maps = ", ".join(f"`{expression_text(m)}`" for m in term.maps(variable))
            return Refusal(f"the norm of {maps or 'its map'} is not known", term.span)
        found.append(constant.expr())
    return Weight.of(tidy(total(found)))


METHODS = (
    Method(
        "block_proximal",
        "block proximal gradient (PALM)",
        "several variables; in each, smooth terms and others with a joint proximal map",
        "a step of at most 1 / L in each variable",
        "to a critical point",
        "Bolte, Sabach, Teboulle, 2014",
        _block,
    ),
)
