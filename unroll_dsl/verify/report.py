"""What `unroll check` found, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from unroll_dsl.shown import table


class Verdict(Enum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDECIDED = "not decided"  # it could be neither shown nor refuted
    NOTE = "note"  # a finding that is neither right nor wrong


_MARKS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAILED",
    Verdict.SKIPPED: "skipped",
    Verdict.UNDECIDED: "not decided",
    Verdict.NOTE: "note",
}


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

    def __str__(self) -> str:
        return report_text(self)

    def _repr_html_(self) -> str:
        rows: list[tuple[str, ...]] = []
        for group, members in groupby(self.rows, key=lambda row: row.group):
            rows.append((group,))
            rows += [(_MARKS[r.verdict], r.name, _figure(r), r.detail) for r in members]
        lines = report_text(self).splitlines()
        return table([*rows, (lines[-1],)], caption=lines[0])

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


def report_text(report: Report) -> str:
    """Every check with its figure and its tolerance, under the heading of its group."""
    facts = [f"{name} = {size}" for name, size in report.sizes.items()]
    if report.phases is not None:
        facts.insert(0, f"{report.phases} phase{'s' if report.phases > 1 else ''}")
    facts.append(f"seed {report.seed}")
    lines = [f"{report.program} on a random instance ({', '.join(facts)})"]
    marks = max((len(_MARKS[row.verdict]) for row in report.rows), default=0)
    width = max((len(row.name) for row in report.rows), default=0)
    for group, rows in groupby(report.rows, key=lambda row: row.group):
        lines += ["", group]
        lines += [_line(row, max(marks, 7), width) for row in rows]
    if report.objective:
        lines += ["", "objective along the phases", f"  {_figures(report.objective)}"]
    return "\n".join([*lines, "", _closing(report)])


def _line(row: Row, marks: int, width: int) -> str:
    figure, mark = _figure(row), _MARKS[row.verdict]
    return f"  {mark:<{marks}}  {row.name:<{width}}  {figure:<25}  {row.detail}".rstrip()


def _figure(row: Row) -> str:
    figure = "" if row.value is None else f"{row.value:.2e}"
    if row.value is not None and row.tolerance is not None:
        figure += f" (at most {row.tolerance:.0e})"
    return figure


def _figures(values: tuple[float, ...], shown: int = 8) -> str:
    """The values, or of many the first and the last ones."""
    words = [f"{value:.6g}" for value in values]
    if len(words) > shown:
        words = [*words[: shown - 2], "...", words[-1]]
    return "  ".join(words)


def _closing(report: Report) -> str:
    verdicts = [row.verdict for row in report.rows]
    failed, skipped = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.SKIPPED)
    total = failed + verdicts.count(Verdict.PASSED)
    undecided = verdicts.count(Verdict.UNDECIDED)
    left_out = f", {undecided} not decided" if undecided else ""
    left_out += f", {skipped} skipped" if skipped else ""
    if failed:
        return f"{failed} of {total} checks FAILED{left_out}"
    match total:
        case 0:
            return f"nothing was checked{left_out}"
        case 1:
            return f"1 check passed{left_out}"
        case _:
            return f"all {total} checks passed{left_out}"
