"""Fourier and cosine transforms of the planes of an image, unitary."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import same_planes
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator


def _fft2(x: Any) -> Any:
    return np.fft.fft2(x, norm="ortho")


def _ifft2(y: Any) -> Any:
    return np.fft.ifft2(y, norm="ortho")


def _cosines(n: int) -> Any:
    """The orthonormal DCT-II matrix [n, n], a row a frequency (Ahmed, Natarajan, Rao, 1974)."""
    k = np.arange(n)
    turns = np.outer(k, 2 * k + 1) % (4 * n)  # of pi / (2 n); large angles would lose digits
    found = np.cos(np.pi / (2 * n) * turns) * np.sqrt(2 / n)
    found[0] /= np.sqrt(2)
    return found


def _dct2(x: Any) -> Any:
    return _cosines(x.shape[-2]) @ x @ _cosines(x.shape[-1]).T


def _idct2(y: Any) -> Any:
    return _cosines(y.shape[-2]).T @ y @ _cosines(y.shape[-1])


_DCT_HELPER = '''def cosines(n: int, like: Tensor) -> Tensor:
    """The orthonormal DCT-II matrix [n, n], a row a frequency."""
    k = torch.arange(n, device=like.device)
    turns = torch.outer(k, 2 * k + 1) % (4 * n)  # of pi / (2 n); large angles would lose digits
    rows = torch.cos(torch.pi / (2 * n) * turns.double()) * (2 / n) ** 0.5
    rows[0] = (1 / n) ** 0.5
    return rows.to(like.dtype)


def dct2(x: Tensor) -> Tensor:
    """The orthonormal DCT-II over the last two axes."""
    return cosines(x.shape[-2], x) @ x @ cosines(x.shape[-1], x).mT


def idct2(y: Tensor) -> Tensor:
    """The inverse of `dct2`, which is its adjoint."""
    return cosines(y.shape[-2], y).mT @ y @ cosines(y.shape[-1], y)
'''
_FORWARD, _INVERSE = 'torch.fft.fft2(x, norm="ortho")', 'torch.fft.ifft2(x, norm="ortho")'

RECORDS = (
    LinearOperator(
        "fft2",
        (),
        "The unitary Fourier transform over the last two axes.",
        complex=True,
        forward=same_planes,
        backward=same_planes,
        structure=frozenset({"unitary", "fourier"}),
        numpy_forward=_fft2,
        numpy_adjoint=_ifft2,
        stacked=True,
        torch_forward=_FORWARD,
        torch_adjoint=_INVERSE,
    ),
    LinearOperator(
        "ifft2",
        (),
        "The inverse of `fft2`, which is its adjoint.",
        complex=True,
        forward=same_planes,
        backward=same_planes,
        structure=frozenset({"unitary", "fourier"}),
        numpy_forward=_ifft2,
        numpy_adjoint=_fft2,
        stacked=True,
        torch_forward=_INVERSE,
        torch_adjoint=_FORWARD,
    ),
    LinearOperator(
        "dct2",
        (),
        "The orthonormal DCT-II over the last two axes.",
        complex=False,
        forward=same_planes,
        backward=same_planes,
        structure=frozenset({"unitary"}),
        numpy_forward=_dct2,
        numpy_adjoint=_idct2,
        torch_forward="dct2(x)",
        torch_adjoint="idct2(x)",
        helper=_DCT_HELPER,
    ),
)
