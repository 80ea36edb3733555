"""Splittings of an objective: `z = D @ x`, the terms that move to z, and what stays with x."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.derive.model import (
    Constant,
    Options,
    Refusal,
)
from unroll_dsl.derive.options import splitting
from unroll_dsl.derive.setting import Setting
from unroll_dsl.objectives.maps import (
    Chain,
    apply,
    squared_norm,
    transpose,
    without_scalars,
)
from unroll_dsl.objectives.model import Affine, LinearPart, Term, Variable
from unroll_dsl.objectives.proximal import No, real_unknown, scaled_map
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import binary, name, number, tidy
from unroll_dsl.types import Array, Field


@dataclass(frozen=True, slots=True)
class Split:
    """`z = D @ x`: the terms that move to z, as terms of z, and the chain of D."""

    variable: Variable
    chain: Chain
    terms: tuple[Term, ...]

    @property
    def plain(self) -> bool:
        """Whether it is `z = x`."""
        return not self.chain


def moved(term: Term, old: str, new: Variable, chain: Chain) -> Term:
    """A term of x as one of z, where z = D @ x and D is the end of its chain of maps."""
    found = term.single(old)
    assert found is not None
    rest = found[: len(found) - len(chain)] if chain else found
    expr = apply(rest, name(new.name))
    if term.argument.offset is not None:
        expr = binary("+", expr, term.argument.offset)
    argument = Affine(
        tidy(expr), term.argument.type, (LinearPart(new.name, rest),), term.argument.offset
    )
    return dataclasses.replace(term, argument=argument)


Division = tuple[tuple[Split, ...], tuple[Term, ...]]


def splits_of(setting: Setting, options: Options) -> Division | Refusal:
    """The splittings, and the terms that stay with the one variable; a refusal where nothing is split off."""
    if (refusal := setting.one_variable()) is not None:
        return refusal
    answer = divided(setting, options)
    if not isinstance(answer, Refusal) and not answer[0]:
        words = "nothing is to be split off: all terms are quadratic"
        return Refusal(words, setting.variable.span, ("gradient",))
    return answer


def divided(setting: Setting, options: Options) -> Division | Refusal:
    """The splittings, of which there may be none, and the terms that stay with the variable."""
    x = setting.variable
    candidates = [t for t in setting.form.terms if not t.quadratic and not t.linear]
    for term in candidates:
        if term.single(x.name) is None:
            return Refusal("it couples the variable with itself", term.span)
    asked = _asked(setting, options, candidates)
    if isinstance(asked, Refusal):
        return asked
    found: list[Split] = []
    taken: list[Term] = []
    for text, word, chain in asked:
        terms = [t for t in candidates if t not in taken and _ends(t, x.name, chain)]
        if not terms:
            return _unfit(setting, text, "no term is left for it", candidates)
        found.append(_split(setting, word, chain, terms))
        taken += terms
    if not asked:
        for chain, group, many in _groups(setting, candidates):
            found.append(_split(setting, None, chain, group, many=many))
            taken += group
    return tuple(found), tuple(t for t in setting.form.terms if t not in taken)


def _groups(
    setting: Setting, candidates: Sequence[Term]
) -> list[tuple[Chain, Sequence[Term], bool]]:
    """Terms that share a map and have a joint proximal map, else each by itself; whether there are several."""
    x = setting.variable
    chains = {_chain_text(c): c for t in candidates for c in [_own_chain(t, x.name)]}
    groups: list[tuple[Chain, Sequence[Term]]] = []
    for chain in chains.values():
        terms = [t for t in candidates if _same(t, x.name, chain)]
        together = len(terms) == 1 or _joint(setting, chain, terms)
        groups += [(chain, terms)] if together else [(chain, [t]) for t in terms]
    return [(chain, terms, len(groups) > 1) for chain, terms in groups]


def _joint(setting: Setting, chain: Chain, terms: Sequence[Term]) -> bool:
    """Whether terms of one map have a joint proximal map, so that one variable serves them all."""
    type_ = setting.facts.type(apply(chain, name(setting.variable.name)))
    assert isinstance(type_, Array)
    new = Variable("z", type_, setting.variable.span)
    own = [moved(t, setting.variable.name, new, chain) for t in terms]
    return not isinstance(setting.prox(own, new, name("v"), Weight.of("t")), No)


def _asked(
    setting: Setting, options: Options, candidates: Sequence[Term]
) -> list[tuple[str, str, Chain]] | Refusal:
    """The splittings of the options: as they are written, the name, the chain of the map."""
    known = setting.form.typed.symbols
    found = []
    for text in options.split:
        word, expr = splitting(text) or (text, number(0))
        for used in names_in(expr):
            if used.text not in known and used.text != setting.variable.name:
                return _unfit(setting, text, f"the problem has no `{used.text}`", candidates)
        affine = setting.facts.reader.read(expr)
        if not isinstance(affine, Affine) or len(affine.parts) != 1 or affine.offset is not None:
            words = f"`{expression_text(expr)}` is no map of `{setting.variable.name}`"
            return _unfit(setting, text, words, candidates)
        chain = without_scalars(affine.parts[0].chain)
        if not any(_ends(t, setting.variable.name, chain) for t in candidates):
            words = f"no term that is not quadratic has `{expression_text(expr)}` in it"
            return _unfit(setting, text, words, candidates)
        found.append((text, word, chain))
    return found


def _unfit(setting: Setting, text: str, reason: str, candidates: Sequence[Term]) -> Refusal:
    """A splitting that the problem does not have, and those that it has."""
    x = name(setting.variable.name)
    maps = [expression_text(apply(_own_chain(t, x.text), x)) for t in candidates]
    words = " or ".join(f"`z = {m}`" for m in dict.fromkeys([*maps, x.text]))
    mend = f"what can be split off: {words}" if candidates else "all its terms are quadratic"
    return Refusal(reason, setting.variable.span, (), f"--split {text}", mend)


def _own_chain(term: Term, variable: str) -> Chain:
    return without_scalars(term.single(variable) or ())


def _chain_text(chain: Chain) -> str:
    return expression_text(apply(chain, name("x")))


def _same(term: Term, variable: str, chain: Chain) -> bool:
    own = term.single(variable)
    return own is not None and _chain_text(without_scalars(own)) == _chain_text(chain)


def _ends(term: Term, variable: str, chain: Chain) -> bool:
    """Whether the map of a term ends in that of the splitting."""
    own = term.single(variable)
    if own is None:
        return False
    tail = own[len(own) - len(chain) :] if chain else ()
    return _chain_text(without_scalars(tail)) == _chain_text(chain)


def _split(
    setting: Setting, word: str | None, chain: Chain, terms: Sequence[Term], many: bool = False
) -> Split:
    x = setting.variable
    if word is None and many:
        word = setting.letter("split", *(f"z_{i}" for i in range(1, 20)))
    elif word is None:
        word = setting.letter("split", "z")
    else:
        setting.taken.add(word)
    type_ = setting.facts.type(apply(chain, name(x.name)))
    assert isinstance(type_, Array)
    new = Variable(word, type_, x.span)
    return Split(new, chain, tuple(moved(t, x.name, new, chain) for t in terms))


def system(
    setting: Setting,
    rest: Sequence[Term],
    splits: Sequence[Split],
    rho: Weight,
    right: Sequence[n.Expr],
) -> n.Expr | No:
    """The minimiser over x of quadratic terms and rho / 2 * sumsq(D_l @ x - r_l)."""
    x = setting.variable
    if not rest:
        rho = ONE  # it divides both sides
    matrix: n.Expr | None = None
    vector: n.Expr = number(0)
    for term in rest:
        if term.linear:
            vector = binary("-", vector, term.gradient(x, {}))
            continue
        if (no := real_unknown(setting.facts, term)) is not None:
            return no
        chain = term.single(x.name)
        short = setting.facts.short(chain) if chain is not None else None
        product = setting.facts.gram(chain) if chain is not None else None
        if short is None or product is None:
            return No(term, "its map acts from the right, or twice on the variable")
        weight = term.weight * Weight.of(2)
        part = scaled_map(weight, product)
        matrix = part if matrix is None else binary("+", matrix, part)
        if (b := term.shift()) is not None:
            vector = binary("-", vector, weight.times(apply(transpose(short), b)))
    for split, r in zip(splits, right):
        if split.variable.type.field is Field.COMPLEX and x.type.field is not Field.COMPLEX:
            return No(split.terms[0], "the unknown is real and its map complex")
        product, short = setting.facts.gram(split.chain), setting.facts.short(split.chain)
        if product is None or short is None:
            return No(split.terms[0], "its map acts from the right")
        part = scaled_map(rho, product)
        matrix = part if matrix is None else binary("+", matrix, part)
        vector = binary("+", vector, rho.times(apply(transpose(short), r)))
    assert matrix is not None
    return tidy(fill("solve(M, r)", M=matrix, r=tidy(vector)))


def multipliers_of(setting: Setting, splits: Sequence[Split], *wanted: str) -> list[str]:
    """u, or u_1, u_2, ... beside z_1, z_2, ..."""
    words = wanted or ("u", "b")
    if len(splits) == 1:
        return [setting.letter("multiplier", *words)]
    return [setting.letter(f"multiplier_{i}", f"{words[0]}_{i}") for i in range(1, len(splits) + 1)]


def back_through(setting: Setting, split: Split, value: n.Expr) -> n.Expr:
    """The adjoint of a splitting's map at a value: of a real unknown its real part."""
    found = apply(transpose(split.chain), value)
    if (
        split.variable.type.field is Field.COMPLEX
        and setting.variable.type.field is not Field.COMPLEX
    ):
        return fill("real(v)", v=found)
    return found


def primal(
    setting: Setting,
    rest: Sequence[Term],
    splits: Sequence[Split],
    rho: Weight,
    right: Sequence[n.Expr],
) -> n.Expr | No:
    """The update of x: a system, or, where a single `z = x` is split off, a proximal map."""
    if all(t.quadratic or t.linear for t in rest):
        only = len(splits) == 1 and splits[0].plain
        if not rest and only:
            return right[0]
        return system(setting, rest, splits, rho, right)
    if len(splits) == 1 and splits[0].plain:
        return setting.prox(rest, setting.variable, right[0], ONE / rho)
    return No(next(t for t in rest if not t.quadratic), "it is neither quadratic nor split off")


def norm_of(setting: Setting, chains: Sequence[Chain]) -> Weight | None:
    """The squared norm of maps that stand above each other: at most the sum of theirs."""
    found: n.Expr = number(0)
    for chain in chains:
        norm = squared_norm(chain, setting.facts.squared_norm)
        if norm is None:
            return None
        found = binary("+", found, norm.expr())
    return Weight.of(tidy(found))


def constant_of_maps(
    setting: Setting, chains: Sequence[Chain]
) -> tuple[tuple[Constant, ...], Weight]:
    """The squared norm of the maps under a name, declared where it is not known."""
    norm = norm_of(setting, chains)
    if norm is not None and (len(norm.powers) <= 1):
        return (), norm
    letter = setting.letter("norm", "S", "N_D")
    if norm is not None:
        return (Constant(letter, norm.expr(), "squared norm of the maps, at most"),), Weight.of(
            letter
        )
    value = setting.options.values.get(letter)
    words = "at least the squared norm of the maps, which is not known"
    constant = Constant(letter, template(value) if value else number(1), words, "scalar", " > 0")
    return (constant,), Weight.of(letter)


def instead(setting: Setting, term: Term) -> tuple[str, ...]:
    return ("ista", "fista") if term.smooth else ("pdhg",)


def words(setting: Setting, splits: Sequence[Split]) -> str:
    x = name(setting.variable.name)
    return ", ".join(f"{s.variable.name} = {expression_text(apply(s.chain, x))}" for s in splits)
