"""What the `measure` lines make, by torch and by NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.measure import measurement
from unroll_dsl.spec import Spec
from unroll_dsl.verify.agreement import ReferenceRun, check_agreement
from unroll_dsl.verify.derived import exact
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.report import Row, Verdict

_GROUP = "measured data"


def check_data(spec: Spec, instance: Instance, seed: int) -> list[Row]:
    """Data of random targets and noise in both precisions; no rows without `measure` lines."""
    found = measurement(spec)
    if found is None:
        return []
    made = found.spec.over(exact(found.spec.graph))
    drawn = draw(made.graph, seed=seed + 1, dims=instance.sizes, learned=True)
    bind = {constant: instance.bind.get(constant, value) for constant, value in drawn.bind.items()}
    drawn = dataclasses.replace(drawn, bind=bind)
    rows = []
    if ReferenceRun.of(
        made, drawn, 1
    ).not_finite():  # a variance or an image among the targets, perhaps
        drawn = dataclasses.replace(drawn, inputs=tuple(map(_positive, drawn.inputs)))
        detail = "they are numbers only where what is measured is >= 0: it is drawn so"
        rows.append(Row(_GROUP, "domain", Verdict.NOTE, detail=detail))
    rows += check_agreement(made, drawn, 1)
    names = ", ".join(found.inputs)
    return [
        dataclasses.replace(row, group=_GROUP, name=row.name.replace("outputs", f"`{names}`"))
        for row in rows
    ]


def _positive(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return values if np.iscomplexobj(values) else np.asarray(np.abs(values))
