"""Proximal maps of a page's own penalties, held against brute force on a grid before they are written."""

from __future__ import annotations

import re

from unroll_dsl.driver import check_source
from unroll_dsl.objectives.penalties import Penalty
from unroll_dsl.source import SourceFile

_WEIGHTS = (0.05, 0.4, 1.2)
_PARAMETERS = (1.7, 3.1)
_TOLERANCE = 1e-7


def holds(penalty: Penalty, definition: str) -> bool:
    """Whether the proximal map is a global minimiser on a grid, for some weights and parameters."""
    import numpy as np

    from unroll_dsl.backends.numpy import Reference

    names = [p.name for p in penalty.atom.parameters]
    fixed = "".join(f"fixed {word} : scalar\n" for word in ("t", *names) if word != "v")
    call = re.sub(r"^sum\((.*)\)$", r"\1", penalty.atom.spellings[0])
    text = (
        f"algorithm proof\ndims n\ninput v : vector[n]\n{fixed}{definition}\n"
        + "\n".join(penalty.functions)
        + f"\noutput {penalty.atom.prox}, {call} + 0 * t * v\n"
    )
    checked = check_source(SourceFile("proof.unroll", text))
    if checked.graph is None:
        return False
    v, z = np.linspace(-4, 4, 81), np.linspace(-4.2, 4.2, 4201)
    for t in _WEIGHTS:
        for parameter in _PARAMETERS:
            values = {"t": np.asarray(t), **{word: np.asarray(parameter) for word in names}}
            with np.errstate(all="ignore"):
                found = Reference(checked.graph, 1, values, {}, {"n": v.size})(v)[0]
                at_found = Reference(checked.graph, 1, values, {}, {"n": v.size})(found)[1]
                grid = Reference(checked.graph, 1, values, {}, {"n": z.size})(z)[1]
            reached = 0.5 * (found - v) ** 2 + t * at_found
            best = np.min(0.5 * (z[:, None] - v) ** 2 + t * grid[:, None], axis=0)
            if not np.all(reached <= best + _TOLERANCE * (1 + np.abs(best))):
                return False
    return True
