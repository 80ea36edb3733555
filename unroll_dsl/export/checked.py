"""What a runtime gives, held against the network."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from unroll_dsl.export.refused import CannotExport
from unroll_dsl.export.taken import Frozen

BATCH = 5  # another one than the samples had by which it was followed
_ROUNDINGS = 10
_CLOSE = {torch.float64: 1e-10, torch.float32: 1e-5}


def agreement(made: Frozen, given: Sequence[Tensor], found: Sequence[Tensor], where: str) -> float:
    """How far what was found is from what the network gives, relative to that.

    Raises
    ------
    CannotExport
        If it is further than 1e-10 in double precision, 1e-5 in single, and further than ten times what the
        precision of the network costs it: the same sums in another order.
    """
    expected = made.expected(*given)
    exact = _in_double(made, given)
    worst = 0.0
    for name, own, double, other in zip(made.outputs, expected, exact, found, strict=True):
        scale = max(float(own.norm()), torch.finfo(made.dtype).tiny)
        rounding = float((own - double.to(own)).norm()) / scale
        off = float((own - other.reshape(own.shape).to(own)).norm()) / scale
        worst = max(worst, off)
        if not off <= max(_CLOSE.get(made.dtype, 1e-2), _ROUNDINGS * rounding):
            raise CannotExport(
                f"{where} gives another `{name}` than the network, by {off:.1e} of it",
                "this is a fault of the runtime or of ours: please report it; nothing was written",
            )
    return worst


def _in_double(made: Frozen, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What the network gives in double precision: how far it is from its own is what rounding costs."""
    double = replace(made, network=deepcopy(made.network).to(torch.float64))
    wide = (x.to(torch.complex128 if x.is_complex() else torch.float64) for x in given)
    return double.expected(*wide)
