"""The proximal gradient method and its accelerations: ISTA, FISTA."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.derive.model import (
    Constant,
    Formula,
    Line,
    Method,
    Options,
    Refusal,
    Scheme,
    State,
    Step,
)
from unroll_dsl.derive.setting import No, Setting, step_of_terms, type_text
from unroll_dsl.objectives.model import Term, Variable
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_BECK = (
    "A. Beck, M. Teboulle: A fast iterative shrinkage-thresholding algorithm for linear inverse\n"
    "problems. SIAM Journal on Imaging Sciences, 2009."
)
_ISTA = (
    "I. Daubechies, M. Defrise, C. De Mol: An iterative thresholding algorithm for linear inverse\n"
    "problems with a sparsity constraint. Communications on Pure and Applied Mathematics, 2004.\n"
    "In general: P. L. Combettes, V. R. Wajs, Multiscale Modeling and Simulation, 2005."
)
_CHAMBOLLE = (
    'A. Chambolle, C. Dossal: On the convergence of the iterates of the "Fast iterative\n'
    'shrinkage/thresholding algorithm". Journal of Optimization Theory and Applications, 2015.'
)


def forward_backward(setting: Setting, variable: Variable, at: n.Expr, step: Weight) -> n.Expr | No:
    """The proximal map of the terms without gradient after a gradient step on the others."""
    smooth, rough = divided(setting)
    gradient = setting.gradient(smooth, variable, at)
    forward = tidy(binary("-", at, step.times(gradient)))
    return setting.prox(rough, variable, forward, step)


def divided(setting: Setting) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """The terms of the gradient step and those of the proximal map. A square of the variable itself goes
    to the proximal map where there is another smooth term: it makes it contract (elastic net)."""
    smooth, rough = setting.smooth(), setting.rough()
    own = tuple(
        t for t in smooth if t.quadratic and t.argument.parts and not t.argument.parts[0].chain
    )
    if rough and len(own) < len(smooth) and not any(t.argument.offset is not None for t in own):
        movable = tuple(t for t in own)
        together = setting.prox((*rough, *movable), setting.variable, name("v"), Weight.of("t"))
        if not isinstance(together, No):
            return tuple(t for t in smooth if t not in movable), (*rough, *movable)
    return smooth, rough


def refused(setting: Setting, no: No) -> Refusal:
    """A term whose proximal map is not to be had: splitting methods need less."""
    return Refusal(no.reason, no.term.span, ("admm", "pdhg"))


def _ista(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := setting.one_variable()) is not None:
        return refusal
    smooth, rough = divided(setting)
    if not smooth:
        return Refusal("no term is smooth", rough[0].span, ("admm", "douglas_rachford"))
    variable = setting.variable
    constant, bound = setting.constant_for(smooth, variable)
    x = name(variable.name)
    value = forward_backward(setting, variable, x, ONE / bound)
    if isinstance(value, No):
        return refused(setting, value)
    names = ", ".join(t.text for t in rough) or "nothing"
    comment = (
        f"ISTA, the proximal gradient method, for {setting.form.typed.program.name.text}.\n\n{_ISTA}\n\n"
        f"A gradient step on what is smooth, then the proximal map of {names}.\n"
        "The objective falls in every phase."
    )
    return Scheme(
        comment,
        (constant,) if constant is not None else (),
        (State((variable.name,), type_text(variable.type), number(0)),),
        (Line(variable.name, value),),
        (x,),
        {variable.name: variable.name},
        100,
        _way(setting, smooth, rough, variable, x, bound, value),
    )


def _way(
    setting: Setting,
    smooth: Sequence[Term],
    rough: Sequence[Term],
    variable: Variable,
    at: n.Expr,
    bound: Weight,
    value: n.Expr,
) -> tuple[Step, ...]:
    gradient = setting.gradient(smooth, variable, at)
    steps = [
        step_of_terms(setting.form),
        Step(
            "The gradient of the smooth part",
            "Its Lipschitz constant bounds the curvature of the quadratic surrogate.",
            (Formula("gradient", gradient), Formula("Lipschitz constant", bound.expr())),
            "; ".join(dict.fromkeys(t.atom.source for t in smooth)),
        ),
    ]
    if rough:
        image = setting.prox(rough, variable, name("v"), ONE / bound)
        assert not isinstance(image, No)
        steps.append(
            Step(
                "The proximal map of the rest",
                "argmin over z of 1/2 * sumsq(z - v) + step * rest(z), at the point v.",
                (Formula("prox(v)", image),),
                "; ".join(dict.fromkeys(t.atom.source for t in rough)),
            )
        )
    steps.append(
        Step(
            "The scheme",
            "Minimising the surrogate at the last point; converges for steps below 2 / L, in the "
            "objective as 1/k for steps up to 1 / L.",
            (Formula(variable.name, value, "<-"),),
            "Beck, 2017, chapter 10",
        )
    )
    return tuple(steps)


def _fista(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := setting.one_variable()) is not None:
        return refusal
    smooth, rough = divided(setting)
    if not smooth:
        return Refusal("no term is smooth", rough[0].span, ("admm", "douglas_rachford"))
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex, which its momentum needs", bent.span, ("ista",))
    variable = setting.variable
    constant, bound = setting.constant_for(smooth, variable)
    extrapolated = setting.letter("extrapolated", "v", "z", "w")
    x, v = name(variable.name), name(extrapolated)
    value = forward_backward(setting, variable, v, ONE / bound)
    if isinstance(value, No):
        return refused(setting, value)
    constants = [constant] if constant is not None else []
    states = [State((variable.name, extrapolated), type_text(variable.type), number(0))]
    lines = [Line(variable.name, value)]
    if options.momentum == "chambolle-dossal":
        a = setting.letter("growth", "a", "q")
        text = "how slowly the momentum grows"
        constants.append(Constant(a, number(3), text, "scalar", " >= 2"))
        momentum = fill("(k - 1) / (k + a)", a=name(a))
        source, words = _CHAMBOLLE, "Momentum (k - 1) / (k + a): the iterates converge too."
    else:
        t = setting.letter("counter", "t", "q")
        states.append(State((t,), "scalar", number(1)))
        lines.append(Line(t, fill("(1 + sqrt(1 + 4 * t^2)) / 2", t=name(t))))
        momentum = fill("(prev(t) - 1) / t", t=name(t))
        source, words = _BECK, "The error of the objective falls as 1/k^2 instead of 1/k."
    moved = fill("x + m * (x - prev(x))", x=x, m=momentum)
    lines.append(Line(extrapolated, moved))
    way = _way(setting, smooth, rough, variable, v, bound, value)
    extra = Step(
        "The momentum", words, (Formula(extrapolated, moved, "<-"),), source.replace("\n", " ")
    )
    return Scheme(
        f"FISTA, the accelerated proximal gradient method, for "
        f"{setting.form.typed.program.name.text}.\n\n{source}\n\n{words}",
        tuple(constants),
        tuple(states),
        tuple(lines),
        (x,),
        {variable.name: variable.name},
        100,
        (*way, extra),
    )


METHODS = (
    Method(
        "ista",
        "proximal gradient (ISTA)",
        "smooth terms, and others with a joint proximal map",
        "a step of at most 1 / L, L the Lipschitz constant of the gradient; below 2 / L it converges",
        "1/k in the objective",
        "Daubechies, Defrise, De Mol, 2004; Combettes, Wajs, 2005",
        _ista,
    ),
    Method(
        "fista",
        "accelerated proximal gradient (FISTA)",
        "smooth terms, and others with a joint proximal map, all convex",
        "a step of at most 1 / L",
        "1/k^2 in the objective",
        "Beck, Teboulle, 2009; Chambolle, Dossal, 2015",
        _fista,
    ),
)
