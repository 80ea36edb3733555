"""The normal form as a table of words: what `unroll show PROBLEM` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.maps import apply
from unroll_dsl.objectives.model import NormalForm, Term
from unroll_dsl.objectives.proximal import No, conjugate, prox
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.shown import preformatted
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.tidy import name, total

_NONE = "-"


@dataclass(frozen=True, slots=True)
class TermRow:
    """A term: what it is, and what is known of it, formulas in the letters of docs/atoms.md."""

    term: str
    atom: str
    map: str
    convex: bool
    gradient: str
    lipschitz: str
    prox: str
    conjugate: str
    source: str


@dataclass(frozen=True, slots=True)
class ShownObjective:
    """An objective as it is shown: text in `print`, the same in a notebook."""

    form: NormalForm

    def __str__(self) -> str:
        return to_text(self.form)

    def _repr_html_(self) -> str:
        return preformatted(str(self))


def rows(form: NormalForm) -> tuple[TermRow, ...]:
    """A row for each term and variable of it."""
    facts = Facts(form)
    return tuple(_row(form, facts, term, v) for term in form.terms for v in term.variables)


def _row(form: NormalForm, facts: Facts, term: Term, variable: str) -> TermRow:
    found = form.variable(variable)
    gradient = lipschitz = _NONE
    if term.atom.gradient is not None:
        gradient = expression_text(term.gradient(found, {}))
    if term.smooth:
        constant = facts.lipschitz(term, variable)
        lipschitz = "norm not known" if constant is None else expression_text(constant.expr())
    step = Weight.of("t")
    image = prox(facts, (term,), found, name("v"), step)
    dual = conjugate(facts, term, name("p"), Weight.of("s"))
    linear = total(apply(chain, name(variable)) for chain in term.argument.chains(variable))
    weight = "" if term.weight.is_one else f"{expression_text(term.weight.expr())} * "
    return TermRow(
        weight + term.text,
        term.atom.title,
        expression_text(linear),
        term.convex,
        gradient,
        lipschitz,
        f"no: {image.reason}" if isinstance(image, No) else expression_text(image),
        f"no: {dual.reason}" if isinstance(dual, No) else expression_text(dual),
        term.atom.source,
    )


def to_text(form: NormalForm) -> str:
    """The table, a block of lines a term."""
    lines = []
    for variable in form.variables:
        lines.append(f"minimise over {variable.name} : {variable.type}")
    for row in rows(form):
        lines += [
            "",
            row.term,
            f"    {row.atom} of {row.map}, {'convex' if row.convex else 'not convex'}",
            f"    gradient           {row.gradient}",
            f"    its Lipschitz      {row.lipschitz}",
            f"    prox at v, step t  {row.prox}",
            f"    conjugate's, at p, step s  {row.conjugate}",
            f"    source             {row.source}",
        ]
    return "\n".join(lines) + "\n"


def to_json(form: NormalForm) -> list[dict[str, object]]:
    return [asdict(row) for row in rows(form)]
