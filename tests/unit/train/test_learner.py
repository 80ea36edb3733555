"""One update of the weights, against formulas written out; and the rate as a function of the step."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unroll_dsl.train.config import Group, Training
from unroll_dsl.train.devices import devices
from unroll_dsl.train.errors import Diverged
from unroll_dsl.train.groups import parameter_groups
from unroll_dsl.train.learner import Learner, largest_gradient
from unroll_dsl.train.schedule import factor

RATE = 0.1
START = (3.0, 4.0)


class Bowl(nn.Module):
    """The loss |w - x|^2 / 2 + 0 * sum(b), averaged over samples x: its gradient is w - mean(x), and 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(START, dtype=torch.float64))
        self.b = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def loss(self, x: Tensor) -> Tensor:
        return 0.5 * (self.w - x).square().sum(1).mean() + 0 * self.b.sum()


class Root(Bowl):
    """A loss that is finite where its gradient is not."""

    def loss(self, x: Tensor) -> Tensor:
        return (self.w - x).abs().sqrt().sum()


@pytest.fixture
def accelerator() -> Iterator[Any]:
    with devices(Training(batch=1, device="cpu")) as found:
        yield found


def learner(
    accelerator: Any, network: nn.Module | None = None, groups: tuple[Group, ...] = (), **train: Any
) -> Learner:
    settings = Training(**{"optimizer": "sgd", "rate": RATE, **train})
    network = network or Bowl()
    known = {name: name for name, _ in network.named_parameters()}
    made = parameter_groups(network, known, (), groups, settings)
    return Learner(network, made, settings, RATE, accelerator)


def explain(reason: str) -> Diverged:
    return Diverged(reason)


def samples(*rows: tuple[float, float]) -> tuple[Tensor, ...]:
    return (torch.tensor(rows, dtype=torch.float64),)


ORIGIN = samples((0.0, 0.0))


def weights(trained: Learner) -> list[float]:
    return trained.network.w.detach().tolist()  # type: ignore[operator, union-attr]


def test_a_step_of_gradient_descent(accelerator: Any) -> None:
    trained = learner(accelerator)
    loss, norm = trained.update([samples((1.0, 0.0), (0.0, 2.0))], RATE, explain)
    assert loss == pytest.approx(0.5 * ((2**2 + 4**2) + (3**2 + 2**2)) / 2)
    assert norm == pytest.approx(math.hypot(2.5, 3.0))
    assert weights(trained) == pytest.approx([3 - RATE * 2.5, 4 - RATE * 3.0])


def test_the_rate_is_that_of_the_step(accelerator: Any) -> None:
    trained = learner(accelerator)
    trained.update([ORIGIN], 0.5, explain)
    assert weights(trained) == pytest.approx([1.5, 2.0])


@pytest.mark.parametrize(("clip", "length"), [(1.0, 1.0), (4.9, 4.9), (10.0, 5.0), (0.0, 5.0)])
def test_a_gradient_is_clipped_to_a_length(accelerator: Any, clip: float, length: float) -> None:
    """The gradient at (3, 4) is (3, 4), of length 5; its direction stays, and 5 is what is reported."""
    trained = learner(accelerator, clip=clip)
    _, norm = trained.update([ORIGIN], RATE, explain)
    assert norm == pytest.approx(5.0)
    moved = [start - found for start, found in zip(START, weights(trained), strict=True)]
    assert moved == pytest.approx([RATE * length * 0.6, RATE * length * 0.8], rel=1e-5)


def test_momentum_adds_what_went_before(accelerator: Any) -> None:
    """Two steps of v = m v + g, w = w - rate v, as of Polyak's heavy ball, written out."""
    trained = learner(accelerator, momentum=0.9)
    w, v = torch.tensor(START, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for _ in range(3):
        trained.update([ORIGIN], RATE, explain)
        v = 0.9 * v + w
        w = w - RATE * v
    assert weights(trained) == pytest.approx(w.tolist())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_changes_nothing(accelerator: Any, bad: float) -> None:
    trained = learner(accelerator, momentum=0.9)
    with pytest.raises(Diverged, match=f"the loss is {bad}"):
        trained.update([samples((bad, 0.0))], RATE, explain)
    assert weights(trained) == list(START)
    assert not trained.optimizer.state_dict()["state"]


def test_a_gradient_that_is_no_number_changes_nothing(accelerator: Any) -> None:
    """The square root of |w - x| at x = w: the loss is 0, its gradient infinite (or nan)."""
    trained = learner(accelerator, Root())
    with pytest.raises(Diverged, match=r"the norm of the gradient is (inf|nan)"):
        trained.update([samples(START)], RATE, explain)
    assert weights(trained) == list(START)


def test_parts_make_the_gradient_of_the_whole(accelerator: Any) -> None:
    rows = ((1.0, 0.0), (0.0, 2.0), (5.0, 5.0), (-1.0, 3.0))
    whole, parts = learner(accelerator), learner(accelerator)
    expected = whole.update([samples(*rows)], RATE, explain)
    found = parts.update([samples(*rows[:2]), samples(*rows[2:])], RATE, explain)
    assert found == pytest.approx(expected)
    assert weights(parts) == pytest.approx(weights(whole))


def test_processes_share_gradients_with_the_last_part_alone(
    accelerator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three parts the first two are added up where they are, and not sent around."""
    waiting: list[nn.Module] = []
    monkeypatch.setattr(
        accelerator, "no_sync", lambda model: waiting.append(model) or nullcontext()
    )
    trained = learner(accelerator)
    parts = [samples((float(i), 0.0)) for i in range(3)]
    trained.update(parts, RATE, explain)
    assert waiting == [trained.objective] * 2
    trained.update(parts[:1], RATE, explain)
    assert len(waiting) == 2


def test_the_loss_of_several_processes_is_their_mean(
    accelerator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, str]] = []

    def reduce(value: Tensor, how: str) -> Tensor:
        asked.append((float(value), how))
        return value / 2

    monkeypatch.setattr(type(accelerator), "num_processes", 2)
    monkeypatch.setattr(accelerator, "reduce", reduce)
    loss, _ = learner(accelerator).update([ORIGIN], RATE, explain)
    assert asked == [(12.5, "mean")] and loss == 6.25


def test_gradients_do_not_pile_up(accelerator: Any) -> None:
    trained = learner(accelerator)
    for _ in range(2):
        trained.update([ORIGIN], RATE, explain)
    assert weights(trained) == pytest.approx([3 * 0.9**2, 4 * 0.9**2])


def test_groups_have_a_decay_and_a_rate_of_their_own(accelerator: Any) -> None:
    """Without a gradient SGD moves `b` by rate * decay * b alone; 0 of a group is 0, not that of the run."""

    def moved(*groups: Group, **train: Any) -> float:
        trained = learner(accelerator, groups=groups, weight_decay=0.2, **train)
        trained.update([ORIGIN], RATE, explain)
        return 1 - float(trained.network.b.detach())  # type: ignore[operator, union-attr]

    assert moved() == pytest.approx(RATE * 0.2)
    assert moved(Group("b", weight_decay=0.0)) == 0
    assert moved(Group("b", weight_decay=0.5)) == pytest.approx(RATE * 0.5)
    assert moved(Group("b", rate=0.02)) == pytest.approx(0.02 * 0.2)
    assert moved(Group("b", rate=0.0)) == 0
    assert moved(Group("w", weight_decay=0.0)) == pytest.approx(RATE * 0.2)
    assert moved(Group("b", weight_decay=0.0), Group("*", weight_decay=0.5)) == 0


def test_each_optimiser_is_its_own(accelerator: Any) -> None:
    """The first step of Adam is the rate, whatever the gradient; adamw takes the decay apart from it."""
    plain, apart = (
        learner(accelerator, optimizer=name, weight_decay=0.2) for name in ("adam", "adamw")
    )
    for trained in (plain, apart):
        trained.update([ORIGIN], RATE, explain)
    assert weights(plain) == pytest.approx([3 - RATE, 4 - RATE])
    decayed = 1 - RATE * 0.2
    assert weights(apart) == pytest.approx([3 * decayed - RATE, 4 * decayed - RATE])


def test_a_state_that_is_restored_goes_on_the_same(accelerator: Any) -> None:
    first, second = (learner(accelerator, momentum=0.9) for _ in range(2))
    first.update([ORIGIN], RATE, explain)
    state = deepcopy(first.state())
    second.restore(state["network"], state["optimizer"], state["scaler"])
    for trained in (first, second):
        trained.update([ORIGIN], RATE, explain)
    assert weights(first) == weights(second)
    assert weights(first) != pytest.approx([3 * 0.9**2, 4 * 0.9**2])  # there was momentum


# ---- the rate -----------------------------------------------------------------------------------


def test_warm_up_rises_to_the_rate_in_equal_steps() -> None:
    found = [factor(Training(warmup=4), step, 10) for step in range(6)]
    assert found == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_cosine_falls_from_the_rate_to_0() -> None:
    train = Training(schedule="cosine")
    assert factor(train, 0, 100) == 1
    assert factor(train, 25, 100) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert factor(train, 50, 100) == pytest.approx(0.5)
    assert factor(train, 75, 100) == pytest.approx((1 - math.sqrt(0.5)) / 2)
    assert 0 < factor(train, 99, 100) < 0.001
    warm = Training(schedule="cosine", warmup=100)
    assert factor(warm, 49, 200) == pytest.approx(0.5 * factor(train, 49, 200))


def test_step_multiplies_the_rate_at_intervals() -> None:
    train = Training(schedule="step", decay=0.5, decay_every=3)
    assert [factor(train, step, 9) for step in range(9)] == [1, 1, 1, 0.5, 0.5, 0.5, *3 * [0.25]]
    warm = Training(schedule="step", decay=0.5, decay_every=3, warmup=5)
    assert factor(warm, 3, 9) == pytest.approx(0.8 * 0.5)


@pytest.mark.parametrize(
    "groups", [(Group("b", freeze=True),), (Group("w"), Group("b", freeze=True))]
)
def test_a_group_may_be_frozen_wherever_it_stands(
    accelerator: Any, groups: tuple[Group, ...]
) -> None:
    trained = learner(accelerator, groups=groups)
    network: Any = trained.network
    assert network.w.requires_grad and not network.b.requires_grad
    assert [id(p) for p in trained.trained] == [id(network.w)]


# ---- what is told, and what a checkpoint keeps --------------------------------------------------


@pytest.mark.parametrize(
    ("w", "b", "told"),
    [
        ([1.0, -5.0], [4.0], "the largest entry of the gradient is 5, of `w`"),
        ([1.0, 2.0], [-4.0], "the largest entry of the gradient is 4, of `b`"),
        ([math.nan, 1.0], [9.0], "the largest entry of the gradient is nan, of `w`"),
        ([1.0, 1.0], [-math.inf], "the largest entry of the gradient is inf, of `b`"),
        (None, [0.5], "the largest entry of the gradient is 0.5, of `b`"),
        (None, None, "there is no gradient"),
    ],
)
def test_the_largest_gradient_is_named(
    w: list[float] | None, b: list[float] | None, told: str
) -> None:
    network = Bowl()
    for parameter, values in ((network.w, w), (network.b, b)):
        if values is not None:
            parameter.grad = torch.tensor(values, dtype=torch.float64)
    assert largest_gradient(network) == told


class Scaler:
    """In place of that of fp16, which only GPUs have."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def state_dict(self) -> dict[str, float]:
        return {"scale": self.scale}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.scale = state["scale"]


def test_the_scale_of_half_precision_is_kept_and_restored(accelerator: Any) -> None:
    trained = learner(accelerator)
    assert trained.state()["scaler"] is None
    trained.accelerator = SimpleNamespace(scaler=Scaler(64.0))
    state = deepcopy(trained.state())
    assert state["scaler"] == {"scale": 64.0}
    trained.accelerator.scaler.scale = 1.0
    trained.restore(state["network"], state["optimizer"], None)  # of a run without one
    assert trained.accelerator.scaler.scale == 1.0
    trained.restore(state["network"], state["optimizer"], state["scaler"])
    assert trained.accelerator.scaler.scale == 64.0
    trained.accelerator = SimpleNamespace(scaler=None)  # fp16 no more
    trained.restore(state["network"], state["optimizer"], state["scaler"])
