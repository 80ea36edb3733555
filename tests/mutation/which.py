"""Which tests a module of the project has: the longest prefix counts.

`TESTS` are all that may notice, `NEAREST` the few that are shown a slip where each second counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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

_EMITTED = (
    "tests/unit/backends/torch/test_words.py",
    "tests/unit/backends/torch/test_tree.py",
    "tests/conformance/test_emitted.py::test_modules_read_as_before",
)
_ARRAYS = "tests/unit/backends/torch/test_expressions_of_arrays.py"
_CORNERS = "tests/agreement/test_corner_programs.py"
_GUARDS = "tests/agreement/test_guards.py"


def _train(*words: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/train/test_{word}.py" for word in words)


_LOOP = _train("loop_order", "loop_reports", "train_loop", "stages_of_runs")


def _files(folder: str, *names: str) -> tuple[str, ...]:
    """`cost` is the file test_cost.py of the folder, `kernels/` a folder in it."""
    found = []
    for name in names:
        inner, _, word = name.rpartition("/")
        here = f"{folder}/{inner}" if inner else folder
        found.append(f"{here}/test_{word}.py" if word else here)
    return tuple(found)


_passes = partial(_files, "tests/unit/passes")
_verify = partial(_files, "tests/unit/verify")
NEAREST: dict[str, tuple[str, ...]] = {
    "unroll_dsl/backends/binding": (
        "tests/unit/backends/test_binding.py",
        "tests/conformance/test_bad_bindings.py",
    ),
    "unroll_dsl/backends/bound_maps": ("tests/agreement/test_bound_physics.py",),
    "unroll_dsl/backends/errors": (
        "tests/unit/backends/test_binding.py",
        "tests/conformance/test_bad_bindings.py",
    ),
    "unroll_dsl/backends/maps": (
        "tests/unit/backends/test_maps.py",
        "tests/unit/backends/test_array_layouts.py",
        "tests/agreement/test_bound_physics.py",
    ),
    "unroll_dsl/backends/places": ("tests/unit/backends/test_binding.py",),
    "unroll_dsl/backends/resting": (
        "tests/unit/backends/test_asking_for_rest.py",
        "tests/agreement/test_fixed_points.py",
    ),
    "unroll_dsl/backends/values": ("tests/unit/backends/test_values.py",),
    "unroll_dsl/backends/networks": ("tests/unit/backends/torch/test_outside_networks.py",),
    "unroll_dsl/backends/sizes": ("tests/unit/backends/test_sizes.py",),
    "unroll_dsl/backends/numpy": ("tests/unit/backends/numpy",),
    "unroll_dsl/backends/numpy/evaluate": ("tests/unit/backends/numpy", _GUARDS),
    "unroll_dsl/backends/numpy/faults": ("tests/agreement/test_arithmetic_faults.py",),
    "unroll_dsl/backends/numpy/given": (
        "tests/unit/backends/numpy",
        "tests/unit/backends/torch/test_outside_networks.py",
    ),
    "unroll_dsl/backends/numpy/layer_steps": (
        "tests/unit/backends/numpy/test_layers_of_arrays.py",
        "tests/unit/backends/torch/test_layer_steps.py",
    ),
    "unroll_dsl/backends/numpy/outside": (
        "tests/agreement/test_bound_physics.py",
        "tests/unit/backends/numpy/test_systems.py",
    ),
    "unroll_dsl/backends/torch": (*_EMITTED, _ARRAYS, _CORNERS),
    **{
        f"unroll_dsl/backends/torch/{word}": (
            *_EMITTED,
            "tests/unit/backends/torch/test_loops_of_phases.py",
            "tests/agreement/test_checkpoint.py",
            "tests/agreement/test_fixed_points.py",
            _CORNERS,
        )
        for word in ("backward", "equilibrium", "loops", "methods")
    },
    **{
        f"unroll_dsl/backends/torch/{word}": (
            "tests/unit/backends/torch/test_modules_made.py",
            "tests/unit/backends/torch/test_spec_compile.py",
            "tests/unit/backends/test_array_layouts.py",
        )
        for word in ("contexts", "instantiate", "learned", "loader", "memory")
    },
    "unroll_dsl/backends/torch/compiled": ("tests/agreement/test_compiled.py",),
    "unroll_dsl/backends/torch/expressions": (
        _ARRAYS,
        *_EMITTED,
        _CORNERS,
        "tests/agreement/test_complex_data.py",
    ),
    "unroll_dsl/backends/torch/facts": (
        *_EMITTED,
        _ARRAYS,
        "tests/agreement/test_counters.py",
        "tests/agreement/test_given_otherwise.py",
    ),
    "unroll_dsl/backends/torch/layer_modules": ("tests/unit/backends/torch/test_layer_steps.py",),
    "unroll_dsl/backends/torch/putting": (_ARRAYS,),
    "unroll_dsl/backends/torch/singular": (
        "tests/unit/backends/torch/test_modules_made.py",
        "tests/unit/backends/torch/test_loops_of_phases.py",
        "tests/agreement/test_singular_systems.py",
    ),
    "unroll_dsl/backends/torch/styles": (
        *_EMITTED,
        "tests/conformance/test_styles.py",
    ),
    "unroll_dsl/backends/torch/tree": _EMITTED,
    "unroll_dsl/passes": ("tests/unit/passes",),
    "unroll_dsl/passes/affine": _passes("affine", "affine_choices"),
    "unroll_dsl/passes/analysis": _passes("analysis/"),
    "unroll_dsl/passes/analysis/counts": _passes("analysis/cost", "analysis/cost_of_stages"),
    "unroll_dsl/passes/analysis/liveness": _passes(
        "analysis/liveness", "analysis/what_phases_need", "beginning_values"
    ),
    "unroll_dsl/passes/analysis/signs": _passes("analysis/signs", "definite"),
    "unroll_dsl/passes/beginning": _passes("beginning", "beginning_values"),
    "unroll_dsl/passes/common": _passes("common", "pipeline"),
    "unroll_dsl/passes/dead": _passes("dead", "extract", "pipeline"),
    "unroll_dsl/passes/definite": _passes("definite", "solving"),
    "unroll_dsl/passes/extract": _passes("extract"),
    "unroll_dsl/passes/folding": (*_passes("folding"), "tests/agreement/test_freezing.py"),
    "unroll_dsl/passes/fourier": (*_passes("fourier", "solving"), _GUARDS),
    "unroll_dsl/passes/kernels": _passes("kernels/"),
    "unroll_dsl/passes/periodic": (*_passes("periodic"), _GUARDS),
    "unroll_dsl/passes/phase_sums": _passes("phase_sums", "pipeline"),
    "unroll_dsl/passes/pipeline": _passes("pipeline", "solving", "kernels/"),
    "unroll_dsl/passes/plans": (*_passes("plans", "solving", "affine"), _GUARDS),
    "unroll_dsl/passes/regularity": (
        *_passes("solving", "plans"),
        "tests/agreement/test_systems_that_become_singular.py",
    ),
    "unroll_dsl/passes/scaling": (*_passes("scaling", "structure", "fourier"), _GUARDS),
    "unroll_dsl/passes/solving": (*_passes("solving", "plans", "fourier"), _GUARDS),
    "unroll_dsl/passes/structure": _passes("structure", "plans"),
    "unroll_dsl/train": (
        *_train("pieces_of_folders", "opening_and_watching", "folders"),
        *_LOOP,
    ),
    **{
        f"unroll_dsl/train/{word}": _train(*tests)
        for word, tests in {
            "batches": ("train_batches", "pieces_of_folders", "train_loop"),
            "bound": ("folders",),
            "checkpoint": ("checkpoints", "pieces_of_folders", "folders"),
            "config": ("train_config", "regimes", "learner"),
            "devices": ("pieces_of_folders", "learner", "stages_of_runs"),
            "groups": ("carrying", "learner", "train_loop"),
            "learner": ("learner", "train_loop"),
            "files": ("full_disk", "pieces_of_folders", "folders"),
            "notebook": ("notebook",),
            "regimes": ("regimes", "train_config"),
            "schedule": ("learner",),
            "tables": ("train_config",),
            "task": ("tasks", "pieces_of_folders", "opening_and_watching", "train_loop"),
            "tensorboard": ("opening_and_watching",),
            "transfer": ("carrying", "regimes"),
            "validation": ("train_batches", "pieces_of_folders", "stages_of_runs"),
        }.items()
    },
    "unroll_dsl/train/loop": (*_LOOP, *_train("folders")),
    "unroll_dsl/verify": ("tests/unit/verify",),
    "unroll_dsl/verify/adjoints": _verify("networks", "rows"),
    "unroll_dsl/verify/against": _verify("counterparts", "against"),
    "unroll_dsl/verify/agreement": _verify(
        "check_parts", "tolerances", "networks", "rows", "exact_limits"
    ),
    "unroll_dsl/verify/cases": _verify("drawn_instances", "instances", "exact_limits"),
    "unroll_dsl/verify/counterpart": _verify("counterparts", "tolerances", "against"),
    "unroll_dsl/verify/data": _verify("check_parts"),
    "unroll_dsl/verify/derived": _verify("networks", "exact_limits", "rows"),
    "unroll_dsl/verify/equilibrium": _verify("check_parts", "directions"),
    "unroll_dsl/verify/functions": _verify("objective_rows", "tolerances", "least_values"),
    "unroll_dsl/verify/gradients": _verify("directions", "check_parts", "tolerances", "rows"),
    "unroll_dsl/verify/instance": (
        *_verify("drawn_instances", "instances", "exact_limits"),
        "tests/unit/test_domains.py",
    ),
    "unroll_dsl/verify/iterations": (
        *_verify("check_parts"),
        "tests/agreement/test_semidefinite_systems.py",
    ),
    "unroll_dsl/verify/learned_values": _verify("check_parts", "tolerances"),
    "unroll_dsl/verify/method": _verify("conditions", "method"),
    "unroll_dsl/verify/minimum": _verify("minimisation", "terms", "least_values"),
    "unroll_dsl/verify/networks": _verify("networks", "check_parts"),
    "unroll_dsl/verify/objective": _verify(
        "objective_rows", "tolerances", "least_values", "rates", "pages"
    ),
    "unroll_dsl/verify/optimality": _verify("judging", "exact_limits", "least_values", "pages"),
    "unroll_dsl/verify/rates": _verify("rates_by_hand", "exact_limits", "rates"),
    "unroll_dsl/verify/report": _verify("findings"),
    "unroll_dsl/verify/run": _verify("order_of_checks", "rows"),
    "unroll_dsl/verify/searching": _verify("searching", "minimisation", "exact_limits"),
    "unroll_dsl/verify/settling": _verify("settling", "long_runs", "exact_limits"),
    "unroll_dsl/verify/spaces": _verify("least_values", "terms"),
    "unroll_dsl/verify/stand_ins": _verify("check_parts", "stand_ins"),
    "unroll_dsl/verify/steps": _verify("step_rows", "method"),
    "unroll_dsl/verify/terms": _verify("terms", "least_values"),
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
