"""Linearised ADMM: no system for the maps."""

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
from unroll_dsl.derive.splits import (
    Split,
    back_through,
    constant_of_maps,
    instead,
    multipliers_of,
    splits_of,
    words,
)
from unroll_dsl.derive.way import objective_step
from unroll_dsl.objectives.maps import (
    apply,
)
from unroll_dsl.objectives.proximal import No
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_LINEARISED = (
    "N. Parikh, S. Boyd: Proximal algorithms. Foundations and Trends in Optimization, 2014, section\n"
    "4.4.2."
)


def _linearised(setting: Setting, options: Options) -> Scheme | Refusal:
    answer = splits_of(setting, options)
    if isinstance(answer, Refusal):
        return answer
    splits, rest = answer
    bent = next((t for t in setting.form.terms if not t.convex), None)
    if bent is not None:
        return Refusal("a term is not convex", bent.span, ("ista",))
    x = name(setting.variable.name)
    extra, norm = constant_of_maps(setting, [s.chain for s in splits])
    lam = setting.letter("penalty", "gamma", "nu")
    mu = setting.letter("step", "mu", "tau")
    back: n.Expr = number(0)
    multipliers = multipliers_of(setting, splits)
    for s, u in zip(splits, multipliers):
        r = fill("c - z + u", c=apply(s.chain, x), z=name(s.variable.name), u=name(u))
        back = binary("+", back, back_through(setting, s, tidy(r)))
    point = tidy(binary("-", x, (Weight.of(mu) / Weight.of(lam)).times(back)))
    update = setting.prox(rest, setting.variable, point, Weight.of(mu))
    if isinstance(update, No):
        return Refusal(update.reason, update.term.span, ("condat_vu",))
    split_lines = _split_lines(setting, splits, multipliers, lam)
    if isinstance(split_lines, Refusal):
        return split_lines
    lines = (Line(x.text, update), *split_lines)
    value = template(options.values.get(lam, "1"))
    constants = (
        *extra,
        Constant(lam, value, "step of the proximal maps", "scalar", " > 0"),
        Constant(
            mu,
            (Weight.of(lam) / norm).expr(),
            "step: at most gamma / ||D||^2",
            "scalar",
            " > 0",
        ),
    )
    states = [State((x.text,), type_text(setting.variable.type), number(0))]
    for s, u in zip(splits, multipliers):
        states.append(State((s.variable.name, u), type_text(s.variable.type), number(0)))
    return Scheme(
        f"Linearised ADMM for {setting.form.typed.program.name.text}.\n\n{_LINEARISED}\n\n"
        f"Split as {words(setting, splits)}.",
        constants,
        tuple(states),
        lines,
        (x,),
        {setting.variable.name: x.text},
        200,
        _way(setting, splits, lines),
    )


def _split_lines(
    setting: Setting, splits: Sequence[Split], multipliers: Sequence[str], lam: str
) -> list[Line] | Refusal:
    """For each splitting its proximal map, then its multiplier."""
    x = name(setting.variable.name)
    found = []
    for s, u in zip(splits, multipliers):
        image, z = apply(s.chain, x), name(s.variable.name)
        value = setting.prox(s.terms, s.variable, binary("+", image, name(u)), Weight.of(lam))
        if isinstance(value, No):
            return Refusal(value.reason, value.term.span, instead(setting, value.term))
        found.append(Line(z.text, value))
        found.append(Line(u, tidy(fill("u + c - z", u=name(u), c=image, z=z))))
    return found


def _way(setting: Setting, splits: Sequence[Split], lines: Sequence[Line]) -> tuple[Step, ...]:
    source = "Parikh, Boyd, 2014, section 4.4.2"
    return (
        objective_step(setting.form),
        Step("The splitting", f"{words(setting, splits)}.", (), source),
        Step(
            "The scheme",
            "ADMM with the quadratic of the maps linearised, so that no system is solved for it; "
            "mu <= gamma / ||D||^2.",
            tuple(Formula(line.target, line.value, "<-") for line in lines),
            source,
        ),
    )


METHODS = (
    Method(
        "linearised_admm",
        "linearised ADMM",
        "terms with proximal maps, behind any maps",
        "mu <= gamma / ||D||^2",
        "1/k in the objective",
        "Parikh, Boyd, 2014, section 4.4.2",
        _linearised,
        ("z = D @ x",),
    ),
)
