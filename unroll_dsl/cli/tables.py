"""The numerical report of `unroll check` as text."""

from itertools import groupby

from unroll_dsl.verify.report import Report, Row

_MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped", "note": "note"}


def report_text(report: Report) -> str:
    """Every check with its figure and its tolerance, under the heading of its group."""
    sizes = ", ".join(f"{name} = {size}" for name, size in report.sizes.items())
    count = "" if report.phases is None else f"{report.phases} phases, "
    lines = [f"{report.program} on a random instance ({count}{sizes}, seed {report.seed})"]
    width = max((len(row.name) for row in report.rows), default=0)
    for group, rows in groupby(report.rows, key=lambda row: row.group):
        lines += ["", group]
        lines += [_line(row, width) for row in rows]
    if report.objective:
        lines += ["", "objective along the phases", f"  {_figures(report.objective)}"]
    return "\n".join([*lines, "", _closing(report)])


def _line(row: Row, width: int) -> str:
    figure = "" if row.value is None else f"{row.value:.2e}"
    if row.value is not None and row.tolerance is not None:
        figure += f" (at most {row.tolerance:.0e})"
    mark = _MARKS[row.verdict.value]
    return f"  {mark:<7}  {row.name:<{width}}  {figure:<25}  {row.detail}".rstrip()


def _figures(values: tuple[float, ...], shown: int = 8) -> str:
    """The values, or of many the first and the last ones."""
    words = [f"{value:.6g}" for value in values]
    if len(words) > shown:
        words = [*words[: shown - 2], "...", words[-1]]
    return "  ".join(words)


def _closing(report: Report) -> str:
    counts = dict.fromkeys(_MARKS, 0)
    for row in report.rows:
        counts[row.verdict.value] += 1
    others = [f"{n} {mark}" for mark, n in counts.items() if n and mark not in ("note",)]
    return f"{'passed' if report.passed else 'FAILED'}: {', '.join(others) or 'nothing to check'}"
