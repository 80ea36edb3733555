"""The normal form: an objective as a sum of weighted atoms of affine maps of its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll_dsl.atoms.model import Atom
from unroll_dsl.objectives.maps import Chain, Left, RealPart, apply, transpose, without_scalars
from unroll_dsl.objectives.penalties import Penalty
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, substitute
from unroll_dsl.syntax.tidy import number, tidy
from unroll_dsl.types import Array, Field


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the objective."""

    name: str
    type: Array
    span: Span


@dataclass(frozen=True, slots=True)
class LinearPart:
    """The linear part of an affine map in one variable."""

    variable: str
    chain: Chain


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A sum of linear parts and a constant (None: 0).

    `expr` is the whole as it is written, which is how it is shown. `blocks` says that it is affine in each
    variable while the others stand still, and no more: `W @ H`.
    """

    expr: n.Expr
    type: Array
    parts: tuple[LinearPart, ...]
    offset: n.Expr | None
    blocks: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.variable for part in self.parts))

    def chains(self, variable: str) -> tuple[Chain, ...]:
        return tuple(part.chain for part in self.parts if part.variable == variable)

    def at(self, point: Mapping[str, n.Expr]) -> n.Expr:
        """The map at a point, as it is written."""
        return substitute(self.expr, point)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """`weight * atom(argument)`; `parameters` are the atom's own."""

    weight: Weight
    atom: Atom
    parameters: Mapping[str, n.Expr]
    argument: Affine
    span: Span
    text: str  # as the page writes it

    @property
    def variables(self) -> tuple[str, ...]:
        return self.argument.variables

    @property
    def convex(self) -> bool:
        """Whether the term is convex in each variable while the others stand still."""
        return (self.atom.convex and self.weight.number > 0) or self.atom.name in ("linear", "sum")

    @property
    def smooth(self) -> bool:
        return self.atom.smooth

    @property
    def quadratic(self) -> bool:
        return self.atom.name == "sumsq" and not self.argument.blocks

    @property
    def linear(self) -> bool:
        return self.atom.name in ("linear", "sum")

    def formula(self, text: str, **values: n.Expr) -> n.Expr:
        """A formula of the atom with its parameters and these values put in."""
        return fill(text, **{**self.parameters, **values})

    def gradient(self, variable: Variable, point: Mapping[str, n.Expr]) -> n.Expr:
        """The gradient with respect to a variable at a point; the atom has to have one."""
        assert self.atom.gradient is not None
        factor, outer = leading(self.formula(self.atom.gradient, v=self.argument.at(point)))
        found: n.Expr = number(0)
        for chain in self.argument.chains(variable.name):
            part = apply(transpose(chain), outer)
            if variable.type.field is not Field.COMPLEX and self._complex(chain):
                part = fill("real(g)", g=part)
            found = tidy(
                fill("a + b", a=found, b=(self.weight * factor).times(substitute(part, point)))
            )
        return found

    def _complex(self, chain: Chain) -> bool:
        """Whether what comes back through the chain is complex."""
        if any(isinstance(link, RealPart) for link in chain):
            return True
        return self.argument.type.field is Field.COMPLEX and bool(chain)

    def shift(self) -> n.Expr | None:
        """What is added to the linear part, None for 0."""
        return self.argument.offset

    def single(self, variable: str) -> Chain | None:
        """The chain of a variable if the argument has one alone in it."""
        chains = self.argument.chains(variable)
        return chains[0] if len(chains) == 1 else None

    def maps(self, variable: str) -> tuple[n.Expr, ...]:
        """The maps that stand before a variable."""
        return tuple(
            link.map
            for chain in self.argument.chains(variable)
            for link in without_scalars(chain)
            if isinstance(link, Left)
        )


@dataclass(frozen=True, slots=True, eq=False)
class NormalForm:
    """An objective, read off a checked program."""

    typed: TypedProgram
    variables: tuple[Variable, ...]
    terms: tuple[Term, ...]
    penalties: tuple[Penalty, ...] = ()  # of the page's own functions

    def variable(self, name: str) -> Variable:
        return next(v for v in self.variables if v.name == name)

    def of(self, variable: str) -> tuple[Term, ...]:
        """The terms that a variable stands in."""
        return tuple(term for term in self.terms if variable in term.variables)

    @property
    def convex(self) -> bool:
        return all(term.convex and not term.argument.blocks for term in self.terms)


def leading(expr: n.Expr) -> tuple[Weight, n.Expr]:
    """A formula as a number that stands in front of it, and the rest."""
    match expr:
        case n.Binary("*", n.Number() as factor, rest):
            return Weight.of(factor), rest
        case n.Binary("*", n.Binary("/", n.Number(), n.Number()) as factor, rest):
            return Weight.of(factor), rest
        case n.Unary("-", operand):
            weight, rest = leading(operand)
            return weight * Weight.of(-1), rest
    return Weight(), expr
