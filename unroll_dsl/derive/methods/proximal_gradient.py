"""The proximal gradient method and its accelerations: ISTA, FISTA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from unroll_dsl.derive.setting import No, Setting, type_text
from unroll_dsl.derive.way import objective_step, term_formula
from unroll_dsl.objectives.model import Term, Variable
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import same_tree
from unroll_dsl.syntax.templates import fill, substitute
from unroll_dsl.syntax.tidy import binary, cancelled, name, number, tidy, total

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


def forward_backward(
    setting: Setting, points: Mapping[str, n.Expr], step: Weight, local: bool
) -> tuple[tuple[Line, ...], tuple[Line, ...]] | No:
    """For each variable the proximal map of its terms without gradient after a gradient step on the others.

    With `local`, gradients in several variables are named first, since an update would change the others.
    """
    smooth, _ = divided(setting)
    first: list[Line] = []
    updates: list[Line] = []
    for variable in setting.form.variables:
        at = points[variable.name]
        gradient = tidy(total(t.gradient(variable, points) for t in smooth))
        if local and len(points) > 1:
            known = next((x for x in first if same_tree(x.value, gradient)), None)
            if known is None:
                word = setting.letter(f"gradient_{variable.name}", "r", "g", "d")
                known = Line(word, gradient, update=False)
                first.append(known)
            gradient = name(known.target)
        forward = cancelled(tidy(binary("-", at, step.times(gradient))))
        rough = rough_of(setting, variable)
        value = setting.prox(rough, variable, forward, step)
        if isinstance(value, No):
            return value
        updates.append(Line(variable.name, value))
    return tuple(first), tuple(updates)


def divided(setting: Setting) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """The terms of the gradient step and those of the proximal map. A square of the variable itself goes
    to the proximal map where there is another smooth term: it makes it contract (elastic net)."""
    smooth, rough = setting.smooth(), setting.rough()
    own = tuple(
        t
        for t in smooth
        if t.quadratic and len(t.argument.parts) == 1 and not t.argument.parts[0].chain
    )
    if rough and len(own) < len(smooth) and not any(t.argument.offset is not None for t in own):
        variable = setting.variable
        together = setting.prox((*rough, *own), variable, name("v"), Weight.of("t"))
        if len(setting.form.variables) == 1 and not isinstance(together, No):
            return tuple(t for t in smooth if t not in own), (*rough, *own)
    return smooth, rough


def rough_of(setting: Setting, variable: Variable) -> tuple[Term, ...]:
    return tuple(t for t in divided(setting)[1] if variable.name in t.variables)


def refused(setting: Setting, no: No) -> Refusal:
    """A term whose proximal map is not to be had: splitting methods need less."""
    return Refusal(no.reason, no.term.span, ("admm", "pdhg"))


def _asks(setting: Setting) -> Refusal | None:
    smooth, rough = divided(setting)
    if not smooth:
        lone = rough[0]
        if lone.atom.gradient is not None:
            words = f"the gradient of the {lone.atom.title} has no Lipschitz constant"
            return Refusal(words, lone.span, ("admm", "pdhg"))
        return Refusal("no term is smooth", lone.span, ("admm", "douglas_rachford"))
    coupled = next((t for t in smooth if t.argument.blocks), None)
    if coupled is not None:
        return Refusal("a term couples variables in a product", coupled.span, ("block_proximal",))
    return None


def _states(setting: Setting, extra: Mapping[str, str]) -> tuple[State, ...]:
    return tuple(
        State(
            (v.name, extra[v.name]) if v.name in extra else (v.name,), type_text(v.type), number(0)
        )
        for v in setting.form.variables
    )


def _ista(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _asks(setting)) is not None:
        return refusal
    smooth, rough = divided(setting)
    variables = setting.form.variables
    constant, bound = setting.constant_for(smooth, *variables)
    points = {v.name: name(v.name) for v in variables}
    found = forward_backward(setting, points, ONE / bound, local=True)
    if isinstance(found, No):
        return refused(setting, found)
    names = ", ".join(t.text for t in rough) or "nothing"
    comment = (
        f"ISTA, the proximal gradient method, for {setting.form.typed.program.name.text}.\n\n{_ISTA}\n\n"
        f"A gradient step on what is smooth, then the proximal map of {names}.\n"
        "The objective falls in every phase."
    )
    return Scheme(
        comment,
        (constant,) if constant is not None else (),
        _states(setting, {}),
        (*found[0], *found[1]),
        tuple(points.values()),
        {v.name: v.name for v in variables},
        100,
        _way(setting, points, bound, found[1]),
    )


def _surrogate(setting: Setting, points: Mapping[str, n.Expr], bound: Weight) -> Step:
    """The quadratic that lies above the smooth part, with the square completed."""
    formulas = []
    smooth, _ = divided(setting)
    for variable in setting.form.variables:
        at, z = points[variable.name], name("z")
        gradient = tidy(total(t.gradient(variable, points) for t in smooth))
        forward = cancelled(tidy(binary("-", at, (ONE / bound).times(gradient))))
        square = fill("L / 2 * sumsq(z - v)", L=bound.expr(), z=z, v=forward)
        rest = [
            tidy(substitute(term_formula(t), {variable.name: z}))
            for t in rough_of(setting, variable)
        ]
        formulas.append(Formula(variable.name, tidy(total([square, *rest])), "<-", over="z"))
    return Step(
        "The surrogate, its square completed",
        "The smooth part lies below its tangent plane plus L / 2 times the squared distance, "
        "and touches it at the last point.",
        tuple(formulas),
        "Beck, Teboulle, 2009, section 2.3",
    )


def _way(
    setting: Setting, points: Mapping[str, n.Expr], bound: Weight, updates: Sequence[Line]
) -> tuple[Step, ...]:
    smooth, rough = divided(setting)
    gradients = []
    images = []
    for variable in setting.form.variables:
        found = tidy(total(t.gradient(variable, points) for t in smooth))
        alone = len(setting.form.variables) == 1
        gradients.append(Formula("gradient" if alone else f"gradient in {variable.name}", found))
        own = rough_of(setting, variable)
        image = setting.prox(own, variable, name("v"), ONE / bound)
        if own and not isinstance(image, No):
            images.append(Formula("prox at v" if alone else f"prox at v, {variable.name}", image))
    steps = [
        objective_step(setting.form),
        Step(
            "The gradient of the smooth part",
            "Its Lipschitz constant bounds the curvature of the quadratic surrogate.",
            (*gradients, Formula("Lipschitz constant", bound.expr())),
            "; ".join(dict.fromkeys(t.atom.source for t in smooth)),
        ),
    ]
    steps.append(_surrogate(setting, points, bound))
    if images:
        steps.append(
            Step(
                "The proximal map of the rest",
                "The smallest `1/2 * sumsq(z - v) + step * rest(z)` over all z, at the point v.",
                tuple(images),
                "; ".join(dict.fromkeys(t.atom.source for t in rough)),
            )
        )
    steps.append(
        Step(
            "The scheme",
            "Minimising the surrogate at the last point; converges for steps below `2 / L`, in the "
            "objective as `1 / k` for steps up to `1 / L`.",
            tuple(Formula(line.target, line.value, "<-") for line in updates),
            "Beck, 2017, chapter 10",
        )
    )
    return tuple(steps)


def _fista(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _asks(setting)) is not None:
        return refusal
    smooth, _ = divided(setting)
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex, which its momentum needs", bent.span, ("ista",))
    variables = setting.form.variables
    constant, bound = setting.constant_for(smooth, *variables)
    extra = {variables[0].name: setting.letter("extrapolated", "v", "z", "w")}
    if len(variables) > 1:
        extra = {v.name: setting.letter(f"extrapolated_{v.name}", f"v_{v.name}") for v in variables}
    points = {word: name(other) for word, other in extra.items()}
    found = forward_backward(setting, points, ONE / bound, local=False)
    if isinstance(found, No):
        return refused(setting, found)
    constants = [constant] if constant is not None else []
    states = [*_states(setting, extra)]
    lines = [*found[0], *found[1]]
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
    moved = [
        Line(w, fill("x + m * (x - prev(x))", x=name(v), m=momentum)) for v, w in extra.items()
    ]
    way = _way(setting, points, bound, found[1])
    scheme = tuple(Formula(line.target, line.value, "<-") for line in moved)
    return Scheme(
        f"FISTA, the accelerated proximal gradient method, for "
        f"{setting.form.typed.program.name.text}.\n\n{source}\n\n{words}",
        tuple(constants),
        tuple(states),
        (*lines, *moved),
        tuple(name(v.name) for v in variables),
        {v.name: v.name for v in variables},
        100,
        (*way, Step("The momentum", words, scheme, source.replace("\n", " "))),
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
