"""What `unroll check` found, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDECIDED = "not decided"  # it could be neither shown nor refuted
    NOTE = "note"  # a finding that is neither right nor wrong


@dataclass(frozen=True, slots=True)
class Row:
    """One check: what was compared, the figure, the tolerance, the verdict and a few words."""

    group: str
    name: str
    verdict: Verdict
    value: float | None = None
    tolerance: float | None = None
    detail: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "group": self.group,
            "name": self.name,
            "verdict": self.verdict.value,
            "value": self.value,
            "tolerance": self.tolerance,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Fall:
    """The objective above its least value along a long run of the first sample.

    Attributes
    ----------
    phases
        Those that were looked at, from 1.
    gaps
        F(x_k) - F*.
    floor
        Below it the gaps are rounding.
    words
        The rate that is fitted.
    bounds
        What is proved of the method, where something is.
    """

    phases: tuple[int, ...]
    gaps: tuple[float, ...]
    floor: float
    words: str
    bounds: tuple[float, ...] | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "phases": list(self.phases),
            "gaps": list(self.gaps),
            "floor": self.floor,
            "words": self.words,
            "bounds": None if self.bounds is None else list(self.bounds),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one program. `passed` is True if none failed."""

    program: str
    seed: int
    sizes: dict[str, int]
    phases: int | None
    rows: tuple[Row, ...]
    objective: tuple[float, ...] = field(default=())  # the first sample's, along the phases
    fall: Fall | None = None

    @property
    def passed(self) -> bool:
        return all(row.verdict is not Verdict.FAILED for row in self.rows)

    def to_json(self) -> dict[str, object]:
        return {
            "program": self.program,
            "passed": self.passed,
            "seed": self.seed,
            "sizes": self.sizes,
            "phases": self.phases,
            "checks": [row.to_json() for row in self.rows],
            "objective": list(self.objective),
            "fall": None if self.fall is None else self.fall.to_json(),
        }


def judged(group: str, name: str, value: float, tolerance: float, detail: str = "") -> Row:
    """A row that passed if `value` is at most `tolerance` (NaN fails)."""
    verdict = Verdict.PASSED if value <= tolerance else Verdict.FAILED
    return Row(group, name, verdict, value, tolerance, detail)
