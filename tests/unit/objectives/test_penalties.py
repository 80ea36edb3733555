"""Penalties of one's own: their proximal maps, against brute force and against the published ones."""

from __future__ import annotations

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.derive import derive
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.objectives import read

HEAD = "problem own\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"


def page(definition: str, call: str) -> str:
    return (
        f"{HEAD}def phi({definition}\nminimize over x : vector[n]:\n"
        f"    1/2 * sumsq(A @ x - y) + 0.1 * sum({call})\n"
    )


@pytest.mark.parametrize(
    ("definition", "call", "exact", "published"),
    [
        ("t) = 2 * abs(t)", "phi(x)", True, "soft(v, 2 * t)"),
        (
            "t, l, g) = where(abs(t) > g * l, g * l^2 / 2, l * abs(t) - t^2 / (2 * g))", "phi(x, 0.5, 2.5)",
            True, "firm(v, t * 0.5, 2.5 * 0.5)",
        ),
        ("t, e) = log(1 + abs(t) / e) + 0 * e^2", "phi(x, 0.3)", True, "log_shrink(v, t, 0.3)"),
        (
            "t, l) = where(abs(t) <= l, l * abs(t), where(abs(t) <= 3.7 * l, "
            "(7.4 * l * abs(t) - t^2 - l^2) / 5.4, l^2 * 2.35))", "phi(x, 0.5)", True,
            "scad_shrink(v, t, 0.5, 3.7)",
        ),
        ("t) = sqrt(abs(t))", "phi(x)", False, "half_shrink(v, t)"),
        ("t, c) = log(1 + t^2 / c^2)", "phi(x, 0.8)", False, None),  # Cauchy's
        ("t) = abs(t)^1.5", "phi(x)", True, None),
        ("t) = abs(t)^0.7", "phi(x)", False, None),
        ("t) = 1 - exp(-t^2)", "phi(x)", False, None),
    ],
)  # fmt: skip
def test_own_penalties(definition: str, call: str, exact: bool, published: str | None) -> None:
    """Found, proved on a grid while it is derived, and equal to the published map where there is one."""
    typed = unroll_dsl.loads(page(definition, call)).typed
    form = read(typed)
    if not form.penalties:  # an atom that is known
        assert form.terms[1].atom.name in ("norm1", "log_sum", "half_norm", "cauchy")
        return
    (own,) = form.penalties
    assert own.exact is exact
    derived = derive(typed, "ista")  # refuses what is not the smallest on a grid
    assert "    x <- prox_phi(" in derived.text
    assert ("not convex" in _table(form)) is not own.atom.convex
    if published is None:
        return
    values = call[call.index("(") + 2 : -1]
    shared = "algorithm a\ndims n\ninput v : vector[n]\nfixed t : scalar\n"
    text = f"{shared}def phi({definition}\n" + "\n".join(own.functions)
    ours = unroll_dsl.loads(f"{text}\noutput prox_phi(v, t{values})\n").reference(bind={"t": 0.3})
    theirs = unroll_dsl.loads(f"{shared}output {published}\n").reference(bind={"t": 0.3})
    v = np.linspace(-3, 3, 61) + 1e-3
    np.testing.assert_allclose(ours(v), theirs(v), atol=1e-9)


def _table(form: object) -> str:
    from unroll_dsl.objectives.table import to_text

    return to_text(form)  # type: ignore[arg-type]  # the form


def test_what_is_no_penalty_says_why() -> None:
    with pytest.raises(UnrollError) as caught:
        read(unroll_dsl.loads(page("t) = exp(t)^2", "phi(x)")).typed)
    assert "is not the same at -t as at t" in str(caught.value)
