"""A certificate as words and as JSON."""

from __future__ import annotations

import math
from typing import Any

from unroll_dsl.certify.model import Bound, Certificate


def to_text(found: Certificate) -> str:
    """The class, what is assumed, and the bound after each number of phases."""
    functions = found.functions
    lines = [f"{found.name}: the worst case over all functions of a class", ""]
    if len(functions) > 1:
        lines.append(f"F = {' + '.join(f.name for f in functions)}")
    width = max(len(f.words) for f in functions)
    lines += [f"{f.name}: {f.words:<{width}}  for {f.terms}" for f in functions]
    lines += found.assumed
    if len(set(found.steps)) > 1:
        lines.append(f"proximal steps: {', '.join(f'{s:.4g}' for s in found.steps)}, each / L")
    head = f"{found.measure.formula(found.objective)} at most, in {found.measure.units}"
    lines += ["", f"  K  {head}"]
    lines += [_row(bound) for bound in found.bounds]
    if found.boundless:
        lines += ["", *_why_none(found)]
    if found.left_out:
        lines += ["", f"{found.bounds[-1].phases} of {found.left_out} phases: more by --at"]
    return "\n".join(lines)


def _why_none(found: Certificate) -> list[str]:
    """Why nothing follows from the distance of the start, in words."""
    if found.besides:
        names = ", ".join(f"`{name}`" for name in found.besides)
        return [
            f"none: |x_0 - x*| says nothing of how {names} begins. Where that is a multiplier, or has one in it (ADMM,",
            "Douglas-Rachford), its limit is a subgradient at x*, which may be anything.",
        ]
    return [
        "none: gradients and proximal maps take steps that do not belong together: it rests elsewhere."
    ]


def _row(bound: Bound) -> str:
    if math.isinf(bound.value):
        why = "none: it can be as bad as any" if "failed" not in bound.status else bound.status
        return f"{bound.phases:>3}  {why}"
    inverse = f"= 1 / {1 / bound.value:.5g}" if bound.value > 0 else ""
    words = f"  (known to {bound.residual:.0e})" if bound.inaccurate else ""
    return f"{bound.phases:>3}  {bound.value:<10.5g}  {inverse}{words}".rstrip()


def to_json(found: Certificate) -> dict[str, Any]:
    return {
        "name": found.name,
        "measure": found.measure.value,
        "units": found.measure.units,
        "class": [
            {
                "name": f.name,
                "words": f.words,
                "terms": f.terms,
                "smoothness": f.smoothness,
                "strong_convexity": f.strong,
                "indicator": f.indicator,
                "quadratic": f.quadratic,
            }
            for f in found.functions
        ],
        "L": found.unit,
        "assumed": list(found.assumed),
        "proximal_steps": list(found.steps),
        "bounds": [
            {
                "phases": b.phases,
                "bound": b.value if math.isfinite(b.value) else None,
                "residual": b.residual if math.isfinite(b.residual) else None,
                "status": b.status,
            }
            for b in found.bounds
        ],
    }
