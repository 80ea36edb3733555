"""The type of an expression, from the types of its parts: each kind has rules of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from unroll_dsl.semantics import algebra, errors
from unroll_dsl.semantics.calls import infer_call, own_layer
from unroll_dsl.semantics.scopes import Context, Place
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.semantics.visibility import name_type
from unroll_dsl.syntax.nodes import (
    Adjoint,
    Binary,
    Call,
    Chain,
    Expr,
    Let,
    Name,
    Number,
    PhaseSum,
    Unary,
)
from unroll_dsl.types import SCALAR, UNKNOWN, LinearMap, Type

_MOST_LEVELS = 100  # of maps within maps; those who follow them need some frames for each


class Inference(Typing):
    """Types expressions and reports what does not fit."""

    def infer(self, expr: Expr, context: Context) -> Type:
        """The type of `expr`; `Unknown` where something in it was reported."""
        result = self._infer(expr, context)
        if isinstance(result, LinearMap):
            result = self._followed(expr, result, context)
        context.types[expr] = result
        return result

    def _followed(self, expr: Expr, map_: LinearMap, context: Context) -> Type:
        """A map, unless it is made of maps that are made of maps ... further than passes follow.

        A multiple has the type of the map itself, so levels are counted by objects: each has one of
        its own.
        """
        if isinstance(expr, Name) and id(map_) in self.levels:
            return map_
        parts = (context.types.get(part) for part in _parts(expr))
        below = [self.levels.get(id(part), (part, 0))[1] for part in parts]
        level = 1 + max(below, default=0)
        if level > _MOST_LEVELS:
            self.reporter.report(errors.MapTooDeep(expr.span, _MOST_LEVELS))
            return UNKNOWN
        own = replace(map_)
        self.levels[id(own)] = own, level
        return own

    def _infer(self, expr: Expr, context: Context) -> Type:
        match expr:
            case Number(value):
                self.numbers[expr] = float(value)
                return SCALAR
            case Chain():
                found = own_layer(self, expr, context)
                assert found is not None, "a chain is a layer"
                return found
            case Name(text):
                layer = None if text in context.local else own_layer(self, expr, context)
                if layer is not None:
                    return layer
                symbol = None if text in context.local else self.symbols.get(text)
                if (
                    symbol
                    and isinstance(symbol.definer, Let)
                    and symbol.definer.value in self.numbers
                ):
                    self.numbers[expr] = self.numbers[symbol.definer.value]
                return name_type(self, expr, context)
            case Unary():
                return algebra.unary(self, expr, context)
            case Adjoint(operand):
                return algebra.adjoint(self, operand, context)
            case Binary("@"):
                return algebra.at(self, expr, context)
            case Binary():
                return algebra.binary(self, expr, context)
            case Call():
                return infer_call(self, expr, context)
            case PhaseSum():
                return self._phase_sum(expr, context)
            case _:
                assert_never(expr)

    def _phase_sum(self, expr: PhaseSum, context: Context) -> Type:
        if context.place is not Place.LOSS:
            why = errors.TraceMisused.Why.SUM
            self.reporter.report(errors.TraceMisused(expr.span, context.place.value, why))
            return UNKNOWN
        inner = Context(
            Place.PHASE_SUM,
            context.types,
            context.calls,
            {**context.local, **context.traces},
            context.local_spans,
        )
        return self.infer(expr.body, inner)


def _parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions of which one is made."""
    match expr:
        case Unary() | Adjoint():
            return (expr.operand,)
        case Binary():
            return expr.left, expr.right
        case Call():
            return tuple(argument.value for argument in expr.arguments)
        case _:
            return ()
