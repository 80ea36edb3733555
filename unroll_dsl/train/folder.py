"""The run folder as it is written.

program.unroll      the program's text
run.lock            held while a process works in the folder
run.toml            the complete configuration, fit for `unroll train --config`
environment.json    versions, device, threads, processes
bound.safetensors   what was bound, made matrices and masks too
metrics.csv         a row a report: see `columns`
learned.jsonl       learnt scalars and vectors at each validation
last.ckpt, previous.ckpt            to go on from: see `checkpoint.py`
best.safetensors, last.safetensors  networks, for `unroll_dsl.load_network`
log.txt             what was said
"""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.spec import Spec
from unroll_dsl.train.bound import write_bound
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.files import append, size, truncate, write_whole, writing
from unroll_dsl.train.tables import to_toml
from unroll_dsl.version import VERSION
from unroll_dsl.weights.container import save_network

PROGRAM, CONFIG, BOUND = "program.unroll", "run.toml", "bound.safetensors"
ENVIRONMENT = "environment.json"
METRICS, LEARNED, LOG = "metrics.csv", "learned.jsonl", "log.txt"
_PACKAGES = ("torch", "numpy", "accelerate", "safetensors")


def columns(terms: Sequence[str], metric: str | None) -> tuple[str, ...]:
    """The columns of metrics.csv: terms of the loss and the metric of validation have one each."""
    found = ["step", "stage", "phases", "seconds", "samples_per_s", "rate", "loss"]
    found += [f"loss.{term}" for term in terms]
    if metric is not None:
        found += dict.fromkeys(("val.loss", f"val.{metric}"))
    return (*found, "grad_norm")


def texts(spec: Spec, config: Config) -> dict[str, str]:
    """What program.unroll and run.toml of a run say."""
    return {PROGRAM: spec.program.file.text, CONFIG: to_toml(config)}


def read_texts(folder: Path) -> dict[str, str]:
    """What program.unroll and run.toml of a folder say now."""
    return {name: (folder / name).read_text("utf-8") for name in (PROGRAM, CONFIG)}


@dataclass(frozen=True, slots=True)
class Folder:
    """Writes a run folder. Every file is whole at every moment, or cut back when the run goes on."""

    path: Path
    columns: tuple[str, ...]
    texts: Mapping[str, str]  # of the program and the configuration, by the names of their files

    def begin(self, spec: Spec, bind: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        """Make the folder; run.toml comes last, so that a folder with one is a run."""
        if (self.path / CONFIG).exists():
            raise TrainingError(
                f"{self.path} holds a run already",
                f"go on with it, `unroll train --resume {self.path}`, or give another folder",
            )
        write_whole(self.path / PROGRAM, self.texts[PROGRAM].encode())
        facts = {"program": spec.program.file.name.rpartition("/")[2], **environment}
        write_whole(self.path / ENVIRONMENT, json.dumps(facts, indent=1).encode())
        write_bound(self.path / BOUND, bind)
        self.cut(self.empty())
        write_whole(self.path / CONFIG, self.texts[CONFIG].encode())

    def empty(self) -> dict[str, int]:
        """Lengths of files of which nothing is kept."""
        return {METRICS: 0, LEARNED: 0}

    def cut(self, sizes: Mapping[str, int]) -> None:
        """Cut the files that grow back to what a checkpoint knows of."""
        for name, length in sizes.items():
            truncate(self.path / name, length)
        if not sizes[METRICS]:
            append(self.path / METRICS, _line(self.columns))

    def sizes(self) -> dict[str, int]:
        """Lengths of the files that grow, for a checkpoint."""
        return {name: size(self.path / name) for name in (METRICS, LEARNED)}

    def row(self, values: Mapping[str, Any]) -> None:
        """Add a row to metrics.csv; what is not known is left empty."""
        append(self.path / METRICS, _line([_cell(values.get(name)) for name in self.columns]))

    def learned(self, step: int, stage: int, values: Mapping[str, Any]) -> None:
        """Add learnt scalars and vectors, per phase or not, to learned.jsonl."""
        kept = {name: v.tolist() for name, v in values.items() if isinstance(v, Tensor)}
        line = {"step": step, "stage": stage, "values": kept}
        append(self.path / LEARNED, json.dumps(line) + "\n")

    def network(
        self, name: str, spec: Spec, network: nn.Module, phases: int | None, bind: Mapping[str, Any]
    ) -> None:
        """Write NAME.safetensors: weights, the program with its roles, the number of phases."""
        path = self.path / f"{name}.safetensors"
        with writing(path):
            save_network(path, spec, network, phases=phases, bind=bind)

    def say(self, text: str) -> None:
        """Add a line to log.txt."""
        append(self.path / LOG, f"{datetime.now():%Y-%m-%d %H:%M:%S}  {text}\n")


def _line(cells: Sequence[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def environment(device: torch.device, processes: int) -> dict[str, Any]:
    """What the bits of a run may depend on besides its folder."""
    found: dict[str, Any] = {
        "unroll_dsl": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    cuda = device.type == "cuda"
    return found | {
        "device": torch.cuda.get_device_name(device) if cuda else device.type,
        "threads": torch.get_num_threads(),
        "processes": processes,
    }
