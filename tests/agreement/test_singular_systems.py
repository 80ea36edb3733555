"""Systems without a unique solution that are known at set-up: the same words at every level and in the reference."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics import UnrollError

HEAD = "algorithm a\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\nfixed r : scalar > 0 = 1\n"
FLAT = torch.ones(3, 6, dtype=torch.float64)
WIDE = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
SYSTEMS: dict[str, tuple[str, Any, float]] = {
    "no shift": ("A' @ A", WIDE, 1.0),
    "a shift of nothing": ("A' @ A + 0 * I", WIDE, 1.0),
    "zeros": ("A' @ A - 0 * I", 0 * WIDE, 1.0),
    "a shift below rounding": ("A' @ A + A' @ A + r * I", 1e6 * FLAT, 1e-12),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_one_answer_at_all_levels_and_in_the_reference(name: str) -> None:
    system, A, r = SYSTEMS[name]
    spec = unroll_dsl.loads(f"{HEAD}output solve({system}, A' @ y)\n")
    bind = {"A": A, "r": r}
    with pytest.raises(UnrollError, match=r"the system of `solve` is singular(.|\n)*:6:8"):
        spec.reference(bind=bind)(np.ones(3))
    for level in (0, 1, 2):
        with pytest.raises(UnrollError, match=r"the system of `solve` is singular(.|\n)*:6:8"):
            spec.compile(bind=bind, optimize=level)


def test_a_regular_one_is_solved() -> None:
    spec = unroll_dsl.loads(f"{HEAD}output solve(A @ A' - 0.3 * I, y)\n")
    found = spec.compile(bind={"A": WIDE})(torch.ones(3, dtype=torch.float64))
    system = WIDE @ WIDE.mT - 0.3 * torch.eye(3, dtype=torch.float64)
    expected = torch.linalg.solve(system, torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(found, expected)
