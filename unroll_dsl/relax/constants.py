"""Constants that become learnable: steps, thresholds, penalties, momenta, rates."""

from __future__ import annotations

import dataclasses

from unroll_dsl.objectives.weights import Weight
from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused, walk
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text, same_tree
from unroll_dsl.syntax.templates import fill, one_statement
from unroll_dsl.syntax.tidy import binary, name, number, tidy

_FLAGS = ("shared", "free")
_KEYS = ("letter", "value")


def _sharing(given: Given) -> n.Sharing:
    return n.Sharing.SHARED if "shared" in given.flags else n.Sharing.PER_PHASE


def _per_phase(given: Given) -> str:
    return "" if "shared" in given.flags else " per phase"


def _value(given: Given, classical: n.Expr) -> str:
    return expression_text(given.values.get("value", classical))


def known(page: Page, value: n.Expr, what: str, given: Given, name_of: str = "") -> None:
    """Refuse a classical value that is not known before any input; one that is given takes its place."""
    if "value" in given.values:
        return
    text = expression_text(value)
    mend = f"give what it starts at: `{name_of or what}(value=0.1)`"
    if page.changes(value):
        raise Refused(f"the {what} `{text}` changes with the states; {mend}", value.span)
    if (word := page.input_in(value)) is not None:
        words = f"the {what} `{text}` is made of the input `{word}`, another for each sample"
        raise Refused(f"{words}; {mend}", value.span)


def learn_constant(page: Page, word: str, given: Given, role: str = "") -> str:
    """A fixed value of the page becomes learnable, under another name if one is asked for.

    Under another name it is no longer what its comment says, but what it is to the iteration: its `role`.
    """
    page.learn(word, _sharing(given), given.values.get("value"), free="free" in given.flags)
    asked = given.word("letter")
    if asked is None or asked == word:
        return word
    letter = page.letter(asked)
    for s in list(page.statements):
        if isinstance(s, n.Declaration) and any(w.text == word for w in s.names):
            comment = role or s.comment
            page.replace(s, dataclasses.replace(s, names=(name(letter),), comment=comment))
    page.rename(word, letter)
    return letter


def _step(page: Page, given: Given) -> None:
    steps = list(find.gradient_steps(page))
    if not steps:
        raise Refused("it has no gradient step")
    weight = steps[0].weight
    size = Weight(abs(weight.number), weight.powers)
    classical = size.expr()
    alone = isinstance(classical, n.Name)
    if alone and page.fixed(expression_text(classical)) is not None:
        learn_constant(page, expression_text(classical), given, "step")
        return
    if alone and page.learnable(expression_text(classical)) is not None:
        raise Refused("its step is learnable already", steps[0].term.span)
    known(page, classical, "step", given)
    letter = page.letter(given.word("letter"), "mu", "tau", "gamma", "step")
    bounds = "" if "free" in given.flags else " > 0"
    text = f"learnable {letter} : scalar{bounds}{_per_phase(given)} = {_value(given, classical)}"
    page.declare(text, "step")
    for step in steps:
        same = Weight(abs(step.weight.number), step.weight.powers)
        if expression_text(same.expr()) == expression_text(classical):
            signed = Weight.of(-1) if step.weight.number < 0 else Weight()
            page.rewrite(step.term, (signed * Weight.of(letter)).times(step.core))


def _threshold(page: Page, given: Given) -> None:
    found = list(find.shrinkages(page))
    if not found:
        raise Refused("it shrinks nothing")
    for i, shrinkage in enumerate(found):
        classical = shrinkage.threshold
        if isinstance(classical, n.Name) and page.learnable(classical.text) is not None:
            raise Refused("its threshold is learnable already", classical.span)
        wide = bool({"entrywise", "channels"} & given.flags)
        if not wide and isinstance(classical, n.Name) and _only_here(page, classical.text):
            learn_constant(page, classical.text, given, "threshold")
            continue
        known(page, classical, "threshold", given)
        letter = page.letter(given.word("letter") if i == 0 else None, "theta", "t", "threshold")
        space = "scalar"
        shape = page.array(shrinkage.call)
        if "entrywise" in given.flags:
            space = str(dataclasses.replace(shape, field=shape.field.REAL))
        elif "channels" in given.flags:
            space = f"vector[{shape.shape[0]}]"
        bounds = "" if "free" in given.flags else " >= 0"
        text = (
            f"learnable {letter} : {space}{bounds}{_per_phase(given)} = {_value(given, classical)}"
        )
        page.declare(text, "threshold" if space == "scalar" else "thresholds")
        page.rewrite(classical, name(letter))


def _only_here(page: Page, word: str) -> bool:
    """Whether a name is a fixed value that the phase reads in one place."""
    if page.fixed(word) is None:
        return False
    count = sum(w.text == word for x in page.lines for w in names_in(x.value))
    return count == 1


def _penalty(page: Page, given: Given) -> None:
    objective = next((s for s in page.statements if isinstance(s, n.Minimize)), None)
    weights = {w.text for w in names_in(objective.body)} if objective is not None else set()
    for system in find.systems(page):
        matrix = system.arguments[0].value
        for _, summand in find.summands(matrix, False):
            weight, core = page.weighed(summand)
            for power in weight.powers:
                declared = page.fixed(power.text)
                if declared is None or power.text in weights:
                    continue
                if "channels" in given.flags:
                    _by_channels(page, power.text, core)
                letter = learn_constant(page, power.text, given, "penalty")
                if "channels" in given.flags:
                    _widen(page, letter, core)
                return
    raise Refused("no penalty stands in a system `solve(... + rho * ..., ...)`")


def _by_channels(page: Page, word: str, core: n.Expr) -> None:
    """`rho * D' @ D` is `D' @ diag(rho) @ D`, and `rho * D' @ v` is `D' @ (rho * v)`."""
    match core:
        case n.Binary("@", n.Adjoint(outer), inner) if same_tree(outer, inner):
            pass
        case _:
            raise Refused("only the penalty of a bank of filters has channels", core.span)
    for system in list(find.systems(page)):
        for argument in system.arguments:
            for _, summand in find.summands(argument.value, False):
                weight, rest = page.weighed(summand)
                if [p.text for p in weight.powers] != [word] or weight.number != 1:
                    continue
                match rest:
                    case n.Binary("@", n.Adjoint() as back, forward) if same_tree(forward, inner):
                        text = "back @ diag(r) @ D"
                        page.rewrite(summand, fill(text, back=back, r=name(word), D=forward))
                    case n.Binary("@", n.Adjoint() as back, value):
                        page.rewrite(
                            summand, fill("back @ (r * v)", back=back, r=name(word), v=value)
                        )


def _widen(page: Page, letter: str, core: n.Expr) -> None:
    """The constant as one a channel of what the filters give."""
    assert isinstance(core, n.Binary)
    channels = next(
        page.array(x.value).shape[0]
        for line in page.lines
        for x in (line,)
        if isinstance(line, n.Update)
        and line.target.text in page.states()
        and _is_of(page, line, core)
    )
    declared = page.learnable(letter)
    assert declared is not None
    space = one_statement(f"fixed a : vector[{channels}]")
    assert isinstance(space, n.Declaration)
    page.replace(declared, dataclasses.replace(declared, type=space.type))


def _is_of(page: Page, line: n.Update, core: n.Binary) -> bool:
    """Whether a line shrinks what the filters give."""
    shrinks = any(
        isinstance(e, n.Call)
        and isinstance(e.function, n.Name)
        and e.function.text in (*find.THRESHOLDS, "plf")
        for e in walk(line.value)
    )
    return shrinks


def _momentum(page: Page, given: Given) -> None:
    found = list(find.momenta(page))
    if not found:
        raise Refused("it has no momentum `m * (x - prev(x))`")
    classical = found[0].weight.expr()
    if isinstance(classical, n.Name) and page.fixed(classical.text) is not None:
        learn_constant(page, classical.text, given, "momentum")
        return
    if page.changes(classical):
        classical = fill("(k - 1) / (k + 2)")
        page.notes.append("the momentum starts at (k - 1) / (k + 2), which FISTA's tends to")
    letter = page.letter(given.word("letter"), "beta", "rho", "momentum")
    bounds = "" if "free" in given.flags else " >= 0"
    shared = "shared" in given.flags
    value = given.values.get("value", number(0) if shared else classical)
    text = f"learnable {letter} : scalar{bounds}{_per_phase(given)} = {expression_text(value)}"
    page.declare(text, "momentum")
    for momentum in found:
        page.rewrite(momentum.term, fill("m * c", m=name(letter), c=momentum.core))
    drop_idle_states(page)


def drop_idle_states(page: Page) -> None:
    """States that nothing but their own update reads go, with it."""
    for word, state in page.states().items():
        others = [x for x in page.lines if not (isinstance(x, n.Update) and x.target.text == word)]
        outputs = [s for s in page.statements if isinstance(s, n.Output)]
        read = {w.text for x in others for w in names_in(x.value)}
        read |= {w.text for s in outputs for e in s.values for w in names_in(e)}
        if word in read:
            continue
        page.set_lines(tuple(others))
        rest = tuple(w for w in state.names if w.text != word)
        page.replace(state, dataclasses.replace(state, names=rest) if rest else None)


def _rate(page: Page, given: Given) -> None:
    found = list(find.multipliers(page))
    if not found:
        raise Refused("it has no multiplier `u <- u + x - z`")
    letter = page.letter(given.word("letter"), "eta", "gamma", "rate")
    space = "scalar"
    if "channels" in given.flags:
        space = f"vector[{page.array(name(found[0].line.target.text)).shape[0]}]"
    bounds = " > 0" if "bounded" in given.flags else ""
    value = _value(given, number(1))
    comment = "rate of the multiplier" if space == "scalar" else "rates of the multipliers"
    page.declare(f"learnable {letter} : {space}{bounds}{_per_phase(given)} = {value}", comment)
    for multiplier in found:
        rest: n.Expr = number(0)
        for minus, summand in sorted(multiplier.rest, key=lambda p: p[0]):
            rest = binary("-" if minus else "+", rest, summand)
        new = fill("u + e * r", u=name(multiplier.line.target.text), e=name(letter), r=tidy(rest))
        page.rewrite(multiplier.line.value, new)


def _learn(page: Page, given: Given) -> None:
    if not given.words:
        raise Refused("say which constants: `learn(sigma)`")
    for word in given.words:
        if page.fixed(word) is None:
            raise Refused(f"`{word}` is no fixed value of it")
        learn_constant(page, word, dataclasses.replace(given, values={}))


_WIDE = (*_FLAGS, "entrywise", "channels")
_YANG = "Y. Yang, J. Sun, H. Li, Z. Xu: Deep ADMM-Net, NeurIPS, 2016"

RELAXATIONS = (
    Relaxation(
        "step", "Learned steps",
        "J. Zhang, B. Ghanem: ISTA-Net, CVPR, 2018; P. Ablin et al.: Step-LISTA, NeurIPS, 2019",
        "x - A' @ r / L", "x - mu * A' @ r", True, _step, _FLAGS, _KEYS, objective=True,
    ),
    Relaxation(
        "threshold", "Learned thresholds", "K. Gregor, Y. LeCun: LISTA, ICML, 2010",
        "soft(r, lambda / L)", "soft(r, theta)", True, _threshold, _WIDE, _KEYS, objective=True,
    ),
    Relaxation(
        "penalty", "Learned penalties", _YANG, "fixed rho : scalar", "learnable rho : scalar per phase",
        True, _penalty, (*_FLAGS, "channels"), _KEYS, objective=True,
    ),
    Relaxation(
        "momentum", "Learned momentum", "T. Moreau, J. Bruna: Understanding the learned iterative soft thresholding algorithm, 2017",
        "(prev(t) - 1) / t * (x - prev(x))", "beta * (x - prev(x))", False, _momentum, _FLAGS, _KEYS,
        objective=True,
    ),
    Relaxation(
        "rate", "Learned rates of multipliers", _YANG, "u + x - z", "u + eta * (x - z)", True, _rate,
        (*_FLAGS, "channels", "bounded"), _KEYS, objective=True,
    ),
    Relaxation(
        "learn", "Learned constants", "of any page", "fixed sigma : scalar",
        "learnable sigma : scalar per phase", True, _learn, _FLAGS, (), words=True, objective=True,
    ),
)  # fmt: skip
