"""The type of an expression, from the types of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import names as record_names
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.errors import Operand
from unroll_dsl.semantics.model import Instance, Sort, Symbol
from unroll_dsl.semantics.scopes import RESERVED, Context, Place, Reporter, near
from unroll_dsl.syntax.nodes import (
    Adjoint,
    Binary,
    Call,
    Definition,
    Expr,
    Let,
    Name,
    Number,
    PhaseSum,
    Unary,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    IDENTITY,
    SCALAR,
    UNKNOWN,
    Array,
    Builtin,
    Composed,
    Declared,
    Diagonal,
    Field,
    Form,
    Layer,
    LinearMap,
    Structure,
    Summed,
    Type,
    Unknown,
    adjoint,
    broadcast,
    known_codomain,
    known_domain,
    map_backward,
    map_forward,
)
from unroll_dsl.types.rules import is_matrix_like

_ARITHMETIC = ("+", "-", "*", "/", "^")
_EQUALITY = ("==", "!=")
_ORDER = ("<", "<=", ">", ">=")


def as_structure(type_: Type) -> Structure | None:
    """The linear map that a value of this type is, or None. Matrices are maps."""
    match type_:
        case LinearMap(structure):
            return structure
        case Array(shape=(m, n), field=field):
            return Declared(Array((n,), field), Array((m,), field))
        case _:
            return None


class Inference:
    """Types expressions and reports what does not fit. Calls are typed in calls.py."""

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        definitions: Mapping[str, Definition],
        let_types: Mapping[str, Type],
        poisoned: frozenset[str],
        reporter: Reporter,
    ) -> None:
        self.symbols = symbols
        self.definitions = definitions
        self.let_types = let_types
        self.poisoned = poisoned
        self.reporter = reporter
        self.instances: dict[tuple[Definition, tuple[Type, ...]], Instance] = {}

    # ---- entry ----------------------------------------------------------------------------------

    def infer(self, expr: Expr, context: Context) -> Type:
        """The type of `expr`; `Unknown` where something in it was reported."""
        result = self._infer(expr, context)
        context.types[expr] = result
        return result

    def _infer(self, expr: Expr, context: Context) -> Type:
        match expr:
            case Number():
                return SCALAR
            case Name():
                return self._name(expr, context)
            case Unary(operator, operand):
                return self._unary(operator, operand, context)
            case Adjoint(operand):
                return self._adjoint(operand, context)
            case Binary("@"):
                return self._at(expr, context)
            case Binary():
                return self._binary(expr, context)
            case Call():
                from unroll_dsl.semantics.calls import infer_call

                return infer_call(self, expr, context)
            case PhaseSum(body, span):
                if context.place is not Place.LOSS:
                    self.reporter.report(
                        errors.TraceMisused(
                            span,
                            f"`sum over phases` cannot be used in {context.place.value}",
                            "it belongs into a `loss`",
                        )
                    )
                    return UNKNOWN
                inner = Context(
                    Place.PHASE_SUM,
                    context.types,
                    context.calls,
                    {**context.local, **context.traces},
                    context.local_spans,
                )
                return self.infer(body, inner)
            case _:
                assert_never(expr)

    # ---- names ----------------------------------------------------------------------------------

    def _name(self, name: Name, context: Context) -> Type:
        text = name.text
        if text in context.local:
            return context.local[text]
        if context.place is Place.DEFINITION:
            return self._name_in_definition(name)
        symbol = self.symbols.get(text)
        if symbol is not None:
            return self._symbol(name, symbol, context)
        return self._library_name(name, context)

    def _library_name(self, name: Name, context: Context) -> Type:
        text = name.text
        if text == "I":
            return IDENTITY
        if text == "k":
            if context.place in (
                Place.OUTPUT,
                Place.LOSS,
                Place.OBJECTIVE,
                Place.START,
                Place.MEASURE,
            ):
                self.reporter.report(
                    errors.PhaseValueOutside(
                        name.span,
                        "k",
                        "",
                        context.place.value,
                        None,
                        "there is no phase here; `k` counts the phases from 1 within them",
                    )
                )
                return UNKNOWN
            return SCALAR
        record = written(text)
        if isinstance(record, LinearOperator):
            if any(not p.optional and p.default is None for p in record.parameters):
                words = ", ".join(p.name for p in record.parameters)
                self.reporter.report(
                    errors.WrongArgumentCount(name.span, text, f"{text}({words})", 0)
                )
                return UNKNOWN
            return LinearMap(operator_structure(record, (), dict(record.defaults)))
        if record is not None or text in self.definitions or text in RESERVED:
            self.reporter.report(
                errors.MapAsValue(
                    Operand(name.span, f"function `{text}`"),
                    context.place.value,
                    f"call it: `{text}(...)`",
                )
            )
            return UNKNOWN
        if text not in self.poisoned:
            known = [*self.symbols, *context.local, *record_names(), *self.definitions, "I", "k"]
            self.reporter.report(errors.UnknownName(name.span, text, near(text, known)))
        return UNKNOWN

    def _name_in_definition(self, name: Name) -> Type:
        symbol = self.symbols.get(name.text)
        if symbol is not None and symbol.sort is not Sort.DEFINITION:
            self.reporter.report(
                errors.NotVisibleHere(
                    name.span,
                    name.text,
                    symbol.sort.value,
                    "a function",
                    symbol.span,
                    f"a function sees its parameters alone: add a parameter `{name.text}`",
                )
            )
            return UNKNOWN
        if name.text == "I":
            return IDENTITY
        if name.text == "k":
            self.reporter.report(
                errors.NotVisibleHere(
                    name.span,
                    "k",
                    "phase number",
                    "a function",
                    None,
                    "a function sees its parameters alone: pass `k` as an argument",
                )
            )
            return UNKNOWN
        return self._library_name(name, Context(Place.DEFINITION, {}, {}))

    def _symbol(self, name: Name, symbol: Symbol, context: Context) -> Type:
        place = context.place
        match symbol.sort:
            case Sort.DIMENSION:
                return SCALAR
            case Sort.LET:
                return self.let_types.get(name.text, UNKNOWN)
            case Sort.INPUT | Sort.FIXED | Sort.LEARNABLE:
                return symbol.type or UNKNOWN
            case Sort.STATE:
                if place in (Place.PHASE, Place.OUTPUT, Place.LOSS, Place.PHASE_SUM):
                    return symbol.type or UNKNOWN
                mend = (
                    f"write `minimize over {name.text}:`"
                    if place is Place.OBJECTIVE
                    else f"compute it in the phase: `{name.text}2 = ...`"
                )
                if place is Place.START:
                    mend = "start from inputs and constants; states start together"
            case Sort.LOCAL:
                if place is Place.PHASE:
                    self.reporter.report(
                        errors.UsedBeforeItsLine(name.span, name.text, symbol.span)
                    )
                    return UNKNOWN
                if place in (Place.OUTPUT, Place.LOSS, Place.OBJECTIVE):
                    mend = (
                        f"declare `trace {name.text} = ...` and sum it: "
                        f"`sum over phases ...{name.text}...`"
                        if place is Place.LOSS
                        else "output a state, or compute the value again from the states"
                    )
                    self.reporter.report(
                        errors.PhaseValueOutside(
                            name.span,
                            name.text,
                            "computed anew in every phase",
                            place.value,
                            symbol.span,
                            mend,
                        )
                    )
                    return UNKNOWN
                mend = "move this line into the phase, below the one that computes it"
            case Sort.TRACE:
                self.reporter.report(
                    errors.TraceMisused(
                        name.span,
                        f"trace `{name.text}` cannot be used in {place.value}",
                        f"read it in the loss: `sum over phases ... {name.text} ...`"
                        if place is not Place.PHASE
                        else f"a trace is for the loss alone: write `{name.text} = ...` without "
                        "`trace` and trace it under another name",
                    )
                )
                return UNKNOWN
            case Sort.DEFINITION:
                self.reporter.report(
                    errors.MapAsValue(
                        Operand(name.span, f"function `{name.text}`"),
                        place.value,
                        f"call it: `{name.text}(...)`",
                    )
                )
                return UNKNOWN
            case _:
                mend = "it belongs to another part of the file"
        self.reporter.report(
            errors.NotVisibleHere(
                name.span, name.text, symbol.sort.value, place.value, symbol.span, mend
            )
        )
        return UNKNOWN

    def operand(self, expr: Expr, type_: Type, context: Context) -> Operand:
        """`expr` for a message, with the line from which a name has its type."""
        if isinstance(expr, Name):
            if expr.text in context.local_spans:
                cause = context.local_spans[expr.text]
                return Operand(expr.span, str(type_), cause, f"`{expr.text}` is {type_}")
            symbol = self.symbols.get(expr.text)
            if symbol is not None:
                return Operand(expr.span, str(type_), symbol.span, f"`{expr.text}` is {type_}")
        return Operand(expr.span, str(type_))

    # ---- operators ------------------------------------------------------------------------------

    def array(self, expr: Expr, context: Context, place: str) -> Array | None:
        """The type of an expression that has to be an array; None if it is not, reported."""
        type_ = self.infer(expr, context)
        match type_:
            case Array():
                return type_
            case Unknown():
                return None
            case LinearMap() | Layer():
                self.reporter.report(errors.MapAsValue(self.operand(expr, type_, context), place))
                return None
            case _:
                assert_never(type_)

    def _unary(self, operator: str, operand: Expr, context: Context) -> Type:
        type_ = self.infer(operand, context)
        match type_:
            case Array() if operator == "not":
                return Array(type_.shape, Field.BOOL, type_.form)
            case Array():
                return Array(type_.shape, type_.field.join(Field.REAL), type_.form)
            case LinearMap() if operator == "-":
                return type_
            case Unknown():
                return type_
            case LinearMap() | Layer():
                self.reporter.report(
                    errors.MapAsValue(self.operand(operand, type_, context), f"`{operator}`")
                )
                return UNKNOWN
            case _:
                assert_never(type_)

    def _adjoint(self, operand: Expr, context: Context) -> Type:
        type_ = self.infer(operand, context)
        match type_:
            case Unknown():
                return type_
            case LinearMap(structure):
                return LinearMap(adjoint(structure))
            case Array(shape=(m, n)):
                return Array((n, m), type_.field)
            case Array(shape=()):
                return type_
            case Array() | Layer():
                text = expression_text(operand)
                mend = None
                if isinstance(type_, Array) and type_.rank == 1:
                    mend = f"for the inner product with y write `dot({text}, y)`"
                elif isinstance(type_, Layer):
                    mend = "learn a second layer for the way back, as `Ht` beside `H`"
                self.reporter.report(errors.NoAdjoint(self.operand(operand, type_, context), mend))
                return UNKNOWN
            case _:
                assert_never(type_)

    def _at(self, expr: Binary, context: Context) -> Type:
        left = self.infer(expr.left, context)
        right = self.infer(expr.right, context)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        if isinstance(left, Layer):
            text = expression_text(expr.left)
            self.reporter.report(
                errors.NotAMap(
                    self.operand(expr.left, left, context),
                    f"a layer is called: `{text}({expression_text(expr.right)})`",
                )
            )
            return UNKNOWN
        if isinstance(right, Layer):
            self.reporter.report(errors.MapAsValue(self.operand(expr.right, right, context), "`@`"))
            return UNKNOWN
        if isinstance(left, Array):
            if left.rank < 2:
                return self._not_a_map(expr, left, context)
            if isinstance(right, Array):
                return self._contract(expr, left, right, context)
        outer = as_structure(left)
        assert outer is not None
        if isinstance(right, LinearMap):
            return self._compose(expr, left, right, context)
        if is_matrix_like(outer) and right.rank == 2:
            between = map_forward(outer, Array((right.shape[0],), right.field))
            if isinstance(between, Array):
                return Array((between.shape[0], right.shape[1]), between.field)
        domain = known_domain(outer)
        if right.rank == 2 and domain is not None and domain.rank == 1:
            return self._compose(expr, left, right, context)
        return self._apply(expr, outer, left, right, context)

    def _not_a_map(self, expr: Binary, left: Array, context: Context) -> Type:
        first, second = expression_text(expr.left), expression_text(expr.right)
        mend = (
            f"write `{first} * {second}`" if left.rank == 0 else f"write `dot({first}, {second})`"
        )
        self.reporter.report(errors.NotAMap(self.operand(expr.left, left, context), mend))
        return UNKNOWN

    def _contract(self, expr: Binary, left: Array, right: Array, context: Context) -> Type:
        if right.rank and left.shape[-1] == right.shape[0]:
            shape = left.shape[:-1] + right.shape[1:]
            form = right.form if len(shape) == right.rank else Form.PLAIN
            return Array(shape, left.field.join(right.field).join(Field.REAL), form)
        if left.rank == 2 and right.rank == 2:
            outer, inner = as_structure(left), as_structure(right)
            assert outer is not None and inner is not None
            reason = (
                f"{right} ends in vector[{right.shape[0]}], {left} begins in "
                f"vector[{left.shape[1]}]"
            )
            self.reporter.report(
                errors.MapsDoNotCompose(
                    expr.operator_span,
                    self.operand(expr.left, left, context),
                    self.operand(expr.right, right, context),
                    reason,
                    self._composition_mend(expr, left, right),
                )
            )
            return UNKNOWN
        expected = f"an array whose first axis is {left.shape[-1]}"
        if left.rank == 2:
            expected = f"vector[{left.shape[1]}]"
        adjoint_fits = left.rank == 2 and right.rank > 0 and left.shape[0] == right.shape[0]
        self._wrong_space(expr, left, right, expected, adjoint_fits, context)
        return UNKNOWN

    def _composition_mend(self, expr: Binary, left: Array, right: Array) -> str | None:
        a, b = expression_text(expr.left), expression_text(expr.right)
        if left.shape[0] == right.shape[0]:
            return f"use the adjoint of the first: `{_primed(expr.left)} @ {b}`"
        if left.shape[1] == right.shape[1]:
            return f"use the adjoint of the second: `{a} @ {_primed(expr.right)}`"
        return None

    def _apply(
        self, expr: Binary, outer: Structure, left: Type, right: Array, context: Context
    ) -> Type:
        result = map_forward(outer, right)
        if isinstance(result, Array):
            return result
        back = map_backward(outer, right)
        domain = known_domain(outer)
        expected = str(domain) if domain is not None else result.removeprefix("expected ")
        self._wrong_space(expr, left, right, expected, isinstance(back, Array), context)
        return UNKNOWN

    def _wrong_space(
        self,
        expr: Binary,
        left: Type,
        right: Array,
        expected: str,
        adjoint_fits: bool,
        context: Context,
    ) -> None:
        operator = expr.left  # in `t * A @ r` it is A that is in question
        while isinstance(operator, Binary) and operator.operator in ("*", "/"):
            scaled = operator.right if operator.operator == "*" else operator.left
            if as_structure(context.types.get(scaled, UNKNOWN)) is None:
                break
            operator = scaled
        rewrite = None
        if adjoint_fits:
            argument = expression_text(expr.right)
            if isinstance(expr.right, Binary):
                argument = f"({argument})"
            rewrite = f"{_primed(operator)} @ {argument}"
        structure = as_structure(left)
        words = str(left)
        if isinstance(left, Array) and structure is not None:
            words = f"{left} takes vector[{left.shape[1]}] to vector[{left.shape[0]}]"
        self.reporter.report(
            errors.WrongSpace(
                expression_text(operator),
                self.operand(expr.right, right, context),
                expected,
                words,
                operator.span,
                rewrite,
            )
        )

    def _compose(self, expr: Binary, left: Type, right: Type, context: Context) -> Type:
        outer, inner = as_structure(left), as_structure(right)
        assert outer is not None and inner is not None
        if isinstance(left, Array) and is_matrix_like(inner):
            # a matrix times a diagonal or the identity is a matrix again
            back = map_backward(inner, Array((left.shape[1],), left.field))
            if isinstance(back, Array):
                return Array((left.shape[0], back.shape[0]), left.field.join(back.field))
        reason = None
        between = known_codomain(inner)
        begin = known_domain(outer)
        if between is not None:
            onward = map_forward(outer, between)
            reason = onward if isinstance(onward, str) else None
        elif begin is not None:
            back_or_reason = map_backward(inner, begin)
            reason = back_or_reason if isinstance(back_or_reason, str) else None
        if reason is not None:
            self.reporter.report(
                errors.MapsDoNotCompose(
                    expr.operator_span,
                    self.operand(expr.left, left, context),
                    self.operand(expr.right, right, context),
                    reason,
                )
            )
            return UNKNOWN
        return LinearMap(Composed(outer, inner))

    def _is_zero(self, expr: Expr, context: Context) -> bool:
        """Whether the text alone tells that a number is 0, through lets."""

        def constant(name: str) -> Expr | None:
            symbol = None if name in context.local else self.symbols.get(name)
            return symbol.definer.value if symbol and isinstance(symbol.definer, Let) else None

        return as_number(expr, constant) == 0

    def _binary(self, expr: Binary, context: Context) -> Type:
        left = self.infer(expr.left, context)
        right = self.infer(expr.right, context)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        for side, type_ in ((expr.left, left), (expr.right, right)):
            if isinstance(type_, Layer):
                self.reporter.report(
                    errors.MapAsValue(
                        self.operand(side, type_, context),
                        f"`{expr.operator}`",
                        f"apply the layer: `{expression_text(side)}(x)`",
                    )
                )
                return UNKNOWN
        if expr.operator == "/" and self._is_zero(expr.right, context):
            self.reporter.report(errors.DivisionByZero(expr.right.span))
            return UNKNOWN
        if isinstance(left, Array) and isinstance(right, Array):
            return self._elementwise(expr, left, right, context)
        if expr.operator in ("+", "-"):
            return self._add_maps(expr, left, right, context)
        if expr.operator == "*" and isinstance(left, Array) and isinstance(right, LinearMap):
            if left.rank == 0:
                return right
            return self._compose_diagonal(expr, left, right, context)
        if (
            expr.operator in ("*", "/")
            and isinstance(left, LinearMap)
            and isinstance(right, Array)
            and right.rank == 0
        ):
            return left
        side, bad = (expr.left, left) if isinstance(left, LinearMap) else (expr.right, right)
        mend = None
        if expr.operator == "*" and isinstance(left, LinearMap) and isinstance(right, Array):
            mend = f"apply the map: `{expression_text(expr.left)} @ {expression_text(expr.right)}`"
        elif expr.operator == "*" and isinstance(left, LinearMap):
            mend = f"compose: `{expression_text(expr.left)} @ {expression_text(expr.right)}`"
        self.reporter.report(
            errors.MapAsValue(self.operand(side, bad, context), f"`{expr.operator}`", mend)
        )
        return UNKNOWN

    def _compose_diagonal(
        self, expr: Binary, left: Array, right: LinearMap, context: Context
    ) -> Type:
        codomain = known_codomain(right.structure)
        if codomain is not None:
            result = map_forward(Diagonal(left), codomain)
            if isinstance(result, str):
                self._shapes_disagree(expr, left, right, context)
                return UNKNOWN
        return LinearMap(Composed(Diagonal(left), right.structure))

    def _add_maps(self, expr: Binary, left: Type, right: Type, context: Context) -> Type:
        a, b = as_structure(left), as_structure(right)
        if a is None or b is None:
            side, value = (expr.left, left) if a is None else (expr.right, right)
            other, map_ = (expr.right, right) if a is None else (expr.left, left)
            mend = "apply the map to something: `A @ x`"
            if isinstance(value, Array) and value.rank == 0 and map_ != IDENTITY:
                mend = f"add a multiple of the identity: `{expression_text(side)} * I`"
            elif map_ == IDENTITY:
                mend = (
                    f"`I` is a map: write `{expression_text(side)}` {expr.operator} 1 for numbers"
                )
            self.reporter.report(
                errors.MapAsValue(self.operand(other, map_, context), f"`{expr.operator}`", mend)
            )
            return UNKNOWN
        for matrix, beside in ((left, b), (right, a)):
            if isinstance(matrix, Array) and is_matrix_like(beside):
                reached = map_forward(beside, Array((matrix.shape[1],), matrix.field))
                if isinstance(reached, Array) and reached.shape[0] == matrix.shape[0]:
                    return Array(matrix.shape, matrix.field.join(reached.field))
                self._shapes_disagree(expr, left, right, context)
                return UNKNOWN
        first, second = known_domain(a), known_domain(b)
        ends = known_codomain(a), known_codomain(b)
        clash = (first and second and first.shape != second.shape) or (
            ends[0] and ends[1] and ends[0].shape != ends[1].shape
        )
        if clash:
            self._shapes_disagree(expr, left, right, context)
            return UNKNOWN
        return LinearMap(Summed(a, b))

    def _elementwise(self, expr: Binary, left: Array, right: Array, context: Context) -> Type:
        operator = expr.operator
        common = broadcast(left, right)
        if common is None:
            self._shapes_disagree(expr, left, right, context)
            return UNKNOWN
        if operator in _ARITHMETIC:
            return Array(common.shape, common.field.join(Field.REAL), common.form)
        if operator in _ORDER and common.field is Field.COMPLEX:
            bad, type_ = (expr.left, left) if left.field is Field.COMPLEX else (expr.right, right)
            self.reporter.report(
                errors.CallMismatch(
                    operator,
                    self.operand(bad, type_, context),
                    "real values",
                    str(type_),
                    f"compare moduli: `abs({expression_text(bad)})`",
                )
            )
            return UNKNOWN
        return Array(common.shape, Field.BOOL, common.form)

    def _shapes_disagree(self, expr: Binary, left: Type, right: Type, context: Context) -> None:
        self.reporter.report(
            errors.ShapesDisagree(
                expr.operator,
                expr.operator_span,
                self.operand(expr.left, left, context),
                self.operand(expr.right, right, context),
                self._disagreement_mend(expr, left, right),
            )
        )

    def _disagreement_mend(self, expr: Binary, left: Type, right: Type) -> str | None:
        """An adjoint or a missing application that would make the shapes agree."""
        if not isinstance(left, Array) or not isinstance(right, Array):
            pass
        elif expr.operator == "*" and left.rank == 2 and right.rank in (1, 2):
            a, b = expression_text(expr.left), expression_text(expr.right)
            b = f"({b})" if isinstance(expr.right, Binary) else b
            if left.shape[1] == right.shape[0]:
                return f"`*` is elementwise; the product of a matrix is `{a} @ {b}`"
            if left.shape[0] == right.shape[0]:
                return (
                    f"`*` is elementwise; the product of a matrix is `{_primed(expr.left)} @ {b}`"
                )
        for side, type_, goal in ((expr.left, left, right), (expr.right, right, left)):
            if not isinstance(goal, Array) or not isinstance(type_, Array):
                continue
            if isinstance(side, Binary) and side.operator == "@":
                continue
            for symbol in self.symbols.values():
                structure = as_structure(symbol.type) if symbol.type is not None else None
                if structure is None:
                    continue
                text = expression_text(side)
                text = f"({text})" if isinstance(side, Binary) else text
                for word, reached in (
                    (f"{symbol.name} @ {text}", map_forward(structure, type_)),
                    (f"{symbol.name}' @ {text}", map_backward(structure, type_)),
                ):
                    if isinstance(reached, Array) and reached.shape == goal.shape:
                        return f"`{word}` lies in {reached}"
        return None


def operator_structure(
    record: LinearOperator, operands: tuple[Type, ...], statics: dict[str, object]
) -> Builtin:
    """The structure of a call of a linear operator's record."""
    fixed = dict(statics)
    arrays = tuple(type_ for type_ in operands if isinstance(type_, Array))
    return Builtin(
        record.name,
        record.complex or any(a.field is Field.COMPLEX for a in arrays),
        lambda argument: record.forward(argument, operands, fixed),  # type: ignore[arg-type]
        lambda argument: record.backward(argument, operands, fixed),  # type: ignore[arg-type]
        (*arrays, *(f"{key}={value}" for key, value in sorted(fixed.items()))),
    )


def _primed(expr: Expr) -> str:
    """The text of the adjoint of an expression."""
    match expr:
        case Adjoint(operand):
            return expression_text(operand)
        case Name():
            return f"{expr.text}'"
        case _:
            return f"({expression_text(expr)})'"
