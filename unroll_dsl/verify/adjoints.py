"""`<A x, y> = <x, A' y>` for every linear map that a program applies, in both backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unroll_dsl.spec import Spec
from unroll_dsl.verify.derived import applied_maps
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.report import Row, judged
from unroll_dsl.verify.run import as_spec
from unroll_dsl.verify.using import Values, tensors

_TOLERANCE = 1e-12


def check_adjoints(spec: Spec, instance: Instance, phases: int, seed: int) -> list[Row]:
    """One row a map: the gap between the two inner products, relative to their factors."""
    rows = []
    for map_ in applied_maps(spec.graph):
        forward, backward = as_spec(spec, map_.forward), as_spec(spec, map_.backward)
        (x,) = draw(map_.forward, seed=seed + 1, dims=instance.sizes).inputs
        (y,) = draw(map_.backward, seed=seed + 2, dims=instance.sizes).inputs
        given: dict[str, Any] = {
            "bind": instance.bind,
            "init": instance.init,
            "dims": instance.sizes,
        }
        gap = _gap(
            forward.reference(phases, **given)(x), y, x, backward.reference(phases, **given)(y)
        )
        for other in (forward, backward):
            net = other.compile(phases, **given, dtype=torch.float64)
            (argument,) = tensors((x if other is forward else y,), torch.float64)
            reached = net(argument).detach().numpy()
            pair = (reached, y, x, backward.reference(phases, **given)(y))
            if other is backward:
                pair = (forward.reference(phases, **given)(x), y, x, reached)
            gap = max(gap, _gap(*pair))
        detail = f"{map_.domain} -> {map_.codomain}"
        rows.append(judged("adjoints of linear maps", map_.name, gap, _TOLERANCE, detail))
    return rows


def _gap(Ax: Values, y: Values, x: Values, Aty: Values) -> float:
    left, right = complex(np.vdot(Ax, y)), complex(np.vdot(x, Aty))
    scale = np.linalg.norm(np.ravel(Ax)) * np.linalg.norm(np.ravel(y))
    if not (np.iscomplexobj(Ax) and np.iscomplexobj(x)):
        left, right = left.real, right.real
    return abs(left - right) / max(float(scale), 1e-30)
