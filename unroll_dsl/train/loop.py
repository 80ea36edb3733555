"""The loop: stages, updates, reports, validations, checkpoints, in the order in which they happen.

Whatever the rest of a run depends on is in `Counters` and in the learner's state, and both are in every checkpoint;
everything else is a function of the configuration. So a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unroll_dsl.train import checkpoint
from unroll_dsl.train.batches import Drawn, Feed
from unroll_dsl.train.checkpoint import Checkpoint
from unroll_dsl.train.errors import Diverged, TrainingError
from unroll_dsl.train.events import Hooks, StageBegun, StepDone, Validated
from unroll_dsl.train.folder import CONFIG, Folder
from unroll_dsl.train.learner import Learner, largest_gradient
from unroll_dsl.train.regimes import TrainingStage
from unroll_dsl.train.schedule import factor
from unroll_dsl.train.setup import Setup
from unroll_dsl.train.transfer import carry
from unroll_dsl.train.validation import validate
from unroll_dsl.train.work import Work

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass
class Counters:
    """What is counted between reports, and for early stopping.

    Attributes
    ----------
    best : float or None
        The best value of the metric among networks of this shape.
    waited : int
        Validations since then.
    ended : bool
        Whether the stage has been stopped early.
    loss, updates : float, int
        The sum of losses since the last row, and of how many.
    """

    best: float | None = None
    waited: int = 0
    ended: bool = False
    loss: float = 0.0
    updates: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: after `step` updates, `finished` or stopped on request."""

    step: int
    finished: bool
    metric: str | None
    best: float | None


class TrainingLoop:
    """Runs the stages of a set-up and writes its folder."""

    def __init__(
        self, setup: Setup, folder: Folder, accelerator: Accelerator, hooks: Hooks
    ) -> None:
        self.setup, self.folder, self.accelerator = setup, folder, accelerator
        self.first = accelerator.is_main_process
        self.hooks = hooks if self.first else Hooks(stop=hooks.stop)
        self.feed = setup.feed(setup.source, accelerator.device)
        self.trial: Feed | None = None
        if setup.validation is not None:
            self.trial = setup.feed(setup.validation, accelerator.device)
        self.counters = Counters()
        self.step = 0  # updates in all stages together
        self.begun, self.before = time.monotonic(), 0.0
        self.reported = self.begun

    def run(self, resumed: Checkpoint | None) -> Ending:
        """All stages, from a checkpoint if there is one."""
        state: Mapping[str, Tensor] | None = None
        finished = True
        for number, stage in enumerate(self.setup.stages):
            if resumed is not None and number < resumed.stage:
                continue
            if state is not None:
                self.accelerator.free_memory()  # the network and the optimiser of the stage before
            spec = self.setup.program(stage)
            network = self.setup.network(spec, stage, self.accelerator.device)
            if state is not None:
                carry(state, network, stage.start)
            for feed in (self.feed, self.trial):
                if feed is not None:
                    feed.follow(network)
            work = Work(number, stage, spec, network, self.setup, self.accelerator)
            if work.learner is None:
                if not stage.optional:
                    raise TrainingError(
                        f"stage {number + 1}, `{stage.name}`, has nothing to train: all is frozen"
                    )
                self._say(f"stage {number + 1}, {stage.name}: nothing to train")
            else:
                fresh = resumed is None and self.step == 0
                if resumed is None:
                    self._enter(number, stage)
                start = self._restore(work, resumed) if resumed is not None else 0
                resumed = None
                self._say(
                    f"stage {number + 1} of {len(self.setup.stages)}, {stage.name}: "
                    f"{_count(work.learner.trained)} of {_count(network.parameters())} numbers "
                    f"trained, {stage.steps} updates at {stage.rate:g}"
                )
                self.hooks.on_stage(StageBegun(number + 1, len(self.setup.stages), stage, network))
                if fresh:  # the untrained network, to compare with and to go back to
                    self._report(work, None, None)
                    self._save(work, work.learner, 0)
                finished = self._train(work, work.learner, start)
                if not finished:
                    break
            state = network.state_dict()
        metric = self.setup.metric.name if self.trial is not None else None
        return Ending(self.step, finished, metric, self.counters.best)

    # ---- one stage ------------------------------------------------------------------------------

    def _enter(self, number: int, stage: TrainingStage) -> None:
        before = self.setup.stages[number - 1] if number else None
        if before is None or not stage.same_network(before):
            self.counters.best = None
        self.counters.waited, self.counters.ended = 0, False

    def _train(self, work: Work, learner: Learner, start: int) -> bool:
        """The updates of a stage from `start`; False if asked to stop."""
        config, stage, counters = self.setup.config, work.stage, self.counters
        with self.feed.ahead(work.number, start, stage.steps, config.train.batch) as draws:
            for done in range(start, stage.steps):
                if counters.ended:
                    break
                rate = stage.rate * factor(config.train, done, stage.steps)
                parts = self._parts(next(draws), work.number, done)
                loss, norm = learner.update(parts, rate, self._explain(work, parts))
                self.step += 1
                counters.loss += loss
                counters.updates += 1
                self.hooks.on_step(StepDone(self.step, self.setup.steps, stage, loss, norm, rate))
                last = done + 1 == stage.steps
                stop = self._agreed(self.hooks.stop())
                if last or (done + 1) % config.validate.every == 0:
                    self._report(work, rate, norm)
                elif (done + 1) % config.log.every == 0:
                    self._row(work, self._facts(work, rate, norm))
                if last or stop or counters.ended or (done + 1) % config.save.every == 0:
                    self._save(work, learner, done + 1)
                if stop and not last:
                    return False
        return True

    def _parts(self, drawn: Drawn, stage: int, step: int) -> list[tuple[Tensor, ...]]:
        """This process's share of a batch, in as many parts as it is worked through in."""
        train, ranks = self.setup.config.train, self.accelerator.num_processes
        first = self.accelerator.process_index * train.accumulate
        parts = self.feed.parts(drawn, stage, step, ranks * train.accumulate)
        return list(parts[first : first + train.accumulate])

    def _explain(self, work: Work, parts: list[tuple[Tensor, ...]]) -> Callable[[str], Diverged]:
        """What to say of a loss or a gradient that is no number."""

        def explain(reason: str) -> Diverged:
            with torch.no_grad():
                values = work.terms(work.network.state_dict(), parts[0])
            shown = [f"{name} = {float(value):.3g}" for name, value in values.items()]
            terms = f"; its terms: {'; '.join(shown)}" if shown else ""
            return Diverged(
                f"step {self.step + 1} (stage {work.number + 1}, {work.stage.name}): {reason}{terms}; "
                f"{largest_gradient(work.network)}",
                f"the last good state is in {self.folder.path / checkpoint.LAST}: with a smaller "
                f"`train.rate`, or `train.clip`, in {self.folder.path / CONFIG} "
                f"`unroll train --resume {self.folder.path} --edited` goes on from it",
            )

        return explain

    # ---- reports --------------------------------------------------------------------------------

    def _facts(self, work: Work, rate: float | None, norm: float | None) -> dict[str, Any]:
        now, counters = time.monotonic(), self.counters
        samples = counters.updates * self.setup.config.train.batch
        facts = {
            "step": self.step,
            "stage": work.number + 1,
            "phases": work.stage.phases,
            "seconds": round(self._seconds(), 3),
            "samples_per_s": round(samples / max(now - self.reported, 1e-9), 1),
            "rate": rate,
            "loss": counters.loss / counters.updates if counters.updates else None,
            "grad_norm": norm,
        }
        counters.loss, counters.updates, self.reported = 0.0, 0, now
        return facts

    def _row(self, work: Work, facts: Mapping[str, Any]) -> None:
        if self.first:
            self.folder.row(facts)

    def _report(self, work: Work, rate: float | None, norm: float | None) -> None:
        """Validate, write a row and the learnt constants, keep the network if it is the best so far."""
        facts = self._facts(work, rate, norm)
        improved = False
        if self.trial is not None:
            name, counters = self.setup.metric.name, self.counters
            found = self._everywhere(self._validated(work, self.trial) if self.first else None)
            facts |= found
            value = found[f"val.{name}"]
            improved = counters.best is None or self.setup.metric.improves(value, counters.best)
            counters.waited = 0 if improved else counters.waited + 1
            patience = self.setup.config.validate.patience
            counters.ended = bool(patience) and counters.waited >= patience
            if improved:
                counters.best = value
        if self.first:
            self._row(work, facts)
            constants = self.setup.constants(work.spec)
            values = work.spec.values(work.network, bind=constants, dims=self.setup.sizes)
            small = {n: v for n, v in values.items() if n in work.small}
            self.folder.learned(self.step, work.number + 1, small)
            if improved:
                self._write("best", work)
            self._say(_sentence(facts))
            if self.counters.ended:
                self._say(f"no improvement in {self.counters.waited} validations: the stage ends")
        score = facts.get(f"val.{self.setup.metric.name}")
        metric = self.setup.metric.name if self.trial is not None else None
        self.hooks.on_validation(
            Validated(self.step, facts, metric, score, self.counters.best, improved)
        )
        self.reported = time.monotonic()  # validation is not training

    def _validated(self, work: Work, trial: Feed) -> dict[str, float]:
        train, validation = self.setup.config.train, self.setup.config.validate
        with self.accelerator.autocast():
            return validate(
                work.network,
                work.terms,
                trial,
                self.setup.metric,
                validation.batch or train.batch,
            )

    # ---- what is kept ---------------------------------------------------------------------------

    def _save(self, work: Work, learner: Learner, done: int) -> None:
        if not self.first:
            return
        self._write("last", work)
        checkpoint.save(
            self.folder.path,
            Checkpoint(
                step=self.step,
                stage=work.number,
                stage_step=done,
                counters=asdict(self.counters),
                sizes=self.folder.sizes(),
                seconds=self._seconds(),
                texts=dict(self.folder.texts),
                **learner.state(),
            ),
        )

    def _write(self, name: str, work: Work) -> None:
        bind = self.setup.constants(work.spec)
        self.folder.network(name, work.spec, work.network, work.stage.phases, bind)

    def _restore(self, work: Work, resumed: Checkpoint) -> int:
        assert work.learner is not None
        work.learner.restore(resumed.network, resumed.optimizer, resumed.scaler)
        self.counters = Counters(**resumed.counters)
        self.step, self.before = resumed.step, resumed.seconds
        return resumed.stage_step

    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.begun

    # ---- several processes ----------------------------------------------------------------------

    def _everywhere(self, value: dict[str, float] | None) -> dict[str, float]:
        """What the first process has found, in all of them."""
        from accelerate.utils import broadcast_object_list

        if self.accelerator.num_processes > 1:
            found = broadcast_object_list([value])[0]
        else:
            found = value
        assert isinstance(found, dict)
        return found

    def _agreed(self, stop: bool) -> bool:
        """Whether any process has been asked to stop."""
        if self.accelerator.num_processes == 1:
            return stop
        flag = torch.tensor(float(stop), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum") > 0)

    def _say(self, text: str) -> None:
        if self.first:
            self.folder.say(text)
            self.hooks.say(text)


def _count(parameters: Any) -> int:
    return sum(p.numel() for p in parameters)


def _sentence(facts: Mapping[str, Any]) -> str:
    """A row in words."""
    shown = [
        f"{name.removeprefix('val.') if name != 'val.loss' else 'validation loss'} {value:.5g}"
        for name, value in facts.items()
        if isinstance(value, float) and (name == "loss" or name.startswith("val."))
    ]
    return f"step {facts['step']}: {', '.join(shown)}" if shown else f"step {facts['step']}"
