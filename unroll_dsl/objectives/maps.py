"""Linear maps as chains of links: applied, their adjoints, their norms.

A @ (V @ x)      (Left(A), Left(V))        the outermost first
W @ X @ H        (Left(W), Right(H))
-y * (A @ x)     (Scale(-y), Left(A))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import adjoint, binary


@dataclass(frozen=True, slots=True)
class Left:
    """`M @ x`"""

    map: n.Expr


@dataclass(frozen=True, slots=True)
class Right:
    """`x @ M`"""

    map: n.Expr


@dataclass(frozen=True, slots=True)
class Scale:
    """`c * x`, entry by entry."""

    by: n.Expr
    complex: bool = False


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number times x."""

    weight: Weight


@dataclass(frozen=True, slots=True)
class Turned:
    """`x'` of a matrix."""


@dataclass(frozen=True, slots=True)
class RealPart:
    """`real(x)`, linear over the real numbers; its adjoint embeds them."""


Link = Left | Right | Scale | Scalar | Turned | RealPart
Chain = tuple[Link, ...]


def apply(chain: Chain, x: n.Expr) -> n.Expr:
    """The chain applied to `x`."""
    for link in reversed(chain):
        match link:
            case Left(map_):
                x = x if _is_identity(map_) else _at(map_, x)
            case Right(map_):
                x = _at(x, map_)
            case Scale(by):
                x = binary("*", by, x)
            case Scalar(weight):
                x = weight.times(x)
            case Turned():
                x = adjoint(x)
            case RealPart():
                x = fill("real(x)", x=x)
            case _:
                assert_never(link)
    return x


def transpose(chain: Chain) -> Chain:
    """The chain of the adjoint."""
    found: list[Link] = []
    for link in reversed(chain):
        match link:
            case Left(map_):
                found.append(Left(adjoint(map_)))
            case Right(map_):
                found.append(Right(adjoint(map_)))
            case Scale(by, is_complex):
                found.append(Scale(fill("conj(c)", c=by) if is_complex else by, is_complex))
            case Scalar() | Turned():
                found.append(link)
            case RealPart():
                pass
            case _:
                assert_never(link)
    return tuple(found)


def as_map(chain: Chain) -> n.Expr | None:
    """The chain as one map, `A @ V`; None where something acts from the right."""
    result: n.Expr | None = None
    for link in chain:
        match link:
            case Left(map_):
                factor = map_
            case Scale(by):
                factor = fill("diag(c)", c=by)
            case Scalar(weight):
                factor = weight.times(n.Name("I", fill("I").span))
            case _:
                return None
        result = factor if result is None else compose(result, factor)
    return result or fill("I")


def compose(outer: n.Expr, inner: n.Expr) -> n.Expr:
    """`outer @ inner` without brackets: composition is associative."""
    if isinstance(inner, n.Name) and inner.text == "I":
        return outer
    if isinstance(outer, n.Name) and outer.text == "I":
        return inner
    match inner:
        case n.Binary("@", left, right):
            return _at(compose(outer, left), right)
        case n.Binary("*", left, right):
            return (
                _at(binary("*", left, outer), right) if _is_scalar_like(left) else _at(outer, inner)
            )
    return _at(outer, inner)


def gram(chain: Chain) -> n.Expr | None:
    """`A' @ A` of the map of a chain; None where something acts from the right."""
    forward, backward = as_map(chain), as_map(transpose(chain))
    if forward is None or backward is None:
        return None
    return compose(backward, forward)


def scalar_of(chain: Chain) -> Weight:
    """The product of the numbers in a chain."""
    found = ONE
    for link in chain:
        if isinstance(link, Scalar):
            found = found * link.weight
    return found


def without_scalars(chain: Chain) -> Chain:
    return tuple(link for link in chain if not isinstance(link, Scalar))


def squared_norm(chain: Chain, of: Callable[[n.Expr, bool], Weight | None]) -> Weight | None:
    """A bound of the squared norm of the map: the product of its links'.

    `of` gives the squared norm of a map or, with True, of the product with an array; None if it is not known.
    """
    found = ONE
    for link in chain:
        match link:
            case Left(map_) | Right(map_):
                norm = of(map_, False)
            case Scale(by):
                norm = of(by, True)
            case Scalar(weight):
                norm = weight**2
            case Turned() | RealPart():
                norm = ONE
            case _:
                assert_never(link)
        if norm is None:
            return None
        found = found * norm
    return found


def _at(left: n.Expr, right: n.Expr) -> n.Expr:
    return binary("@", left, right)


def _is_identity(expr: n.Expr) -> bool:
    return isinstance(expr, n.Name) and expr.text == "I"


def _is_scalar_like(expr: n.Expr) -> bool:
    return isinstance(expr, n.Number)
