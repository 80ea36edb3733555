"""No right page is called wrong, whatever is drawn."""

from pathlib import Path

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.verify import Verdict
from unroll_dsl.verify.cases import cases
from unroll_dsl.verify.derived import exact
from unroll_dsl.verify.objective import check_minimiser

HERE = Path(__file__).parent
SHIPPED = [
    "admm_lasso",
    "douglas_rachford",
    "elastic_net",
    "fista",
    "fista_cd",
    "gradient_descent",
    "group_lasso",
    "heavy_ball",
    "ista",
    "nesterov",
    "nonneg_least_squares",
    "pdhg",
    "step_lista",
]
VARIANTS = ("admm_over_relaxed", "admm_unscaled_dual", "gradient_step_1_9", "ista_half_steps")


def opened(name: str) -> Spec:
    path = HERE / "right" / f"{name}.unroll"
    spec = unroll_dsl.load(path if path.exists() else name)
    return spec.over(exact(spec.graph))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHIPPED, *VARIANTS])
def test_twenty_seeds(name: str) -> None:
    spec = opened(name)
    decided = 0
    for seed in range(20):
        with np.errstate(all="ignore"):
            rows = check_minimiser(spec, cases(spec, seed, None), seed)
        wrong = [row for row in rows if row.verdict is Verdict.FAILED]
        assert not wrong, (seed, wrong)
        decided += any(
            row.verdict is Verdict.PASSED for row in rows if row.name.startswith("rests")
        )
    assert decided >= 19
