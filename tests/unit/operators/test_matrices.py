"""Functions of matrices against factorisations of torch."""

from typing import Any

import pytest
import torch

from unroll_dsl.operators.registry import function


@pytest.mark.parametrize("shape", [(256, 300), (300, 256), (3, 300, 256), (255, 300)], ids=str)
@pytest.mark.parametrize("is_complex", [False, True], ids=["real", "complex"])
def test_the_norm_of_a_large_matrix_is_its_largest_singular_value(
    shape: tuple[int, ...], is_complex: bool
) -> None:
    """By its product with itself, and its derivative the outer product of the singular vectors."""
    dtype = torch.complex128 if is_complex else torch.float64
    M = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    M.requires_grad_()
    scope: dict[str, Any] = {"torch": torch, "Tensor": torch.Tensor}
    exec(function("spectral_norm").helper, scope)
    left, values, right = torch.linalg.svd(M.detach(), full_matrices=False)
    found = scope["spectral_norm"](M)
    torch.testing.assert_close(found, values[..., 0], rtol=1e-13, atol=0)
    found.sum().backward()
    outer = left[..., :, :1] @ right[..., :1, :]
    torch.testing.assert_close(M.grad, outer, rtol=1e-9, atol=1e-11)
    if len(shape) == 2:
        ours = function("spectral_norm").numpy(M.detach().numpy())
        assert ours == pytest.approx(float(values[0]), rel=1e-13)
