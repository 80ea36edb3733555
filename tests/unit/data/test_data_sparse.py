"""Sparse problems: their distribution, their repetition, the noise on their measurements."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.data import DataError, add_noise, open_source

LISTA_CP = unroll_dsl.load("lista_cp")


def test_entries_are_bernoulli_gaussian() -> None:
    source, _ = open_source({"sparsity": 0.1}, LISTA_CP, measured=("y",))
    x = source.draw(range(4000), np.random.default_rng(0))["x_star"]
    assert x.shape == (4000, 512) and x.dtype == torch.float32
    present = x[x != 0]
    assert len(present) / x.numel() == pytest.approx(0.1, abs=1e-3)
    assert float(present.mean()) == pytest.approx(0, abs=0.01)
    assert float(present.var()) == pytest.approx(1, abs=0.01)


def test_each_draw_is_new_and_repeats_with_its_random_numbers() -> None:
    source, _ = open_source({}, LISTA_CP, measured=("y",))
    first, again, other = (
        source.draw([0, 1], np.random.default_rng(seed))["x_star"] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_validation_is_the_same_whatever_the_random_numbers() -> None:
    _, held_out = open_source({"validate": 30}, LISTA_CP, measured=("y",), seed=5)
    assert held_out is not None and held_out.size == 30
    first, other = (held_out.draw([7, 2], np.random.default_rng(s))["x_star"] for s in (0, 1))
    assert torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_the_length_is_that_of_dims() -> None:
    source, _ = open_source({}, LISTA_CP, measured=("y",), dims={"m": 20, "n": 50})
    assert source.sizes == {"n": 50}
    assert source.draw([0], np.random.default_rng(0))["x_star"].shape == (1, 50)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_noise_has_the_power_that_the_ratio_says_for_each_sample(dtype: torch.dtype) -> None:
    size = torch.tensor([[1.0], [100.0]])
    y = torch.randn(2, 50_000, dtype=dtype, generator=torch.Generator().manual_seed(0)) * size
    found = add_noise(y, 20, np.random.default_rng(0))
    noise = (found - y).abs().double().square().mean(1)
    ratio = 10 * torch.log10(y.abs().double().square().mean(1) / noise)
    torch.testing.assert_close(ratio, torch.full((2,), 20.0, dtype=torch.float64), atol=0.1, rtol=0)
    assert found.dtype == dtype


def test_complex_noise_is_circular() -> None:
    y = torch.ones(1, 50_000, dtype=torch.complex64)
    noise = add_noise(y, 0, np.random.default_rng(0)) - y
    assert float(noise.real.var()) == pytest.approx(0.5, abs=0.02)
    assert float(noise.imag.var()) == pytest.approx(0.5, abs=0.02)
    assert float((noise**2).mean().abs()) < 0.02


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sparsity": 0.0}, "sparsity: found 0.0; it is the probability"),
        ({"samples": 0}, "samples: found 0"),
        ({"sparsty": 0.1}, "did you mean `sparsity`"),
        ({"snr": "high"}, "snr: found 'high', expected a number or nothing"),
    ],
)
def test_what_a_table_says_wrong(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_source({"kind": "sparse", **keys}, LISTA_CP)


def test_images_are_no_sparse_vectors() -> None:
    with pytest.raises(DataError, match=r"`target` of `ista_net` is image\[1, h, w\]"):
        open_source({"kind": "sparse"}, unroll_dsl.load("ista_net"))
