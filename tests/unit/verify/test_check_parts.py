"""The checks one by one: what each asks for, at which values, and how it is told."""

import dataclasses
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import agreement, data, gradients, iterations, learned_values
from unroll_dsl.verify.data import _positive, check_data
from unroll_dsl.verify.equilibrium import check_rest
from unroll_dsl.verify.gradients import check_gradients, learnable_of
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.iterations import _heard, solved
from unroll_dsl.verify.learned_values import check_learned_values
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.stand_ins import StandIn

P, F, S, U, N = (
    *(Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED),
    *(Verdict.UNDECIDED, Verdict.NOTE),
)
PAGE = """algorithm p
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
{declared}
state x : vector[n] = 0
phase (3):
    x <- {step}
output x, sum(x)
{loss}"""


def page(
    step: str = "x - t * A' @ (A @ x - y)",
    declared: str = "learnable t : scalar = 0.1",
    loss: str = "",
) -> unroll_dsl.Spec:
    return unroll_dsl.loads(PAGE.format(step=step, declared=declared, loss=loss), "p.unroll")


# ---- agreement ----------------------------------------------------------------------------------


def rows_of_agreement(
    monkeypatch: pytest.MonkeyPatch, gaps: list[float], rounding: float
) -> list[Row]:
    spec = page()
    names = ("states", "outputs", "loss")
    monkeypatch.setattr(
        agreement, "_gaps", lambda *a: [(n, g, "") for n, g in zip(names, gaps, strict=True)]
    )
    monkeypatch.setattr(agreement, "_enough", lambda *a: rounding)
    return agreement.check_agreement(spec, draw(spec.graph), 3)


@pytest.mark.parametrize(
    ("gap", "rounding", "double", "single"),
    [
        (0.0, 9.0, P, P),
        (1e-12, 9.0, P, P),
        (2e-12, 0.0, F, P),
        (2e-12, 1e-11, P, P),
        (2e-5, 0.0, F, F),
        (2e-5, 1e-4, P, P),
        (0.02, 0.03, P, P),
        (0.02, 0.031, U, U),
        (0.02, 0.01, F, F),
        (math.nan, 9.0, F, F),
        (math.inf, 9.0, F, F),
    ],
)
def test_what_rounding_may_lose_is_asked_where_a_tolerance_is_exceeded(
    monkeypatch: pytest.MonkeyPatch, gap: float, rounding: float, double: Verdict, single: Verdict
) -> None:
    rows = rows_of_agreement(monkeypatch, [0.0, gap, 0.0], rounding)
    assert [row.name for row in rows] == [
        f"{what}, float{bits}" for bits in (64, 32) for what in ("states", "outputs", "loss")
    ]
    assert [rows[1].verdict, rows[4].verdict] == [double, single]
    for row, tolerance in ((rows[0], 1e-12), (rows[3], 1e-5)):
        asked = not gap <= tolerance
        assert row.tolerance == (max(tolerance, rounding) if asked else tolerance)


@pytest.mark.parametrize(("iterates", "times"), [(False, 1), (True, 20)])
def test_a_system_may_lose_its_condition_and_iterations_twenty_times_that(
    monkeypatch: pytest.MonkeyPatch, iterates: bool, times: int
) -> None:
    spec = page()
    instance = draw(spec.graph)
    exact = agreement.ReferenceRun.of(spec, instance, 3)
    monkeypatch.setattr(agreement.ReferenceRun, "of", classmethod(lambda cls, *a, **k: exact))
    monkeypatch.setattr(agreement, "_iterates", lambda graph: iterates)
    wide = dataclasses.replace(exact, condition=1e6)
    found = agreement._allowed(spec, instance, 3, wide, torch.float64)
    assert found == pytest.approx(times * 1e6 * 2.0**-52)


def test_all_samples_are_asked_where_the_first_does_not_explain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, asked = page(), []

    def allowed(spec: Any, instance: Any, *more: Any) -> float:
        asked.append(len(instance.inputs[0]))
        return {1: 1e-9, 3: 1e-7}[len(instance.inputs[0])]

    monkeypatch.setattr(agreement, "_allowed", allowed)
    instance = draw(spec.graph)
    for gap, found, samples in ((1e-9, 1e-9, [1]), (2e-9, 1e-7, [1, 3]), (1e-3, 1e-7, [1, 3])):
        asked.clear()
        gaps = [("states", 0.0, ""), ("outputs", gap, "")]
        given = (spec, instance, 3, agreement.ReferenceRun.of(spec, instance, 3), torch.float64)
        assert agreement._enough(*given, gaps) == found and asked == samples


@pytest.mark.parametrize("word", ["states", "outputs"])
def test_the_first_value_that_is_no_number_is_told(word: str) -> None:
    good = {"x": np.ones(2), "z": np.ones(2)}
    bad = {"x": np.ones(2), "z": np.array([1.0, math.inf])}
    made = agreement.ReferenceRun([good, bad, bad], (np.ones(1),), None, 1.0)
    assert made.not_finite() == "`z` is not finite in phase 2"
    made = agreement.ReferenceRun([good], (np.ones(1), np.array([math.nan])), None, 1.0)
    assert made.not_finite() == "an output is not finite"
    assert agreement.ReferenceRun([good], (np.ones(1),), 1.0, 1.0).not_finite() == ""


# ---- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("t", "t"),
        ("phases.3.t", "t"),
        ("phases.3.D.0.weight", "D"),
        ("D.0.weight", "D"),
        ("phases.weight", "phases"),
    ],
)
def test_parameters_are_those_of_a_learnable(key: str, name: str) -> None:
    assert learnable_of(key) == name


def test_rows_of_gradients() -> None:
    spec = page(
        "x - t * A' @ (A @ x - y) + 0 * (u + v) * A' @ y",
        "learnable t : scalar = 0.1\nlearnable u : scalar per phase = 1\nlearnable v : scalar = 1",
    )
    rows = check_gradients(spec, draw(spec.graph), 3, 0)
    assert [(r.name, r.verdict) for r in rows] == [("t", P), ("v", P), ("v", N), ("u", P), ("u", N)]
    assert all(r.group == "gradients against differences" for r in rows)
    assert {r.detail for r in rows if r.verdict is N} == {"its gradient is zero on this instance"}
    assert all(r.tolerance == 1e-5 for r in rows if r.verdict is P)
    assert check_gradients(page("x + A' @ y", ""), draw(page("x + A' @ y", "").graph), 3, 0) == []


def test_layers_have_kinks_that_differences_cross() -> None:
    spec = unroll_dsl.loads(
        "algorithm p\ndims n\ninput y : vector[n]\nlearnable D : dense[n -> n] >> relu ~ xavier_normal\noutput D(y)\n"
    )
    (row,) = check_gradients(spec, draw(spec.graph), 1, 0)
    assert (row.name, row.tolerance) == ("D", 1e-2)


@pytest.mark.parametrize(
    ("noise", "allowed"),
    [
        (0.0, 1e-5),  # a kink that no step crosses: nothing more is allowed
        (1e-3, 2.5e-3),  # five times the least distance of two, by the slope
        (0.1, 1e-2),  # at most as much as of layers
    ],
)
def test_differences_are_no_better_known_than_they_agree(
    monkeypatch: pytest.MonkeyPatch, noise: float, allowed: float
) -> None:
    """The slope is 2, differences are 1 and more, by the order of their steps."""
    order = sorted(gradients._STEPS)

    def difference(moved: Any, directions: Any, value: Any, step: float) -> float:
        return 1 + noise * [0, 1, 4, 9, 16, 25][order.index(step)]

    monkeypatch.setattr(gradients, "_difference", difference)
    gap, limit = gradients._gap([], [], None, 2.0, 1e-9, 1e-5)
    best = min(abs(2 - d) / max(2, d) for d in (1 + noise * k for k in (0, 1, 4, 9, 16, 25)))
    assert gap == pytest.approx(best)
    assert limit == pytest.approx(allowed)


def test_a_difference_is_central_and_leaves_the_values() -> None:
    p = torch.tensor([1.0, 2.0], dtype=torch.float64)
    found = gradients._difference(
        [p], [torch.tensor([1.0, 0.5]).double()], lambda: (p**3).sum(), 1e-4
    )
    assert found == pytest.approx(3 * 1 + 0.5 * 3 * 4, rel=1e-6)
    assert found != pytest.approx(9.0, rel=1e-10)  # the step is what it is
    assert p.tolist() == [1.0, 2.0]


# ---- values -------------------------------------------------------------------------------------


def test_networks_are_compared_off_their_classical_values(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    make = learned_values._outputs

    def outputs(net: Any, inputs: Any) -> Any:
        seen.append([p.detach().clone() for p in net.parameters()])
        return make(net, inputs)

    monkeypatch.setattr(learned_values, "_outputs", outputs)
    spec = page(declared="learnable t : vector[n] = 0.1").over(
        page(declared="learnable t : vector[n] = 0.1").graph
    )
    (moved, *_) = (check_learned_values(spec, draw(spec.graph), 3, 5), seen[0])[1]
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(moved.shape, generator=generator, dtype=torch.float64)
    assert torch.allclose(moved, 0.1 + 0.03 * noise * 0.2, rtol=1e-12)


def test_what_is_not_finite_off_its_values_is_skipped() -> None:
    spec = page("x + sqrt(0.1 - t) * (A' @ y)", "learnable t : scalar = 0.1")
    seeds = [check_learned_values(spec, draw(spec.graph), 3, seed) for seed in range(8)]
    kinds = {tuple(row.verdict for row in rows) for rows in seeds}
    assert kinds == {(S,), (P, P, P)}


def test_one_output_that_is_not_finite_is_enough() -> None:
    spec = unroll_dsl.loads(
        "algorithm p\ndims n\ninput y : vector[n]\nlearnable t : scalar = 0.1\noutput t * y, sqrt(0.1 - t)\n"
    )
    seeds = [check_learned_values(spec, draw(spec.graph), 1, seed) for seed in range(8)]
    assert {len(rows) for rows in seeds} == {1, 3}
    assert {rows[0].verdict for rows in seeds if len(rows) == 1} == {S}


def test_without_learnables_there_is_the_frozen_network_alone() -> None:
    spec = page("x + A' @ y", "")
    assert [row.name for row in check_learned_values(spec, draw(spec.graph), 3, 0)] == ["frozen"]


def test_a_buffer_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = page()
    values = spec.values
    for factor, verdict in ((1.0, P), (1 + 1e-9, F)):
        monkeypatch.setattr(
            type(spec),
            "values",
            lambda self, net, f=factor, **k: {n: v * f for n, v in values(net, **k).items()},
        )
        rows = {r.name: r.verdict for r in check_learned_values(spec, draw(spec.graph), 3, 0)}
        assert rows == {"frozen": P, "given again": verdict, "in the reference": verdict}


# ---- data ---------------------------------------------------------------------------------------

MEASURED = """algorithm p
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
state x : vector[n] = 0
phase (2):
    x <- x + A' @ (y - A @ x)
output x
loss (truth : vector[n]):
    sumsq(x - truth)
measure y = {made}
"""


def test_rows_of_measured_data() -> None:
    spec = unroll_dsl.loads(MEASURED.format(made="A @ truth"))
    rows = check_data(spec, draw(spec.graph), 0)
    assert [row.name for row in rows] == ["`y`, float64", "`y`, float32"]
    assert {row.group for row in rows} == {"measured data"} and {row.verdict for row in rows} == {P}
    plain = unroll_dsl.loads(MEASURED.partition("measure")[0])
    assert check_data(plain, draw(plain.graph), 0) == []


def test_data_that_are_numbers_for_positive_values_alone() -> None:
    spec = unroll_dsl.loads(
        MEASURED.format(made="sqrt(A @ truth * sign(A @ truth)) + log(truth[1])")
    )
    rows = [check_data(spec, draw(spec.graph), seed) for seed in range(4)]
    kinds = {tuple(row.verdict for row in found) for found in rows}
    assert (N, P, P) in kinds and kinds <= {(N, P, P), (P, P)}
    (note,) = {found[0].detail for found in rows if found[0].verdict is N}
    assert note == "they are numbers only where what is measured is >= 0: it is drawn so"


def test_what_is_measured_has_the_constants_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = unroll_dsl.loads(MEASURED.format(made="A @ truth"))
    instance, seen = draw(spec.graph), []
    make = data.check_agreement
    monkeypatch.setattr(data, "check_agreement", lambda *a: (seen.append(a), make(*a))[1])
    check_data(spec, instance, 0)
    ((_, drawn, phases),) = seen
    assert np.array_equal(drawn.bind["A"], instance.bind["A"]) and phases == 1
    assert drawn.sizes == instance.sizes


def test_positive_values_keep_their_size_and_complex_ones_stay() -> None:
    assert _positive(np.array([-1.0, 2.0])).tolist() == [1.0, 2.0]
    values = np.array([-1.0 + 2j])
    assert _positive(values) is values


# ---- systems that are not solved ----------------------------------------------------------------

WORDS = "conjugate gradients have not solved it"


def test_what_is_not_solved_is_no_failure() -> None:
    rows = [Row("g", "a", F, 1.0), Row("g", "b", P), Row("g", "c", U)]

    def told() -> list[Row]:
        warnings.warn(WORDS, stacklevel=1)
        warnings.warn(WORDS, stacklevel=1)
        return rows

    found = solved(told)
    assert [(r.verdict, r.detail) for r in found] == [(S, WORDS), (P, ""), (U, "")]
    assert solved(lambda: rows) is rows
    assert found[0].value == 1.0


def test_other_warnings_are_passed_on() -> None:
    with warnings.catch_warnings(record=True) as passed_on, _heard() as told:
        warnings.simplefilter("always")
        for words in ("something else", WORDS, WORDS, f"{WORDS}, again"):
            warnings.warn(words, stacklevel=1)
    assert told == [WORDS, f"{WORDS}, again"]
    assert [str(w.message) for w in passed_on] == ["something else"]


def test_only_programs_that_iterate_are_run_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iterations, "network", lambda *a: 1 / 0)
    assert iterations.check_iterations(page(), draw(page().graph), 3) == []


# ---- at rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (
            "0.5 * x + t * A' @ y",
            {
                "comes to rest": P,
                "outputs, torch against NumPy": P,
                "outputs after 5000 plain phases": P,
                "gradient, t": P,
            },
        ),
        ("x + t * A' @ y", {"comes to rest": U}),
    ],
)
def test_the_network_at_rest(step: str, found: dict[str, Verdict]) -> None:
    spec = page(step)
    rows = check_rest(spec, draw(spec.graph, dims={"m": 2, "n": 3}), 0)
    assert {row.name: row.verdict for row in rows} == found
    assert all(row.group == "fixed point" for row in rows)
    if len(found) > 1:
        assert [row.tolerance for row in rows[1:3]] == [1e-8, 1e-6]


# ---- functions in place of networks -------------------------------------------------------------


@pytest.mark.parametrize("real", [True, False])
def test_a_stand_in_is_a_squashed_linear_map_of_all_arguments(real: bool) -> None:
    made = StandIn([(2, 3), ()], (4, 1), real, False)
    rng = torch.Generator().manual_seed(1)
    a, b = torch.randn(5, 2, 3, generator=rng).double(), torch.randn(5, generator=rng).double()
    z = torch.cat([a.reshape(5, 6), b[:, None]], 1) @ made.matrix.mT
    found = made(a, b)
    wanted = (z / torch.sqrt(1 + z**2)).reshape(5, 4, 1)
    assert torch.allclose(found.real, wanted) and found.is_complex() is not real
    assert made.matrix.shape == (4, 7) and not list(made.parameters())
    assert (made.matrix * 7**0.5).std() == pytest.approx(1.0, abs=0.35)
    assert len(list(StandIn([(2,)], (3,), True, True).parameters())) == 1
    assert data._GROUP == "measured data" and callable(check_data)
