"""Regimes as lists of stages, and what goes from one stage to the next."""

from typing import Any

import pytest
import torch
from torch import Tensor

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.train import StageBegun
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.events import Hooks
from unroll_dsl.train.groups import names, parameter_groups
from unroll_dsl.train.regimes import TrainingStage, stages
from unroll_dsl.train.tables import config
from unroll_dsl.train.transfer import carry


def plan(spec: Spec, samples: int = 100, **train: Any) -> tuple[TrainingStage, ...]:
    return stages(config({"train": {"steps": 5, "rate": 0.1, **train}}), spec, samples)


def test_whole_is_one_stage_and_epochs_are_steps(small: Spec) -> None:
    (stage,) = plan(small)
    assert (stage.phases, stage.steps, stage.rate, stage.trains) == (3, 5, 0.1, ())
    (stage,) = plan(small, epochs=2.0, batch=10)
    assert stage.steps == 20


def test_layerwise_trains_the_new_layer_then_all(small: Spec, A: Tensor) -> None:
    found = plan(small, regime="layerwise")
    assert [stage.phases for stage in found] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [round(stage.rate, 6) for stage in found[:3]] == [0.1, 0.02, 0.002]
    trained = []
    for stage in found[3:5]:
        net = small.compile(stage.phases, bind={"A": A})
        known = names(small, net)
        groups = parameter_groups(net, known, stage.trains, (), Config().train)
        kept = {id(p) for group in groups for p in group["params"]}
        trained.append([name for name, p in net.named_parameters() if id(p) in kept])
        assert all(p.requires_grad == (id(p) in kept) for p in net.parameters())
    assert trained[0] == ["phases.1.W", "phases.1.theta"]
    assert trained[1] == ["phases.0.W", "phases.0.theta", "phases.1.W", "phases.1.theta"]


def test_layerwise_trains_what_is_shared_with_each_layer() -> None:
    first = plan(unroll_dsl.load("lista"), regime="layerwise")[0]
    assert first.trains == ("phases.0.*", "We", "S")


def test_curriculum_doubles_or_follows_counts(small: Spec) -> None:
    assert [s.phases for s in plan(small, regime="curriculum")] == [1, 2, 3]
    assert [s.phases for s in plan(small, regime="curriculum", counts=[1, 3])] == [1, 3]
    nine = stages(config({"phases": 9, "train": {"regime": "curriculum"}}), small, 1)
    assert [s.phases for s in nine] == [1, 2, 4, 8, 9]
    eight = stages(config({"phases": 8, "train": {"regime": "curriculum"}}), small, 1)
    assert [s.phases for s in eight] == [1, 2, 4, 8]
    with pytest.raises(TrainingError, match="ends at 2 phases, the run has 3"):
        plan(small, regime="curriculum", counts=[1, 2])


def test_tied_then_untied_shares_what_is_per_phase(small: Spec) -> None:
    tied, untied = plan(small, regime="tied-then-untied")
    assert tied.learn == {"W": "shared", "theta": "shared"}
    assert untied.learn == {}


def test_regimes_that_do_not_fit() -> None:
    shared = unroll_dsl.load("ista").with_roles({"lambda": "shared"})
    with pytest.raises(TrainingError, match="all that `ista` learns is shared"):
        plan(shared, regime="layerwise")
    with pytest.raises(TrainingError, match="exclude each other"):
        stages(config({"train": {"regime": "layerwise"}, "stage": [{}]}), shared, 1)


def test_own_stages_keep_what_was_learned_before(small: Spec) -> None:
    table = {"stage": [{"learn": {"scale": "shared"}, "steps": 3}, {"phases": 5, "rate": 0.5}]}
    first, second = stages(config(table), small, 1)
    assert (first.steps, first.phases, first.learn) == (3, 3, {"scale": "shared"})
    assert (second.phases, second.rate, second.learn) == (5, 0.5, {"scale": "shared"})


def test_an_untied_network_computes_what_the_tied_one_did(small: Spec, A: Tensor) -> None:
    tied = small.compile(bind={"A": A}, learn={"W": "shared", "theta": "shared"})
    untied = small.compile(bind={"A": A})
    y = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in tied.parameters():
            parameter.mul_(-1.5)  # theta goes below its bound, where it is reflected
        carry(tied.state_dict(), untied, "classical")
        assert torch.equal(tied(y), untied(y))


@pytest.mark.parametrize("start", ["classical", "previous"])
def test_new_phases_start_where_they_should(small: Spec, A: Tensor, start: str) -> None:
    short, long = (small.compile(k, bind={"A": A}) for k in (2, 3))
    fresh = small.compile(3, bind={"A": A}).state_dict()
    with torch.no_grad():
        for number, parameter in enumerate(short.parameters(), start=2):
            parameter.mul_(number)
    old = short.state_dict()
    carry(old, long, start)
    new = long.state_dict()
    assert all(torch.equal(new[name], old[name]) for name in old)
    expected = fresh["phases.2.W"] if start == "classical" else old["phases.1.W"]
    assert torch.equal(new["phases.2.W"], expected)


@pytest.mark.slow
def test_stages_hand_on_values_in_a_run(trained: Any) -> None:
    """A layer that a stage does not train is, bit for bit, what the stage before has made of it."""
    seen: list[dict[str, Tensor]] = []

    def on_stage(event: StageBegun) -> None:
        seen.append({k: v.clone() for k, v in event.network.state_dict().items()})

    over = {"phases": 2, "train": {"regime": "layerwise", "refine": []}}
    run = trained(over=over, hooks=Hooks(on_stage=on_stage))
    assert [len(state) for state in seen] == [2, 4]
    final = run.network("last").state_dict()
    assert torch.equal(final["phases.0.W"], seen[1]["phases.0.W"])
    assert not torch.equal(final["phases.1.W"], seen[1]["phases.1.W"])
    assert not torch.equal(seen[0]["phases.0.W"], seen[1]["phases.0.W"])


@pytest.mark.slow
def test_tied_then_untied_in_a_run(trained: Any) -> None:
    run = trained(over={"train": {"regime": "tied-then-untied"}})
    assert run.phases("last") == 3
    state = run.network("last").state_dict()
    assert not torch.equal(state["phases.0.W"], state["phases.1.W"])


def test_networks_are_of_one_shape_where_phases_and_roles_are_the_same() -> None:
    stage = TrainingStage("a", 3, {"W": "shared"}, ("W",), 5, 0.1)
    assert stage.same_network(TrainingStage("b", 3, {"W": "shared"}, (), 9, 0.2))
    assert not stage.same_network(TrainingStage("a", 4, {"W": "shared"}, ("W",), 5, 0.1))
    assert not stage.same_network(TrainingStage("a", 3, {"W": "per phase"}, ("W",), 5, 0.1))
