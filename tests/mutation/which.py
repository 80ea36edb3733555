"""Which tests a module of the project has: the longest prefix counts."""

from __future__ import annotations

from pathlib import Path

TESTS: dict[str, tuple[str, ...]] = {
    "unroll_dsl": ("tests/unit", "tests/agreement", "tests/cli"),
    "unroll_dsl/backends": (
        "tests/unit/backends",
        "tests/agreement",
        "tests/conformance",
        "tests/published/test_special_cases.py",
    ),
    "unroll_dsl/cli": ("tests/cli",),
    "unroll_dsl/programs": ("tests/unit/test_measure.py", "tests/agreement", "tests/unit/train"),
    "unroll_dsl/data": ("tests/unit/data", "tests/unit/train", "tests/conformance"),
    "unroll_dsl/demo": ("tests/unit/demo", "tests/cli/test_demo.py"),
    "unroll_dsl/diagnostics": ("tests/unit/diagnostics", "tests/conformance"),
    "unroll_dsl/ir": ("tests/unit/ir", "tests/unit/passes", "tests/agreement", "tests/properties"),
    "unroll_dsl/operators": ("tests/unit/operators", "tests/agreement", "tests/properties"),
    "unroll_dsl/passes": (
        "tests/unit/passes",
        "tests/agreement",
        "tests/properties",
        "tests/conformance",
    ),
    "unroll_dsl/report": ("tests/unit/report", "tests/cli"),
    "unroll_dsl/reproduce": ("tests/unit/reproduce", "tests/cli", "tests/published"),
    "unroll_dsl/runs": ("tests/unit/runs", "tests/cli/test_runs.py"),
    "unroll_dsl/semantics": ("tests/conformance", "tests/unit", "tests/agreement"),
    "unroll_dsl/syntax": ("tests/unit/syntax", "tests/conformance", "tests/properties"),
    "unroll_dsl/train": ("tests/unit/train", "tests/cli/test_train.py", "tests/unit/runs"),
    "unroll_dsl/types": ("tests/unit", "tests/conformance", "tests/agreement"),
    "unroll_dsl/verify": ("tests/unit/verify", "tests/cli/test_check.py", "tests/properties"),
    "unroll_dsl/weights": ("tests/unit/weights", "tests/published"),
}


def tests_of(module: str, root: Path) -> tuple[str, ...]:
    """Folders and files of tests that a module's slips are shown to; those that there are."""
    prefixes = [p for p in TESTS if module == p or module.startswith((f"{p}/", f"{p}."))]
    chosen = TESTS[max(prefixes, key=len)] if prefixes else ("tests",)
    return tuple(path for path in chosen if (root / path).exists())
