"""`<A x, y> = <x, A' y>` for every linear map that a program applies, in both backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from unroll_dsl.adjointness import adjointness
from unroll_dsl.backends.values import as_array
from unroll_dsl.spec import Spec
from unroll_dsl.verify.derived import applied_maps
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.networks import Values, tensors
from unroll_dsl.verify.report import Row, judged

_TOLERANCE = 1e-12


def check_adjoints(spec: Spec, instance: Instance, phases: int, seed: int) -> list[Row]:
    """One row a map: by how much the inner products differ, in units of what they are."""
    rows = []
    for map_ in applied_maps(spec.graph):
        forward, backward = spec.over(map_.forward), spec.over(map_.backward)
        (x,) = draw(map_.forward, seed=seed + 1, dims=instance.sizes).inputs
        (y,) = draw(map_.backward, seed=seed + 2, dims=instance.sizes).inputs
        given: dict[str, Any] = {
            "bind": instance.bind,
            "init": instance.init,
            "dims": instance.sizes,
        }
        exact = [other.reference(phases, **given) for other in (forward, backward)]
        nets = [
            _on_arrays(other.compile(phases, **given, dtype=torch.float64))
            for other in (forward, backward)
        ]
        pairs = ((exact[0], exact[1]), (nets[0], exact[1]), (exact[0], nets[1]))
        found = [adjointness(one, other, x, y, seed) for one, other in pairs]
        worst = max(found, key=lambda a: np.nan_to_num(a.gap, nan=np.inf) / a.tolerance)
        tolerance = max(_TOLERANCE, worst.tolerance)
        detail = f"{map_.domain} -> {map_.codomain}"
        rows.append(judged("adjoints of linear maps", map_.name, worst.gap, tolerance, detail))
    return rows


def _on_arrays(net: Any) -> Callable[[Values], Values]:
    def run(x: Values) -> Values:
        with torch.no_grad():
            (argument,) = tensors((x,), torch.float64)
            return np.asarray(as_array(net(argument)))

    return run
