"""Tests run in forks of one process, which has imported what is slow to import and nothing of the project."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

SLOW_TO_IMPORT = ("pytest", "coverage", "numpy", "torch", "accelerate", "networkx")
_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", ".*_cache", ".hypothesis", "build", "dist", "benchmarks", "mutation")
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a run of tests ended: "passed", "failed" or "too long"; what failed first; seconds."""

    how: str
    failed: str
    seconds: float


@dataclass(frozen=True)
class Reach:
    """Seconds of each test, and of each file the lines that it reaches; the key "" is for imports."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)

    def tests(self, path: str, line: int, most: float) -> tuple[str, ...]:
        """Tests that reach a line, the fastest first, `most` seconds of them; all of them for imports."""
        by_test = self.lines.get(path, {})
        found = [test for test, lines in by_test.items() if test and line in lines]
        if line in by_test.get("", ()):
            found = list(self.seconds)
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda name: self.seconds.get(name, 0.0)):
            spent += self.seconds.get(test, 0.0)
            if chosen and spent > most:
                break
            chosen.append(test)
        return tuple(chosen)


class Copy:
    """A copy of the project in which things may be broken."""

    def __init__(self, root: Path, folder: Path, imports: Sequence[str] = SLOW_TO_IMPORT) -> None:
        self.root, self.folder = root, folder
        self.tree, self.cache = folder / "tree", folder / "cache"
        shutil.copytree(root, self.tree, ignore=_LEFT_OUT, symlinks=True)
        beside = root.parent / "shared"
        if beside.is_dir():  # tests look for published weights there
            (folder / "shared").symlink_to(beside, target_is_directory=True)
        self.cache.mkdir()
        for name in imports:
            with suppress(ImportError):
                import_module(name)

    def write(self, path: str, text: str) -> None:
        """Change a file; what Python has kept of it is thrown away."""
        file = self.tree / path
        file.write_text(text, "utf-8")
        for kept in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            kept.unlink()

    def reach(self, paths: Sequence[str], modules: Sequence[str], most: float) -> Reach:
        """Run all tests once and see which lines of the modules each of them reaches."""
        told = self.folder / "reach.json"
        answer = self._forked(most, lambda: self._measured(paths, modules, told))
        if answer.how != "passed" or not told.exists():
            raise SystemExit(
                f"the tests {answer.how} before anything was broken: {answer.failed or paths}\n"
                f"{(self.folder / 'output.txt').read_text('utf-8')[-3000:]}"
            )
        found = json.loads(told.read_text("utf-8"))
        lines = {
            path: {test: frozenset(kept) for test, kept in by_test.items()}
            for path, by_test in found["lines"].items()
        }
        return Reach(found["seconds"], lines)

    def run(self, tests: Sequence[str], most: float) -> Answer:
        """Run the tests with these names, in their order, up to the first that fails."""
        files = tuple(dict.fromkeys(test.partition("::")[0] for test in tests))
        return self._forked(most, lambda: self._pytest(files, _Chosen(tests)))

    def run_all(self, paths: Sequence[str], most: float) -> Answer:
        """Run all tests of these folders and files, and single ones, up to the first that fails."""
        return self._forked(most, lambda: self._pytest(paths, _Noted()))

    # ---- in the fork ----------------------------------------------------------------------------

    def _pytest(self, paths: Sequence[str], plugin: object, *options: str) -> int:
        import pytest

        return int(
            pytest.main(
                [
                    *("-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"),
                    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
                    *("--basetemp", str(self.folder / "pytest"), *options, *paths),
                ],
                plugins=[plugin],
            )
        )

    def _measured(self, paths: Sequence[str], modules: Sequence[str], told: Path) -> int:
        import coverage

        measuring = coverage.Coverage(
            data_file=None, include=[str(self.tree / m) for m in modules], context=None
        )
        seen = _Seen(measuring)
        measuring.start()
        code = self._pytest(paths, seen)
        measuring.stop()
        data = measuring.get_data()
        lines: dict[str, dict[str, list[int]]] = {}
        for file in data.measured_files():
            by_test = lines.setdefault(str(Path(file).relative_to(self.tree)), {})
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    by_test.setdefault(test, []).append(line)
        told.write_text(json.dumps({"seconds": seen.seconds, "lines": lines}), "utf-8")
        return code

    def _forked(self, most: float, work: object) -> Answer:
        """Do it in a process of its own, which is killed, with all that it has started, when its time is over."""
        failed = self.folder / "failed.txt"
        failed.unlink(missing_ok=True)
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            self._settle()
            try:
                code = work()  # type: ignore[operator]
            except BaseException as error:  # a slip may do anything
                print(repr(error))
                code = 99
            sys.stdout.flush()
            os._exit(code)
        status = _waited(child, begun + most)
        seconds = time.monotonic() - begun
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if status is None:
            os.waitpid(child, 0)
            return Answer("too long", "", seconds)
        what = failed.read_text("utf-8") if failed.exists() else ""
        return Answer("passed" if status == 0 else "failed", what, seconds)

    def _settle(self) -> None:
        """In the fork: the copy's project is the one that is imported, output goes to a file."""
        os.setpgid(0, 0)
        os.chdir(self.tree)
        out = os.open(self.folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.path[:] = [str(self.tree), *(p for p in sys.path if p not in ("", str(self.root)))]
        for name in [n for n in sys.modules if n == "tests" or n.startswith("tests.")]:
            del sys.modules[name]
        cache = self.folder / "cache of a run"  # a broken parser keeps broken tables
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(self.cache, cache)
        os.environ.update(
            PYTHONPATH=str(self.tree),
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",  # each takes longer to import than many a test
            XDG_CACHE_HOME=str(cache),
            UNROLL_MUTATION_FAILED=str(self.folder / "failed.txt"),
        )
        os.environ.setdefault("OMP_NUM_THREADS", "1")


class _Noted:
    """A plugin: the name of the first test that fails is written down."""

    def pytest_runtest_logreport(self, report: object) -> None:
        _note(report)


class _Chosen:
    """A plugin: these tests, in this order; the name of the first that fails is written down."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list) -> None:
        kept = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(kept, key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logreport(self, report: object) -> None:
        _note(report)


class _Seen:
    """A plugin: how long each test takes, and which test is running, for coverage."""

    def __init__(self, measuring: object) -> None:
        self.measuring = measuring
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.measuring.switch_context(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.measuring.switch_context("")

    def pytest_runtest_logreport(self, report: object) -> None:
        _note(report)
        taken = self.seconds.get(report.nodeid, 0.0)
        if not report.skipped:
            self.seconds[report.nodeid] = taken + report.duration


def _note(report: object) -> None:
    if report.failed:
        Path(os.environ["UNROLL_MUTATION_FAILED"]).write_text(report.nodeid, "utf-8")


def _waited(child: int, until: float) -> int | None:
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return None
