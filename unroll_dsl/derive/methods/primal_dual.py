"""Primal-dual methods: the hybrid gradient method of Chambolle and Pock, that of Condat and Vu."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from unroll_dsl.derive.splits import (
    Split,
    back_through,
    constant_of_maps,
    divided,
    multipliers_of,
)
from unroll_dsl.derive.way import objective_step
from unroll_dsl.objectives.maps import apply
from unroll_dsl.objectives.model import Term
from unroll_dsl.objectives.proximal import No, conjugate
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_CHAMBOLLE_POCK = (
    "A. Chambolle, T. Pock: A first-order primal-dual algorithm for convex problems with\n"
    "applications to imaging. Journal of Mathematical Imaging and Vision, 2011."
)
_CONDAT = (
    "L. Condat: A primal-dual splitting method for convex optimization involving Lipschitzian,\n"
    "proximable and linear composite terms. Journal of Optimization Theory and Applications, 2013.\n"
    "B. C. Vu, Advances in Computational Mathematics, 2013."
)
_CONDITION = {False: "sigma * tau * ||D||^2 <= 1", True: "1 / tau - sigma * ||D||^2 >= L / 2"}


def _divided(
    setting: Setting, options: Options, smooth: bool
) -> tuple[tuple[Split, ...], tuple[Term, ...], tuple[Term, ...]] | Refusal:
    """The terms behind maps, those with a proximal map in x, and, if asked for, the smooth ones."""
    if (refusal := setting.one_variable()) is not None:
        return refusal
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex", bent.span, ("ista",))
    answer = divided(setting, options)
    if isinstance(answer, Refusal):
        return answer
    splits, _ = answer
    dual = tuple(
        s for s in splits if not s.plain and not (smooth and all(t.smooth for t in s.terms))
    )
    own = tuple(t for t in setting.form.terms if not any(_same(t, s) for s in dual))
    gradients = tuple(t for t in own if t.smooth) if smooth else ()
    return dual, tuple(t for t in own if t not in gradients), gradients


def _same(term: Term, split: Split) -> bool:
    return any(term.span == t.span for t in split.terms)


def _scheme(setting: Setting, options: Options, smooth: bool) -> Scheme | Refusal:
    answer = _divided(setting, options, smooth)
    if isinstance(answer, Refusal):
        return answer
    splits, rest, gradients = answer
    if not splits:
        where = setting.form.terms[-1].span
        return Refusal("no term without gradient stands behind a map", where, ("ista", "fista"))
    if smooth and not gradients:
        return Refusal(
            "no term is smooth", rest[0].span if rest else splits[0].terms[0].span, ("pdhg",)
        )
    x, v = name(setting.variable.name), name(setting.letter("extrapolated", "v", "w"))
    duals = multipliers_of(setting, splits, "p", "q")
    tau, sigma = setting.letter("step", "tau"), setting.letter("dual_step", "sigma", "s")
    extra, norm = constant_of_maps(setting, [s.chain for s in splits])
    back: n.Expr = number(0)
    for s, p in zip(splits, duals):
        back = binary("+", back, back_through(setting, s, name(p)))
    if gradients:
        back = binary("+", setting.gradient(gradients, setting.variable, x), back)
    forward = tidy(binary("-", x, Weight.of(tau).times(back)))
    update = setting.prox(rest, setting.variable, forward, Weight.of(tau))
    if isinstance(update, No):
        return Refusal(update.reason, update.term.span, ("condat_vu",) if not smooth else ("admm",))
    primal = Line(x.text, update)
    at = tidy(fill("2 * x - prev(x)", x=x)) if smooth else v
    dual_lines = _dual_lines(setting, splits, duals, sigma, at)
    if isinstance(dual_lines, Refusal):
        return dual_lines
    lines: Sequence[Line]
    if smooth:
        lines = (primal, *dual_lines)
    else:
        lines = (*dual_lines, primal, Line(v.text, fill("2 * x - prev(x)", x=x)))
    steps = _steps(setting, options, gradients, norm, tau, sigma)
    title = "The method of Condat and Vu" if smooth else "The primal-dual hybrid gradient method"
    source = _CONDAT if smooth else _CHAMBOLLE_POCK
    return Scheme(
        f"{title} for {setting.form.typed.program.name.text}.\n\n{source}\n\n"
        f"It converges where {_CONDITION[smooth]}.",
        (*extra, *steps),
        _states(setting, splits, duals, None if smooth else v.text),
        tuple(lines),
        (x,),
        {setting.variable.name: x.text},
        200,
        _way(setting, splits, lines, duals, source),
    )


def _states(
    setting: Setting, splits: Sequence[Split], duals: Sequence[str], extrapolated: str | None
) -> tuple[State, ...]:
    """The variable, with its extrapolation where there is one, and the dual variables; all start at 0."""
    x, type_ = setting.variable.name, type_text(setting.variable.type)
    own = State((x,), type_, number(0))
    if extrapolated is not None:
        own = State((x, extrapolated), type_, number(0), f"{extrapolated}: {x} extrapolated")
    return (
        own,
        *(
            State((p,), type_text(s.variable.type), number(0), "dual variable")
            for s, p in zip(splits, duals)
        ),
    )


def _dual_lines(
    setting: Setting, splits: Sequence[Split], duals: Sequence[str], sigma: str, at: n.Expr
) -> list[Line] | Refusal:
    """A step of each dual variable at the image of a point, through the conjugate's proximal map."""
    found = []
    for s, p in zip(splits, duals):
        point = binary("+", name(p), Weight.of(sigma).times(apply(s.chain, at)))
        if len(s.terms) != 1:
            return Refusal("two terms stand behind one map", s.terms[1].span, ("admm",))
        value = conjugate(setting.facts, s.terms[0], point, Weight.of(sigma))
        if isinstance(value, No):
            return Refusal(value.reason, value.term.span, ("ista",) if value.term.smooth else ())
        found.append(Line(p, value))
    return found


def _steps(
    setting: Setting,
    options: Options,
    gradients: Sequence[Term],
    norm: Weight,
    tau: str,
    sigma: str,
) -> Iterator[Constant]:
    """The two steps within the bound: with gradients the dual one is chosen first, else the primal one."""
    if gradients:
        constant, bound = setting.constant_for(gradients, setting.variable)
        if constant is not None:
            yield constant
        # both parts of the bound alike, so that tau = 1 / L
        half = tidy(fill("L / (2 * N)", L=bound.expr(), N=norm.expr()))
        half = number(1) if bound.is_zero else half
        start = template(options.values[sigma]) if sigma in options.values else half
        limit = fill("1 / (L / 2 + s * N)", L=bound.expr(), s=name(sigma), N=norm.expr())
        yield Constant(sigma, start, "dual step", "scalar", " > 0")
        yield Constant(tau, tidy(limit), "primal step", "scalar", " > 0")
        return
    given = options.values.get(tau)
    first = template(given) if given else (ONE / norm.root()).expr()
    second = (ONE / (norm * Weight.of(tau))).expr()
    yield Constant(tau, first, "primal step", "scalar", " > 0")
    yield Constant(sigma, second, "dual step", "scalar", " > 0")


def _way(
    setting: Setting,
    splits: Sequence[Split],
    lines: Sequence[Line],
    duals: Sequence[str],
    source: str,
) -> tuple[Step, ...]:
    x = name(setting.variable.name)
    saddle = ", ".join(
        f"{p} for {expression_text(apply(s.chain, x))}" for s, p in zip(splits, duals)
    )
    return (
        objective_step(setting.form),
        Step(
            "The saddle point",
            f"min over {x.text}, max over the duals ({saddle}) of <D x, p> - g*(p) + the other terms.",
            (),
            "Chambolle, Pock, 2011, section 2",
        ),
        Step(
            "The proximal maps of the conjugates",
            "In closed form, or by Moreau's identity p - s * prox of f / s at p / s.",
            tuple(Formula(line.target, line.value, "<-") for line in lines if line.target in duals),
            "; ".join(dict.fromkeys(t.atom.source for s in splits for t in s.terms)),
        ),
        Step(
            "The scheme",
            "Steps in the primal and the dual variable in turn, the primal one extrapolated.",
            tuple(Formula(line.target, line.value, "<-") for line in lines),
            source.replace("\n", " "),
        ),
    )


METHODS = (
    Method(
        "pdhg",
        "primal-dual hybrid gradient (Chambolle, Pock)",
        "terms with proximal maps, of the variable and behind maps, all convex",
        "sigma * tau * ||D||^2 <= 1",
        "1/k in the gap",
        "Chambolle, Pock, 2011",
        lambda setting, options: _scheme(setting, options, False),
        ("z = D @ x",),
    ),
    Method(
        "condat_vu",
        "primal-dual splitting with a gradient (Condat, Vu)",
        "smooth terms, terms with proximal maps, of the variable and behind maps, all convex",
        "1 / tau - sigma * ||D||^2 >= L / 2",
        "1/k in the gap",
        "Condat, 2013; Vu, 2013",
        lambda setting, options: _scheme(setting, options, True),
    ),
)
