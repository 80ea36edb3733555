"""What takes samples of an image: subsampling, coil sensitivities, line integrals."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import (
    Operands,
    Statics,
    sides_over,
    whole_factor,
    with_channels,
)
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator, Parameter
from unroll_dsl.types import Array, Dim, Form

# ---- downsample ------------------------------------------------------------------------------------


_FACTOR = "the factor of `downsample`"


def _fewer(x: Array, operands: Operands, statics: Statics) -> Array | str:
    factor = whole_factor(x, statics, _FACTOR)
    sides = factor if isinstance(factor, str) else sides_over(x, factor)
    if isinstance(sides, str):
        return sides
    return Array((x.shape[0], *sides), x.field, Form.IMAGE)


def _more(x: Array, operands: Operands, statics: Statics) -> Array | str:
    factor = whole_factor(x, statics, _FACTOR)
    if isinstance(factor, str):
        return factor
    return Array((x.shape[0], *(d * factor for d in x.shape[1:])), x.field, Form.IMAGE)


def _downsample(x: Any, s: int) -> Any:
    return x[..., ::s, ::s]


def _upsample(y: Any, s: int) -> Any:
    found = np.zeros((y.shape[0], y.shape[1] * s, y.shape[2] * s), y.dtype)
    found[..., ::s, ::s] = y
    return found


_UPSAMPLE = '''def upsample(y: Tensor, s: int) -> Tensor:
    """Spread rows and columns `s` apart, with zeros between: the adjoint of taking every s-th."""
    spread = nn.functional.pad(y[..., :, None, :, None], (0, s - 1, 0, 0, 0, s - 1))
    return spread.flatten(-4, -3).flatten(-2)
'''

# ---- coils -----------------------------------------------------------------------------------------


def _coils(x: Array, operands: Operands, statics: Statics) -> Array | str:
    maps = operands[0]
    if not isinstance(maps, Array) or maps.rank != 3:
        return f"sensitivities are image[coils, h, w], found {maps}"
    if x.rank != 3 or x.shape != (Dim.of(1), *maps.shape[1:]):
        return f"expected image[1, {maps.shape[1]}, {maps.shape[2]}], found {x}"
    return with_channels(maps.shape[0], x)


def _coils_back(x: Array, operands: Operands, statics: Statics) -> Array | str:
    maps = operands[0]
    if not isinstance(maps, Array) or x.shape != maps.shape:
        return f"expected {maps}, found {x}"
    return with_channels(Dim.of(1), x)


# ---- radon -----------------------------------------------------------------------------------------


def _radon_shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    angles = operands[0]
    if not isinstance(angles, Array) or angles.rank != 1:
        return f"angles are a vector, found {angles}"
    if x.rank != 3 or x.shape[1] != x.shape[2]:
        return f"expected a square image, found {x}"
    return Array((x.shape[0], angles.shape[0], x.shape[2]), x.field, Form.IMAGE)


def _radon_back(x: Array, operands: Operands, statics: Statics) -> Array | str:
    angles = operands[0]
    if not isinstance(angles, Array) or angles.rank != 1:
        return f"angles are a vector, found {angles}"
    if x.rank != 3 or x.shape[1] != angles.shape[0]:
        return f"expected image[c, {angles.shape[0]}, detectors], found {x}"
    return Array((x.shape[0], x.shape[2], x.shape[2]), x.field, Form.IMAGE)


def _rays(n: int, angle: float) -> tuple[Any, Any]:
    """For each pixel the detector below its shadow, from 0 to n + 1, and how much of it falls on the
    next: detector 0 and n + 1 lie outside."""
    places = np.arange(n) - (n - 1) / 2
    shadow = places[None, :] * np.cos(angle) - places[:, None] * np.sin(angle) + (n - 1) / 2
    shadow = np.clip(np.ravel(shadow), -1, n)
    below = np.minimum(np.floor(shadow), n - 1)
    return below.astype(int) + 1, shadow - below


def _radon(x: Any, angles: Any) -> Any:
    n = x.shape[-1]
    found = np.zeros((x.shape[0], len(angles), n + 2), x.dtype)
    for channel, plane in enumerate(x):
        for row, angle in enumerate(np.deg2rad(angles)):
            below, part = _rays(n, angle)
            np.add.at(found[channel, row], below, (1 - part) * plane.ravel())
            np.add.at(found[channel, row], below + 1, part * plane.ravel())
    return found[..., 1:-1]


def _backprojection(y: Any, angles: Any) -> Any:
    n = y.shape[-1]
    wide = np.pad(y, ((0, 0), (0, 0), (1, 1)))
    found = np.zeros((y.shape[0], n * n), y.dtype)
    for row, angle in enumerate(np.deg2rad(angles)):
        below, part = _rays(n, angle)
        found += (1 - part) * wide[:, row, below] + part * wide[:, row, below + 1]
    return found.reshape(y.shape[0], n, n)


_RADON = '''def rays(n: int, angles: Tensor) -> tuple[Tensor, Tensor]:
    """For each angle, in degrees, and each pixel of an n x n image the detector below its shadow, from
    0 to n + 1, and how much of it falls on the next; detectors 0 and n + 1 lie outside."""
    angles = torch.deg2rad(angles)[:, None, None]
    places = torch.arange(n, dtype=angles.dtype, device=angles.device) - (n - 1) / 2
    shadow = places * angles.cos() - places[:, None] * angles.sin() + (n - 1) / 2
    shadow = shadow.flatten(-2).clamp(-1, n)
    below = shadow.floor().clamp(max=n - 1)
    return below.long() + 1, shadow - below


def radon(x: Tensor, angles: Tensor) -> Tensor:
    """Line integrals of images [..., n, n] at angles in degrees, [..., angles, n]: each pixel falls on
    the two detectors next to its shadow."""
    n = x.shape[-1]
    below, part = rays(n, angles)
    pixels = x.flatten(-2)[..., None, :].expand(*x.shape[:-2], *part.shape)
    found = x.new_zeros((*x.shape[:-2], len(angles), n + 2))
    found = found.scatter_add(-1, below.expand(pixels.shape), (1 - part) * pixels)
    return found.scatter_add(-1, (below + 1).expand(pixels.shape), part * pixels)[..., 1:-1]


def backprojection(y: Tensor, angles: Tensor) -> Tensor:
    """The adjoint of `radon`, exactly."""
    n = y.shape[-1]
    below, part = rays(n, angles)
    wide = nn.functional.pad(y, (1, 1))
    shape = (*y.shape[:-1], n * n)
    near = (1 - part) * wide.gather(-1, below.expand(shape))
    far = part * wide.gather(-1, (below + 1).expand(shape))
    return (near + far).sum(-2).unflatten(-1, (n, n))
'''

RECORDS = (
    LinearOperator(
        "downsample",
        (Parameter("s", static=True),),
        "Every s-th row and column.",
        complex=False,
        forward=_fewer,
        backward=_more,
        structure=frozenset({"selection"}),
        squared_norm="1",
        numpy_forward=_downsample,
        numpy_adjoint=_upsample,
        torch_forward="x[..., ::s, ::s]",
        torch_adjoint="upsample(x, s)",
        helper=_UPSAMPLE,
    ),
    LinearOperator(
        "coils",
        (Parameter("S"),),
        "Products with the sensitivities of coils.",
        complex=False,  # real ones leave real images real
        forward=_coils,
        backward=_coils_back,
        squared_norm="max(sum(abs(S)^2, axis=1))",
        numpy_forward=lambda x, S: S * x,
        numpy_adjoint=lambda y, S: np.sum(np.conj(S) * y, axis=-3, keepdims=True),
        torch_forward="S * x",
        torch_adjoint="(S.conj() * x).sum(-3, keepdim=True)",
    ),
    LinearOperator(
        "radon",
        (Parameter("angles"),),
        "Line integrals at given angles, in degrees: each pixel falls on the two detectors next to its "
        "shadow.",
        complex=False,
        forward=_radon_shape,
        backward=_radon_back,
        numpy_forward=_radon,
        numpy_adjoint=_backprojection,
        torch_forward="radon(x, angles)",
        torch_adjoint="backprojection(x, angles)",
        helper=_RADON,
        shared=("angles",),
    ),
)
