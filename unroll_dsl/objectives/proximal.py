"""Proximal maps of terms: those of the atoms, and the calculus.

    weight        prox of t * (w * phi)                 the atom's at t * w
    translation   phi(x - b)                            b + prox(v - b)
    scaling       phi(c * x + b)                        (prox at c^2 * t of (c * v + b) - b) / c
    composition   phi(L @ x + b), L @ L' = I            v + L' @ (prox(u) - u), u = L @ v + b;
                                                        L' @ (prox(u) - b) where L is unitary
    quadratic     w * sumsq(A @ x + b)                  solve(I + 2 * t * w * A' @ A, v - 2 * t * w * A' @ b)
    added square  g + a / 2 * sumsq(x - c)              prox of g at (v + t * a * c) / (1 + t * a), t / (1 + t * a)
    tilt          g + dot(c, x)                         prox of g at v - t * c
    interval      g + indicator of a box, both sums over entries, g convex: the box's after g's
    Moreau        prox of s * f^* at p                  p - s * prox of f / s at p / s

Sources: H. H. Bauschke, P. L. Combettes: Convex analysis and monotone operator theory in Hilbert spaces, 2011,
chapters 14 and 24; A. Beck: First-order methods in optimization, 2017, chapter 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.atoms.model import Domain, Shape
from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.maps import (
    Chain,
    Left,
    Scalar,
    Scale,
    apply,
    scalar_of,
    transpose,
    without_scalars,
)
from unroll_dsl.objectives.model import Term, Variable
from unroll_dsl.objectives.weights import ONE, Weight, folded
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, substitute
from unroll_dsl.syntax.tidy import binary, negative, tidy, times
from unroll_dsl.types import Field


@dataclass(frozen=True, slots=True)
class No:
    """Why there is no proximal map, and the term that is in the way."""

    term: Term
    reason: str


def prox(
    facts: Facts, terms: Sequence[Term], variable: Variable, v: n.Expr, step: Weight
) -> n.Expr | No:
    """The proximal map of `step` times the sum of `terms`, all in one variable, at `v`."""
    linear = [t for t in terms if t.linear]
    squares = [t for t in terms if t.quadratic]
    others = [t for t in terms if not t.linear and not t.quadratic]
    if linear:
        for term in linear:
            tilt = (step * ONE).times(term.gradient(variable, {}))
            v = tidy(binary("-", v, tilt))
    if not others:
        return _of_squares(facts, squares, v, step) if squares else v
    if squares and (found := _elastic(squares, others, v, step)) is not None:
        return found
    if squares:
        moved = _added(squares, v, step)
        if isinstance(moved, No):
            return moved
        v, step = moved
    if len(others) == 1:
        return _of_term(facts, others[0], v, step)
    return _of_interval(facts, others, v, step)


def conjugate(facts: Facts, term: Term, p: n.Expr, step: Weight, shift: bool = True) -> n.Expr | No:
    """The proximal map of `step` times the conjugate of z -> weight * phi(z + b) at `p`."""
    atom, scaled = term.atom, term.weight
    if atom.prox is None:
        return No(term, f"the proximal map of the {atom.title} has no closed form")
    point = p
    b = term.shift() if shift else None
    if b is not None:  # (phi(. + b))^* (p) = phi^*(p) - <b, p>
        point = tidy(binary("+", p, step.times(b)))
    if atom.conjugate is not None:
        values = {"p": point, "s": step.expr(), "w": scaled.expr()}
        return folded(tidy(term.formula(atom.conjugate, **values)))
    inner = binary("/", point, step.expr()) if not step.is_one else point
    weight = (ONE if atom.indicator else scaled) / step
    image = folded(term.formula(atom.prox, v=inner, t=weight.expr()))
    return tidy(binary("-", point, step.times(image)))


def _elastic(
    squares: Sequence[Term], others: Sequence[Term], v: n.Expr, step: Weight
) -> n.Expr | None:
    """The l1 norm and a square of the variable itself have a function of the prelude."""
    match squares, others:
        case [square], [norm] if norm.atom.name == "norm1":
            if _plain(square) != ONE or _plain(norm) != ONE:
                return None
            if square.shift() is not None or norm.shift() is not None:
                return None
            t, s = step * norm.weight, step * square.weight * Weight.of(2)
            return fill("elastic_net(v, t, s)", v=v, t=t.expr(), s=s.expr())
    return None


def _of_term(facts: Facts, term: Term, v: n.Expr, step: Weight) -> n.Expr | No:
    """The proximal map of one term that is no square."""
    atom = term.atom
    if atom.prox is None:
        return No(term, f"the proximal map of the {atom.title} has no closed form")
    if not atom.indicator and term.weight.number < 0:
        return No(term, "its weight is negative")
    chain = term.single(term.variables[0])
    if chain is None or term.argument.blocks or len(term.variables) != 1:
        return No(term, "it couples several variables, or one with itself")
    if atom.domain is Domain.REAL and term.argument.type.field is Field.COMPLEX:
        return No(term, f"the {atom.title} is one of real values")
    if atom.shape is Shape.VECTOR and term.argument.type.rank != 1:
        return No(term, f"the {atom.title} is one of vectors")
    weight = ONE if atom.indicator else step * term.weight
    c, rest = scalar_of(chain), without_scalars(chain)
    shift = term.shift()
    if not rest:
        return _scaled(term, v, weight, c, shift)
    entrywise = _entrywise(term, rest, v, weight * c, shift)
    if entrywise is not None:
        return entrywise
    if not facts.tight(rest):
        maps = ", ".join(f"`{_shown(link)}`" for link in rest)
        return No(term, f"its proximal map does not go through {maps}")
    return _through(facts, term, rest, v, weight, c, shift)


def _scaled(term: Term, v: n.Expr, t: Weight, c: Weight, shift: n.Expr | None) -> n.Expr:
    """prox of t * phi(c * x + b) at v."""
    inner = c.times(v)
    if shift is not None:
        inner = tidy(binary("+", inner, shift))
    image = _image(term, inner, t * c**2)
    if shift is not None:
        image = binary("-", image, shift)
    return tidy((ONE / c).times(image))


def _image(term: Term, v: n.Expr, t: Weight) -> n.Expr:
    assert term.atom.prox is not None
    return folded(tidy(term.formula(term.atom.prox, v=v, t=t.expr())))


def _entrywise(
    term: Term, rest: Chain, v: n.Expr, t: Weight, shift: n.Expr | None
) -> n.Expr | None:
    """prox of t * phi(c * x), c an array: where the atom says how, and nothing is added."""
    match rest:
        case (Scale(by, False),) if term.atom.weighted is not None and shift is None:
            positive = fill("abs(c)", c=by)
            return tidy(term.formula(term.atom.weighted, v=v, t=t.expr(), c=positive))
    return None


def _through(
    facts: Facts, term: Term, rest: Chain, v: n.Expr, t: Weight, c: Weight, shift: n.Expr | None
) -> n.Expr:
    u = apply(rest, v)
    image = _scaled(term, u, t, c, shift)
    unitary = all(isinstance(link, Left) and facts.unitary(link.map) for link in rest)
    if unitary:
        return tidy(apply(transpose(rest), image))
    return tidy(binary("+", v, apply(transpose(rest), binary("-", image, u))))


def _of_squares(facts: Facts, squares: Sequence[Term], v: n.Expr, step: Weight) -> n.Expr | No:
    """prox of quadratic terms: a linear system, or a division where all maps are numbers."""
    if all(_plain(term) is not None for term in squares):
        point, factor = _completed(squares, v, step)
        return tidy(n.Binary("/", point, factor, point.span, point.span))
    system, right = fill("I"), v
    for term in squares:
        if (no := real_unknown(facts, term)) is not None:
            return no
        chain = term.single(term.variables[0])
        short = facts.short(chain) if chain is not None else None
        product = facts.gram(chain) if chain is not None else None
        if short is None or product is None:
            return No(term, "its map acts from the right, or on several variables")
        weight = step * term.weight * Weight.of(2)
        system = binary("+", system, scaled_map(weight, product))
        if (b := term.shift()) is not None:
            right = binary("-", right, weight.times(apply(transpose(short), b)))
    return tidy(fill("solve(M, r)", M=system, r=right))


def real_unknown(facts: Facts, term: Term) -> No | None:
    """A real unknown behind a complex map: its system is the real part of one, which `solve` has no route for."""
    variable = facts.variables[term.variables[0]]
    if variable.type.field is Field.COMPLEX or term.argument.type.field is not Field.COMPLEX:
        return None
    return No(term, "the unknown is real and its map complex: let it be complex, and relax `real`")


def _plain(term: Term) -> Weight | None:
    """The number c of a term w * sumsq(c * x + b)."""
    chain = term.single(term.variables[0])
    if chain is None or without_scalars(chain):
        return None
    return scalar_of(chain)


def _completed(squares: Sequence[Term], v: n.Expr, step: Weight) -> tuple[n.Expr, n.Expr]:
    """v and 1 with the terms w * sumsq(c * x + b) added: the point times what divides it."""
    factor: n.Expr = fill("1")
    for term in squares:
        c = _plain(term)
        assert c is not None
        weight = step * term.weight * Weight.of(2)
        if (b := term.shift()) is not None:
            v = binary("-", v, (weight * c).times(b))
        factor = binary("+", factor, (weight * c**2).expr())
    return tidy(v), tidy(factor)


def _added(squares: Sequence[Term], v: n.Expr, step: Weight) -> tuple[n.Expr, Weight] | No:
    for term in squares:
        if _plain(term) is None:
            return No(term, "together with another term its proximal map is no formula")
    point, factor = _completed(squares, v, step)
    divisor = Weight.of(factor)
    return (ONE / divisor).times(point), step / divisor


def _of_interval(facts: Facts, others: Sequence[Term], v: n.Expr, step: Weight) -> n.Expr | No:
    sets = [t for t in others if t.atom.name in ("box", "nonneg") and _plain(t) is not None]
    rest = [t for t in others if t not in sets]
    separable = all(
        t.atom.separable and t.convex and (_plain(t) is not None or t.atom.weighted) for t in rest
    )
    if len(rest) > 1 or len(sets) != 1 or not separable:
        return No(others[-1], "two terms of one variable have no joint proximal map here")
    first = _of_term(facts, rest[0], v, step) if rest else v
    return first if isinstance(first, No) else _of_term(facts, sets[0], first, step)


def scaled_map(weight: Weight, map_: n.Expr) -> n.Expr:
    """A map with a number before it: `rho * I`, `A' @ A`, `A' @ A / 2`."""
    return map_ if weight.is_one else tidy(times(weight.expr(), map_))


def _shown(link: object) -> str:
    from unroll_dsl.syntax.printer import expression_text

    match link:
        case Left(map_):
            return expression_text(map_)
        case Scale(by):
            return f"{expression_text(by)} *"
        case Scalar(weight):
            return expression_text(weight.expr())
        case _:
            return type(link).__name__.lower()


__all__ = ["No", "conjugate", "negative", "prox", "scaled_map", "substitute"]
