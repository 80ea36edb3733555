"""Validation: the loss, its terms and the metric over all samples that are held out."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unroll_dsl.data.metrics import Metric
from unroll_dsl.train.batches import Feed
from unroll_dsl.train.task import LOSS
from unroll_dsl.train.terms import Terms


@torch.no_grad()
def validate(
    network: nn.Module, terms: Terms, feed: Feed, metric: Metric, batch: int
) -> dict[str, float]:
    """Means over the samples of a feed, by the names of their columns in metrics.csv.

    `batch` samples are worked through at a time; the same samples and the same noise each time.
    """
    task, state = feed.task, network.state_dict()
    sums: dict[str, float] = {}
    count = 0

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal count
        for arguments in feed.everything(batch):
            inputs, targets = arguments[: len(task.inputs)], arguments[len(task.inputs) :]
            rows = len(arguments[0])
            found = {"val.loss": network.loss(*arguments)}  # type: ignore[operator]  # generated
            found |= {f"loss.{name}": value for name, value in terms(state, arguments).items()}
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + float(value) * rows
            count += rows
            if metric.name == LOSS:
                continue
            outputs = network(*inputs)
            output = outputs[task.output] if isinstance(outputs, tuple) else outputs
            yield output, targets[task.targets.index(task.truth)]

    figures: dict[str, float] = {}
    if metric.name == LOSS:
        tuple(pairs())  # which compares nothing
    else:
        figures[f"val.{metric.name}"] = metric.over(pairs())
    return {name: total / count for name, total in sums.items()} | figures
