"""`check --against`: a page is held against another one with the same layers, random starts and sizes."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.resources import algorithm_names
from unroll_dsl.verify import Row, Verdict
from unroll_dsl.verify.against import check_against, check_other_constants
from unroll_dsl.verify.counterpart import counterpart
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.networks import with_random_starts

PHASES = 3
LAYERS = """algorithm layers
dims h, w, f = 3
input y : image[1, h, w]
learnable t : scalar per phase ~ normal(0, 1)
learnable D : conv[1 -> f, 3, bias] >> relu >> conv[f -> 1, 3] per phase ~ xavier_normal
learnable E : conv[1 -> f, 3, bias] >> relu >> conv[f -> 1, 3] ~ xavier_normal
state x : image[1, h, w] = 0
phase (3):
    x <- t * x + D(x - y) + E(x)
output x
"""


def drawn(spec: unroll_dsl.Spec) -> Instance:
    return with_random_starts(spec, draw(spec.graph, batch=2), PHASES)


def held(ours: str, theirs: str) -> list[Row]:
    spec = unroll_dsl.loads(ours)
    return check_against(spec, unroll_dsl.loads(theirs), drawn(spec), PHASES)


def against_itself(name: str) -> list[Row]:
    spec = unroll_dsl.load(name)
    phases = min(spec.graph.phases or 1, 10)
    instance = with_random_starts(spec, draw(spec.graph), phases)
    rows = check_against(spec, spec, instance, phases)
    return rows + check_other_constants(spec, spec, 0, None, phases)


@pytest.mark.parametrize("name", ["ista_net_plus", "deep_nmf", "reconnet"])
def test_three_pages_against_themselves(name: str) -> None:
    rows = against_itself(name)
    assert {row.verdict for row in rows} == {Verdict.PASSED}
    assert len(rows) == 4 if name != "reconnet" else 2  # outputs alone, of a page without states


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_every_shipped_page_against_itself(name: str) -> None:
    assert {row.verdict for row in against_itself(name)} == {Verdict.PASSED}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("D(x - y)", "D(x + y)"),
        ("D(x - y)", "E(x - y)"),
        ("t * x", "t^2 * x"),
        ("x <- t * x + D(x - y) + E(x)", "x <- t * x + D(x - y)"),
    ],
)
def test_what_layers_are_given_is_noticed(old: str, new: str) -> None:
    assert {row.verdict for row in held(LAYERS.replace(old, new), LAYERS)} == {Verdict.FAILED}


def test_layers_of_other_names_are_matched_in_order() -> None:
    other = re.sub(r"\bt\b", "s", re.sub(r"\bD\b", "Q", LAYERS))
    assert {row.verdict for row in held(LAYERS, other)} == {Verdict.PASSED}


def test_sizes_are_those_of_shapes_before_those_of_names() -> None:
    turned = LAYERS.replace("[1, h, w]", "[1, w, h]")
    assert {row.verdict for row in held(LAYERS, turned)} == {Verdict.PASSED}


def test_a_size_that_no_shape_tells_is_that_of_the_same_name() -> None:
    spec = unroll_dsl.load("deep_nmf")
    given, _ = counterpart(spec, spec, drawn(spec), PHASES)
    assert given.sizes == drawn(spec).sizes


def test_one_layer_is_that_of_each_phase() -> None:
    shared = LAYERS.replace("conv[f -> 1, 3] per phase", "conv[f -> 1, 3]")
    rows = held(shared, LAYERS)
    assert {row.verdict for row in rows} == {Verdict.PASSED}


def test_layers_of_each_phase_are_not_one() -> None:
    shared = LAYERS.replace("conv[f -> 1, 3] per phase", "conv[f -> 1, 3]")
    spec, other = unroll_dsl.loads(LAYERS), unroll_dsl.loads(shared)
    given, _ = counterpart(spec, other, drawn(spec), PHASES)
    assert set(given.init) == {"t", "E"}


@pytest.mark.parametrize("theirs", ["0.5", "2 * a", "~ normal(0, 1)"])
def test_what_both_derive_is_not_taken_over(theirs: str) -> None:
    page = (
        "algorithm a\ndims n\ninput y : vector[n]\nfixed a : scalar = 0.1\n"
        "learnable s : scalar {}\noutput s * y\n"
    )
    sign = "" if theirs.startswith("~") else "= "
    rows = held(page.format("= a"), page.format(sign + theirs))
    assert {row.verdict for row in rows} == {Verdict.FAILED}


def test_a_page_without_states_is_not_held_against_one_with_them() -> None:
    page = "algorithm a\ndims h, w\ninput y : image[1, h, w]\noutput y\n"
    for ours, theirs in ((page, LAYERS), (LAYERS, page)):
        (row,) = held(ours, theirs)
        assert (row.verdict, row.detail) == (Verdict.FAILED, "no states correspond")


def test_a_network_from_outside_is_that_of_both() -> None:
    page = (
        "algorithm a\ndims n\ninput y : vector[n]\nfixed P : linear vector[n] -> vector[n]\n"
        "learnable N : network vector[n] -> vector[n]\noutput N(P @ y)\n"
    )
    assert {row.verdict for row in held(page, page)} == {Verdict.PASSED}
    renamed = page.replace("P", "Q")
    assert {row.verdict for row in held(page, renamed)} == {Verdict.PASSED}
    wrong = page.replace("P @ y", "P' @ y")
    assert {row.verdict for row in held(wrong, page)} == {Verdict.FAILED}


def test_values_that_were_drawn_are_the_same_ones() -> None:
    spec = unroll_dsl.loads(LAYERS)
    instance = drawn(spec)
    given, _ = counterpart(spec, spec, instance, PHASES)
    assert given.inputs is instance.inputs
    for name, value in instance.init.items():
        _same(value, given.init[name])
    other = dataclasses.replace(instance, init={**instance.init, "t": np.ones(PHASES)})
    again, _ = counterpart(spec, spec, other, PHASES)
    assert (again.init["t"] == 1).all()


def _same(ours: Any, theirs: Any) -> None:
    if isinstance(ours, dict):
        assert set(ours) == set(theirs)
        assert all((ours[key] == theirs[key]).all() for key in ours)
    else:
        assert (ours == theirs).all()
