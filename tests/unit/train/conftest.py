"""A small sparse problem, and programs that learn to solve it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from sparse_problem import CP, Sparse
from torch import Tensor

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.train import Hooks, Run


@pytest.fixture
def small() -> Spec:
    return unroll_dsl.loads(CP, "small.unroll")


@pytest.fixture
def A() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    found = torch.randn(8, 16, generator=generator)
    return found / found.norm(dim=0)


@dataclass(frozen=True)
class Trainer:
    """Trains in a folder of its own name within an empty one."""

    spec: Spec
    A: Tensor
    folder: Path

    def tables(self, over: Mapping[str, Any]) -> dict[str, Any]:
        from unroll_dsl.train.tables import merged

        base = {
            "train": {"steps": 20, "batch": 10, "rate": 0.01},
            "validate": {"every": 10},
            "log": {"every": 5},
            "save": {"every": 10},
        }
        return merged(base, over)

    def __call__(
        self,
        name: str = "run",
        over: Mapping[str, Any] | None = None,
        *,
        spec: Spec | None = None,
        source: Sparse | None = None,
        hooks: Hooks | None = None,
    ) -> Run:
        return unroll_dsl.train(
            spec or self.spec,
            self.folder / name,
            self.tables(over or {}),
            bind={"A": self.A},
            source=source or Sparse(),
            validation=Sparse(30),
            hooks=hooks,
        )

    def resume(self, name: str = "run", hooks: Hooks | None = None, edited: bool = False) -> Run:
        from unroll_dsl.train import resume

        given = {"source": Sparse(), "validation": Sparse(30), "hooks": hooks, "edited": edited}
        return resume(self.folder / name, **given)


@pytest.fixture
def trained(small: Spec, A: Tensor, tmp_path: Path) -> Trainer:
    return Trainer(small, A, tmp_path)
