"""What is known of the maps of an objective: norms, whether they are unitary."""

from __future__ import annotations

from collections.abc import Callable

from unroll_dsl.objectives.affine import AffineReader
from unroll_dsl.objectives.maps import Chain, Left, Link, Turned, as_map, gram, squared_norm
from unroll_dsl.objectives.model import NormalForm, Term
from unroll_dsl.objectives.weights import ONE, Weight, folded
from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import lookup
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import tidy, total
from unroll_dsl.types import Array, Form, LinearMap, Type


class Facts:
    """Answers about the maps of one program. Lets are looked through."""

    def __init__(self, form: NormalForm) -> None:
        self.typed = form.typed
        self.variables = {v.name: v for v in form.variables}
        self.reader = AffineReader(form.typed, form.variables)
        self.letter: Callable[[], str] | None = (
            None  # names a composed map, where a page is written
        )
        self.composed: dict[str, tuple[str, n.Expr]] = {}  # by its text: the name, the map

    def type(self, expr: n.Expr) -> Type:
        return self.reader.type(expr)

    # ---- norms ----------------------------------------------------------------------------------

    def squared_norm(self, expr: n.Expr, entrywise: bool = False) -> Weight | None:
        """A bound of the squared norm of a map, or of the product with an array; None: not known."""
        type_ = self.type(expr)
        if entrywise and isinstance(type_, Array):
            return self._entries(expr, type_)
        match expr:
            case n.Name("I"):
                return ONE
            case n.Adjoint(operand):
                return self.squared_norm(operand)
        if isinstance(type_, Array) and type_.rank == 2:
            return Weight.of(fill("norm(A)^2", A=expr))
        record = self.operator(expr)
        if record is not None:
            return self._of_operator(record, expr)
        match expr:
            case n.Name(text) if (value := self.let(text)) is not None:
                return self.squared_norm(value)
            case n.Binary("@", left, right):
                return _times(self.squared_norm(left), self.squared_norm(right))
            case n.Binary("*", left, right):
                first = self.squared_norm(left, isinstance(self.type(left), Array))
                return _times(first, self.squared_norm(right))
            case n.Unary("-", operand):
                return self.squared_norm(operand)
            case n.Call(n.Name("diag"), (n.Argument(None, value),)):
                return self.squared_norm(value, True)
        return None

    def _entries(self, expr: n.Expr, type_: Array) -> Weight:
        match expr:
            case n.Unary("-", operand):
                return self._entries(operand, type_)
        if type_.rank == 0:
            return Weight.of(expr) ** 2
        if type_.form is Form.MASK and isinstance(expr, n.Name):
            return ONE  # of ones and zeros
        return Weight.of(fill("norm_inf(c)^2", c=expr))

    def _of_operator(self, record: LinearOperator, expr: n.Expr) -> Weight | None:
        if "unitary" in record.structure:
            return ONE
        if not record.squared_norm:
            return None
        values = self._operands(record, expr)
        return Weight.of(fill(record.squared_norm, **values)) if values is not None else None

    def _operands(self, record: LinearOperator, expr: n.Expr) -> dict[str, n.Expr] | None:
        if not isinstance(expr, n.Call):
            return {}
        names = [p.name for p in record.parameters]
        found = dict(zip(names, (a.value for a in expr.arguments if a.keyword is None)))
        found |= {a.keyword.text: a.value for a in expr.arguments if a.keyword is not None}
        return found

    # ---- structure ------------------------------------------------------------------------------

    def tight(self, chain: Chain) -> bool:
        """Whether L @ L' is the identity, so that a proximal map goes through L."""
        return all(
            isinstance(link, Turned) or (isinstance(link, Left) and self._coisometry(link.map))
            for link in chain
        )

    def _coisometry(self, expr: n.Expr) -> bool:
        match expr:
            case n.Name("I"):
                return True
            case n.Adjoint(operand):
                return self.unitary(operand)
            case n.Binary("@", left, right):
                return self._coisometry(left) and self._coisometry(right)
        record = self.operator(expr)
        if record is not None:
            return bool(record.structure & {"unitary", "selection"})
        value = self.let(expr.text) if isinstance(expr, n.Name) else None
        return value is not None and self._coisometry(value)

    def unitary(self, expr: n.Expr) -> bool:
        match expr:
            case n.Name("I"):
                return True
            case n.Adjoint(operand):
                return self.unitary(operand)
            case n.Binary("@", left, right):
                return self.unitary(left) and self.unitary(right)
        record = self.operator(expr)
        if record is not None:
            return "unitary" in record.structure
        value = self.let(expr.text) if isinstance(expr, n.Name) else None
        return value is not None and self.unitary(value)

    def gram(self, chain: Chain) -> n.Expr | None:
        """`A' @ A` of the map of a chain; None where something acts from the right."""
        if chain and all(isinstance(k, Left) and self.unitary(k.map) for k in chain):
            return fill("I")
        short = self.short(chain)
        return None if short is None else gram(short)

    def short(self, chain: Chain) -> Chain | None:
        """The chain with maps that follow each other as one of a name: a map before a matrix would be
        applied to it. None where something acts from the right."""
        whole = as_map(chain)
        if whole is None:
            return None
        if len(chain) < 2 or self.letter is None or not any(map(self._is_array, chain)):
            return chain
        text = expression_text(whole)
        if text not in self.composed:
            self.composed[text] = self.letter(), whole
        return (Left(fill("B", B=n.Name(self.composed[text][0], whole.span))),)

    def _is_array(self, link: Link) -> bool:
        return isinstance(link, Left) and isinstance(self.type(link.map), Array)

    def operator(self, expr: n.Expr) -> LinearOperator | None:
        """The record of a map that is an operator of the library."""
        match expr:
            case n.Name(text) | n.Call(n.Name(text)) if text not in self.typed.symbols:
                record = lookup(text)
                return record if isinstance(record, LinearOperator) else None
        return None

    def let(self, text: str) -> n.Expr | None:
        symbol = self.typed.symbols.get(text)
        if symbol is not None and isinstance(symbol.definer, n.Let):
            return symbol.definer.value
        return None

    def is_map(self, expr: n.Expr) -> bool:
        return isinstance(self.type(expr), LinearMap)

    # ---- of terms -------------------------------------------------------------------------------

    def lipschitz(self, term: Term, *variables: str, assumed: bool = False) -> Weight | None:
        """A Lipschitz constant of the gradient of a smooth term in these variables together; None: a norm
        is not known. With `assumed`, norms that are not known are at most 1."""
        assert term.atom.lipschitz is not None
        outer = term.weight * Weight.of(term.formula(term.atom.lipschitz))
        chains = [c for v in variables for c in term.argument.chains(v)]
        if outer.is_zero or not chains:
            return Weight.of(0)
        norms = [squared_norm(c, self._assumed if assumed else self.squared_norm) for c in chains]
        known = [norm.expr() for norm in norms if norm is not None]
        if len(known) < len(norms):
            return None
        return outer * Weight.of(
            folded(tidy(total(known)))
        )  # maps beside each other: the sum bounds

    def _assumed(self, expr: n.Expr, entrywise: bool) -> Weight:
        """The squared norm of a map, at most 1 where it is not known."""
        return self.squared_norm(expr, entrywise) or ONE

    def unknown_norms(self, term: Term, variable: str) -> tuple[n.Expr, ...]:
        """The maps whose norms are not known."""
        return tuple(m for m in term.maps(variable) if self.squared_norm(m) is None)


def _times(a: Weight | None, b: Weight | None) -> Weight | None:
    return None if a is None or b is None else a * b
