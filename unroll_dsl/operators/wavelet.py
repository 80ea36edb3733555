"""Orthonormal wavelet transforms of images with periodic borders (Mallat, 1989)."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import Operands, Statics, not_an_image
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator, Parameter
from unroll_dsl.types import Array

# Low-pass filters of Daubechies (1992), table 6.1, scaled to length 1.
_FILTERS: dict[str, tuple[float, ...]] = {
    "haar": (0.7071067811865476, 0.7071067811865476),
    "db2": (0.48296291314453416, 0.8365163037378079, 0.2241438680420134, -0.12940952255126037),
    "db3": (
        0.3326705529500826, 0.8068915093110925, 0.4598775021184915, -0.13501102001025458,
        -0.08544127388202666, 0.035226291885709536,
    ),
    "db4": (
        0.23037781330889653, 0.7148465705529157, 0.6308807679298589, -0.027983769416859854,
        -0.18703481171909309, 0.030841381835560764, 0.0328830116668852, -0.010597401785069032,
    ),
}  # fmt: skip


def _shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    reason = not_an_image(x)
    if reason is not None:
        return reason
    if statics.get("name", "db4") not in _FILTERS:
        return f"wavelets are {', '.join(_FILTERS)}; found {statics['name']}"
    levels = statics.get("levels", 3)
    if not isinstance(levels, int) or levels < 1:
        return "levels of a wavelet are a whole number of at least 1"
    for side in x.shape[1:]:
        if side.value is not None and side.value % 2**levels:
            return (
                f"expected an image whose height and width are multiples of {2**levels}, for {levels} levels, "
                f"found {x}"
            )
    return x


def _pair(name: str) -> tuple[Any, Any]:
    low = np.asarray(_FILTERS[name])
    return low, low[::-1] * (-1.0) ** np.arange(len(low))


def _analyse(x: Any, name: str) -> Any:
    """One level along the last axis: averages, then details."""
    n = x.shape[-1]
    halves = []
    for taps in _pair(name):
        places = (np.arange(0, n, 2)[:, None] + np.arange(len(taps))) % n
        halves.append(x[..., places] @ taps)
    return np.concatenate(halves, axis=-1)


def _synthesise(y: Any, name: str) -> Any:
    n = y.shape[-1]
    found = np.zeros(y.shape, y.dtype)
    for taps, half in zip(_pair(name), np.split(y, 2, axis=-1), strict=True):
        for shift, tap in enumerate(taps):
            found[..., (np.arange(0, n, 2) + shift) % n] += tap * half
    return found


def _wavelet(x: Any, name: str = "db4", levels: int = 3) -> Any:
    found = np.array(x)
    h, w = x.shape[-2:]
    if h % 2**levels or w % 2**levels:
        raise ValueError(f"{levels} levels of a wavelet need multiples of {2**levels}: {h} x {w}")
    for _ in range(levels):
        part = _analyse(found[..., :h, :w], name).swapaxes(-1, -2)
        found[..., :h, :w] = _analyse(part, name).swapaxes(-1, -2)
        h, w = h // 2, w // 2
    return found


def _inverse(y: Any, name: str = "db4", levels: int = 3) -> Any:
    found = np.array(y)
    for level in reversed(range(levels)):
        h, w = y.shape[-2] >> level, y.shape[-1] >> level
        part = _synthesise(found[..., :h, :w].swapaxes(-1, -2), name).swapaxes(-1, -2)
        found[..., :h, :w] = _synthesise(part, name)
    return found


_TABLE = ",\n".join(f'    "{name}": {taps}' for name, taps in _FILTERS.items())
_HELPER = f'''LOW_PASS = {{
{_TABLE},
}}


def wavelet_pair(name: str, like: Tensor) -> tuple[Tensor, Tensor]:
    """The low-pass and the high-pass filter of a Daubechies wavelet."""
    low = torch.tensor(LOW_PASS[name], dtype=like.dtype, device=like.device)
    signs = torch.ones_like(low.real)
    signs[1::2] = -1
    return low, low.flip(0) * signs


def analyse(x: Tensor, name: str) -> Tensor:
    """One level along the last axis, periodic: averages, then details."""
    pair = wavelet_pair(name, x)
    n, taps = x.shape[-1], len(pair[0])
    places = torch.arange(0, n, 2, device=x.device)[:, None] + torch.arange(taps, device=x.device)
    windows = x[..., places % n]
    return torch.cat([windows @ taps for taps in pair], -1)


def synthesise(y: Tensor, name: str) -> Tensor:
    """The adjoint of `analyse`, which is its inverse."""
    n, pair = y.shape[-1] // 2, wavelet_pair(name, y)
    back = torch.arange(len(pair[0]) // 2, device=y.device)
    places = (torch.arange(n, device=y.device)[:, None] - back) % n
    even, odd = (
        sum(half[..., places] @ taps[first::2] for taps, half in zip(pair, y.chunk(2, -1)))
        for first in (0, 1)
    )
    return torch.stack([even, odd], -1).flatten(-2)


def wavelet(x: Tensor, name: str, levels: int) -> Tensor:
    """An orthonormal wavelet transform of the last two axes."""
    if levels == 0:
        return x
    if x.shape[-2] % 2 or x.shape[-1] % 2:
        raise ValueError(f"{{levels}} more levels of a wavelet do not divide {{tuple(x.shape[-2:])}}")
    h, w = x.shape[-2] // 2, x.shape[-1] // 2
    found = analyse(analyse(x, name).mT, name).mT
    inner = wavelet(found[..., :h, :w], name, levels - 1)
    upper = torch.cat([inner, found[..., :h, w:]], -1)
    return torch.cat([upper, found[..., h:, :]], -2)


def wavelet_adjoint(y: Tensor, name: str, levels: int) -> Tensor:
    """The adjoint of `wavelet`, which is its inverse."""
    if levels == 0:
        return y
    h, w = y.shape[-2] // 2, y.shape[-1] // 2
    inner = wavelet_adjoint(y[..., :h, :w], name, levels - 1)
    upper = torch.cat([inner, y[..., :h, w:]], -1)
    whole = torch.cat([upper, y[..., h:, :]], -2)
    return synthesise(synthesise(whole.mT, name).mT, name)
'''

RECORDS = (
    LinearOperator(
        "wavelet",
        (
            Parameter("name", static=True, default="db4"),
            Parameter("levels", static=True, default=3),
        ),
        "An orthonormal wavelet transform (haar, db2, db3, db4) with periodic borders.",
        complex=False,
        forward=_shape,
        backward=_shape,
        structure=frozenset({"unitary"}),
        numpy_forward=_wavelet,
        numpy_adjoint=_inverse,
        torch_forward="wavelet(x, name, levels)",
        torch_adjoint="wavelet_adjoint(x, name, levels)",
        helper=_HELPER,
    ),
)
