"""The minimiser of a quadratic, as a linear system: what ADMM asks for in its unknown.

    argmin over x of q(x) + (sum of ||D_l x - r_l||^2) / (2 t),  q the squares w * ||A x + b||^2 and linear terms c

    (sum of 2 w A'A + sum of D_l' D_l / t) x = p / t - (sum of 2 w A'b) - c,  p the sum of D_l' r_l

Source: S. Boyd et al.: Distributed optimization and statistical learning via the alternating direction method of
multipliers, 2011, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.maps import apply, transpose
from unroll_dsl.objectives.model import Term, Variable
from unroll_dsl.objectives.proximal import real_unknown, scaled_map
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, tidy
from unroll_dsl.types import Field


def system(
    facts: Facts,
    squares: Sequence[Term],
    dual: Sequence[Term],
    variable: Variable,
    at: n.Expr,
    step: Weight,
) -> n.Expr:
    """The minimiser at p = `at` with t = `step`.

    Raises
    ------
    Refused
        Where it cannot be written as a system.
    """
    rho = ONE / step if squares else ONE  # else it divides both sides
    right = rho.times(at)
    parts: list[n.Expr] = []
    for term in squares:
        if term.linear:
            right = binary("-", right, term.gradient(variable, {}))
            continue
        if (no := real_unknown(facts, term)) is not None:
            raise Refused(no.reason, "", term.span)
        chain, weight = term.single(variable.name), term.weight * Weight.of(2)
        product = None if chain is None else facts.gram(chain)
        short = None if chain is None else facts.short(chain)
        if short is None or product is None:
            raise Refused(f"the map of `{term.text}` is no factor of a system", "", term.span)
        parts.append(scaled_map(weight, product))
        if (b := term.shift()) is not None:
            right = binary("-", right, weight.times(apply(transpose(short), b)))
    for term in dual:
        complex_ = term.argument.type.field is Field.COMPLEX
        chain = term.single(variable.name)
        product = None if chain is None else facts.gram(chain)
        if product is None or (complex_ and variable.type.field is not Field.COMPLEX):
            raise Refused(f"the map of `{term.text}` is no factor of a system", "", term.span)
        parts.append(scaled_map(rho, product))
    matrix = parts[0]
    for part in parts[1:]:
        matrix = binary("+", matrix, part)
    return tidy(fill("solve(M, r)", M=matrix, r=tidy(right)))


__all__ = ["system"]
