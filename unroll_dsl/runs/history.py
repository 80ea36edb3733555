"""What a run has written down while it trained: `metrics.csv` and `learned.jsonl`."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unroll_dsl.runs.panels import Panel, PanelLine, finite, spans_decades


@dataclass(frozen=True, slots=True)
class History:
    """The columns of `metrics.csv`; nan where a row has no entry."""

    columns: Mapping[str, tuple[float, ...]]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def curve(self, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The steps at which a column has a value, and its values; both empty where it is missing."""
        if name not in self.columns or "step" not in self.columns:
            return (), ()
        return finite(self.columns["step"], self.columns[name])

    def starting(self, prefix: str) -> tuple[str, ...]:
        """The columns whose names start so, that have a value in some row."""
        return tuple(n for n in self.columns if n.startswith(prefix) and self.curve(n)[0])


def read_history(path: Path) -> History:
    """Read `metrics.csv`; a last line that was cut off while being written is left out.

    Raises
    ------
    OSError
        If the file cannot be read. One without rows gives no columns.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    if not rows:
        return History({})
    names, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    numbers = [[_number(word) for word in row] for row in body]
    return History({name: tuple(row[i] for row in numbers) for i, name in enumerate(names)})


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def read_learned(path: Path) -> tuple[tuple[float, Mapping[str, Any]], ...]:
    """Steps and values of `learned.jsonl`; a line that is no JSON, cut off by a kill, is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            found.append((float(entry["step"]), dict(entry["values"])))
        except (ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def training_panels(history: History, words: Mapping[str, str] | None = None) -> tuple[Panel, ...]:
    """Loss, its terms on validation data, metrics, rate, gradient and speed, where recorded.

    `words` gives metrics an axis label with a unit, by their names: "psnr" -> "PSNR, dB".
    """
    marks = _stage_starts(history)
    found: list[Panel] = []

    def panel(title: str, label: str, names: Sequence[tuple[str, str]], first: float = 0) -> None:
        lines = []
        for place, (column, word) in enumerate(names):
            x, y = history.curve(column)
            kept = [(a, b) for a, b in zip(x, y, strict=True) if a >= first]
            if kept:
                x, y = tuple(a for a, _ in kept), tuple(b for _, b in kept)
                lines.append(PanelLine(x, y, word, colour=place, points=len(x) < 30))
        if lines:
            if len(lines) == 1:
                lines = [replace(lines[0], label="")]
            is_log = spans_decades(v for line in lines for v in line.y)
            found.append(
                Panel(title, "step", label, tuple(lines), log_y=is_log, whole_x=True, marks=marks)
            )

    panel("Loss", "loss", [("loss", "training"), ("val.loss", "validation")])
    terms = [(name, name.removeprefix("loss.")) for name in history.starting("loss.")]
    panel("Terms of the validation loss", "loss", terms)
    for name in history.starting("val."):
        word = name.removeprefix("val.")
        if word != "loss":
            panel("Validation", (words or {}).get(word, word), [(name, "")])
    panel("Learning rate", "rate", [("rate", "")])
    panel("Norm of the gradient", "norm", [("grad_norm", "")])
    panel("Speed", "samples a second", [("samples_per_s", "")], first=1)
    return tuple(found)


def _stage_starts(history: History) -> tuple[float, ...]:
    """The steps at which another stage of training began."""
    x, stages = history.curve("stage")
    return tuple(
        step for step, stage, before in zip(x[1:], stages[1:], stages[:-1]) if stage != before
    )


def evolution_panels(
    learned: Sequence[tuple[float, Mapping[str, Any]]],
    per_phase: Collection[str],
    words: Mapping[str, str],
) -> tuple[Panel, ...]:
    """How scalars, and medians of vectors, changed while the network was trained.

    Parameters
    ----------
    per_phase
        The names that have a value for each phase: a line for each.
    words
        What the program says of each name.
    """
    names = dict.fromkeys(name for _, values in learned for name in values)
    panels = []
    for name in names:
        tracks: dict[int, list[tuple[float, float]]] = {}
        for step, values in learned:
            if name not in values:
                continue
            rows = values[name] if name in per_phase else [values[name]]
            for phase, value in enumerate(map(_median, rows)):
                tracks.setdefault(phase, []).append((step, value))
        if not tracks or max(map(len, tracks.values())) < 2:
            continue
        last = max(tracks)
        lines = tuple(
            PanelLine(
                tuple(step for step, _ in track),
                tuple(value for _, value in track),
                f"phase {phase + 1}" if phase in (0, last) and last else "",
                shade=phase / last if last else 0.0,
            )
            for phase, track in tracks.items()
        )
        title = f"{name} while training"
        panels.append(Panel(title, "step", words.get(name, name), lines, whole_x=True))
    return tuple(panels)


def _median(value: Any) -> float:
    flat = sorted(_flat(value))
    return flat[len(flat) // 2] if flat else math.nan


def _flat(value: Any) -> list[float]:
    if isinstance(value, int | float):
        return [float(value)]
    return [number for entry in value for number in _flat(entry)]
