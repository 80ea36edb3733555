"""Inputs whose batch axes do not go together: refused in words by network and reference."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

TEXT = (
    "algorithm a\ndims m, n\ninput lambda : vector[m]\ninput B : matrix[n, n]\noutput lambda, B\n"
)
SUM = "algorithm a\ndims n\ninput y, d : vector[n]\noutput y + d\n"


@pytest.mark.parametrize("level", [0, 1, 2])
def test_refused_by_name(level: int) -> None:
    spec = unroll_dsl.loads(TEXT)
    words = r"different batch axes: `lambda` has \[3\], `B` has \[2, 4\]"
    with pytest.raises(ValueError, match=words):
        spec.compile(optimize=level)(torch.ones(3, 5), torch.ones(2, 4, 6, 6))
    with pytest.raises(ValueError, match="different batch shapes"):
        spec.reference()(np.ones((3, 5)), np.ones((2, 4, 6, 6)))


@pytest.mark.parametrize("shapes", [((3, 5), (5,)), ((1, 5), (3, 5)), ((2, 3, 5), (3, 5))])
def test_axes_that_broadcast(shapes: tuple[Any, Any]) -> None:
    y, d = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    torch.testing.assert_close(unroll_dsl.loads(SUM).compile()(y, d), y + d)


def test_exported_and_mapped() -> None:
    net: Any = unroll_dsl.loads(SUM).compile()
    y = torch.randn(3, 5)
    torch.testing.assert_close(torch.vmap(net)(y, y), 2 * y)
    exported = torch.export.export(net, (y, y)).module()
    torch.testing.assert_close(exported(y, y), 2 * y)
