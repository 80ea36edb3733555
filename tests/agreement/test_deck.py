"""The deck by machine: each shipped page, from a problem, a method and relaxations alone.

The derived page has the parameters of the shipped one, under the same names or those that the table gives, and at
equal values the same outputs to 1e-12, whatever the values: they are drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.derive import derive
from unroll_dsl.derive.deck import deck, options_of
from unroll_dsl.relax import relax
from unroll_dsl.types import Layer
from unroll_dsl.types.pieces import pieces
from unroll_dsl.verify.instance import draw

PHASES = 3
SIZES: Mapping[str, Mapping[str, int]] = {
    "fista_net_plus": {
        "m": 6,
        "n": 9,
    },  # fewer measurements than pixels, so that A @ A' has an inverse
    "wavelet_ista": {"h": 16, "w": 8},
}


def derived(name: str) -> Any:
    entry = deck()[name]
    found = derive(
        unroll_dsl.load(entry["problem"]).typed, entry["method"], options_of(entry, name)
    )
    text = found.text
    if entry.get("relax"):
        text = relax(unroll_dsl.loads(text).typed, entry["relax"])[-1].text
    return unroll_dsl.loads(text, f"{name}.unroll")


def random_values(graph: Any, sizes: Mapping[str, int], seed: int) -> dict[str, Any]:
    """A value a phase for every learnable, near those that networks learn."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for parameter in graph.parameters:
        lead = (PHASES,) if parameter.per_phase else ()
        if isinstance(parameter.type, Layer):
            found[parameter.name] = {
                piece.name: (0.05 if len(parameter.type.steps) > 3 else 0.3)
                * rng.standard_normal((*lead, *_shape(piece.shape, sizes)))
                for piece in pieces(parameter.type)
            }
        else:
            shape = _shape(parameter.type.shape, sizes)
            found[parameter.name] = 0.05 + 0.2 * rng.random((*lead, *shape))
    return found


def _shape(shape: Any, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else d.substitute(sizes).value for d in shape)


@pytest.mark.parametrize("name", sorted(deck()))
def test_the_derived_page_is_the_shipped_one(name: str) -> None:
    ours, page = derived(name), unroll_dsl.load(name)
    names = dict(deck()[name].get("names", {}))
    back = {theirs: own for own, theirs in names.items()}
    shapes = {p.name: (str(p.type), p.per_phase) for p in page.graph.parameters}
    dims = {own: theirs for own, theirs in names.items() if len(own) == 1 and own.islower()}
    mine = {names.get(p.name, p.name): (str(p.type), p.per_phase) for p in ours.graph.parameters}
    if not dims:
        assert mine == shapes
    assert mine.keys() == shapes.keys()
    assert ours.graph.phases == page.graph.phases
    instance = draw(page.graph, seed=2, dims=SIZES.get(name), batch=2)
    if "M" in instance.bind:  # it takes pixels: its rows are those of the identity
        rows, columns = instance.bind["M"].shape
        instance.bind["M"] = np.eye(columns)[np.random.default_rng(1).permutation(columns)[:rows]]
    values = random_values(page.graph, instance.sizes, seed=4)
    there = page.reference(PHASES, bind=instance.bind, init=values, dims=instance.sizes)
    constants = {c.name for c in ours.graph.constants}
    here = ours.reference(
        PHASES,
        bind={back.get(k, k): v for k, v in instance.bind.items() if back.get(k, k) in constants},
        init={back.get(k, k): v for k, v in values.items()},
        dims={back.get(k, k): v for k, v in instance.sizes.items() if k in dict(ours.graph.dims)},
    )
    order = [
        [e.name for e in page.graph.inputs].index(names.get(e.name, e.name))
        for e in ours.graph.inputs
    ]
    expected = there(*instance.inputs)
    found = here(*(instance.inputs[i] for i in order))
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", sorted(deck()))
def test_the_page_fits_a_page(name: str) -> None:
    entry = deck()[name]
    found = derive(
        unroll_dsl.load(entry["problem"]).typed, entry["method"], options_of(entry, name)
    )
    assert len(found.text.split("\n")) <= 40
