"""Random starts have the distribution of `torch.nn.init`."""

import numpy as np
import pytest
import torch

from unroll_dsl.backends.numpy.random import draw
from unroll_dsl.ir.graph import Random
from unroll_dsl.operators.random_init import RANDOM, arguments, needs_matrix
from unroll_dsl.types import Field

SHAPE = (40, 30, 5, 5)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("field", [Field.REAL, Field.COMPLEX])
def test_draws_are_distributed_as_those_of_torch(name: str, field: Field) -> None:
    if name == "orthogonal" and field is Field.COMPLEX:
        pytest.skip("there is none, and a page that asks for one is refused")
    values = tuple(0.7 + i for i, _ in enumerate(RANDOM[name][0]))
    dtype = torch.complex128 if field is Field.COMPLEX else torch.float64
    expected = torch.empty(SHAPE, dtype=dtype)
    torch.manual_seed(0)
    getattr(torch.nn.init, RANDOM[name][1])(expected, *values)
    found = draw(Random(name, values), SHAPE, field, np.random.default_rng(0))
    assert found.shape == SHAPE and found.dtype == expected.numpy().dtype
    for part in ("real", "imag")[: 1 + (field is Field.COMPLEX)]:
        ours, theirs = getattr(found, part).ravel(), getattr(expected.numpy(), part).ravel()
        deviation = theirs.std()
        assert abs(ours.mean() - theirs.mean()) < 0.02 * deviation
        assert ours.std() == pytest.approx(deviation, rel=0.02)
        levels = np.linspace(0.02, 0.98, 9)
        np.testing.assert_allclose(
            np.quantile(ours, levels), np.quantile(theirs, levels), atol=0.04 * deviation
        )


def test_arguments_may_be_named_and_left_out() -> None:
    assert arguments("normal", (), {}) == (0.0, 1.0)
    assert arguments("normal", (), {"std": 0.1}) == (0.0, 0.1)
    assert arguments("normal", (2.0,), {"std": 0.1}) == (2.0, 0.1)


@pytest.mark.parametrize(
    ("name", "positional", "keywords"),
    [
        ("normal", (0.0, 1.0, 2.0), {}),
        ("normal", (), {"sigma": 1.0}),
        ("normal", (0.0,), {"mean": 1.0}),
        ("normal", (0.0, -1.0), {}),
        ("uniform", (1.0, 0.0), {}),
    ],
)
def test_wrong_arguments_are_told(
    name: str, positional: tuple[float, ...], keywords: dict[str, float]
) -> None:
    assert isinstance(arguments(name, positional, keywords), str)


def test_scales_that_come_from_two_sides_need_a_matrix() -> None:
    assert [name for name in RANDOM if not needs_matrix(name)] == ["normal", "uniform"]


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 4), (6, 2, 2)])
def test_orthogonal_starts_are_those_of_torch(shape: tuple[int, ...]) -> None:
    """Orthonormal along the shorter side, in both backends, and with all signs alike likely."""
    rng = np.random.default_rng(0)
    ours = [draw(Random("orthogonal", (2.0,)), shape, Field.REAL, rng) for _ in range(50)]
    theirs = torch.nn.init.orthogonal_(torch.empty(shape, dtype=torch.float64), 2.0).numpy()
    for found in (*ours, theirs):
        flat = found.reshape(shape[0], -1)
        flat = flat if flat.shape[0] <= flat.shape[1] else flat.T
        np.testing.assert_allclose(flat @ flat.T, 4 * np.eye(len(flat)), atol=1e-12)
    assert abs(np.mean(ours)) < 0.2
