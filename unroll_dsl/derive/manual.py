"""docs/derive.md: methods, relaxations, and what comes of each problem, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.derive.deck import undecided
from unroll_dsl.derive.model import Options, Refusal
from unroll_dsl.derive.run import attempt, methods
from unroll_dsl.derive.setting import Setting
from unroll_dsl.driver import check_path
from unroll_dsl.objectives import read
from unroll_dsl.relax.run import relaxations
from unroll_dsl.resources import problem_names, problem_path

_HEAD = """\
# From a problem to an algorithm to a network

```
unroll show PROBLEM                                        # the objective, term by term
unroll derive PROBLEM                                      # what each method makes of it, or why not
unroll derive PROBLEM --method admm --split "z = D @ x"    # the page of an algorithm
unroll derive PROBLEM --method ista --relax "matrices,threshold(entrywise)"
unroll derive PROBLEM --method admm --explain html -o way.html
unroll relax PAGE --relax step,threshold                   # any page
```

```python
problem = unroll_dsl.load("cs_mri")
page = problem.derive(
    "admm", split="z = D @ x", statements="let D = filters(dct_basis(3), padding=circular)"
)
net = page.relax("real", "filters(untied)", "shrinkage(value=0.05)").spec.compile(
    bind={"P": P}, dims={"h": 256, "w": 256}
)
```

A problem is a page with `minimize` (`algorithms/problems/`, or your own); an algorithm's page serves as well. Its terms are
[atoms](atoms.md) of affine maps. `--with STATEMENT` puts a statement in place of the problem's, `--start`, `--give`, `--value` and
`--letter` say where the state starts, what is given, what constants are and how they are called. `algorithms/problems/deck.toml`
is a table of such options, from which fifteen of the shipped pages come. This page is generated from the records.
"""


_LEGEND = """\
ok: derived, and green in `unroll check`: where it comes to rest the objective is at its least value, by duality, or, where
that is not convex, does not fall in a search. open: derived, nothing wrong is found, and why the rest is not decided. no: why the method
does not serve.
"""


def page() -> str:
    """The page."""
    parts = [_HEAD, "## Methods\n", _methods(), "## What comes of each problem\n", _problems()]
    parts += ["## Relaxations\n", _relaxations()]
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _methods() -> str:
    rows = [
        (f"`{m.name}`", m.title, m.needs, m.condition, m.rate, m.source) for m in methods().values()
    ]
    return _table(("name", "method", "needs", "steps", "rate", "source"), rows)


def _problems() -> str:
    """A table of what is derived and what `check` says of it; below it why not, and what is open."""
    columns = []
    reasons: dict[str, int] = {}
    for name in problem_names():
        typed = check_path(problem_path(name)).typed
        assert typed is not None
        form, opened = read(typed), undecided().get(name, {})
        cells = []
        for method in methods().values():
            answer = attempt(method, Setting(form, Options()), Options())
            why = answer.reason if isinstance(answer, Refusal) else opened.get(method.name, "")
            word = "no" if isinstance(answer, Refusal) else "open"
            number = reasons.setdefault(why, len(reasons) + 1) if why else 0
            cells.append(f"{word} {number}" if why else "ok")
        columns.append(cells)
    rows = [(f"`{method}`", *cells) for method, cells in zip(methods(), zip(*columns, strict=True))]
    table = _table(("", *(f"`{name}`" for name in problem_names())), rows)
    notes = "".join(f"{number}. {why}\n" for why, number in reasons.items())
    return f"{_LEGEND}\n{table}\n{notes}"


def _relaxations() -> str:
    rows = []
    for r in relaxations().values():
        takes = ", ".join(
            (*r.flags, *(f"{key}=" for key in r.keys), *(["names"] if r.words else []))
        )
        start = "yes" if r.classical else "no"
        rows.append((f"`{r.name}`", f"`{r.before}`", f"`{r.after}`", start, takes, r.source))
    head = ("name", "before", "after", "starts classical", "takes", "source")
    return _table(head, rows)
