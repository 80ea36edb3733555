"""Two proximal maps in turn, and a gradient: Douglas-Rachford and Davis-Yin splitting."""

from __future__ import annotations

from collections.abc import Sequence

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
from unroll_dsl.objectives.model import Term
from unroll_dsl.objectives.proximal import No
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_LIONS = (
    "P.-L. Lions, B. Mercier: Splitting algorithms for the sum of two nonlinear operators. SIAM\n"
    "Journal on Numerical Analysis, 1979. Relaxation as J. Eckstein, D. P. Bertsekas, 1992."
)
_DAVIS = (
    "D. Davis, W. Yin: A three-operator splitting scheme and its optimization applications.\n"
    "Set-Valued and Variational Analysis, 2017, algorithm 1."
)


def _groups(
    setting: Setting, terms: Sequence[Term], step: Weight
) -> tuple[tuple[Term, ...], tuple[Term, ...]] | No:
    """The terms in two groups, each with a proximal map: first what is quadratic, else the first term."""
    squares = tuple(t for t in terms if t.quadratic or t.linear)
    others = tuple(t for t in terms if t not in squares)
    for first, second in ((squares, others), (others[:1], (*squares, *others[1:]))):
        images = [setting.prox(g, setting.variable, name("v"), step) for g in (first, second)]
        if first and second and not any(isinstance(image, No) for image in images):
            return first, second
    for term in terms:
        image = setting.prox((term,), setting.variable, name("v"), step)
        if isinstance(image, No):
            return image
    return No(terms[-1], "its terms do not make two groups with proximal maps")


def _convex(setting: Setting) -> Refusal | None:
    if (refusal := setting.one_variable()) is not None:
        return refusal
    bent = next((t for t in setting.form.terms if not t.convex), None)
    return Refusal("a term is not convex", bent.span, ("ista",)) if bent is not None else None


def _douglas_rachford(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _convex(setting)) is not None:
        return refusal
    if len(setting.form.terms) < 2:
        return Refusal("it has one term alone", setting.form.terms[0].span, ("gradient",))
    gamma, eta = setting.letter("step", "gamma", "tau"), setting.letter("relaxation", "eta", "r")
    step = Weight.of(gamma)
    groups = _groups(setting, setting.form.terms, step)
    if isinstance(groups, No):
        instead = ("davis_yin", "ista") if groups.term.smooth else ("admm", "pdhg")
        return Refusal(groups.reason, groups.term.span, instead)
    variable = setting.variable
    x, w = name(variable.name), name(setting.letter("governing", "w", "s"))
    z = name(setting.letter("second", "z", "v"))
    first = setting.prox(groups[0], variable, w, step)
    second = setting.prox(groups[1], variable, fill("2 * x - w", x=x, w=w), step)
    assert not isinstance(first, No) and not isinstance(second, No)
    lines = (
        Line(x.text, first, update=False),
        Line(z.text, second),
        Line(w.text, fill("w + e * (z - x)", w=w, e=name(eta), z=z, x=x)),
    )
    given = options.values
    constants = (
        Constant(
            gamma, template(given.get(gamma, "1")), "step of the proximal maps", "scalar", " > 0"
        ),
        Constant(eta, template(given.get(eta, "1")), "relaxation", "scalar", " in (0, 2)"),
    )
    return Scheme(
        f"Douglas-Rachford splitting for {setting.form.typed.program.name.text}.\n\n{_LIONS}\n\n"
        "The proximal maps of both groups of terms in turn: at w, and at the reflected point.",
        constants,
        (State((z.text, w.text), type_text(variable.type), number(0)),),
        lines,
        (z,),
        {variable.name: z.text},
        100,
        _way(setting, lines, _LIONS, "Any step gamma > 0, relaxation below 2."),
    )


def _davis_yin(setting: Setting, options: Options) -> Scheme | Refusal:
    if (refusal := _convex(setting)) is not None:
        return refusal
    smooth, rough = setting.smooth(), setting.rough()
    if not smooth:
        return Refusal("no term is smooth", rough[0].span, ("douglas_rachford",))
    if len(rough) < 2:
        where = (*rough, *smooth)[0].span
        return Refusal("it has fewer than two terms without gradient", where, ("ista",))
    constant, bound = setting.constant_for(smooth, setting.variable)
    gamma = setting.letter("step", "gamma", "tau")
    step = Weight.of(gamma)
    groups = _groups(setting, rough, step)
    if isinstance(groups, No):
        return Refusal(groups.reason, groups.term.span, ("condat_vu", "pdhg"))
    variable = setting.variable
    x, w = name(variable.name), name(setting.letter("governing", "w", "s"))
    z = name(setting.letter("second", "z", "v"))
    first = setting.prox(groups[0], variable, w, step)
    gradient = setting.gradient(smooth, variable, x)
    point = tidy(binary("-", fill("2 * x - w", x=x, w=w), step.times(gradient)))
    second = setting.prox(groups[1], variable, point, step)
    assert not isinstance(first, No) and not isinstance(second, No)
    lines = (
        Line(x.text, first, update=False),
        Line(z.text, second),
        Line(w.text, fill("w + z - x", w=w, z=z, x=x)),
    )
    constants = (
        *((constant,) if constant else ()),
        Constant(gamma, (ONE / bound).expr(), "step, below 2 / L", "scalar", " > 0"),
    )
    return Scheme(
        f"Davis-Yin splitting for {setting.form.typed.program.name.text}.\n\n{_DAVIS}\n\n"
        "Two proximal maps in turn, with a gradient step between them.",
        constants,
        (State((z.text, w.text), type_text(variable.type), number(0)),),
        lines,
        (z,),
        {variable.name: z.text},
        200,
        _way(setting, lines, _DAVIS, "A step gamma below 2 / L."),
    )


def _way(setting: Setting, lines: Sequence[Line], source: str, words: str) -> tuple[Step, ...]:
    return (
        objective_step(setting.form),
        Step(
            "The scheme",
            words,
            tuple(Formula(line.target, line.value, "<-" if line.update else "=") for line in lines),
            source.replace("\n", " "),
        ),
    )


METHODS = (
    Method(
        "douglas_rachford",
        "Douglas-Rachford splitting",
        "terms in two groups with proximal maps, all convex",
        "any step gamma > 0",
        "1/k in the residual",
        "Lions, Mercier, 1979; Eckstein, Bertsekas, 1992",
        _douglas_rachford,
    ),
    Method(
        "davis_yin",
        "three-operator splitting (Davis, Yin)",
        "smooth terms, and others in two groups with proximal maps, all convex",
        "a step below 2 / L",
        "1/k in the residual",
        "Davis, Yin, 2017",
        _davis_yin,
    ),
)
