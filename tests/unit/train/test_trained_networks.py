"""Networks from outside under `unroll_dsl.train`: trained, kept in the folder, loaded from it."""

from pathlib import Path

import pytest
import torch
from sparse_problem import Sparse
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError

PAGE = """\
algorithm corrected
dims n
input     y  : vector[n]
learnable mu : scalar > 0 per phase = 0.5
learnable N  : network vector[n], scalar -> vector[n] per phase
measure   y  = x_star + 0.5 * noise

state x : vector[n] = y
phase (2):
    x <- N((y + mu * x) / (1 + mu), mu)
output x

loss (x_star : vector[n]):
    sumsq(x - x_star)
"""


class Net(nn.Module):
    """With tensors that no optimiser moves."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 16)
        self.norm = nn.BatchNorm1d(16)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        return x - level[:, None] * self.norm(self.inner(x))


def test_a_run_trains_keeps_and_gives_back_networks(tmp_path: Path) -> None:
    page = tmp_path / "corrected.unroll"
    page.write_text(PAGE, encoding="utf-8")
    config = {"train": {"epochs": 3, "batch": 20, "rate": 0.02}}
    run = unroll_dsl.train(
        page, tmp_path / "run", config, bind={"N": Net}, source=Sparse(), validation=Sparse()
    )
    net = run.network("last", bind={"N": Net})
    untrained = unroll_dsl.load(str(page)).compile(bind={"N": Net}, dims={"n": 16}, seed=0)
    kept = dict(net.named_parameters())
    assert any(
        not torch.equal(p, kept[name])
        for name, p in untrained.named_parameters()
        if "inner" in name
    )
    assert net.phases[0].N.norm.running_mean.abs().max() > 0  # type: ignore[union-attr, operator, index]
    again = unroll_dsl.train.Run.open(tmp_path / "run").network("last", bind={"N": Net})
    y = torch.randn(4, 16)
    assert torch.equal(again.eval()(y), net.eval()(y))
    with pytest.raises(UnrollError, match="network `N` has no value"):
        run.network("last")
