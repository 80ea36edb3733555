"""Systems that are known at set-up and have no unique solution: told as a network is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from unroll_dsl.backends.errors import SingularSystem
from unroll_dsl.backends.torch.layout import place
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Solve, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.source import Span


@contextmanager
def in_words(graph: Graph) -> Iterator[None]:
    """A factor that torch cannot compute as the diagnostic that the reference gives (U0518)."""
    try:
        yield
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        found = _place(graph, str(error).partition(": the system")[0])
        raise UnrollError([SingularSystem(torch.inf, found)]) from None


def refuse_singular(graph: Graph, buffers: Mapping[int, str], network: nn.Module) -> None:
    """Raise `UnrollError` (U0518) where a triangular factor that is kept has next to nothing on its
    diagonal: for a matrix that is not known to be positive definite, as `A' @ A` without a shift, and for one
    that is, with a shift below the precision."""
    for node in graph.nodes:
        if node.op == Builtin("cholesky_solve") and node.args[1] in buffers:
            _refuse_factor(getattr(network, buffers[node.args[1]]), node.origin)
        if node.op != Builtin("triangular_solve") or node.args[1] not in buffers:
            continue
        diagonal = getattr(network, buffers[node.args[1]]).diagonal().abs()
        if not diagonal.isfinite().all() or not diagonal.numel():
            continue  # what is not finite in the data is told where it is given
        ratio = float(diagonal.min() / diagonal.max())
        if not ratio > torch.finfo(diagonal.dtype).eps:
            condition = 1 / ratio if ratio > 0 else torch.inf
            raise UnrollError([SingularSystem(condition, node.origin)])


def _refuse_factor(L: torch.Tensor, origin: Span | None) -> None:
    """Of a system L L': its condition number is computed only where pivots are near rounding."""
    pivots, eps = L.detach().diagonal().abs(), torch.finfo(L.dtype).eps
    if not pivots.numel() or not pivots.isfinite().all():
        return
    if pivots.min() ** 2 <= len(pivots) * eps * pivots.max() ** 2:
        values = torch.linalg.svdvals(L.detach())
        condition = float(values.max() / values.min()) ** 2
        if not condition < 1 / eps:
            raise UnrollError([SingularSystem(condition, origin)])


def _place(graph: Graph, line: str) -> Span | None:
    """Where the system stands that is known at set-up: on that line, or the first."""
    found = stages(graph)
    systems = [
        node.origin
        for node in graph.nodes
        if isinstance(node.op, Solve) and found[node.args[0]] is Stage.SETUP and node.origin
    ]
    return next((s for s in systems if place(s) == line), systems[0] if systems else None)
