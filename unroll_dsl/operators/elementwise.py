"""Functions of each entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.operators.rules import common_shape, elementwise
from unroll_dsl.types import Array, Field

_V = Parameter("v")


def _entry(
    name: str,
    summary: str,
    numpy: Callable[..., Any],
    torch: str,
    latex: str = "",
    *,
    real_only: bool = False,
    real_result: bool = False,
    differentiable: bool = True,
    torch_real: str = "",
    helper: str = "",
) -> Function:
    return Function(
        name,
        (_V,),
        Kind.ELEMENTWISE,
        summary,
        elementwise(real_only=real_only, real_result=real_result),
        numpy,
        torch,
        latex=latex,
        differentiable=differentiable,
        torch_real=torch_real,
        helper=helper,
    )


def _sign(v: Any) -> Any:
    """v / |v|, 0 at 0; for real v its sign."""
    if not np.iscomplexobj(v):
        return np.sign(v)
    return v / np.maximum(np.abs(v), np.finfo(np.float64).tiny)


# Below the smallest normal number 1 / |v| overflows: 0 times infinity would be the derivative of what
# is multiplied by |v| again, as soft thresholding is. There v / |v| falls to 0 instead.
_UNIT = '''
def unit(v: Tensor) -> Tensor:
    """v / |v| of complex values, and 0 at 0."""
    tiny = torch.finfo(v.dtype).tiny
    return v / v.masked_fill(v.detach().abs() < tiny, tiny).abs()
'''


# The derivative of |v| is v / |v|, which torch divides without scaling: infinity and no number below
# the smallest normal number.
_COMPLEX_ABS = '''
def complex_abs(v: Tensor) -> Tensor:
    """|v| of complex values, with derivative 0 below the smallest normal number."""
    size = v.detach().abs()
    tiny = size < torch.finfo(size.dtype).tiny
    return torch.where(tiny, size, v.masked_fill(tiny, 0).abs())
'''


def _softplus(v: Any) -> Any:
    return np.logaddexp(v, 0)


def _sigmoid(v: Any) -> Any:
    return np.exp(-np.logaddexp(0, -v))


def _where(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    if arrays[0].field is not Field.BOOL:
        return Mismatch(0, "a condition", str(arrays[0]), "compare: `where(abs(v) > t, ...)`")
    common = common_shape(arrays)
    if isinstance(common, Mismatch):
        return common
    # a choice between conditions is a condition
    return Array(common.shape, arrays[1].field.join(arrays[2].field), common.form)


RECORDS = (
    _entry(
        "abs",
        "The modulus.",
        lambda v: np.abs(v),
        "complex_abs(v)",
        r"\left|{0}\right|",
        real_result=True,
        torch_real="v.abs()",
        helper=_COMPLEX_ABS,
    ),
    _entry(
        "sign",
        "v / |v|, and 0 at 0; of real values the sign.",
        _sign,
        "unit(v)",
        r"\operatorname{{sign}}\left({0}\right)",
        torch_real="v.sign()",
        helper=_UNIT,
    ),
    _entry(
        "relu",
        "max(v, 0).",
        lambda v: np.maximum(v, 0),
        "torch.relu(v)",
        r"\left({0}\right)_+",
        real_only=True,
    ),
    _entry("exp", "The exponential.", lambda v: np.exp(v), "v.exp()", r"\exp\left({0}\right)"),
    _entry(
        "log", "The natural logarithm.", lambda v: np.log(v), "v.log()", r"\log\left({0}\right)"
    ),
    _entry("sqrt", "The square root.", lambda v: np.sqrt(v), "v.sqrt()", r"\sqrt{{{0}}}"),
    _entry("sin", "The sine.", lambda v: np.sin(v), "v.sin()", r"\sin\left({0}\right)"),
    _entry("cos", "The cosine.", lambda v: np.cos(v), "v.cos()", r"\cos\left({0}\right)"),
    _entry(
        "acos",
        "The angle from 0 to pi whose cosine it is.",
        lambda v: np.arccos(v),
        "v.acos()",
        r"\arccos\left({0}\right)",
        real_only=True,
    ),
    _entry(
        "tanh",
        "The hyperbolic tangent.",
        lambda v: np.tanh(v),
        "v.tanh()",
        r"\tanh\left({0}\right)",
    ),
    _entry(
        "sigmoid",
        "1 / (1 + exp(-v)).",
        _sigmoid,
        "v.sigmoid()",
        r"\sigma\left({0}\right)",
        real_only=True,
    ),
    _entry(
        "softplus",
        "log(1 + exp(v)).",
        _softplus,
        "torch.nn.functional.softplus(v, threshold=40)",
        r"\log\left(1 + e^{{{0}}}\right)",
        real_only=True,
    ),
    _entry(
        "real",
        "The real part.",
        lambda v: np.real(v),
        "v.real",
        r"\operatorname{{Re}}\left({0}\right)",
        real_result=True,
        torch_real="v",
    ),
    _entry(
        "imag",
        "The imaginary part.",
        lambda v: np.imag(v),
        "v.imag",
        r"\operatorname{{Im}}\left({0}\right)",
        real_result=True,
        torch_real="0 * v",
    ),
    _entry(
        "conj",
        "The complex conjugate.",
        lambda v: np.conj(v),
        "v.conj()",
        r"\overline{{{0}}}",
        torch_real="v",
    ),
    Function(
        "as_complex",
        (_V,),
        Kind.ELEMENTWISE,
        "A real value as a complex one, where a complex one is declared.",
        elementwise(Field.COMPLEX),
        lambda v: np.asarray(v) + 0j,
        "v + 0j",
        latex="{0}",
    ),
    Function(
        "complex",
        (Parameter("a"), Parameter("b")),
        Kind.ELEMENTWISE,
        "The complex value with real part a and imaginary part b.",
        elementwise(Field.COMPLEX, real_only=True),
        lambda a, b: a + 1j * b,
        "torch.complex(a, b)",
        latex=r"\left({0} + \mathrm{{i}}\,{1}\right)",
    ),
    Function(
        "maximum",
        (Parameter("a"), Parameter("b")),
        Kind.ELEMENTWISE,
        "The larger of two values; written `max(a, b)`.",
        elementwise(real_only=True),
        lambda a, b: np.maximum(a, b),
        "torch.maximum(a, b)",
        latex=r"\max\left({0}, {1}\right)",
    ),
    Function(
        "minimum",
        (Parameter("a"), Parameter("b")),
        Kind.ELEMENTWISE,
        "The smaller of two values; written `min(a, b)`.",
        elementwise(real_only=True),
        lambda a, b: np.minimum(a, b),
        "torch.minimum(a, b)",
        latex=r"\min\left({0}, {1}\right)",
    ),
    Function(
        "where",
        (Parameter("c"), Parameter("a"), Parameter("b")),
        Kind.ELEMENTWISE,
        "a where the condition c holds, else b.",
        _where,
        lambda c, a, b: np.where(c, a, b),
        "torch.where(c, a, b)",
        latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    ),
)
