"""Gradient descent, heavy ball and Nesterov's method, where all terms are smooth."""

from __future__ import annotations

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
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_GRADIENT = (
    "A. Cauchy, 1847; for least squares L. Landweber: An iteration formula for Fredholm integral\n"
    "equations of the first kind. American Journal of Mathematics, 1951."
)
_HEAVY = (
    "B. T. Polyak: Some methods of speeding up the convergence of iteration methods. USSR\n"
    "Computational Mathematics and Mathematical Physics, 1964."
)
_NESTEROV = (
    "Y. Nesterov: A method for solving the convex programming problem with convergence rate\n"
    "O(1/k^2). Soviet Mathematics Doklady, 1983."
)


def _all_smooth(setting: Setting) -> Refusal | None:
    if (refusal := setting.one_variable()) is not None:
        return refusal
    rough = next(iter(setting.rough()), None)
    if rough is None:
        return None
    instead = ("projected_gradient", "ista") if rough.atom.indicator else ("ista", "fista")
    if rough.atom.gradient is not None:
        words = f"the gradient of the {rough.atom.title} has no Lipschitz constant"
        return Refusal(words, rough.span, ("pdhg", "admm"))
    return Refusal(f"the {rough.atom.title} has no gradient everywhere", rough.span, instead)


def _parts(setting: Setting) -> tuple[Constant | None, Weight, n.Name]:
    constant, bound = setting.constant_for(setting.form.terms, setting.variable)
    return constant, bound, name(setting.variable.name)


def _way(setting: Setting, bound: Weight, lines: tuple[Line, ...], source: str) -> tuple[Step, ...]:
    x = name(setting.variable.name)
    gradient = setting.gradient(setting.form.terms, setting.variable, x)
    return (
        objective_step(setting.form),
        Step(
            "The gradient",
            "Its Lipschitz constant bounds the steps.",
            (Formula("gradient", gradient), Formula("Lipschitz constant", bound.expr())),
            "; ".join(dict.fromkeys(t.atom.source for t in setting.form.terms)),
        ),
        Step("The scheme", "", tuple(Formula(x.target, x.value, "<-") for x in lines), source),
    )


def _descent(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _all_smooth(setting)) is not None:
        return refusal
    constant, bound, x = _parts(setting)
    step = setting.letter("step", "tau", "t")
    value = options.values.get(step)
    limit = "" if bound.is_zero else f" in (0, {_text(Weight.of(2) / bound)})"
    tau = Constant(step, fill(value) if value else (ONE / bound).expr(), "step", "scalar", limit)
    gradient = setting.gradient(setting.form.terms, setting.variable, x)
    line = Line(x.text, tidy(binary("-", x, Weight.of(step).times(gradient))))
    return Scheme(
        f"Gradient descent for {setting.form.typed.program.name.text}.\n\n{_GRADIENT}\n\n"
        "The objective falls in every phase, where a step is below 2 / L.",
        (*((constant,) if constant else ()), tau),
        (State((x.text,), type_text(setting.variable.type), number(0)),),
        (line,),
        (x,),
        {x.text: x.text},
        100,
        _way(setting, bound, (line,), "Nesterov, 2004, section 1.2.3"),
    )


def _heavy_ball(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _all_smooth(setting)) is not None:
        return refusal
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex", bent.span, ("gradient",))
    constant, bound, x = _parts(setting)
    alpha, beta = setting.letter("step", "alpha"), setting.letter("momentum", "beta")
    before = setting.letter("extrapolated", "w", "v")
    given = options.values
    constants = (
        *((constant,) if constant else ()),
        Constant(alpha, fill(given.get(alpha) or _text(ONE / bound)), "step", "scalar", " > 0"),
        Constant(beta, fill(given.get(beta, "0.5")), "inertia", "scalar", " in [0, 1)"),
    )
    gradient = setting.gradient(setting.form.terms, setting.variable, x)
    moved = binary("-", x, Weight.of(alpha).times(gradient))
    inertia = fill("b * (x - w)", b=name(beta), x=x, w=name(before))
    lines = (
        Line(x.text, tidy(binary("+", moved, inertia))),
        Line(before, fill("prev(x)", x=x)),
    )
    return Scheme(
        f"Heavy ball, gradient descent with inertia, for {setting.form.typed.program.name.text}.\n\n"
        f"{_HEAVY}\n\nIt converges for convex objectives where alpha < 2 * (1 - beta) / L (E. Ghadimi,\n"
        "H. R. Feyzmahdavian, M. Johansson, European Control Conference, 2015).",
        constants,
        (
            State(
                (x.text, before),
                type_text(setting.variable.type),
                number(0),
                f"{before}: {x.text} one phase ago",
            ),
        ),
        lines,
        (x,),
        {x.text: x.text},
        100,
        _way(setting, bound, lines, "Polyak, 1964"),
    )


def _nesterov(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _all_smooth(setting)) is not None:
        return refusal
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex", bent.span, ("gradient",))
    constant, bound, x = _parts(setting)
    v = name(setting.letter("extrapolated", "v", "z", "w"))
    gradient = setting.gradient(setting.form.terms, setting.variable, v)
    lines = (
        Line(x.text, tidy(binary("-", v, (ONE / bound).times(gradient)))),
        Line(v.text, fill("x + (k - 1) / (k + 2) * (x - prev(x))", x=x)),
    )
    return Scheme(
        f"Nesterov's accelerated gradient for {setting.form.typed.program.name.text}.\n\n{_NESTEROV}\n\n"
        "The error of the objective falls as 1/k^2.",
        (constant,) if constant else (),
        (State((x.text, v.text), type_text(setting.variable.type), number(0)),),
        lines,
        (x,),
        {x.text: x.text},
        100,
        _way(setting, bound, lines, "Nesterov, 1983"),
    )


def _text(weight: Weight) -> str:
    from unroll_dsl.syntax.printer import expression_text

    return expression_text(weight.expr())


METHODS = (
    Method(
        "gradient",
        "gradient descent",
        "all terms smooth",
        "a step below 2 / L, L the Lipschitz constant of the gradient",
        "1/k in the objective, for convex ones",
        "Nesterov, 2004, section 1.2.3",
        _descent,
    ),
    Method(
        "heavy_ball",
        "gradient descent with inertia (heavy ball)",
        "all terms smooth and convex",
        "a step below 2 * (1 - beta) / L",
        "1/k in the objective; linear for strongly convex ones",
        "Polyak, 1964; Ghadimi, Feyzmahdavian, Johansson, 2015",
        _heavy_ball,
    ),
    Method(
        "nesterov",
        "accelerated gradient",
        "all terms smooth and convex",
        "a step of at most 1 / L",
        "1/k^2 in the objective",
        "Nesterov, 1983",
        _nesterov,
    ),
)
