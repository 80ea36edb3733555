"""Wrong adjoints are found at every size and precision, right operators are never refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.fft import fft, ifft

from unroll_dsl.adjointness import adjointness

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
SIZES = (50, 2500, 10**6)
PRECISIONS = ("float32", "float64", "complex64", "complex128")
BOTH = [(size, dtype) for size in SIZES[:2] for dtype in PRECISIONS] + [(10**6, "float32")]


def blur(size: int) -> Pair:
    """Periodic convolution by Fourier transforms, in the precision of its argument."""

    def run(x: Any, *, turned: bool) -> Any:
        transfer = fft(np.exp(-np.arange(size) / 3).astype(x.real.dtype))  # keeps single precision
        found = ifft(fft(x) * (transfer.conj() if turned else transfer))
        return found if np.iscomplexobj(x) else found.real

    return (lambda x: run(x, turned=False)), (lambda y: run(y, turned=True))


def sums(size: int) -> Pair:
    """Entries added up in bins one after the other, as rays do: weights and places drawn."""
    bins = max(size // 40, 2)
    rng = np.random.default_rng(0)
    places, weights = rng.integers(0, bins, 2 * size), rng.random(2 * size)

    def forward(x: Any) -> Any:
        found = np.zeros(bins, x.dtype)
        np.add.at(found, places, weights.astype(x.real.dtype) * np.tile(x, 2))
        return found

    def adjoint(y: Any) -> Any:
        both = weights.astype(y.real.dtype) * y[places]
        return both[:size] + both[size:]

    return forward, adjoint


def mean(size: int) -> Pair:
    return (lambda x: x.mean(keepdims=True)), (lambda y: np.repeat(y / y.dtype.type(size), size))


def running(size: int) -> Pair:
    """The sum of all that came before: rounding grows along it."""
    return (lambda x: np.cumsum(x, dtype=x.dtype)), (
        lambda y: np.cumsum(y[::-1], dtype=y.dtype)[::-1].copy()
    )


def without_mean(size: int) -> Pair:
    def project(x: Any) -> Any:
        return x - x.mean()

    return project, project


def differences(size: int) -> Pair:
    return (lambda x: np.roll(x, -1) - x), (lambda y: np.roll(y, 1) - y)


def few(size: int) -> Pair:
    """Seven entries of many, of very different scales."""
    places, scales = np.arange(7) * (size // 7), 10.0 ** np.arange(-3, 4)

    def adjoint(y: Any) -> Any:
        found = np.zeros(size, y.dtype)
        found[places] = scales.astype(y.real.dtype) * y
        return found

    return (lambda x: scales.astype(x.real.dtype) * x[places]), adjoint


RIGHT = (blur, sums, mean, running, without_mean, differences, few)


def found(pair: Pair, size: int, dtype: str, seed: int = 0) -> Any:
    x = np.ones(size, dtype)
    return adjointness(*pair, x, np.asarray(pair[0](x)), seed)


@pytest.mark.parametrize(("size", "dtype"), BOTH)
@pytest.mark.parametrize("operator", RIGHT)
def test_right_operators_are_not_refused(operator: Any, size: int, dtype: str) -> None:
    result = found(operator(size), size, dtype)
    assert result.is_linear and result.is_adjoint, result
    assert result.tolerance < 0.005  # and so a hundredth would be seen


def test_right_operators_are_not_refused_by_bad_luck() -> None:
    """Far from the tolerance at sixty seeds."""
    worst = max(
        r.gap / r.tolerance
        for operator in RIGHT
        for seed in range(60)
        for r in [found(operator(50), 50, "float32", seed)]
    )
    assert worst < 0.1


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "a hundredth too large": lambda y: y * y.dtype.type(1.01),
    "a hundredth too small": lambda y: y * y.dtype.type(0.99),
    "half as large again": lambda y: y * y.dtype.type(1.5),
    "twice": lambda y: y + y,
    "negated": lambda y: -y,
    "flipped": lambda y: y[::-1].copy(),
    "zero": lambda y: y * 0,
}


@pytest.mark.parametrize(("size", "dtype"), BOTH)
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("operator", [differences, few])
def test_wrong_adjoints_are_found(operator: Any, mistake: str, size: int, dtype: str) -> None:
    forward, adjoint = operator(size)
    pair = forward, lambda y: MISTAKES[mistake](adjoint(y))
    assert not found(pair, size, dtype).is_adjoint


@pytest.mark.parametrize("size", [50, 2500])
def test_a_hundredth_is_found_at_every_seed(size: int) -> None:
    forward, adjoint = sums(size)
    pair = forward, lambda y: MISTAKES["a hundredth too large"](adjoint(y))
    assert not any(found(pair, size, "float32", seed).is_adjoint for seed in range(100))


@pytest.mark.parametrize("size", SIZES)
def test_a_missing_conjugation_is_found(size: int) -> None:
    factor = np.exp(0.3j)
    pair = (lambda x: x * np.complex64(factor)), (lambda y: y * np.complex64(factor))
    assert not found(pair, size, "complex64").is_adjoint


@pytest.mark.parametrize("size", [50, 10**6])
def test_a_forward_that_is_zero_is_found(size: int) -> None:
    assert not found(((lambda x: 0 * x), (lambda y: y)), size, "float32").is_adjoint
    both = found(((lambda x: 0 * x), (lambda y: 0 * y)), size, "float32")
    assert both.is_adjoint and both.is_linear


def test_a_border_that_only_one_of_the_two_has_is_found() -> None:
    """Differences with a zero border and a periodic adjoint: 1 row of 512."""

    def forward(x: Any) -> Any:
        return np.diff(x, axis=0, append=np.float32(0))

    def adjoint(y: Any) -> Any:
        return np.roll(y, 1, axis=0) - y

    like = np.ones((512, 512), np.float32)
    assert not adjointness(forward, adjoint, like, like).is_adjoint


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 0.01,
        lambda x: np.maximum(x, 0),
        lambda x: x / np.abs(x).max(),
        lambda x: x + 0.01 * np.random.default_rng().standard_normal(x.shape).astype(x.dtype),
        lambda x: x * np.inf,
    ],
    ids=["offset", "cut", "normalised", "noise", "infinite"],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_linear(function: Any) -> None:
    assert not found((function, lambda y: y), 400, "float32").is_linear


def test_lower_precision_within_is_granted_and_seen() -> None:
    def narrow(x: Any) -> Any:
        return (x.astype(np.float32) * np.float32(0.3)).astype(x.dtype)

    result = found((narrow, narrow), 2500, "float64")
    assert result.is_linear and result.is_adjoint and not result.is_double
    assert found((lambda x: 0.3 * x, lambda y: 0.3 * y), 2500, "float64").is_double
