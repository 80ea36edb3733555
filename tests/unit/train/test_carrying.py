"""What a stage hands on to the next, on state dictionaries written out; and which parameters a pattern means."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.train.config import Group, Training
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.groups import check_patterns, matching, names, parameter_groups
from unroll_dsl.train.transfer import carry


class Shared(nn.Module):
    """`w` is that of all phases, `v` besides."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2))
        self.v = nn.Parameter(torch.full((2,), 9.0))


class Phase(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2))


class Phased(nn.Module):
    """Each phase has a `w` of its own."""

    def __init__(self, phases: int) -> None:
        super().__init__()
        self.phases = nn.ModuleList(Phase() for _ in range(phases))


def values(network: nn.Module) -> dict[str, list[float]]:
    return {name: value.tolist() for name, value in network.state_dict().items()}


def full(*numbers: float) -> dict[str, Tensor]:
    return {f"phases.{k}.w": torch.full((2,), number) for k, number in enumerate(numbers)}


@pytest.mark.parametrize("start", ["classical", "previous"])
def test_one_value_goes_to_every_phase(start: str) -> None:
    network = Phased(3)
    carry({"w": torch.tensor([1.0, 2.0])}, network, start)
    assert values(network) == {f"phases.{k}.w": [1.0, 2.0] for k in range(3)}


def test_the_mean_of_phases_becomes_one_value() -> None:
    network = Shared()
    carry(full(1.0, 2.0, 6.0), network, "classical")
    assert values(network) == {"w": [3.0, 3.0], "v": [9.0, 9.0]}


@pytest.mark.parametrize(("start", "new"), [("classical", 0.0), ("previous", 5.0)])
def test_phases_that_are_new_start_as_asked(start: str, new: float) -> None:
    network = Phased(4)
    carry(full(1.0, 5.0), network, start)
    assert [v[0] for v in values(network).values()] == [1.0, 5.0, new, new]


def test_a_phase_in_between_starts_from_the_one_before_it() -> None:
    network = Phased(4)
    old = {"phases.0.w": torch.full((2,), 1.0), "phases.3.w": torch.full((2,), 4.0)}
    carry(old, network, "previous")
    assert [v[0] for v in values(network).values()] == [1.0, 1.0, 1.0, 4.0]


def test_the_first_phase_has_none_before_it() -> None:
    network = Phased(2)
    carry({"phases.1.w": torch.full((2,), 4.0)}, network, "previous")
    assert [v[0] for v in values(network).values()] == [0.0, 4.0]


def test_what_has_another_shape_or_name_stays_as_it_is() -> None:
    network = Shared()
    carry({"w": torch.ones(3), "other": torch.ones(2)}, network, "previous")
    assert values(network) == {"w": [0.0, 0.0], "v": [9.0, 9.0]}


# ---- patterns -----------------------------------------------------------------------------------

KNOWN = {"phases.0.theta": "theta", "phases.1.theta": "theta", "W": "W", "lambda_": "lambda"}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("theta", ["phases.0.theta", "phases.1.theta"]),
        ("phases.0.*", ["phases.0.theta"]),
        ("phases.*.theta", ["phases.0.theta", "phases.1.theta"]),
        ("lambda", ["lambda_"]),
        ("lambda_", ["lambda_"]),
        ("?", ["W"]),
        ("w", []),
        ("*", list(KNOWN)),
    ],
)
def test_a_pattern_is_on_names_of_the_page_or_of_the_network(
    pattern: str, found: list[str]
) -> None:
    assert list(matching(pattern, KNOWN)) == found


def test_the_first_pattern_that_matches_nothing_is_refused() -> None:
    check_patterns([("key", "theta"), ("key", "W*")], KNOWN)
    with pytest.raises(TrainingError, match=r"other = 'V' matches no parameter"):
        check_patterns([("key", "theta"), ("other", "V"), ("third", "U")], KNOWN)


def test_names_of_the_page_of_all_parameters() -> None:
    """A layer's tensors have the name of the layer, in whatever phase; a keyword of Python its own."""
    page = """algorithm a
dims h, w
input y : image[1, h, w]
learnable lambda : scalar = 1
learnable t : scalar per phase = 1
learnable D : conv[1 -> 1, 3] >> relu >> conv[1 -> 1, 3] per phase ~ xavier_normal
learnable E : conv[1 -> 1, 3] ~ xavier_normal
state x : image[1, h, w] = 0
phase (2):
    x <- t * D(x) + lambda * E(y)
output x
"""
    spec = unroll_dsl.loads(page)
    found = names(spec, spec.compile())
    assert set(found.values()) == {"lambda", "t", "D", "E"}
    assert found["phases.1.D.0.weight"] == found["phases.0.D.2.weight"] == "D"
    assert found["lambda_"] == "lambda" and found["E.weight"] == "E"


def grouped(groups: tuple[Group, ...], trains: tuple[str, ...] = (), **train: Any) -> list[Any]:
    network = Phased(2)
    network.register_parameter("v", nn.Parameter(torch.zeros(1)))
    known = {name: name.rpartition(".")[2] for name, _ in network.named_parameters()}
    made = parameter_groups(network, known, trains, groups, Training(rate=0.1, **train))
    place = {id(p): name for name, p in network.named_parameters()}
    free = {name for name, p in network.named_parameters() if p.requires_grad}
    found = [
        (sorted(place[id(p)] for p in g["params"]), g["factor"], g["weight_decay"]) for g in made
    ]
    assert free == {name for names_, *_ in found for name in names_}
    return found


def test_the_first_group_that_matches_counts() -> None:
    groups = (Group("phases.1.*", rate=0.05), Group("w", rate=0.2, weight_decay=0.0), Group("v"))
    assert grouped(groups, weight_decay=0.3) == [
        (["phases.1.w"], 0.5, 0.3),
        (["phases.0.w"], 2.0, 0.0),
        (["v"], 1.0, 0.3),
    ]


def test_what_no_group_names_is_trained_as_the_run_says() -> None:
    assert grouped((Group("v", rate=0.0),)) == [
        (["phases.0.w", "phases.1.w"], 1.0, 0.0),
        (["v"], 0.0, 0.0),
    ]


def test_what_a_stage_does_not_train_is_frozen() -> None:
    assert grouped((Group("v", rate=0.2),), ("phases.0.*",)) == [(["phases.0.w"], 1.0, 0.0)]
    assert grouped((Group("*", freeze=True),)) == []
