"""Smooth objectives over a set: the projected gradient, and the conditional one of Frank and Wolfe."""

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
from unroll_dsl.objectives.proximal import No
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_GOLDSTEIN = (
    "A. A. Goldstein: Convex programming in Hilbert space. Bulletin of the American Mathematical\n"
    "Society, 1964."
)
_FRANK = (
    "M. Frank, P. Wolfe: An algorithm for quadratic programming. Naval Research Logistics Quarterly,\n"
    "1956. Steps as M. Jaggi, International Conference on Machine Learning, 2013."
)


def _asks(setting: Setting) -> Refusal | None:
    if (refusal := setting.one_variable()) is not None:
        return refusal
    other = next((t for t in setting.rough() if not t.atom.indicator), None)
    if other is not None:
        return Refusal(f"the {other.atom.title} is no constraint", other.span, ("ista", "fista"))
    if not setting.rough():
        return Refusal("it has no constraint", setting.form.terms[0].span, ("gradient",))
    if not setting.smooth():
        return Refusal("no term is smooth", setting.rough()[0].span, ("douglas_rachford",))
    return None


def _projected(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _asks(setting)) is not None:
        return refusal
    variable = setting.variable
    x = name(variable.name)
    constant, bound = setting.constant_for(setting.smooth(), variable)
    step = setting.letter("step", "tau", "t")
    limit = f" in (0, {expression_text((Weight.of(2) / bound).expr())})"
    gradient = setting.gradient(setting.smooth(), variable, x)
    forward = tidy(binary("-", x, Weight.of(step).times(gradient)))
    value = setting.prox(setting.rough(), variable, forward, Weight.of(step))
    if isinstance(value, No):
        return Refusal(value.reason, value.term.span, ("davis_yin", "pdhg"))
    line = Line(x.text, value)
    return Scheme(
        f"Projected gradient for {setting.form.typed.program.name.text}.\n\n{_GOLDSTEIN}\n\n"
        "A gradient step, then the projection onto the set.",
        (
            *((constant,) if constant else ()),
            Constant(step, (ONE / bound).expr(), "step", "scalar", limit),
        ),
        (State((x.text,), type_text(variable.type), number(0)),),
        (line,),
        (x,),
        {x.text: x.text},
        200,
        (
            objective_step(setting.form),
            Step(
                "The gradient of the smooth part",
                "",
                (Formula("gradient", gradient), Formula("Lipschitz constant", bound.expr())),
            ),
            Step(
                "The scheme",
                "The projection is the proximal map of the indicator; steps below 2 / L.",
                (Formula(x.text, value, "<-"),),
                _GOLDSTEIN.replace("\n", " "),
            ),
        ),
    )


def _frank_wolfe(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _asks(setting)) is not None:
        return refusal
    sets = setting.rough()
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex", bent.span, ("projected_gradient",))
    if len(sets) > 1:
        return Refusal("it has several constraints", sets[1].span, ("davis_yin",))
    corner = sets[0].atom.linear_minimiser
    if corner is None:
        words = f"no linear function has a minimiser over it that is known: {sets[0].atom.title}"
        return Refusal(words, sets[0].span, ("projected_gradient",))
    chain = sets[0].single(setting.variable.name)
    if chain is None or chain or sets[0].argument.offset is not None:
        return Refusal("the constraint stands behind a map", sets[0].span, ("pdhg",))
    variable = setting.variable
    x, g = name(variable.name), name(setting.letter("gradient", "g", "d"))
    s = name(setting.letter("corner", "s", "c"))
    lines = (
        Line(g.text, setting.gradient(setting.smooth(), variable, x), update=False),
        Line(s.text, tidy(sets[0].formula(corner, g=g)), update=False),
        Line(x.text, fill("x + 2 / (k + 1) * (s - x)", x=x, s=s)),
    )
    return Scheme(
        f"Frank-Wolfe, the conditional gradient, for {setting.form.typed.program.name.text}.\n\n{_FRANK}\n\n"
        "A step towards the point of the set where the linearised objective is smallest.",
        (),
        (State((x.text,), type_text(variable.type), number(0)),),
        lines,
        (x,),
        {x.text: x.text},
        500,
        (
            objective_step(setting.form),
            Step(
                "The linear sub-problem",
                "argmin over s in the set of <gradient, s>.",
                (Formula(s.text, lines[1].value),),
                sets[0].atom.source,
            ),
            Step(
                "The scheme",
                "Steps 2 / (k + 1): the first one leads into the set.",
                tuple(
                    Formula(line.target, line.value, "<-" if line.update else "=") for line in lines
                ),
                _FRANK.replace("\n", " "),
            ),
        ),
    )


METHODS = (
    Method(
        "projected_gradient",
        "projected gradient",
        "smooth terms, and indicators with a joint projection",
        "a step below 2 / L",
        "1/k in the objective, for convex ones",
        "Goldstein, 1964",
        _projected,
    ),
    Method(
        "frank_wolfe",
        "conditional gradient (Frank, Wolfe)",
        "smooth convex terms over one set with a minimiser of linear functions",
        "steps 2 / (k + 1)",
        "1/k in the objective",
        "Frank, Wolfe, 1956; Jaggi, 2013",
        _frank_wolfe,
    ),
)
