"""The values of a network, read off it and given to another one; and the network frozen."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from unroll_dsl.backends.values import as_array
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import difference, network, several, tensors
from unroll_dsl.verify.report import Row, Verdict, judged

_TOLERANCE = 1e-12
_AMPLIFIED = 20.0  # so much times what rounding its values changes: see agreement.py
_GROUP = "values of the network"


def check_learned_values(spec: Spec, instance: Instance, phases: int, seed: int) -> list[Row]:
    """Off its classical values, a network equals the frozen one, one made of its `spec.values`, and the
    reference at these."""
    net = network(spec, instance, phases, torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            noise = torch.randn(p.shape, generator=generator, dtype=torch.float64)
            p.add_(0.03 * noise.to(p.dtype) * (p.abs().mean() + 0.1))
    inputs = tensors(instance.inputs, torch.float64)
    expected = _outputs(net, inputs)
    if not all(value.isfinite().all() for value in expected):
        detail = "its outputs are not finite off its classical values"
        return [Row(_GROUP, "outputs", Verdict.SKIPPED, detail=detail)]
    allowed = max(_TOLERANCE, _AMPLIFIED * _sensitivity(net, inputs, expected, generator))
    rows = [judged(_GROUP, "frozen", _gap(_outputs(net.freeze(), inputs), expected), allowed)]
    if not spec.graph.parameters:
        return rows
    values = spec.values(net, bind=instance.bind, dims=instance.sizes)
    given: dict[str, Any] = {
        "bind": instance.bind,
        "dims": instance.sizes,
        "init": {**instance.init, **values},
    }
    again = spec.compile(phases, dtype=torch.float64, seed=1, **given).eval()
    rows.append(judged(_GROUP, "given again", _gap(_outputs(again, inputs), expected), allowed))
    exact = several(spec.reference(phases, **given)(*instance.inputs))
    gap = float(np.max([difference(a, b) for a, b in zip(expected, exact, strict=True)]))
    rows.append(judged(_GROUP, "in the reference", gap, allowed))
    return rows


def _outputs(net: Any, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        return [torch.as_tensor(value) for value in several(net(*inputs))]


def _gap(found: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> float:
    return float(np.max([difference(a, as_array(b)) for a, b in zip(found, expected, strict=True)]))


def _sensitivity(
    net: Any,
    inputs: Sequence[torch.Tensor],
    expected: Sequence[torch.Tensor],
    generator: torch.Generator,
) -> float:
    """What changes in the outputs where all that a network computes with moves by a rounding unit."""
    unit = torch.finfo(torch.float64).eps

    def moved(value: torch.Tensor) -> torch.Tensor:
        noise = torch.rand(value.shape, generator=generator, dtype=torch.float64)
        return value * (1 + unit * (2 * noise - 1)).to(value.dtype)

    other = copy.deepcopy(net)
    with torch.no_grad():
        for held in (*other.parameters(), *other.buffers()):
            if held.is_floating_point() or held.is_complex():
                held.copy_(moved(held))
    return _gap(_outputs(other, [moved(value) for value in inputs]), expected)
