"""Small conveniences that the checks share: networks and references of an instance."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll_dsl.backends.resting import FIXED_POINT, Phases
from unroll_dsl.backends.torch.learned import learned
from unroll_dsl.backends.values import as_array
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Random
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance

Values = NDArray[Any]


AT_REST = {"tol": 1e-12, "max_phases": 5000}  # how near to rest the checks go


def network(spec: Spec, instance: Instance, phases: Phases, dtype: torch.dtype) -> Any:
    """The untrained network, in evaluation: the reference sees no batch and drops nothing. float32 values
    are cast because they are asked for."""
    given = instance.arguments()
    limits = AT_REST if phases == FIXED_POINT else {}
    made = spec.compile(phases, **given, **limits, dtype=dtype, seed=0)  # type: ignore[arg-type]
    return made.eval()


def reference(spec: Spec, instance: Instance, phases: int, net: Any) -> Any:
    """The reference at the values of the network, random starts included."""
    init = {**instance.init, **random_starts(spec, net)}
    return spec.reference(phases, bind=instance.bind, init=init, dims=instance.sizes)


def random_starts(spec: Spec, net: Any) -> dict[str, Any]:
    """What the network has drawn for learnables without a classical value."""
    found: dict[str, Any] = {}
    held = learned(spec.graph, net, lambda parameter: (None, None))
    for parameter in spec.graph.parameters:
        if isinstance(parameter.initial, Random) and parameter.name in held:
            value = held[parameter.name]
            if isinstance(value, dict):
                found[parameter.name] = {key: _double(piece) for key, piece in value.items()}
            else:
                found[parameter.name] = _double(value)
    return found


def _double(value: torch.Tensor) -> Values:
    return np.asarray(as_array(value.to(torch.promote_types(value.dtype, torch.float64))))


def with_random_starts(spec: Spec, instance: Instance, phases: int) -> Instance:
    """The instance with one draw of all random starts, so that every check sees the same."""
    if not any(isinstance(parameter.initial, Random) for parameter in spec.graph.parameters):
        return instance
    try:
        drawn = random_starts(spec, network(spec, instance, phases, torch.float64))
    except UnrollError:
        return instance  # what cannot run yet is reported by the checks
    return dataclasses.replace(instance, init={**instance.init, **drawn})


def tensors(arrays: tuple[Values, ...], dtype: torch.dtype) -> list[torch.Tensor]:
    made = [torch.from_numpy(np.array(array)) for array in arrays]
    return [t.to(dtype.to_complex() if t.is_complex() else dtype) for t in made]


def difference(found: Any, expected: Values, scale: float = 0.0) -> float:
    """The largest difference, relative to the largest entry expected, or to `scale` if that is more."""
    ours = as_array(found) if isinstance(found, torch.Tensor) else np.asarray(found)
    ours = np.broadcast_to(ours, expected.shape) if ours.ndim < expected.ndim else ours
    expected = np.asarray(expected) * 1  # True and False as numbers
    gap = np.abs(ours * 1 - expected).max(initial=0.0)
    return float(gap / max(np.abs(expected).max(initial=0.0), scale, 1e-30))


def exceeds(gap: float, worst: float) -> bool:
    """Whether a gap is worse than the worst so far; what is no number is worst, and stays so."""
    return worst == worst and not gap <= worst


def several(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
