"""What docs/adding.md shows works as it is printed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

import unroll_dsl
from unroll_dsl.types import Array, Dim
from unroll_dsl.verify import check

PAGE = (Path(__file__).parents[2] / "docs" / "adding.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_operator() -> None:
    namespace: dict[str, Any] = {}
    exec(block("python"), namespace)
    (record,) = namespace["RECORDS"]
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1, 4, 5))
    assert record.forward(Array(tuple(map(Dim.of, x.shape))), (), {}).shape == tuple(
        map(Dim.of, x.shape)
    )
    left, right = np.vdot(record.numpy_forward(x), y), np.vdot(x, record.numpy_adjoint(y))
    assert abs(left - right) < 1e-12
    for template, run in (
        (record.torch_forward, record.numpy_forward),
        (record.torch_adjoint, record.numpy_adjoint),
    ):
        np.testing.assert_array_equal(eval(template, {"x": torch.from_numpy(x)}).numpy(), run(x))


def test_the_network() -> None:
    report = check(unroll_dsl.loads(block("unroll")))
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]
    assert len(report.rows) > 8
