"""What a stage works on: its program, its network, and what trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from unroll_dsl.spec import Spec
from unroll_dsl.train import groups
from unroll_dsl.train.learner import Learner
from unroll_dsl.train.regimes import TrainingStage
from unroll_dsl.train.setup import Setup
from unroll_dsl.train.terms import Terms
from unroll_dsl.types import Array

if TYPE_CHECKING:
    from accelerate import Accelerator


class Work:
    """The network of a stage and what trains it.

    Attributes
    ----------
    number : int
        Of the stage, from 0.
    terms : Terms
        The terms of the loss for weights of this network.
    small : set of str
        Learnt scalars and vectors, which learned.jsonl keeps.
    learner : Learner or None
        None where all is frozen.
    """

    def __init__(
        self,
        number: int,
        stage: TrainingStage,
        spec: Spec,
        network: nn.Module,
        setup: Setup,
        accelerator: Accelerator,
    ) -> None:
        self.number, self.stage, self.spec, self.network = number, stage, spec, network
        self.terms = Terms(spec, lambda term: setup.network(term, stage, accelerator.device))
        self.small = {
            p.name for p in spec.graph.parameters if isinstance(p.type, Array) and p.type.rank < 2
        }
        config = setup.config
        known = groups.names(spec, network)
        made = groups.parameter_groups(network, known, stage.trains, config.group, config.train)
        self.learner: Learner | None = None
        if made:
            self.learner = Learner(network, made, config.train, stage.rate, accelerator)
