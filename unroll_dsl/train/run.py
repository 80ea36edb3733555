"""A run folder as it is read: `Run.open(path)`."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from unroll_dsl.data.source import Source
from unroll_dsl.loading import loads
from unroll_dsl.shown import curve, table
from unroll_dsl.spec import Spec
from unroll_dsl.train.bound import read_bound
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.folder import (
    BOUND,
    CONFIG,
    ENVIRONMENT,
    LEARNED,
    METRICS,
    PROGRAM,
)
from unroll_dsl.train.tables import config as as_config
from unroll_dsl.train.tables import read_file
from unroll_dsl.weights.container import load_network, read_spec

Which = Literal["best", "last"]


@dataclass(frozen=True)
class Run:
    """What a run folder holds.

    Attributes
    ----------
    path : Path
    spec : Spec
        The program as it was given; `program(which)` has the roles that were trained.
    config : Config
        Complete: what was left out has its default.
    """

    path: Path
    spec: Spec
    config: Config

    @staticmethod
    def open(path: Path | str) -> Run:
        """Read a run folder.

        Raises
        ------
        TrainingError
            If it is none, or was given up before its first update.
        """
        folder = Path(path)
        if not (folder / CONFIG).is_file():
            what = "had not begun" if (folder / PROGRAM).is_file() else "is no folder of a run"
            raise TrainingError(
                f"{folder} {what}: it has no {CONFIG}",
                "start it, `unroll train SPEC --out RUN`" if folder.is_dir() else None,
            )
        config = as_config(read_file(folder / CONFIG), str(folder / CONFIG))
        spec = loads(_text(folder / PROGRAM), _environment(folder)["program"])
        return Run(folder, spec, config)

    def _repr_html_(self) -> str:
        """The last validation and the curve to it, for notebooks."""
        rows = self.metrics()
        facts = [("program", self.spec.name), ("folder", str(self.path))]
        if not rows:
            return table(facts, caption="a run that has not been validated yet")
        facts += [(k, f"{v:.6g}") for k, v in rows[-1].items() if v is not None]
        name = next((k for k in reversed(rows[-1]) if rows[-1][k] is not None), "loss")
        return table(facts) + curve([row.get(name) for row in rows], name)

    def bind(self) -> dict[str, Tensor | float | complex]:
        """Values of `fixed` names, files read and matrices made."""
        return read_bound(self.path / BOUND)

    def program(self, which: Which = "best") -> Spec:
        """The program of a network, with the roles of its stage."""
        return read_spec(self.weights(which))[0]

    def phases(self, which: Which = "best") -> int | None:
        """How many phases a network has."""
        return read_spec(self.weights(which))[1]

    def weights(self, which: Which = "best") -> Path:
        """The file of a network; without validation the last one is the best."""
        for name in (which, "last"):
            path = self.path / f"{name}.safetensors"
            if path.is_file():
                return path
        raise TrainingError(f"{self.path} holds no network yet: its run was stopped too early")

    def network(
        self, which: Which = "best", *, bind: Mapping[str, Any] | None = None, **options: Any
    ) -> nn.Module:
        """A trained network; `options` (dtype, device) as for `load_network`. Maps and networks from outside,
        which no folder keeps, are bound again."""
        from unroll_dsl.train.devices import dtype

        path = self.weights(which)
        spec = read_spec(path)[0]
        fixed = {c.name for c in spec.graph.constants}
        given = {name: value for name, value in self.bind().items() if name in fixed} | dict(
            bind or {}
        )
        options = {"dtype": dtype(self.config.train), **options}
        return load_network(path, bind=given, dims=self.sizes, **options)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the program's dims, those that the data determine too."""
        found: dict[str, int] = self.environment()["sizes"]
        return found

    def environment(self) -> dict[str, Any]:
        """Versions, device, threads and processes of the run's beginning."""
        return _environment(self.path)

    def metrics(self) -> list[dict[str, float | None]]:
        """The rows of metrics.csv; None where a cell is empty."""
        with (self.path / METRICS).open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            return [{k: float(v) if v else None for k, v in row.items()} for row in rows]

    def learned(self) -> list[dict[str, Any]]:
        """The lines of learned.jsonl: `step`, `stage`, `values` of scalars and vectors by name."""
        return [json.loads(line) for line in _text(self.path / LEARNED).splitlines()]

    def sources(self) -> tuple[Source, Source | None]:
        """The data of training and of validation, opened again."""
        from unroll_dsl.train.opening import GIVEN, open_data

        if self.config.data.get("kind") == GIVEN:
            raise TrainingError(
                f"the data of {self.path} were given as an object, which no file holds"
            )
        opened = open_data(self.spec, self.config, self.bind())
        return opened.source, opened.validation

    @property
    def validation(self) -> Source | None:
        """The validation data, opened again."""
        return self.sources()[1]


def _environment(folder: Path) -> dict[str, Any]:
    path = folder / ENVIRONMENT
    try:
        found: dict[str, Any] = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise TrainingError(f"{path} is damaged: {error}") from error
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise TrainingError(f"{path} cannot be read: {why}") from error
