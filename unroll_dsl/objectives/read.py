"""TypedProgram -> NormalForm: what `minimize` says, as atoms of affine maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from unroll_dsl.atoms.model import Atom
from unroll_dsl.atoms.registry import atoms
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.objectives.affine import AffineReader, NotAffine
from unroll_dsl.objectives.errors import NoAtom, NoObjective, NotAffineHere
from unroll_dsl.objectives.formulas import Unfit
from unroll_dsl.objectives.model import Affine, NormalForm, Term, Variable
from unroll_dsl.objectives.penalties import Penalty, penalty
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import match, substitute
from unroll_dsl.syntax.tidy import tidy
from unroll_dsl.types import Array


def read(typed: TypedProgram) -> NormalForm:
    """The normal form of a program's objective.

    Raises
    ------
    UnrollError
        U0601: the program has none; U0602: a term is no atom that is known; U0603: what an atom is applied
        to is not affine in the variables. All terms are looked at.
    """
    minimize = next((s for s in typed.program.statements if isinstance(s, n.Minimize)), None)
    if minimize is None:
        raise UnrollError([NoObjective(typed.program.name.text, typed.program.name.span)])
    variables = tuple(_variables(typed, minimize))
    reader = _Reader(typed, variables)
    terms = tuple(reader.terms(minimize.body, ONE))
    if reader.problems:
        raise UnrollError(reader.problems)
    return NormalForm(typed, variables, terms, tuple(reader.penalties.values()))


def _variables(typed: TypedProgram, minimize: n.Minimize) -> Iterator[Variable]:
    for parameter in minimize.variables:
        name = parameter.name.text
        if parameter.type is not None:
            yield Variable(name, typed.spaces[parameter.type], parameter.span)
        else:
            type_ = typed.symbols[name].type
            assert isinstance(type_, Array)
            yield Variable(name, type_, parameter.span)


class _Reader:
    def __init__(self, typed: TypedProgram, variables: tuple[Variable, ...]) -> None:
        self.affine = AffineReader(typed, variables)
        self.names = frozenset(v.name for v in variables)
        self.definitions: Mapping[str, n.Definition] = {
            s.name.text: s for s in typed.program.statements if isinstance(s, n.Definition)
        }
        self.problems: list[Diagnostic] = []
        self.penalties: dict[str, Penalty] = {}  # of the page's own functions
        self.bent: Diagnostic | None = None  # what was not affine in the last term looked at

    def terms(self, expr: n.Expr, weight: Weight) -> Iterator[Term]:
        """The terms of a summand; one without variables changes no minimiser and is left out."""
        if not self._varies(expr):
            return
        match expr:
            case n.Binary("+", left, right):
                yield from self.terms(left, weight)
                yield from self.terms(right, weight)
                return
            case n.Binary("-", left, right):
                yield from self.terms(left, weight)
                yield from self.terms(right, weight * Weight(Fraction(-1)))
                return
            case n.Unary("-", operand):
                yield from self.terms(operand, weight * Weight(Fraction(-1)))
                return
        found = self._atom(expr)
        if found is not None:
            atom, parameters, argument = found
            yield Term(weight, atom, parameters, argument, expr.span, expression_text(expr))
            return
        match expr:
            case n.Binary("*", left, right) if not self._varies(left) and self._scalar(left):
                yield from self.terms(right, weight * Weight.of(left))
            case n.Binary("*", left, right) if not self._varies(right) and self._scalar(right):
                yield from self.terms(left, weight * Weight.of(right))
            case n.Binary("/", left, right) if not self._varies(right) and self._scalar(right):
                yield from self.terms(left, weight / Weight.of(right))
            case n.Call(n.Name(name), arguments) if name in self.definitions:
                yield from self.terms(self._inlined(self.definitions[name], arguments), weight)
            case n.Call(
                n.Name("sum"), (n.Argument(None, n.Call(n.Name(name), given) as inner),)
            ) if name in self.definitions:
                opened = self._inlined(self.definitions[name], given)
                if self._known(_with(expr, opened)):
                    yield from self.terms(_with(expr, opened), weight)
                else:
                    yield from self._own(expr, inner, weight)
            case n.Call(
                n.Name("sum"), (n.Argument(None, n.Binary("+" | "-" as sign, left, right)),)
            ):
                turned = weight if sign == "+" else weight * Weight(Fraction(-1))
                yield from self.terms(_with(expr, left), weight)
                yield from self.terms(_with(expr, right), turned)
            case n.Call(n.Name("sum"), (n.Argument(None, n.Unary("-", operand)),)):
                yield from self.terms(_with(expr, operand), weight * Weight(Fraction(-1)))
            case n.Call(n.Name("sum"), (n.Argument(None, n.Binary("*", factor, rest)),)) if (
                not self._varies(factor) and self._scalar(factor)
            ):
                yield from self.terms(_with(expr, rest), weight * Weight.of(factor))
            case _:
                self.problems.append(self.bent or NoAtom(expr.span, expression_text(expr)))

    def _atom(self, expr: n.Expr) -> tuple[Atom, dict[str, n.Expr], Affine] | None:
        """The atom that a term is, its parameters and its argument."""
        problem: Diagnostic | None = None
        for atom in atoms():
            holes = ("v", *(p.name for p in atom.parameters))
            for spelling in atom.spellings:
                found = match(spelling, expr, holes)
                if found is None or not self._varies(found["v"]):
                    continue
                if any(self._varies(e) for name, e in found.items() if name != "v"):
                    continue
                if any(
                    p.static and not isinstance(found[p.name], n.Number) for p in atom.parameters
                ):
                    continue
                argument = self.affine.read(self._opened(found["v"]))
                if isinstance(argument, NotAffine):
                    if atom.name in ("linear", "sum"):  # which take whatever is a sum
                        continue
                    problem = NotAffineHere(argument.span, argument.text, atom.title)
                    continue
                return atom, {name: e for name, e in found.items() if name != "v"}, argument
        self.bent = problem
        return None

    def _known(self, expr: n.Expr) -> bool:
        """Whether a term is a sum of atoms, without reporting what is not."""
        problems, bent = list(self.problems), self.bent
        tuple(self.terms(expr, ONE))
        known = len(self.problems) == len(problems)
        self.problems, self.bent = problems, bent
        return known

    def _own(self, expr: n.Expr, call: n.Call, weight: Weight) -> Iterator[Term]:
        """A term `sum(phi(D @ x, parameters))`, phi a function of the page that no atom is."""
        assert isinstance(call.function, n.Name)
        name = call.function.text
        first, *rest = (a.value for a in call.arguments)
        argument = self.affine.read(self._opened(first))
        if isinstance(argument, NotAffine):
            self.problems.append(NotAffineHere(argument.span, argument.text, f"function `{name}`"))
            return
        if any(self._varies(e) for e in rest):
            self.problems.append(NoAtom(expr.span, expression_text(expr)))
            return
        try:
            if name not in self.penalties:
                self.penalties[name] = penalty(self.definitions[name])
        except Unfit as unfit:
            self.problems.append(NoAtom(expr.span, expression_text(expr), str(unfit)))
            return
        found = self.penalties[name]
        parameters = dict(zip((p.name for p in found.atom.parameters), rest))
        yield Term(weight, found.atom, parameters, argument, expr.span, expression_text(expr))

    def _opened(self, expr: n.Expr) -> n.Expr:
        """An argument with the calls of the page's own functions written out."""
        match expr:
            case n.Call(n.Name(name), arguments) if name in self.definitions and self._varies(expr):
                return self._opened(self._inlined(self.definitions[name], arguments))
            case _:
                return expr

    def _inlined(self, definition: n.Definition, arguments: tuple[n.Argument, ...]) -> n.Expr:
        names = [p.name.text for p in definition.parameters]
        values = dict(zip(names, (a.value for a in arguments)))
        values |= {a.keyword.text: a.value for a in arguments if a.keyword is not None}
        for line in definition.locals:
            values[line.name.text] = substitute(line.value, values)
        return tidy(substitute(definition.value, values))

    def _varies(self, expr: n.Expr) -> bool:
        return any(name.text in self.names for name in names_in(expr))

    def _scalar(self, expr: n.Expr) -> bool:
        type_ = self.affine.type(expr)
        return isinstance(type_, Array) and type_.rank == 0


def _with(call: n.Call, value: n.Expr) -> n.Call:
    first = call.arguments[0]
    return n.Call(call.function, (n.Argument(None, value, first.span),), call.span)
