"""Methods that split an objective: ADMM, half-quadratic splitting, linearised ADMM."""

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
    instead,
    multipliers_of,
    primal,
    splits_of,
    words,
)
from unroll_dsl.derive.way import objective_step, sum_of
from unroll_dsl.objectives.maps import (
    apply,
)
from unroll_dsl.objectives.model import Term
from unroll_dsl.objectives.proximal import No
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import binary, name, number, tidy, total

_BOYD = (
    "S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein: Distributed optimization and statistical\n"
    "learning via the alternating direction method of multipliers. Foundations and Trends in Machine\n"
    "Learning, 2011."
)
_GEMAN = (
    "D. Geman, C. Yang: Nonlinear image recovery with half-quadratic regularization. IEEE\n"
    "Transactions on Image Processing, 1995."
)


def _admm(setting: Setting, options: Options) -> Scheme | Refusal:
    answer = splits_of(setting, options)
    if isinstance(answer, Refusal):
        return answer
    splits, rest = answer
    bent = next((t for t in setting.form.terms if not t.convex and t.atom.prox is None), None)
    if bent is not None:
        return Refusal("a term is not convex and has no proximal map", bent.span)
    x = name(setting.variable.name)
    rho = setting.letter("penalty", "rho", "mu")
    r = Weight.of(rho)
    multipliers = multipliers_of(setting, splits)
    right = [fill("z - u", z=name(s.variable.name), u=name(u)) for s, u in zip(splits, multipliers)]
    update = primal(setting, rest, splits, r, right)
    if isinstance(update, No):
        return Refusal(update.reason, update.term.span, ("pdhg", "ista"))
    lines: list[Line] = []
    plain = len(splits) == 1 and splits[0].plain and not _gives(options, x.text)
    lines.append(Line(x.text, update, update=not plain))
    for s, u in zip(splits, multipliers):
        image = apply(s.chain, x)
        value = setting.prox(s.terms, s.variable, binary("+", image, name(u)), ONE / r)
        if isinstance(value, No):
            return Refusal(value.reason, value.term.span, instead(setting, value.term))
        lines.append(Line(s.variable.name, value))
    for s, u in zip(splits, multipliers):
        image = apply(s.chain, x)
        lines.append(Line(u, tidy(fill("u + c - z", u=name(u), c=image, z=name(s.variable.name)))))
    given = options.values.get(rho)
    constants = (
        Constant(rho, template(given) if given else number(1), "penalty", "scalar", " > 0"),
    )
    states = [] if plain else [State((x.text,), type_text(setting.variable.type), number(0))]
    for s, u in zip(splits, multipliers):
        states.append(State((s.variable.name, u), type_text(s.variable.type), number(0)))
    result = name(splits[0].variable.name) if plain else x
    return Scheme(
        f"ADMM for {setting.form.typed.program.name.text}.\n\n{_BOYD}\n\n"
        f"Split as {words(setting, splits)}; {' and '.join(multipliers)}: scaled multipliers.",
        constants,
        tuple(states),
        tuple(lines),
        (result,),
        {setting.variable.name: result.text},
        50,
        _way(setting, splits, rest, lines, rho, multipliers),
    )


def _gives(options: Options, word: str) -> bool:
    """Whether the page is asked to give a formula of a name."""
    if options.output is None:
        return False
    return any(w.text == word for w in names_in(template(options.output)))


def _way(
    setting: Setting,
    splits: Sequence[Split],
    rest: Sequence[Term],
    lines: Sequence[Line],
    rho: str,
    multipliers: Sequence[str],
) -> tuple[Step, ...]:
    x = name(setting.variable.name)
    moved = [t for s in splits for t in s.terms]
    penalties = [
        fill(
            "r / 2 * sumsq(c - z + u)",
            r=name(rho),
            c=apply(s.chain, x),
            z=name(s.variable.name),
            u=name(u),
        )
        for s, u in zip(splits, multipliers)
    ]
    split_sum = tidy(total([sum_of(rest), sum_of(moved)]))
    everything = ", ".join([x.text, *(s.variable.name for s in splits)])
    return (
        objective_step(setting.form),
        Step(
            "The splitting",
            "The same objective, with a variable of its own for what stands behind a map.",
            (
                Formula("", split_sum, "", over=everything),
                *(Formula(s.variable.name, apply(s.chain, x)) for s in splits),
            ),
            "Boyd et al., 2011, section 3.1",
        ),
        Step(
            "The augmented Lagrangian",
            "With scaled multipliers, and up to their squares, which no variable changes.",
            (Formula("Lagrangian", tidy(total([split_sum, *penalties]))),),
            "Boyd et al., 2011, section 3.1.1",
        ),
        *_subproblems(x.text, splits, rest, lines, rho, penalties),
        Step(
            "The multipliers",
            "A step of the dual ascent. Converges for every penalty > 0 where the terms are convex.",
            tuple(Formula(line.target, line.value, "<-") for line in lines[1 + len(splits) :]),
            "Boyd et al., 2011, section 3.2",
        ),
    )


def _subproblems(
    x: str,
    splits: Sequence[Split],
    rest: Sequence[Term],
    lines: Sequence[Line],
    rho: str,
    penalties: Sequence[n.Expr],
) -> Iterator[Step]:
    """The variable's update, then that of each splitting: what is to be minimised, and its solution."""
    quadratic = all(t.quadratic or t.linear for t in rest)
    yield Step(
        f"Over {x}",
        "Quadratic: its gradient is 0 at the solution of a linear system."
        if quadratic
        else "A proximal map.",
        (
            Formula(x, tidy(total([sum_of(rest), *penalties])), "<-", over=x),
            Formula(lines[0].target, lines[0].value, "<-"),
        ),
        "Boyd et al., 2011, section 4.2",
    )
    for s, line, penalty in zip(splits, lines[1:], penalties):
        yield Step(
            f"Over {s.variable.name}",
            f"The proximal map with weight `1 / {rho}` at the image of `{x}` plus the multiplier.",
            (
                Formula(
                    line.target, tidy(total([sum_of(s.terms), penalty])), "<-", s.variable.name
                ),
                Formula(line.target, line.value, "<-"),
            ),
            "; ".join(dict.fromkeys(t.atom.source for t in s.terms)),
        )


def _hqs(setting: Setting, options: Options) -> Scheme | Refusal:
    answer = splits_of(setting, options)
    if isinstance(answer, Refusal):
        return answer
    splits, rest = answer
    x = name(setting.variable.name)
    rho, growth = setting.letter("penalty", "rho", "mu"), setting.letter("growth", "growth", "eta")
    beta = setting.letter("schedule", "beta", "rho_k")
    b = Weight.of(beta)
    update = primal(setting, rest, splits, b, [name(s.variable.name) for s in splits])
    if isinstance(update, No):
        return Refusal(update.reason, update.term.span, ("pdhg", "ista"))
    lines = [Line(x.text, update)]
    for s in splits:
        value = setting.prox(s.terms, s.variable, apply(s.chain, x), ONE / b)
        if isinstance(value, No):
            return Refusal(value.reason, value.term.span, instead(setting, value.term))
        lines.append(Line(s.variable.name, value))
    given = options.values
    constants = (
        Constant(
            rho, template(given.get(rho, "0.1")), "penalty of the first phase", "scalar", " > 0"
        ),
        Constant(growth, template(given.get(growth, "1")), "its growth a phase", "scalar", " > 0"),
        Constant(
            beta, fill("r * (1 + g * (k - 1))", r=name(rho), g=name(growth)), "penalty of phase k"
        ),
    )
    states = [State((x.text,), type_text(setting.variable.type), number(0))]
    states += [State((s.variable.name,), type_text(s.variable.type), number(0)) for s in splits]
    return Scheme(
        f"Half-quadratic splitting for {setting.form.typed.program.name.text}.\n\n{_GEMAN}\n\n"
        f"Split as {words(setting, splits)}, by a penalty that grows,\nno faster than in proportion to k: else it rests too early.",
        constants,
        tuple(states),
        tuple(lines),
        (x,),
        {setting.variable.name: x.text},
        100,
        _hqs_way(setting, splits, lines, constants[2]),
    )


def _hqs_way(
    setting: Setting, splits: Sequence[Split], lines: Sequence[Line], schedule: Constant
) -> tuple[Step, ...]:
    return (
        objective_step(setting.form),
        Step(
            "The splitting",
            f"{words(setting, splits)} is asked for by a quadratic penalty that grows from phase to phase.",
            (Formula(schedule.name, schedule.value or number(0)),),
            "Geman, Yang, 1995",
        ),
        Step(
            "The scheme",
            "Each variable in turn minimises what it stands in.",
            tuple(Formula(line.target, line.value, "<-") for line in lines),
            "Geman, Yang, 1995",
        ),
    )


METHODS = (
    Method(
        "admm",
        "alternating direction method of multipliers (ADMM)",
        "quadratic terms, and others with proximal maps behind maps",
        "any penalty rho > 0",
        "1/k in the objective",
        "Boyd et al., 2011",
        _admm,
        ("z = D @ x", "z = x"),
    ),
    Method(
        "hqs",
        "half-quadratic splitting",
        "quadratic terms, and others with proximal maps behind maps",
        "a penalty that grows without bound",
        "that of the penalty",
        "Geman, Yang, 1995",
        _hqs,
        ("z = D @ x", "z = x"),
    ),
)
