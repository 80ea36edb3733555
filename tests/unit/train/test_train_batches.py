"""Batches: functions of seed, stage and step; what data give themselves goes before what could be measured."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sparse_problem import CP, Sparse
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.data.metrics import metric
from unroll_dsl.train.batches import Feed
from unroll_dsl.train.setup import prepare
from unroll_dsl.train.tables import config
from unroll_dsl.train.task import Task
from unroll_dsl.train.validation import validate

SMALL = unroll_dsl.loads(CP, "small.unroll")
A = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))


class Numbered(Sparse):
    """Sample i is the number i, in all entries."""

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        return {"x_star": torch.tensor(indices, dtype=torch.float64)[:, None].expand(-1, 16)}


class Measured(Sparse):
    """Data that bring their measurements along."""

    names = ("x_star", "y")

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        return {"x_star": torch.ones(len(indices), 16), "y": torch.full((len(indices), 8), 7.0)}


def feed(source: Sparse, seed: int = 0, **train: Any) -> Feed:
    made = config({"seed": seed, "train": train})
    setup = prepare(SMALL, made, source, None, {"A": A.to(torch.float64)})
    return setup.feed(source, torch.device("cpu"))


def rows(drawn: Mapping[str, Tensor]) -> list[int]:
    return [int(value) for value in drawn["x_star"][:, 0]]


def test_an_epoch_is_a_permutation_of_its_own() -> None:
    """Of 10 samples in batches of 4: two and a half batches."""
    made = feed(Numbered(10))
    found = [i for step in range(5) for i in rows(made.draw(0, step, 4))]
    assert sorted(found[:10]) == sorted(found[10:]) == list(range(10))
    assert found[:10] != found[10:] != list(range(10))


@pytest.mark.parametrize("other", [(1, 0, 0), (0, 1, 0), (0, 0, 1)], ids=["seed", "stage", "step"])
def test_what_is_drawn_depends_on_seed_stage_and_step(other: tuple[int, int, int]) -> None:
    """Which samples, what is random in them, and the noise of the measurement."""

    def found(seed: int, stage: int, step: int) -> tuple[list[int], Tensor, Tensor]:
        numbered, random = feed(Numbered(1000), seed), feed(Sparse(), seed)
        drawn = random.draw(stage, step, 8)
        fixed = {"x_star": torch.zeros(8, 16)}  # of which measurements are noise alone
        noise = random.arguments(fixed, stage, step)[0]
        return rows(numbered.draw(stage, step, 8)), drawn["x_star"], noise

    first, again, second = found(0, 0, 0), found(0, 0, 0), found(*other)
    assert first[0] == again[0] and all(map(torch.equal, first[1:], again[1:]))
    assert first[0] != second[0]
    assert not torch.equal(first[1], second[1])
    assert not torch.equal(first[2], second[2])


def test_what_the_data_give_goes_before_what_could_be_measured() -> None:
    made = feed(Measured())
    y, x_star = made.arguments(made.draw(0, 0, 5), 0, 0)
    assert torch.equal(y, torch.full((5, 8), 7.0)) and torch.equal(x_star, torch.ones(5, 16))


def test_what_is_measured_is_what_the_program_says() -> None:
    made = feed(Sparse(), precision="float64")
    drawn = made.draw(0, 0, 500)
    y, x_star = made.arguments(drawn, 0, 0)
    assert torch.equal(x_star, drawn["x_star"].double())
    noise = y - x_star @ A.double().mT
    assert float(noise.std()) == pytest.approx(0.01, rel=0.05)
    assert abs(float(noise.mean())) < 0.001


def test_double_precision_is_double_from_the_data_on() -> None:
    made = feed(Numbered(3, scale=1.0), precision="float64")
    third = {"x_star": torch.full((1, 16), 1 / 3, dtype=torch.float64)}
    y, x_star = made.arguments(third, 0, 0)
    assert y.dtype == x_star.dtype == torch.float64
    assert float(x_star[0, 0]) == 1 / 3
    single = feed(Numbered(3)).arguments(third, 0, 0)[1]
    assert single.dtype == torch.float32 and float(single[0, 0]) != 1 / 3


def test_draws_come_in_order_from_any_step() -> None:
    made = feed(Numbered(100))
    with made.ahead(2, 3, 7, 5) as draws:
        found = [rows(drawn) for drawn in draws]
    assert found == [rows(made.draw(2, step, 5)) for step in range(3, 7)]


def test_validation_sees_each_sample_once_and_the_same_each_time() -> None:
    made = feed(Numbered(7))
    first, again = (list(made.everything(3)) for _ in range(2))
    assert [len(x) for _, x in first] == [3, 3, 1]
    assert [int(v) for _, x in first for v in x[:, 0]] == list(range(7))
    assert all(torch.equal(y, z) for (y, _), (z, _) in zip(first, again, strict=True))


class Constant(nn.Module):
    """A network that gives its input back; its loss is the mean of the input, its terms twice and thrice that."""

    def forward(self, y: Tensor) -> Tensor:
        return y

    def loss(self, y: Tensor, x: Tensor) -> Tensor:
        return y.mean()


def test_means_of_validation_weigh_batches_by_their_samples() -> None:
    """Three samples of 1 and one of 9: the mean is 3, that of the batches would be 5."""
    batches = [(torch.ones(3, 2), torch.zeros(3, 2)), (torch.full((1, 2), 9.0), torch.zeros(1, 2))]
    made = SimpleNamespace(
        task=Task(("y",), ("x",), 0, "x", "mae"), everything=lambda batch: iter(batches)
    )

    def terms(state: Mapping[str, Tensor], arguments: tuple[Tensor, ...]) -> dict[str, Tensor]:
        return {"a": 2 * arguments[0].mean(), "b": 3 * arguments[0].mean()}

    found = validate(Constant(), terms, made, metric("mae"), 3)  # type: ignore[arg-type]
    assert found == {"val.loss": 3.0, "loss.a": 6.0, "loss.b": 9.0, "val.mae": 3.0}


def test_parts_of_a_batch_are_the_batch() -> None:
    made = feed(Numbered(100), precision="float64")
    drawn = made.draw(0, 3, 6)
    whole = made.arguments(drawn, 0, 3)
    for count in (1, 2, 3, 6):
        parts = made.parts(drawn, 0, 3, count)
        assert [len(part[1]) for part in parts] == [6 // count] * count
        for found, expected in zip(zip(*parts, strict=True), whole, strict=True):
            assert torch.equal(torch.cat(found), expected)


def test_what_is_not_measured_has_no_noise() -> None:
    """Data give the inputs: there is no `measure` line, or nothing random in it."""
    plain = CP.replace("measure   y     = A @ x_star + 0.01 * noise\n", "")
    exact = CP.replace(" + 0.01 * noise", "")
    for text, source in ((plain, Measured(names=("x_star", "y"))), (exact, Sparse())):
        setup = prepare(unroll_dsl.loads(text), config({}), source, None, {"A": A})
        made = setup.feed(source, torch.device("cpu"))
        drawn = made.draw(0, 0, 4)
        y, x_star = made.arguments(drawn, 0, 0)
        assert torch.equal(x_star, drawn["x_star"])
        torch.testing.assert_close(y, drawn.get("y", x_star @ A.mT))
        assert [len(part[0]) for part in made.parts(drawn, 0, 0, 2)] == [2, 2]
