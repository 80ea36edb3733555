"""Networks evaluated, and held against classical iterations."""

from pathlib import Path

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.data.metrics import metric
from unroll_dsl.runs.classical import DoesNotFit, fitted, names_of, untrained
from unroll_dsl.runs.compare import compare
from unroll_dsl.runs.evaluate import evaluate
from unroll_dsl.runs.history import read_history
from unroll_dsl.runs.reading import Asked, open_solver
from unroll_dsl.runs.solver import Samples, Solver, quality

torch.manual_seed(0)
A = torch.randn(6, 10) / 3
X = torch.randn(5, 10) * (torch.rand(5, 10) < 0.3)
SAMPLES = (Samples((X @ A.mT,), X),)
ALISTA = unroll_dsl.load("alista")
SOLVER = Solver("net", ALISTA, 4, {"A": A, "lambda": 0.2}, {})


def test_evaluation_repeats_what_training_found(trained: Path) -> None:
    solver, samples, own = open_solver(trained, Asked())
    found = evaluate(solver, samples, [own]).figures[0].whole
    _, values = read_history(trained / "metrics.csv").curve(f"val.{own.name}")
    assert found == pytest.approx(min(values), abs=1e-4)


def test_a_network_in_a_run_folder_knows_its_run(trained: Path) -> None:
    solver, samples, _ = open_solver(trained / "last.safetensors", Asked())
    assert (solver.phases, sum(map(len, samples))) == (3, 32)


def test_quality_after_each_phase_is_that_of_a_shorter_network() -> None:
    curve = quality(SOLVER, [1, 2, 3, 4], SAMPLES, metric("mse"))
    found = evaluate(Solver("", ALISTA, 2, SOLVER.bind, {}), SAMPLES, [metric("mse")])
    assert curve.quality[1] == pytest.approx(found.figures[0].whole)


def test_an_untrained_network_is_its_classical_iteration() -> None:
    start = untrained(SOLVER, 4)
    assert start is not None and start.classical
    after = [quality(s, [4], SAMPLES, metric("mse")).last for s in (SOLVER, start)]
    assert after[0] == pytest.approx(after[1])


def test_a_random_start_is_no_classical_iteration() -> None:
    solver = Solver("net", unroll_dsl.load("ista_net_plus"), 2, {}, {})
    assert untrained(solver, 2) is None


def test_names_in_common_take_the_values_of_the_run() -> None:
    assert fitted("ista", SOLVER, SAMPLES[0], 4).bind == {"A": A, "lambda": 0.2}


def test_other_names_are_matched_by_type() -> None:
    like = Solver("net", unroll_dsl.load("lista"), 4, {"Wd": A, "alpha": 0.3}, {})
    found = fitted("ista", like, SAMPLES[0], 4)
    assert found.bind["A"] is A and found.bind["lambda"] == 0.3


def test_a_setting_overrides_the_run() -> None:
    assert fitted("ista:lambda=0.01", SOLVER, SAMPLES[0], 4).bind["lambda"] == 0.01


def test_what_has_no_counterpart_is_named() -> None:
    with pytest.raises(DoesNotFit, match="wants"):
        fitted("tv_admm", SOLVER, SAMPLES[0], 4)


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(DoesNotFit, match="lambda"):
        fitted("ista:rho=1", SOLVER, SAMPLES[0], 4)


def test_commas_part_algorithms_and_settings() -> None:
    assert names_of(["ista,fista:lambda=1,a=2", "nesterov"]) == (
        "ista",
        "fista:lambda=1,a=2",
        "nesterov",
    )


def test_a_comparison_has_a_time_for_each_number_of_phases() -> None:
    ista = fitted("ista", SOLVER, SAMPLES[0], 4)
    found = compare([(SOLVER, SAMPLES)], [(ista, SAMPLES)], metric("mse"), most=30)
    network, classical = found.networks[0], found.classical[0]
    assert len(network.seconds) == 4 and classical.phases[-1] == 30
    assert np.all(np.array(classical.seconds) > 0)


def test_the_worth_of_a_classical_iteration_is_itself() -> None:
    ista = fitted("ista", SOLVER, SAMPLES[0], 4)
    same = Solver("as a network", ista.spec, 4, ista.bind, {})
    found = compare([(same, SAMPLES)], [(ista, SAMPLES)], metric("mse"), most=10)
    assert found.worths()[0][0].iterations == pytest.approx(4, abs=1e-3)


TWO = """
algorithm two
dims m, n

input  {inputs[0]} : vector[m]
input  {inputs[1]} : vector[m]
fixed  {constants[0]} : matrix[m, n]
fixed  {constants[1]} : matrix[m, n]
state  x : vector[n] = 0
phase (2):
    x <- x + {constants[0]}' @ {inputs[0]} - 2 * {constants[1]}' @ {inputs[1]}
output x
"""


def matched(path: Path, inputs: str, constants: str) -> Solver:
    """A program of two inputs and two matrices on a problem that calls them y, z and A, B."""
    path.write_text(TWO.format(inputs=inputs, constants=constants))
    like = unroll_dsl.loads(TWO.format(inputs="yz", constants="AB"), "like.unroll")
    run = Solver("net", like, 2, {"A": A, "B": 2 * A}, {})
    samples = Samples((SAMPLES[0].inputs[0], -SAMPLES[0].inputs[0]), X)
    return fitted(str(path), run, samples, 2)


@pytest.mark.parametrize(
    ("inputs", "order"),
    [
        ("yz", (0, 1)),
        ("zy", (1, 0)),
        ("uv", (0, 1)),
        ("uy", (1, 0)),
        ("zu", (1, 0)),
        ("uz", (0, 1)),
    ],
)
def test_inputs_are_matched_by_name_and_then_in_order(
    inputs: str, order: tuple[int, int], tmp_path: Path
) -> None:
    """None is used twice: what one input is called another is not matched with."""
    assert matched(tmp_path / "other.unroll", inputs, "AB").order == order


@pytest.mark.parametrize(
    ("constants", "factors"),
    [
        ("AB", (1, 2)),
        ("BA", (2, 1)),
        ("PQ", (1, 2)),
        ("PA", (2, 1)),
        ("BP", (2, 1)),
        ("PB", (1, 2)),
    ],
)
def test_constants_are_matched_by_name_and_then_in_order(
    constants: str, factors: tuple[int, int], tmp_path: Path
) -> None:
    bind = matched(tmp_path / "other.unroll", "yz", constants).bind
    for name, factor in zip(constants, factors, strict=True):
        np.testing.assert_allclose(bind[name], factor * A)
