"""Linear maps from outside as modules: `map(x)` applies, `map.adjoint(y)` applies the adjoint.

A program's `fixed A : linear X -> Y` is bound to a matrix, to an object with a forward and an adjoint (a
physics of deepinv, an operator of PyLops, a SciPy `LinearOperator`, a module of one's own), or to a pair
of functions. All act on tensors with any leading batch axes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.adjointness import Adjointness, Function, adjointness
from unroll_dsl.backends.values import as_array, for_torch

Shape = tuple[int, ...]


class Matrix(nn.Module):
    """A matrix [prod(codomain), prod(domain)] that acts on arrays flattened, the last axis fastest."""

    matrix: Tensor

    def __init__(self, matrix: Tensor, domain: Shape, codomain: Shape) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix, persistent=False)
        self.domain, self.codomain = tuple(domain), tuple(codomain)

    def forward(self, x: Tensor) -> Tensor:
        _fits(x, self.domain, self)
        y = _as_complex(x, self.matrix).flatten(-len(self.domain)) @ self.matrix.mT
        return y.reshape(*y.shape[:-1], *self.codomain)

    def adjoint(self, y: Tensor) -> Tensor:
        _fits(y, self.codomain, self)
        x = _as_complex(y, self.matrix).flatten(-len(self.codomain)) @ self.matrix.conj()
        return x.reshape(*x.shape[:-1], *self.domain)


def _as_complex(x: Tensor, matrix: Tensor) -> Tensor:
    """Real data for a complex matrix: torch multiplies no two such."""
    return x.to(matrix.dtype) if matrix.is_complex() and not x.is_complex() else x


class Selection(nn.Module):
    """A matrix that takes entries of its argument, each once at most: an index in its place.

    The pixels in view, samples of k-space: an index reads what a product would multiply by zeros.
    """

    places: Tensor

    def __init__(self, places: Tensor, domain: Shape, codomain: Shape) -> None:
        super().__init__()
        self.register_buffer("places", places, persistent=False)
        self.domain, self.codomain = tuple(domain), tuple(codomain)

    @classmethod
    def of(cls, matrix: Tensor, domain: Shape, codomain: Shape) -> Selection | None:
        """The map of such a matrix, or None if it is another."""
        if not len(matrix) or matrix.is_meta or int(torch.count_nonzero(matrix)) != len(matrix):
            return None
        row, places = matrix.nonzero(as_tuple=True)
        ones = bool((matrix[row, places] == 1).all())
        if not ones or any(len(set(found.tolist())) < len(found) for found in (row, places)):
            return None
        return cls(places, domain, codomain)

    def forward(self, x: Tensor) -> Tensor:
        _fits(x, self.domain, self)
        y = x.flatten(-len(self.domain)).index_select(-1, self.places)
        return y.reshape(*y.shape[:-1], *self.codomain)

    def adjoint(self, y: Tensor) -> Tensor:
        _fits(y, self.codomain, self)
        y = y.flatten(-len(self.codomain))
        x = y.new_zeros(*y.shape[:-1], prod(self.domain)).index_copy(-1, self.places, y)
        return x.reshape(*x.shape[:-1], *self.domain)


class Pair(nn.Module):
    """A map given as two functions of tensors; `module` is kept so that its buffers move along.

    The functions see one batch axis: more are flattened, and one is added where there is none.
    """

    def __init__(
        self,
        forward: Callable[[Tensor], Tensor],
        adjoint: Callable[[Tensor], Tensor],
        domain: Shape,
        codomain: Shape,
        module: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.functions = (forward, adjoint)
        self.domain, self.codomain = tuple(domain), tuple(codomain)
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        _fits(x, self.domain, self)
        return _batched(self.functions[0], x, len(self.domain))

    def adjoint(self, y: Tensor) -> Tensor:
        _fits(y, self.codomain, self)
        return _batched(self.functions[1], y, len(self.codomain))


def _fits(x: Tensor, shape: Shape, map_: Matrix | Selection | Pair) -> None:
    if tuple(x.shape[x.ndim - len(shape) :]) != shape:
        spaces = f"{list(map_.domain)} to {list(map_.codomain)}"
        raise ValueError(
            f"a linear map of {spaces} takes [..., {str(shape)[1:-1].rstrip(',')}], "
            f"found {list(x.shape)}"
        )


def _batched(function: Callable[[Tensor], Tensor], x: Tensor, rank: int) -> Tensor:
    batch = x.shape[: x.ndim - rank]
    found = function(x.reshape(prod(batch), *x.shape[x.ndim - rank :]))
    return found.reshape(*batch, *found.shape[1:])


class _NumPy(torch.autograd.Function):
    """A linear function of arrays of numpy; its derivative is its adjoint."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, run: Any, back: Any) -> Tensor:
        ctx.run, ctx.back = run, back
        return torch.as_tensor(for_torch(run(x.detach().cpu().numpy()))).to(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        return _NumPy.apply(gradient, ctx.back, ctx.run), None, None  # type: ignore[no-untyped-call]


def from_linear_operator(operator: Any, domain: Shape, codomain: Shape) -> Pair:
    """A SciPy `LinearOperator` or an operator of PyLops: `matvec` and `rmatvec` on flat arrays."""

    def rows(function: Callable[[Any], Any], shape: Shape) -> Callable[[Any], Any]:
        return lambda batch: np.stack([np.reshape(function(np.ravel(x)), shape) for x in batch])

    run, back = rows(operator.matvec, codomain), rows(operator.rmatvec, domain)
    return Pair(
        lambda x: _NumPy.apply(x, run, back),  # type: ignore[no-untyped-call]
        lambda y: _NumPy.apply(y, back, run),  # type: ignore[no-untyped-call]
        domain,
        codomain,
    )


def as_map(value: Any, domain: Shape, codomain: Shape) -> nn.Module:
    """A module for what is bound to a `linear X -> Y`: see the head of this file."""
    if isinstance(value, Tensor):
        chosen = Selection.of(value, domain, codomain)
        return Matrix(value, domain, codomain) if chosen is None else chosen
    if isinstance(value, Matrix | Selection | Pair):
        return value
    if isinstance(value, tuple | list):
        return Pair(value[0], value[1], domain, codomain)
    if hasattr(value, "matvec"):
        return from_linear_operator(value, domain, codomain)
    module = value if isinstance(value, nn.Module) else None
    if callable(getattr(value, "A_adjoint", None)):
        return Pair(value.A, value.A_adjoint, domain, codomain, module)
    return Pair(value, value.adjoint, domain, codomain, module)


class WrongImage(ValueError):
    """A map that gives arrays of another shape than its spaces have."""

    def __init__(self, found: Shape, *, of_adjoint: bool) -> None:
        super().__init__(found)
        self.found, self.of_adjoint = found, of_adjoint


def try_out(map_: nn.Module, x: Tensor, y: Tensor) -> Adjointness:
    """Whether the two functions of a map are linear and adjoint to each other: see adjointness.py.

    `x` and `y` have the shapes, dtypes and devices of their arguments, without a batch axis.

    Raises
    ------
    WrongImage
        For an image of another shape.
    """

    def on_arrays(function: Any, like: Tensor, image: Tensor) -> Function:
        def run(values: Any) -> Any:
            with torch.no_grad():
                found = function(torch.from_numpy(values)[None].to(like.device))[0]
            if found.shape != image.shape:
                raise WrongImage(tuple(found.shape), of_adjoint=image is x)
            return as_array(found)

        return run

    forward, adjoint = on_arrays(map_, x, y), on_arrays(map_.adjoint, y, x)
    return adjointness(forward, adjoint, as_array(x), as_array(y))
