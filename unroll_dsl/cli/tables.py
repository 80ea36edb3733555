"""The numerical report of `unroll check` as text."""

from itertools import groupby

from unroll_dsl.verify.report import Report, Row, Verdict

_MARKS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAILED",
    Verdict.SKIPPED: "skipped",
    Verdict.UNDECIDED: "not decided",
    Verdict.NOTE: "note",
}


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
    figure = "" if row.value is None else f"{row.value:.2e}"
    if row.value is not None and row.tolerance is not None:
        figure += f" (at most {row.tolerance:.0e})"
    mark = _MARKS[row.verdict]
    return f"  {mark:<{marks}}  {row.name:<{width}}  {figure:<25}  {row.detail}".rstrip()


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
