"""Fewer samples than there are, evenly from all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unroll_dsl.data.fewer import Fewer, fewer


class Numbers:
    """Sample i is the number i."""

    names, sizes, fresh, snr = ("x",), {"n": 1}, False, 20.0
    size = 10

    def draw(self, indices: Any, rng: Any) -> dict[str, torch.Tensor]:
        return {"x": torch.as_tensor(list(indices))}

    def problems(self) -> tuple[str, ...]:
        return ("one is broken",)


def test_they_are_spread_over_the_source() -> None:
    some = fewer(Numbers(), 4)
    assert isinstance(some, Fewer)
    rng = np.random.default_rng(0)
    assert some.draw(range(4), rng)["x"].tolist() == [0, 2, 5, 7]
    assert some.draw([3, 1], rng)["x"].tolist() == [7, 2]
    assert (some.size, some.names, some.sizes, some.snr) == (4, ("x",), {"n": 1}, 20.0)
    assert not some.fresh and some.problems() == ("one is broken",)
    with pytest.raises(IndexError):
        some.draw([4], rng)


@pytest.mark.parametrize("count", [0, 10, 11])
def test_none_are_left_out_where_there_are_no_more(count: int) -> None:
    source = Numbers()
    assert fewer(source, count) is source
