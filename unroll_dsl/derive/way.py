"""Steps that several ways share: the objective and its terms, as formulas."""

from __future__ import annotations

from collections.abc import Iterable

from unroll_dsl.derive.model import Formula, Step
from unroll_dsl.objectives.model import NormalForm, Term
from unroll_dsl.objectives.problem import problem_of
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.tidy import binary, number, tidy, total


def term_formula(term: Term) -> n.Expr:
    """A term as it is written, with its weight."""
    written = term.formula(term.atom.spellings[0], v=term.argument.expr)
    return binary("*", term.weight.expr(), written)


def sum_of(terms: Iterable[Term]) -> n.Expr:
    """The sum of terms, 0 of none."""
    return tidy(total(map(term_formula, terms))) if terms else number(0)


def objective_step(form: NormalForm) -> Step:
    """The first step of every way: the objective, and what is known of its terms."""
    minimize = next(
        s for s in problem_of(form.typed.program).statements if isinstance(s, n.Minimize)
    )
    names = ", ".join(v.name for v in form.variables)
    words = []
    for term in form.terms:
        kinds = ["convex" if term.convex and not term.argument.blocks else "not convex"]
        kinds.append("smooth" if term.smooth else "without a Lipschitz gradient")
        if term.atom.prox is not None:
            kinds.append("its proximal map is known")
        words.append(f"`{term.text}`: {term.atom.title}, {', '.join(kinds)}")
    return Step(
        "The objective",
        "Its terms. " + "; ".join(words) + ".",
        (Formula("", minimize.body, "", over=names),),
        "; ".join(dict.fromkeys(t.atom.source for t in form.terms)),
    )
