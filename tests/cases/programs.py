"""Programs whose results were wrong, or that ended in a fault of the compiler."""

from __future__ import annotations

import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch

import unroll_dsl
from tests.cases import Case
from unroll_dsl.cli.main import main
from unroll_dsl.driver import check_path
from unroll_dsl.verify import check

HERE = Path(__file__).parent

# by `unroll check`, which holds the network against the reference, frozen, in each phase
_CHECKED = {
    "blur_kernel_as_input": "a fault of the compiler",
    "complex_scalar_times_map": "a fault, after `no errors`",
    "complex_state_from_zero": "a fault, after `no errors`",
    "deblur_kernel_larger_than_image": "6 of 11 checks fail",
    "input_named_underscore": "wrong in silence",
    "layer_absent_from_the_last_phase": "KeyError",
    "learnable_named_modules": "a fault of the compiler",
    "learnt_in_the_last_phase_alone": "2.439 against 0.271, in silence",
    "mask_composed_with_map": "a fault, after `no errors`",
    "network_changes_channels": "U0519: NoneType cannot act as one",
    "real_map_on_complex_data": "a fault, after `no errors`",
    "size_named_phases": "U0508",
    "state_named_states": "TypeError",
    "two_banks_of_filters": "no Python: `N: int, N: int`",
}

_HOSTILE = {
    "homoglyphs": ("nothing said", "W0210"),
    "huge_array": ("a fault of the compiler", "memory"),
    "nested_functions": ("twice as long with each", "U"),
    "product_of_sizes": ("over a minute", "U0331"),
    "tower_of_powers": ("minutes", "U0322"),
}


def _checked(name: str) -> tuple[str, bool]:
    report = check(unroll_dsl.load(HERE / f"results/{name}.unroll"))
    failed = [row for row in report.rows if row.verdict.value == "failed"]
    return f"{len(report.rows) - len(failed)} of {len(report.rows)} checks hold", report.passed


def _row() -> tuple[str, bool]:
    spec = unroll_dsl.load(HERE / "results/tv_signal_of_one_row.unroll")
    net = spec.compile(dims={"h": 1, "w": 6}, dtype=torch.float64)
    y = torch.tensor([0, 0, 1, 0, 0, 0], dtype=torch.float64).reshape(1, 1, 6)
    found = net(y).flatten().numpy()
    right = np.array([2, 7, 26, 7, 2, 1]) / 45
    return " ".join(f"{v:.4f}" for v in found), bool(np.abs(found - right).max() < 1e-12)


def _kernels() -> tuple[str, bool]:
    spec = unroll_dsl.load(HERE / "results/filters_kernel_as_input.unroll")
    net = spec.compile(dims={"b": 3}, dtype=torch.float64)
    y, K = torch.randn(3, 1, 6, 9).double(), torch.randn(3, 1, 3, 3).double()
    found = net(y, K)
    loop = torch.stack([net(y[i], K[i]) for i in range(3)])
    right = found.shape == loop.shape and bool((found - loop).abs().max() < 1e-12)
    return f"output {tuple(found.shape)}", right


def _sum_of_squares() -> tuple[str, bool]:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((80, 256)) / np.sqrt(80)
    step = np.eye(16, k=1) - np.eye(16)
    step[-1] = 0
    down, right = np.kron(step, np.eye(16)), np.kron(np.eye(16), step)
    system = A.T @ A + 0.1 * (down.T @ down + right.T @ right)
    y = rng.standard_normal(80)
    spec = unroll_dsl.load(HERE / "results/solve_sum_of_squares.unroll")
    net = spec.compile(bind={"A": A}, dims={"h": 16, "w": 16}, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a residual that is not below rounding
        found = net(torch.from_numpy(y)).flatten().numpy()
    exact = np.linalg.solve(system, A.T @ y)
    gap = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    return f"relative error {gap:.1g}", gap < 1e-7


def _refused(path: str, code: str) -> tuple[str, bool]:
    """The first error or warning; within two seconds and, for an error, of the author's."""
    begun = time.process_time()
    found = check_path(HERE / path).diagnostics
    spent = time.process_time() - begun
    said = f"{found[0].code} in {spent:.1f} s" if found else f"nothing in {spent:.1f} s"
    return said, any(d.code == code for d in found) and spent < 2


def _hostile(name: str, wanted: str) -> tuple[str, bool]:
    import contextlib
    import io

    said = io.StringIO()
    begun = time.process_time()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(["check", str(HERE / f"hostile/{name}.unroll")])
    spent = time.process_time() - begun
    text = said.getvalue()
    lines = [line for line in text.splitlines() if wanted in line]
    first = lines[0].strip()[:60] if lines else f"exit status {status}"
    return f"{first} ({spent:.1f} s)", bool(lines) and "Traceback" not in text and spent < 2


CASES = (
    Case("tv_signal_of_one_row", "0 0 0.6667 0 0 0", _row),
    Case("filters_kernel_as_input", "output (3, 3, 6, 9), in silence", _kernels),
    Case("solve_sum_of_squares", "relative error 0.17, in silence", _sum_of_squares),
    Case(
        "division_by_zero_in_phase_one",
        "a fault of the compiler",
        partial(_refused, "results/division_by_zero_in_phase_one.unroll", "U0321"),
    ),
    *(Case(name, before, partial(_checked, name)) for name, before in _CHECKED.items()),
    *(
        Case(name, before, partial(_hostile, name, wanted))
        for name, (before, wanted) in _HOSTILE.items()
    ),
)
