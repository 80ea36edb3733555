"""Numbers of the page that are larger than a machine's whole numbers are doubles, in both backends."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

FORMULAS = {
    "y * 10^20": 1e20,
    "y * 100000000000000000000": 1e20,
    "y * 2^200 / 2^190": 1024.0,
    "y * (10^10 * 10^10)": 1e20,
    "y * a * 10^-30": 1.0,
    "y * (a * a) / a^1.9": 1e3,
    "y + 9007199254740993 * y": 9007199254740994.0,
    "y * -(10^25)": -1e25,
}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("formula", FORMULAS)
def test_they_compute(formula: str, level: int) -> None:
    text = f"algorithm a\ndims n\ninput y : vector[n]\nlet a = 10^30\noutput {formula}\n"
    spec = unroll_dsl.loads(text)
    y = np.array([[1.0, 2.0]])
    expected = FORMULAS[formula] * y
    np.testing.assert_allclose(spec.reference()(y), expected, rtol=1e-12)
    net: Any = spec.compile(optimize=level)
    np.testing.assert_allclose(net(torch.from_numpy(y)), expected, rtol=1e-12)


def test_a_name_that_is_read_twice_in_every_line_is_computed_once() -> None:
    """Sixty lines, each twice the one above: known at once, not after 2^60 sums."""
    lets = "".join(f"let a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 60))
    text = f"algorithm a\ndims n\ninput y : vector[n]\nlet a0 = 1\n{lets}output y / a40\n"
    spec = unroll_dsl.loads(text)
    assert spec.reference()(np.array([[2.0**40]])) == pytest.approx(1.0)
