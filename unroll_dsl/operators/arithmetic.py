"""Arithmetic: what `+ - * / ^` and comparisons stand for."""

from __future__ import annotations

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Parameter
from unroll_dsl.operators.rules import elementwise
from unroll_dsl.types import Field

_A, _B = Parameter("a"), Parameter("b")
_BOTH = (_A, _B)


def _arithmetic(name: str, sign: str, summary: str) -> Function:
    return Function(
        name,
        _BOTH,
        Kind.ELEMENTWISE,
        summary,
        elementwise(),
        getattr(_Numpy, name),
        f"a {sign} b",
    )


class _Numpy:
    """One function an operation, so that numpy is imported only when one computes."""

    @staticmethod
    def add(a: object, b: object) -> object:
        return np.add(a, b)  # type: ignore[call-overload]

    @staticmethod
    def sub(a: object, b: object) -> object:
        return np.subtract(a, b)  # type: ignore[call-overload]

    @staticmethod
    def mul(a: object, b: object) -> object:
        return np.multiply(a, b)  # type: ignore[call-overload]

    @staticmethod
    def div(a: object, b: object) -> object:
        return np.divide(a, b)  # type: ignore[call-overload]


def _comparison(name: str, sign: str, numpy: str, *, real_only: bool) -> Function:
    return Function(
        name,
        _BOTH,
        Kind.ELEMENTWISE,
        f"True where a {sign} b.",
        elementwise(Field.BOOL, real_only=real_only),
        lambda a, b: getattr(np, numpy)(a, b),
        f"a {sign} b",
        differentiable=False,
    )


RECORDS = (
    _arithmetic("add", "+", "The sum."),
    _arithmetic("sub", "-", "The difference."),
    _arithmetic("mul", "*", "The elementwise product."),
    _arithmetic("div", "/", "The elementwise quotient."),
    Function(
        "pow",
        _BOTH,
        Kind.ELEMENTWISE,
        "The elementwise power.",
        elementwise(),
        lambda a, b: np.power(np.asarray(a) * 1.0, b),
        "a ** b",
    ),
    Function(
        "neg",
        (_A,),
        Kind.ELEMENTWISE,
        "The negative.",
        elementwise(),
        lambda a: -np.asarray(a),
        "-a",
    ),
    _comparison("eq", "==", "equal", real_only=False),
    _comparison("ne", "!=", "not_equal", real_only=False),
    _comparison("lt", "<", "less", real_only=True),
    _comparison("le", "<=", "less_equal", real_only=True),
    _comparison("gt", ">", "greater", real_only=True),
    _comparison("ge", ">=", "greater_equal", real_only=True),
    Function(
        "and",
        _BOTH,
        Kind.ELEMENTWISE,
        "True where both are.",
        elementwise(Field.BOOL),
        lambda a, b: np.logical_and(a, b),
        "a & b",
        differentiable=False,
    ),
    Function(
        "or",
        _BOTH,
        Kind.ELEMENTWISE,
        "True where one is.",
        elementwise(Field.BOOL),
        lambda a, b: np.logical_or(a, b),
        "a | b",
        differentiable=False,
    ),
    Function(
        "not",
        (_A,),
        Kind.ELEMENTWISE,
        "True where it is not.",
        elementwise(Field.BOOL),
        lambda a: np.logical_not(a),
        "~a",
        differentiable=False,
    ),
    Function(
        "indicator",
        (Parameter("holds"),),
        Kind.ELEMENTWISE,
        "0 where a condition holds, infinity elsewhere: a constraint as a term of an objective.",
        elementwise(Field.REAL),
        lambda holds: np.where(holds, 0.0, np.inf),
        "-torch.log(holds)",
        latex=r"\iota\left({0}\right)",
        differentiable=False,
    ),
)
