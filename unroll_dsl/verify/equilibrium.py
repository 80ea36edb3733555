"""The network at rest: torch against NumPy, against plain phases, and its gradients."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import torch

from unroll_dsl.backends.resting import FIXED_POINT
from unroll_dsl.backends.values import as_array
from unroll_dsl.spec import Spec
from unroll_dsl.verify.gradients import check_gradients
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import AT_REST, difference, network, several, tensors
from unroll_dsl.verify.report import Row, Verdict, judged

_GROUP = "fixed point"
_TOLERANCE = 1e-8  # two runs that rest to 1e-12, each phase of which may still gain a little
_PLAIN = 1e-6  # plain phases come nearer ever more slowly


def check_rest(spec: Spec, instance: Instance, seed: int) -> list[Row]:
    """Whether the phases come to rest; outputs there, torch against NumPy and against as many plain
    phases; the gradient of every learnable there against differences."""
    inputs = tensors(instance.inputs, torch.float64)
    net = network(spec, instance, FIXED_POINT, torch.float64)
    with warnings.catch_warnings(record=True) as said, torch.no_grad():
        warnings.simplefilter("always")
        found = several(net(*inputs))
        ref = spec.reference(FIXED_POINT, **instance.arguments(), **AT_REST)  # type: ignore[arg-type]
        expected = several(ref(*instance.inputs))
    moving = [str(w.message) for w in said if "come to rest" in str(w.message)]
    if moving:
        return [Row(_GROUP, "comes to rest", Verdict.UNDECIDED, detail=moving[0])]
    rows = [Row(_GROUP, "comes to rest", Verdict.PASSED)]
    gap = max(difference(a, np.asarray(b)) for a, b in zip(found, expected, strict=True))
    rows.append(judged(_GROUP, "outputs, torch against NumPy", gap, _TOLERANCE))
    rows.append(_plain(spec, instance, found))
    for row in check_gradients(spec, instance, FIXED_POINT, seed):
        rows.append(dataclasses.replace(row, group=_GROUP, name=f"gradient, {row.name}"))
    return rows


def _plain(spec: Spec, instance: Instance, found: tuple[torch.Tensor, ...]) -> Row:
    """Whether plain phases lead to the same point: an acceleration may find one that they leave."""
    phases = int(AT_REST["max_phases"])
    with torch.no_grad():
        plain = several(
            network(spec, instance, phases, torch.float64)(*tensors(instance.inputs, torch.float64))
        )
    gap = max(difference(b, as_array(a)) for a, b in zip(found, plain, strict=True))
    row = judged(_GROUP, f"outputs after {phases} plain phases", gap, _PLAIN)
    if row.verdict is Verdict.FAILED:
        words = "plain phases are not there: they are slower, or lead elsewhere"
        return dataclasses.replace(row, verdict=Verdict.NOTE, detail=words)
    return row
