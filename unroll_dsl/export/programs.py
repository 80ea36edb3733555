"""Networks as programs of `torch.export`, with any batch; for ONNX with complex values as pairs of reals."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from unroll_dsl.export.refused import CannotExport
from unroll_dsl.export.taken import Frozen

_BATCH = 3  # of the samples by which a network is followed


def program(made: Frozen) -> ExportedProgram:
    """The network as one program, which takes any batch.

    Raises
    ------
    CannotExport
        If torch.export cannot follow it: an iteration that goes on until it rests, a map from outside with
        steps of Python.
    """
    return _followed(made, made.network, made.samples(_BATCH), nested=False)


def real_program(made: Frozen) -> ExportedProgram:
    """The same, with an axis of length 2 last in place of complex values: real and imaginary parts."""
    module = Pairs(made.network, tuple(taken.is_complex for taken in made.inputs))
    found = _followed(made, module, as_pairs(made.samples(_BATCH)), nested=True)
    whole: ExportedProgram = found.run_decompositions(_complex_decompositions())
    return whole


def _followed(
    made: Frozen, module: nn.Module, given: tuple[Tensor, ...], *, nested: bool
) -> ExportedProgram:
    batch = Dim("batch", min=1)
    shapes: tuple[Any, ...] = tuple({0: batch} for _ in given)
    try:
        with torch.no_grad():
            return torch.export.export(
                module, given, dynamic_shapes=(shapes,) if nested else shapes, strict=False
            )
    except Exception as error:  # whatever torch says of what it cannot follow
        words = str(error).strip().partition("\n")[0]
        raise CannotExport(
            f"`{made.name}` cannot be followed by torch.export: {words}",
            "`--py` writes it as a module; networks at rest and maps of Python have no program",
        ) from error


class Pairs(nn.Module):
    """A network whose complex values come and go as pairs of reals."""

    def __init__(self, network: nn.Module, is_complex: tuple[bool, ...]) -> None:
        super().__init__()
        self.network = network
        self.is_complex = is_complex

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        pairs = zip(given, self.is_complex, strict=True)
        found = self.network(*(torch.view_as_complex(x) if c else x for x, c in pairs))
        return as_pairs(found if isinstance(found, tuple) else (found,))


def as_pairs(values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Complex values with their parts along a last axis, others as they are."""
    return tuple(torch.view_as_real(x).contiguous() if x.is_complex() else x for x in values)


def _complex_decompositions() -> dict[Any, Any]:
    """What ONNX has not of complex values, by what it has of pairs of reals; of real ones it has all of this."""
    aten = torch.ops.aten
    table = dict(torch.export.default_decompositions())
    table[aten.new_zeros.default] = _new_zeros
    table[aten.zeros_like.default] = _zeros_like
    table[aten.index_select.default] = _index_select
    table[aten.flip.default] = _flip
    table[aten.where.self] = _where
    table[aten.linalg_vector_norm.default] = _length
    return table


def _new_zeros(x: Tensor, size: list[int], **options: Any) -> Any:
    if not (options.get("dtype") or x.dtype).is_complex:
        return NotImplemented
    return torch.view_as_complex(torch.view_as_real(x).new_zeros((*size, 2)))


def _zeros_like(x: Tensor, **options: Any) -> Any:
    if not (options.get("dtype") or x.dtype).is_complex or not x.is_complex():
        return NotImplemented
    return torch.view_as_complex(torch.zeros_like(torch.view_as_real(x)))


def _index_select(x: Tensor, dim: int, index: Tensor) -> Any:
    if not x.is_complex():
        return NotImplemented
    return torch.view_as_complex(torch.view_as_real(x).index_select(dim % x.ndim, index))


def _flip(x: Tensor, dims: list[int]) -> Any:
    if not x.is_complex():
        return NotImplemented
    return torch.view_as_complex(torch.view_as_real(x).flip([dim % x.ndim for dim in dims]))


def _where(condition: Tensor, a: Tensor, b: Tensor) -> Any:
    if not (a.is_complex() and b.is_complex()):
        return NotImplemented
    pairs = torch.view_as_real(a), torch.view_as_real(b)
    return torch.view_as_complex(torch.where(condition.unsqueeze(-1), *pairs))


def _length(
    x: Tensor, order: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The Euclidean length, for which a complex number is a pair of reals as well."""
    if not x.is_complex() or order != 2 or dtype is not None:
        return NotImplemented
    pair = torch.view_as_real(x)
    if dim is None:
        return torch.linalg.vector_norm(pair)
    axes = [each % x.ndim for each in ((dim,) if isinstance(dim, int) else dim)]
    length = torch.linalg.vector_norm(pair, 2, [*axes, x.ndim], keepdim)
    return length.squeeze(-1) if keepdim else length
