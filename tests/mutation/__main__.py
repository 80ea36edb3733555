"""`python -m tests.mutation MODULE...`: how many slips do the tests notice?

Works on a copy of the checkout. The tests of the modules (`which.py`, or --tests) run once as they are, to see
which lines each of them reaches; then each slip is shown to the tests that reach its line, the fastest first,
until one fails. Prints a line a slip and a table by module.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation.running import SLOW_TO_IMPORT, Copy, Reach
from tests.mutation.slips import Slip, slips
from tests.mutation.which import tests_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """A slip, whether a test noticed it, and how."""

    slip: Slip
    noticed: bool
    how: str
    seconds: float


def main() -> int:
    options = _options()
    if not hasattr(os, "fork"):
        raise SystemExit("mutation runs fork processes, which this system does not do")
    root = options.root.resolve()
    modules = _modules(root, options.modules)
    chosen = _chosen(root, modules, options)
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    touched = sorted({slip.path for slip in chosen})
    paths = options.tests or [p for module in touched for p in tests_of(module, root)]
    with tempfile.TemporaryDirectory(prefix="unroll-mutation-") as folder:
        copy = Copy(root, Path(folder), options.imports)
        print(f"{len(chosen)} slips in {len(touched)} modules; tests as they are ...", flush=True)
        reach = copy.reach(list(dict.fromkeys(paths)), touched, options.patience)
        spent = sum(reach.seconds.values())
        print(f"{len(reach.seconds)} tests, {spent:.0f} s\n", flush=True)
        found = [_tried(copy, slip, reach, options) for slip in chosen]
    _table(found)
    if options.json:
        options.json.write_text(json.dumps([asdict(v) for v in found], indent=1), "utf-8")
    return 0


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
        "--patience", type=float, default=1800, help="seconds for all tests as they are (1800)"
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=60,
        help="seconds, besides four times those of its tests, after which a slip runs for ever (60)",
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


def _chosen(root: Path, modules: list[str], options: argparse.Namespace) -> list[Slip]:
    if options.again:
        before = json.loads(options.again.read_text("utf-8"))
        left = [Slip(**verdict["slip"]) for verdict in before if not verdict["noticed"]]
        return [slip for slip in left if slip.path in modules]
    known = [s for name in modules for s in slips(name, (root / name).read_text("utf-8"))]
    if options.limit is None or options.limit >= len(known):
        return known
    drawn = random.Random(options.seed).sample(known, options.limit)
    return sorted(drawn, key=lambda slip: (slip.path, slip.start))


def _tried(copy: Copy, slip: Slip, reach: Reach, options: argparse.Namespace) -> Verdict:
    tests = reach.tests(slip.path, slip.line, options.seconds)
    begun = time.monotonic()
    if not tests:
        verdict = Verdict(slip, False, "no test reaches the line", 0.0)
    else:
        text = (copy.tree / slip.path).read_text("utf-8")
        try:
            copy.write(slip.path, slip.applied(text))
            most = options.grace + 4 * sum(reach.seconds[test] for test in tests)
            answer = copy.run(tests, most)
        finally:
            copy.write(slip.path, text)
        how = {
            "passed": f"{len(tests)} tests pass",
            "failed": answer.failed or "nothing runs any more",
            "too long": "runs for ever",
        }[answer.how]
        verdict = Verdict(slip, answer.how != "passed", how, time.monotonic() - begun)
    mark = "noticed  " if verdict.noticed else "UNNOTICED"
    print(f"{mark} {verdict.seconds:5.1f} s  {slip}  [{verdict.how}]", flush=True)
    return verdict


def _table(found: list[Verdict]) -> None:
    modules = sorted({verdict.slip.path for verdict in found})
    width = max((len(name) for name in modules), default=0)
    print()
    for name in (*modules, "all"):
        here = [v for v in found if name in ("all", v.slip.path)]
        noticed = sum(v.noticed for v in here)
        share = 100 * noticed / len(here) if here else 100
        print(f"{name:<{width}}  {noticed:4} of {len(here):4} noticed  {share:5.1f} %")


if __name__ == "__main__":
    sys.exit(main())
