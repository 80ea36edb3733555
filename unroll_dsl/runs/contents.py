"""What is known of a run, with what is missing named rather than refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unroll_dsl.data.metrics import Metric
from unroll_dsl.runs.history import History
from unroll_dsl.runs.solver import Samples, Solver
from unroll_dsl.spec import Spec


@dataclass(frozen=True)
class Contents:
    """A run as its page needs it.

    Attributes
    ----------
    spec
        The program with the roles that the run gave its constants.
    solver, which
        The trained network, and the name of its file; None before any was written.
    learned
        Steps and values of learnt scalars and vectors.
    samples
        The validation set in parts of one shape; empty where there is none, or it cannot be read.
    dates
        When the run began and when it last wrote, in words.
    patches
        Whether vectors of the data are square patches of pictures.
    missing
        Sentences: what the folder lacks.
    """

    name: str
    spec: Spec
    phases: int
    config: str
    environment: Mapping[str, Any]
    history: History
    learned: tuple[tuple[float, Mapping[str, Any]], ...] = ()
    solver: Solver | None = None
    which: str = ""
    samples: tuple[Samples, ...] = ()
    metric: Metric | None = None
    dates: tuple[tuple[str, str], ...] = ()
    patches: bool = False
    missing: tuple[str, ...] = field(default=())
