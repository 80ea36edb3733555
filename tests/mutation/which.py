"""Which tests a module of the project has: the longest prefix counts.

`TESTS` are all that may notice, `NEAREST` the few that are shown a slip where each second counts.
"""

from __future__ import annotations

from collections.abc import Mapping
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

_EMITTED = tuple(
    f"tests/conformance/test_emitted.py::test_modules_read_as_before[{name}]"
    for name in ("lista", "ista_net_plus", "admm_lasso", "tista")
)
_GUARDS = "tests/agreement/test_guards.py"
NEAREST: dict[str, tuple[str, ...]] = {
    "unroll_dsl/backends/binding": (
        "tests/unit/backends/test_binding.py",
        "tests/conformance/test_bad_bindings.py",
    ),
    "unroll_dsl/backends/networks": ("tests/unit/backends/torch/test_outside_networks.py",),
    "unroll_dsl/backends/sizes": ("tests/unit/backends/test_sizes.py",),
    "unroll_dsl/backends/numpy": ("tests/unit/backends/numpy",),
    "unroll_dsl/backends/numpy/evaluate": ("tests/unit/backends/numpy", _GUARDS),
    "unroll_dsl/backends/numpy/faults": ("tests/agreement/test_arithmetic_faults.py",),
    "unroll_dsl/backends/numpy/given": (
        "tests/unit/backends/numpy",
        "tests/unit/backends/torch/test_outside_networks.py",
    ),
    "unroll_dsl/backends/numpy/layer_steps": ("tests/unit/backends/torch/test_layer_steps.py",),
    "unroll_dsl/backends/torch": (*_EMITTED, "tests/unit/backends/torch/test_tree.py"),
    "unroll_dsl/backends/torch/compiled": ("tests/agreement/test_compiled.py",),
    "unroll_dsl/backends/torch/constructor": (
        *_EMITTED,
        "tests/agreement/test_corner_programs.py",
    ),
    "unroll_dsl/backends/torch/expressions": (
        *_EMITTED,
        "tests/agreement/test_corner_programs.py",
        "tests/agreement/test_complex_data.py",
    ),
    "unroll_dsl/backends/torch/facts": (
        *_EMITTED,
        "tests/agreement/test_counters.py",
        "tests/agreement/test_given_otherwise.py",
    ),
    "unroll_dsl/backends/torch/instantiate": (
        "tests/unit/backends/torch/test_spec_compile.py",
        "tests/unit/backends/test_array_layouts.py",
    ),
    "unroll_dsl/backends/torch/singular": ("tests/agreement/test_singular_systems.py",),
    "unroll_dsl/backends/torch/tree": (*_EMITTED, "tests/unit/backends/torch/test_tree.py"),
    "unroll_dsl/passes": ("tests/unit/passes",),
    "unroll_dsl/passes/definite": (
        "tests/unit/passes/test_solving.py",
        "tests/agreement/test_semidefinite_systems.py",
        _GUARDS,
    ),
    "unroll_dsl/passes/plans": (
        "tests/unit/passes/test_solving.py",
        "tests/agreement/test_solve_routes.py",
        _GUARDS,
    ),
    "unroll_dsl/passes/solving": (
        "tests/unit/passes/test_solving.py",
        "tests/agreement/test_solve_routes.py",
        _GUARDS,
    ),
    "unroll_dsl/passes/structure": ("tests/unit/passes", "tests/agreement/test_solve_routes.py"),
    "unroll_dsl/train": (
        "tests/unit/train/test_train_config.py",
        "tests/unit/train/test_train_batches.py",
        "tests/unit/train/test_train_loop.py",
        "tests/unit/train/test_learner.py",
        "tests/unit/train/test_regimes.py",
        "tests/unit/train/test_tasks.py",
    ),
    "unroll_dsl/train/bound": ("tests/unit/train/test_folders.py",),
    "unroll_dsl/train/checkpoint": (
        "tests/unit/train/test_checkpoints.py",
        "tests/unit/train/test_folders.py",
    ),
    "unroll_dsl/train/loop": (
        "tests/unit/train/test_train_loop.py",
        "tests/unit/train/test_learner.py",
        "tests/unit/train/test_regimes.py",
        "tests/unit/train/test_folders.py",
    ),
    "unroll_dsl/verify": (
        "tests/unit/verify/test_tolerances.py",
        "tests/unit/verify/test_rows.py",
        "tests/cli/test_check.py",
    ),
    "unroll_dsl/verify/cases": ("tests/unit/verify/test_instances.py",),
    "unroll_dsl/verify/data": ("tests/unit/test_domains.py", "tests/cli/test_check.py"),
    "unroll_dsl/verify/instance": (
        "tests/unit/verify/test_instances.py",
        "tests/unit/verify/test_tolerances.py",
        "tests/unit/test_domains.py",
    ),
    "unroll_dsl/verify/iterations": (
        "tests/agreement/test_semidefinite_systems.py",
        "tests/cli/test_check.py",
    ),
    "unroll_dsl/verify/minimum": ("tests/unit/verify/test_least_values.py",),
    "unroll_dsl/verify/optimality": (
        "tests/unit/verify/test_least_values.py",
        "tests/unit/verify/test_pages.py",
    ),
    "unroll_dsl/verify/searching": ("tests/unit/verify/test_searching.py",),
    "unroll_dsl/verify/settling": (
        "tests/unit/verify/test_settling.py",
        "tests/unit/verify/test_pages.py",
    ),
    "unroll_dsl/verify/stand_ins": ("tests/unit/verify/test_stand_ins.py",),
    "unroll_dsl/verify/terms": ("tests/unit/verify/test_least_values.py",),
}


def tests_of(module: str, root: Path) -> tuple[str, ...]:
    """Folders and files of tests that a module's slips are shown to; those that there are."""
    return tuple(path for path in _of(module, TESTS) or ("tests",) if (root / path).exists())


def nearest(module: str, root: Path) -> tuple[str, ...]:
    """Folders, files and single tests that stand nearest to a module, those that there are; else all it has."""
    found = _of(module, NEAREST)
    here = tuple(path for path in found if (root / path.partition("::")[0]).exists())
    return here or tests_of(module, root)


def _of(module: str, table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    prefixes = [p for p in table if module == p or module.startswith((f"{p}/", f"{p}."))]
    return table[max(prefixes, key=len)] if prefixes else ()
