"""What methods ask about a problem, and the letters that they write with."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.derive.model import Constant, Options, Refusal
from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.model import NormalForm, Term, Variable
from unroll_dsl.objectives.problem import declared_names, expressions, problem_of
from unroll_dsl.objectives.proximal import No, prox
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.semantics.scopes import RESERVED, names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import template
from unroll_dsl.syntax.tidy import name, tidy, total
from unroll_dsl.types import Array


class Setting:
    """One problem under one method. It hands out names that nothing has."""

    def __init__(self, form: NormalForm, options: Options) -> None:
        self.form = form
        self.options = options
        self.facts = Facts(form)
        self.roles: list[str] = []  # what names were asked for
        problem = problem_of(form.typed.program)
        self.taken = {*RESERVED, *(v.name for v in form.variables)}
        for statement in problem.statements:
            self.taken |= set(declared_names(statement))
            self.taken |= {w.text for e in expressions(statement) for w in names_in(e)}

        self.facts.letter = lambda: self.letter("map", "B", "C", "T")

    def lets(self) -> tuple[Constant, ...]:
        """Maps that were composed on the way; a page needs those that it reads."""
        made = self.facts.composed.values()
        return tuple(Constant(word, map_, "") for word, map_ in made)

    # ---- names ----------------------------------------------------------------------------------

    def letter(self, role: str, *wanted: str) -> str:
        """A free name: the user's for this role, else the first free of `wanted`, else with a number."""
        self.roles.append(role)
        chosen = self.options.letters.get(role)
        if chosen is not None:
            self.taken.add(chosen)
            return chosen
        if role in _LIKE_VARIABLE and self.variable.name.isupper():
            wanted = tuple(word.upper() for word in wanted)
        for candidate in (*wanted, *(f"{wanted[0]}_{i}" for i in range(2, 99))):
            if candidate not in self.taken:
                self.taken.add(candidate)
                return candidate
        raise AssertionError("there is always a free name")

    # ---- terms ----------------------------------------------------------------------------------

    @property
    def variable(self) -> Variable:
        return self.form.variables[0]

    def smooth(self) -> tuple[Term, ...]:
        return tuple(t for t in self.form.terms if t.smooth)

    def rough(self) -> tuple[Term, ...]:
        """The terms that have no gradient."""
        return tuple(t for t in self.form.terms if not t.smooth)

    def one_variable(self, *instead: str) -> Refusal | None:
        if len(self.form.variables) == 1:
            return None
        second = self.form.variables[1]
        return Refusal("it has several variables", second.span, instead or ("block_proximal",))

    def gradient(self, terms: Sequence[Term], variable: Variable, at: n.Expr) -> n.Expr:
        point = {variable.name: at}
        return tidy(total(t.gradient(variable, point) for t in terms))

    def prox(
        self, terms: Sequence[Term], variable: Variable, v: n.Expr, step: Weight
    ) -> n.Expr | No:
        return prox(self.facts, terms, variable, v, step)

    def lipschitz(
        self, terms: Sequence[Term], *variables: Variable, assumed: bool = False
    ) -> n.Expr | None:
        """The sum of the Lipschitz constants of the gradients of terms; None: a norm is not known. With `assumed`,
        such norms are at most 1."""
        found = []
        for term in terms:
            constant = self.facts.lipschitz(term, *(v.name for v in variables), assumed=assumed)
            if constant is None:
                return None
            if not constant.is_zero:
                found.append(constant.expr())
        return tidy(total(found))

    def constant_for(
        self, terms: Sequence[Term], *variables: Variable
    ) -> tuple[Constant | None, Weight]:
        """The Lipschitz constant of the gradient of `terms`: what is to be declared, if anything, and how
        it is called."""
        bound = self.lipschitz(terms, *variables)
        if isinstance(bound, n.Number):
            return None, Weight.of(bound)
        letter = self.letter("lipschitz", "L", "Lf")
        maps = [m for t in terms for v in variables for m in self.facts.unknown_norms(t, v.name)]
        if bound is None:
            words = "at least the gradient's Lipschitz constant"
            value = self.options.values.get(letter)
            assumed = self.lipschitz(terms, *variables, assumed=True)
            if value is None and assumed is not None:
                norms = dict.fromkeys(f"norm({expression_text(m)}) <= 1" for m in maps)
                comment = f"{words}: so for {', '.join(norms) or 'maps of norm 1'}"
                given = assumed
            else:
                comment, given = words, template(value or "1")
            return Constant(letter, given, comment, "scalar", " > 0"), Weight.of(letter)
        return Constant(letter, bound, self._lipschitz_words(terms)), Weight.of(letter)

    def _lipschitz_words(self, terms: Sequence[Term]) -> str:
        maps = [m for t in terms for m in t.maps(self.variable.name)]
        match terms, maps:
            case (term,), [n.Name(text)] if term.quadratic and term.weight == _HALF:
                return f"largest eigenvalue of {text}'{text}"
        return "Lipschitz constant of the gradient"


_LIKE_VARIABLE = ("extrapolated", "split", "multiplier", "dual")
_HALF = Weight.of(template("1/2"))


def type_text(type_: Array) -> str:
    """A type as a page declares it."""
    return str(type_)


__all__ = ["No", "Setting", "name", "type_text"]
