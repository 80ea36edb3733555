"""What checks share: differences, casts, values that were drawn; one map of a program as a program of its own."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.verify import adjoints
from unroll_dsl.verify.adjoints import check_adjoints
from unroll_dsl.verify.agreement import _scales
from unroll_dsl.verify.derived import applied_maps, exact
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.networks import (
    difference,
    exceeds,
    network,
    random_starts,
    reference,
    several,
    tensors,
    with_random_starts,
)
from unroll_dsl.verify.report import Verdict

NAN, INF = math.nan, math.inf


# ---- differences --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected", "scale", "gap"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0, 0.0),
        ([1.0, 2.5], [1.0, 2.0], 0.0, 0.25),
        ([1.0, 1.0], [1.0, -4.0], 0.0, 1.25),  # by the largest entry expected
        ([1.0, 2.5], [1.0, 2.0], 5.0, 0.1),
        ([1.0, 2.5], [1.0, 2.0], 1.0, 0.25),
        ([0.0, 1e-30], [0.0, 0.0], 0.0, 1.0),
        ([True, False], [True, True], 0.0, 1.0),
        ([1 + 1j], [1.0 + 0j], 0.0, 1.0),
        (2.0, [2.0, 4.0], 0.0, 0.5),
        ([], [], 0.0, 0.0),
    ],
)
def test_differences_are_relative_to_what_is_expected(
    found: Any, expected: Any, scale: float, gap: float
) -> None:
    assert difference(np.asarray(found), np.asarray(expected), scale) == pytest.approx(gap)
    assert difference(torch.tensor(found), np.asarray(expected), scale) == pytest.approx(gap)


def test_no_number_makes_no_difference_that_is_one() -> None:
    assert math.isnan(difference(np.array([NAN, 1.0]), np.ones(2)))


@pytest.mark.parametrize(
    ("gap", "worst", "found"),
    [
        (2.0, 1.0, True),
        (1.0, 1.0, False),
        (0.5, 1.0, False),
        (NAN, 1.0, True),
        (NAN, NAN, False),
        (9.0, NAN, False),
        (INF, 1.0, True),
    ],
)
def test_what_is_no_number_is_worst_and_stays_so(gap: float, worst: float, found: bool) -> None:
    assert exceeds(gap, worst) is found


def test_states_near_0_are_held_by_the_largest_of_all() -> None:
    along = [
        {"x": np.array([1.0, -30.0]), "z": np.array([1e-5])},
        {"x": np.array([20.0, 3.0]), "z": np.array([-2e-5])},
    ]
    assert _scales(along) == pytest.approx({"x": 30.0, "z": 0.03})
    along[0]["z"] = np.array([0.5])
    assert _scales(along) == pytest.approx({"x": 30.0, "z": 0.5})
    assert _scales([]) == {}


def test_tensors_keep_their_field() -> None:
    real, complex_ = np.ones(2), np.ones(2) * 1j
    for dtype, other in ((torch.float32, torch.complex64), (torch.float64, torch.complex128)):
        assert [t.dtype for t in tensors((real, complex_), dtype)] == [dtype, other]
    (copied,) = tensors((real,), torch.float64)
    copied[0] = 7
    assert real[0] == 1
    assert several((1, 2)) == (1, 2) and several(3) == (3,)


# ---- random starts ------------------------------------------------------------------------------

DRAWN = """algorithm p
dims n
input y : vector[n]
learnable s : scalar = 0.5
learnable t : scalar per phase ~ normal(0, 1)
learnable W : matrix[n, n] ~ normal(0, 1)
learnable D : dense[n -> n] ~ xavier_normal
state x : vector[n] = 0
phase (3):
    x <- s * x + t * (W @ y) + D(y)
output x
"""


def test_every_check_sees_one_draw() -> None:
    spec = unroll_dsl.loads(DRAWN)
    plain = draw(spec.graph)
    instance = with_random_starts(spec, plain, 3)
    assert set(instance.init) == {"t", "W", "D"} and plain.init == {}
    assert instance.init["t"].shape == (3,) and instance.init["t"].dtype == np.float64
    net = network(spec, instance, 3, torch.float64)
    assert not net.training
    again = random_starts(spec, net)
    assert np.array_equal(again["W"], instance.init["W"])
    inputs = tensors(instance.inputs, torch.float64)
    with torch.no_grad():
        found = net(*inputs)
    expected = spec.reference(3, **instance.arguments())(*instance.inputs)
    assert difference(found, expected) < 1e-13
    assert (
        difference(torch.as_tensor(reference(spec, plain, 3, net)(*instance.inputs)), expected)
        < 1e-13
    )
    single = random_starts(spec, network(spec, plain, 3, torch.float32))
    assert single["W"].dtype == np.float64


def test_what_draws_nothing_stays_as_it_is() -> None:
    spec = unroll_dsl.loads(DRAWN.replace("~ normal(0, 1)", "= 1").replace("~ xavier_normal", ""))
    instance = draw(spec.graph)
    assert with_random_starts(spec, instance, 3) is instance


# ---- one map as a program -----------------------------------------------------------------------

MAPS = """algorithm p
dims m, n, h, w
input y : {field}vector[m]
input z : image[1, h, w]
input V : matrix[m, n]
fixed A : {field}matrix[m, n]
fixed T : linear image[1, h, w] -> vector[m]
fixed S : {field}matrix[n, n]
let B = 2 * A
state x : {field}vector[n] = 0
state v : image[1, h, w] = 0
phase (2):
    x <- {step}
    v <- v - T' @ (T @ v) + z
output x, v
"""


def maps(step: str, field: str = "") -> list[str]:
    spec = unroll_dsl.loads(MAPS.format(step=step, field=field))
    return sorted(m.name for m in applied_maps(spec.graph))


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("x - A' @ (A @ x - y)", ["A", "T"]),
        ("x - B' @ (A @ x - y)", ["A", "B", "T"]),
        ("solve(S, x)", ["S", "T"]),
        ("(V' @ V + I) @ x", ["T"]),  # of an input
        ("S @ (S @ x)", ["S", "T"]),
        ("S' @ x + (S @ S') @ S[1, :]", ["S", "S @ S'", "T"]),
    ],
)
def test_maps_that_are_applied(step: str, names: list[str]) -> None:
    assert maps(step) == names


@pytest.mark.parametrize("field", ["", "complex "])
def test_a_map_and_its_adjoint_are_programs(field: str) -> None:
    spec = unroll_dsl.loads(MAPS.format(step="x - A' @ (A @ x - y)", field=field))
    instance = draw(spec.graph, dims={"m": 3, "n": 4, "h": 2, "w": 5})
    rng = np.random.default_rng(0)
    for map_ in applied_maps(spec.graph):
        matrix = instance.bind[map_.name]
        shape, back = ((4,), (3,)) if map_.name == "A" else ((1, 2, 5), (3,))
        x, y = rng.standard_normal(shape), rng.standard_normal(back)
        if field and map_.name == "A":
            x, y = x + 1j * rng.standard_normal(shape), y + 1j * rng.standard_normal(back)
        given: Any = {"bind": instance.bind, "dims": instance.sizes}
        forward, backward = spec.over(map_.forward), spec.over(map_.backward)
        assert forward.reference(1, **given)(x) == pytest.approx(matrix @ x.ravel())
        found = backward.reference(1, **given)(y)
        assert found.shape == shape and found.ravel() == pytest.approx(matrix.conj().T @ y)


@pytest.mark.parametrize(
    ("step", "name", "domain", "codomain"),
    [
        ("grad' @ (grad @ x) + y", "grad", "image[1, h, w]", "image[2, h, w]"),
        ("grad' @ concat(x, y)", "grad", "image[1, h, w]", "image[2, h, w]"),
        ("dct2' @ x + y", "dct2", "image[1, h, w]", "image[1, h, w]"),
        ("real(ifft2 @ x) + y", "ifft2", "image[1, h, w]", "complex image[1, h, w]"),
        (
            "x + real(fft2' @ (fft2 @ y))",
            "fft2",
            "complex image[1, h, w]",
            "complex image[1, h, w]",
        ),
    ],
)
def test_spaces_of_operators_are_those_of_what_they_are_applied_to(
    step: str, name: str, domain: str, codomain: str
) -> None:
    text = (
        "algorithm p\ndims h, w\ninput y : image[1, h, w]\nstate x : image[1, h, w] = 0\n"
        f"phase (2):\n    x <- {step}\noutput x\n"
    )
    found = {m.name: m for m in applied_maps(unroll_dsl.loads(text).graph)}
    assert (str(found[name].domain), str(found[name].codomain)) == (domain, codomain)
    assert [str(e.type) for e in found[name].forward.inputs] == [domain]
    assert [str(e.type) for e in found[name].backward.inputs] == [codomain]


def test_rows_of_maps_name_their_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = unroll_dsl.loads(MAPS.format(step="x - A' @ (A @ x - y)", field=""))
    instance = draw(spec.graph)
    rows = {row.name: row for row in check_adjoints(spec, instance, 2, 0)}
    assert rows["A"].detail == "vector[n] -> vector[m]"
    assert rows["T"].detail == "image[1, h, w] -> vector[m]"
    assert all(
        r.group == "adjoints of linear maps" and r.verdict is Verdict.PASSED for r in rows.values()
    )
    assert all(
        r.value is not None and r.value < 1e-13 and r.tolerance == 1e-12 for r in rows.values()
    )

    # of three pairs, reference with reference and each with torch, the worst tells
    make, calls = adjoints.adjointness, []

    def worst(place: int, factor: float) -> Any:
        def found(*arguments: Any) -> Any:
            calls.append(1)
            result = make(*arguments)
            import dataclasses

            if (len(calls) - 1) % 3 == place:
                return dataclasses.replace(result, gap=factor)
            return result

        return found

    for place in range(3):
        for gap in (0.25, math.nan):
            calls.clear()
            monkeypatch.setattr(adjoints, "adjointness", worst(place, gap))
            found = check_adjoints(spec, instance, 2, 0)
            assert {row.verdict for row in found} == {Verdict.FAILED}
            assert len(calls) == 6


def test_systems_are_solved_to_rounding() -> None:
    spec = unroll_dsl.loads(
        "algorithm p\ndims n\ninput y : vector[n]\nfixed P : linear vector[n] -> vector[n]\n"
        "output solve(P' @ P + I, y, tolerance=1e-3, iterations=7)\n"
    )
    ops = [
        [n.op for n in g.nodes if isinstance(n.op, Solve)] for g in (spec.graph, exact(spec.graph))
    ]
    assert ops == [[Solve(1e-3, 7)], [Solve(2e-15, 1000)]]
    assert [n.op for n in exact(spec.graph).nodes if not isinstance(n.op, Solve)] == [
        n.op for n in spec.graph.nodes if not isinstance(n.op, Solve)
    ]
