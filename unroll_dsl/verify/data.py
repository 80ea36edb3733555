"""What the `measure` lines make, by torch and by NumPy."""

from __future__ import annotations

import dataclasses

from unroll_dsl.measure import measurement
from unroll_dsl.spec import Spec
from unroll_dsl.verify.agreement import check_agreement
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.report import Row
from unroll_dsl.verify.run import as_spec, exact


def check_data(spec: Spec, instance: Instance, seed: int) -> list[Row]:
    """Data of random targets and noise in both precisions; no rows without `measure` lines."""
    found = measurement(spec)
    if found is None:
        return []
    made = as_spec(found.spec, exact(found.spec.graph))
    drawn = draw(made.graph, seed=seed + 1, dims=instance.sizes)
    bind = {constant: instance.bind.get(constant, value) for constant, value in drawn.bind.items()}
    rows = check_agreement(made, dataclasses.replace(drawn, bind=bind), 1)
    names = ", ".join(found.inputs)
    return [
        dataclasses.replace(
            row, group="measured data", name=row.name.replace("outputs", f"`{names}`")
        )
        for row in rows
    ]
