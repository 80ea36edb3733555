"""`python -m tests.mutation MODULE...`: how many slips do the tests notice?

Works on a copy of the checkout. The tests of the modules (`which.py`, or --tests) run once as they are, to see
which lines each of them reaches; then each slip is shown to the tests that reach its line, the fastest first,
until one fails. With --nearest there is no such look: a slip is shown to the few tests that stand nearest to its
module. Prints a line a slip and a table by module. Slips of which `equivalent.toml` says why nobody
could notice them are drawn, not tried and not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from tests.mutation.judged import judgements, why_nobody_notices
from tests.mutation.running import SLOW_TO_IMPORT, Answer, Copy, Reach
from tests.mutation.slips import Slip, slips
from tests.mutation.which import nearest, tests_of

NOTHING_RUNS, TOO_LONG = "nothing runs any more", "runs for ever"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A slip, whether a test noticed it, and how; whether it did before, of a run that is made again."""

    slip: Slip
    noticed: bool
    how: str
    seconds: float
    equal: bool = False  # it changes nothing: it is not counted
    before: bool | None = None


def main() -> int:
    options = _options()
    if not hasattr(os, "fork"):
        raise SystemExit("mutation runs fork processes, which this system does not do")
    root = options.root.resolve()
    modules = _modules(root, options.modules)
    known = _before(root, modules, options.again) if options.again else []
    drawn = (
        [v.slip for v in known if not v.noticed]
        if options.again
        else _drawn(root, modules, options)
    )
    equal, chosen = _parted(root, drawn)
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    earlier = {v.slip: v.noticed if v.before is None else v.before for v in known}
    found = []
    tried = _all_tried(root, chosen, options) if chosen else ()
    for verdict in chain((v for v in known if v.noticed), equal, tried):
        found.append(replace(verdict, before=earlier.get(verdict.slip)))
        if options.json:  # after each, so that a run that is cut short has told what it found
            options.json.write_text(json.dumps([asdict(v) for v in found], indent=1), "utf-8")
    _table(found)
    return 0


def _all_tried(root: Path, chosen: list[Slip], options: argparse.Namespace) -> Iterator[Verdict]:
    touched = sorted({slip.path for slip in chosen})
    paths = options.tests or [p for module in touched for p in tests_of(module, root)]
    with tempfile.TemporaryDirectory(prefix="unroll-mutation-") as folder:
        copy = Copy(root, Path(folder), options.imports)
        if options.nearest:
            yield from _shown_to_the_nearest(root, copy, chosen, options)
            return
        print(f"{len(chosen)} slips in {len(touched)} modules; tests as they are ...", flush=True)
        reach = copy.reach(list(dict.fromkeys(paths)), touched, options.patience)
        spent = sum(reach.seconds.values())
        print(f"{len(reach.seconds)} tests, {spent:.0f} s\n", flush=True)
        for slip in chosen:
            yield _tried(copy, slip, reach, options)


def _shown_to_the_nearest(
    root: Path, copy: Copy, chosen: list[Slip], options: argparse.Namespace
) -> Iterator[Verdict]:
    """Those that failed run once more as they are, at the end: nothing was broken before."""
    print(f"{len(chosen)} slips\n", flush=True)
    failed = set()
    for slip in chosen:
        paths = options.tests or nearest(slip.path, root)
        run = partial(copy.run_all, paths, options.patience)
        verdict = _with_slip(copy, slip, run, "they pass")
        if verdict.noticed and verdict.how != TOO_LONG:
            failed.add(paths[0] if verdict.how == NOTHING_RUNS else verdict.how)
        yield verdict
    answer = copy.run_all(sorted(failed), options.patience) if failed else None
    if answer is not None and answer.how != "passed":
        raise SystemExit(f"the tests {answer.how} before anything was broken: {answer.failed}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="+", help="files, or folders of them")
    parser.add_argument("--limit", type=int, metavar="N", help="so many slips, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="in place of those of which.py")
    parser.add_argument(
        "--seconds", type=float, default=60, help="of tests that a slip is shown to (60)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=5400,
        help="seconds for all tests as they are, or with --nearest for those of a slip (5400)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=60,
        help="seconds, besides four times those of its tests, after which a slip runs for ever (60)",
    )
    parser.add_argument(
        "--nearest", action="store_true", help="show a slip to the tests nearest to its module"
    )
    parser.add_argument("--again", type=Path, metavar="JSON", help="what this run left unnoticed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and leave")
    parser.add_argument("--imports", nargs="+", default=SLOW_TO_IMPORT, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help=argparse.SUPPRESS)
    return parser.parse_args()


def _modules(root: Path, given: list[str]) -> list[str]:
    found = []
    for name in given:
        path = (root / name).resolve()
        if not path.exists():
            raise SystemExit(f"there is no {path}")
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [str(file.relative_to(root)) for file in files]
    return list(dict.fromkeys(found))


def _drawn(root: Path, modules: list[str], options: argparse.Namespace) -> list[Slip]:
    known = [s for name in modules for s in slips(name, (root / name).read_text("utf-8"))]
    if options.limit is None or options.limit >= len(known):
        return known
    drawn = random.Random(options.seed).sample(known, options.limit)
    return sorted(drawn, key=lambda slip: (slip.path, slip.start))


def _before(root: Path, modules: list[str], file: Path) -> list[Verdict]:
    """What a run has found, in the modules as they are now: a slip whose place has gone is left out."""
    told = [
        Verdict(**{**v, "slip": Slip(**v["slip"])}) for v in json.loads(file.read_text("utf-8"))
    ]
    found = []
    for name in modules:
        text = (root / name).read_text("utf-8")
        here = slips(name, text) if any(v.slip.path == name for v in told) else ()
        for verdict in (v for v in told if v.slip.path == name):
            same = [s for s in here if s.change == verdict.slip.change]
            if same:
                nearest = min(same, key=lambda s: abs(s.start - verdict.slip.start))
                found.append(replace(verdict, slip=nearest))
            else:
                print(f"gone: {verdict.slip}")
    return found


def _parted(root: Path, drawn: list[Slip]) -> tuple[list[Verdict], list[Slip]]:
    """Slips that are known to change nothing, and the others."""
    known, equal, others = judgements(), [], []
    for slip in drawn:
        why = why_nobody_notices(slip, (root / slip.path).read_text("utf-8"), known)
        if why is None:
            others.append(slip)
        else:
            equal.append(Verdict(slip, False, why, 0.0, equal=True))
    return equal, others


def _tried(copy: Copy, slip: Slip, reach: Reach, options: argparse.Namespace) -> Verdict:
    tests = reach.tests(slip.path, slip.line, options.seconds)
    if not tests:
        return _told(Verdict(slip, False, "no test reaches the line", 0.0))
    most = options.grace + 4 * sum(reach.seconds[test] for test in tests)
    return _with_slip(copy, slip, lambda: copy.run(tests, most), f"{len(tests)} tests pass")


def _with_slip(copy: Copy, slip: Slip, run: Callable[[], Answer], passed: str) -> Verdict:
    """How tests end while the slip is there."""
    begun = time.monotonic()
    text = (copy.tree / slip.path).read_text("utf-8")
    try:
        copy.write(slip.path, slip.applied(text))
        answer = run()
    finally:
        copy.write(slip.path, text)
    how = {
        "passed": passed,
        "failed": answer.failed or NOTHING_RUNS,
        "too long": TOO_LONG,
    }[answer.how]
    return _told(Verdict(slip, answer.how != "passed", how, time.monotonic() - begun))


def _told(verdict: Verdict) -> Verdict:
    mark = "noticed  " if verdict.noticed else "UNNOTICED"
    print(f"{mark} {verdict.seconds:5.1f} s  {verdict.slip}  [{verdict.how}]", flush=True)
    return verdict


def _table(found: list[Verdict]) -> None:
    modules = sorted({verdict.slip.path for verdict in found})
    width = max((len(name) for name in modules), default=0)
    print()
    for name in (*modules, "all"):
        here = [v for v in found if name in ("all", v.slip.path)]
        counted = [v for v in here if not v.equal]
        words = [f"{sum(v.noticed for v in counted):4} of {len(counted):4} noticed"]
        if counted:
            words.append(f"{100 * sum(v.noticed for v in counted) / len(counted):5.1f} %")
        if any(v.before is not None for v in here):
            words.append(f"before: {sum(v.before or False for v in counted)}")
        if len(counted) < len(here):
            words.append(f"{len(here) - len(counted)} that change nothing")
        print(f"{name:<{width}}  {'  '.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
