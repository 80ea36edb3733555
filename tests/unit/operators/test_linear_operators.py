"""Each linear operator: adjoint exactly, alike in both backends, with any batch, on complex data; and
against libraries that know it."""

from typing import Any

import numpy as np
import pytest
import pywt
import scipy.fft
import scipy.signal
import torch
from skimage.transform import radon

from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import linear_operator, linear_operators
from unroll_dsl.types import Array, Dim, Field

RNG = np.random.default_rng(0)
BANK = RNG.standard_normal((3, 2, 3, 5))  # out, in, rows, columns
KERNEL = RNG.standard_normal((3, 4))
SPREAD = np.random.default_rng(1).standard_normal((5, 6))  # large enough for the Fourier transform
COILS = RNG.standard_normal((3, 4, 6)) + 1j * RNG.standard_normal((3, 4, 6))
ANGLES = np.array([0.0, 30.0, 90.0, 145.5])

# name, data operands, statics, shape of the argument
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("fft2", (), {}, (1, 4, 6)),
    ("ifft2", (), {}, (2, 5, 6)),
    ("dct2", (), {}, (2, 4, 6)),
    ("filters", (BANK[:, 0],), {"padding": "zero"}, (1, 7, 8)),
    ("filters", (BANK,), {"padding": "zero"}, (2, 7, 8)),
    ("filters", (BANK,), {"padding": "circular"}, (2, 7, 8)),
    ("filters", (BANK[..., :4, :2],), {"padding": "circular"}, (2, 7, 8)),
    ("filters", (BANK[..., :2, :4],), {"padding": "zero"}, (2, 7, 8)),
    ("blur", (KERNEL,), {"padding": "zero"}, (2, 7, 8)),
    ("blur", (KERNEL,), {"padding": "circular"}, (2, 7, 8)),
    ("blur", (SPREAD,), {"padding": "zero"}, (2, 7, 8)),
    ("blur", (SPREAD,), {"padding": "circular"}, (2, 7, 8)),
    ("blur", (SPREAD,), {"padding": "zero"}, (1, 4, 9)),
    ("filters", (BANK,), {"padding": "circular"}, (2, 2, 4)),
    ("filters", (BANK[:, 0],), {"padding": "circular"}, (1, 1, 2)),
    ("filters", (BANK,), {"padding": "zero"}, (2, 1, 2)),
    ("blur", (KERNEL,), {"padding": "circular"}, (2, 1, 1)),
    ("blur", (SPREAD,), {"padding": "circular"}, (2, 2, 3)),
    ("blur", (SPREAD,), {"padding": "circular"}, (1, 7, 2)),
    ("blur", (SPREAD,), {"padding": "zero"}, (1, 2, 2)),
    ("grad", (), {"padding": "replicate"}, (1, 1, 6)),
    ("grad", (), {"padding": "circular"}, (2, 4, 1)),
    ("divergence", (), {"padding": "replicate"}, (2, 4, 1)),
    ("divergence", (), {"padding": "circular"}, (2, 1, 1)),
    ("grad", (), {"padding": "replicate"}, (2, 4, 6)),
    ("grad", (), {"padding": "circular"}, (2, 4, 6)),
    ("divergence", (), {"padding": "replicate"}, (4, 4, 6)),
    ("divergence", (), {"padding": "circular"}, (4, 4, 6)),
    ("downsample", (), {"s": 2}, (2, 4, 6)),
    ("downsample", (), {"s": 3}, (1, 6, 9)),
    ("blocks", (), {"s": 2}, (2, 4, 6)),
    ("blocks", (), {"s": 3}, (1, 6, 9)),
    ("blocks", (), {"s": 1}, (2, 4, 6)),
    ("coils", (COILS,), {}, (1, 4, 6)),
    ("radon", (ANGLES,), {}, (2, 7, 7)),
    ("wavelet", (), {"name": "haar", "levels": 2}, (1, 8, 12)),
    ("wavelet", (), {"name": "db2", "levels": 1}, (2, 4, 6)),
    ("wavelet", (), {"name": "db3", "levels": 3}, (1, 16, 24)),
    ("wavelet", (), {"name": "db4", "levels": 3}, (1, 16, 8)),
    ("vec", (), {"d1": 2, "d2": 4, "d3": 6}, (2, 4, 6)),
]
each_case = pytest.mark.parametrize(
    ("name", "operands", "statics", "shape"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
fields = pytest.mark.parametrize("is_complex", [False, True], ids=["real", "complex"])


def draw(shape: tuple[int, ...], is_complex: bool, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    value = rng.standard_normal(shape)
    return value + 1j * rng.standard_normal(shape) if is_complex else value


def codomain(
    record: LinearOperator,
    operands: tuple[Any, ...],
    statics: dict[str, Any],
    shape: tuple[int, ...],
) -> tuple[int, ...]:
    """The shape that the record's rule promises."""
    types = tuple(
        Array(tuple(map(Dim.of, o.shape)), Field.COMPLEX if np.iscomplexobj(o) else Field.REAL)
        for o in operands
    )
    found = record.forward(Array(tuple(map(Dim.of, shape))), types, statics)
    assert isinstance(found, Array), found
    return tuple(dim.value or 0 for dim in found.shape)


def run_torch(
    record: LinearOperator, template: str | None, operands: Any, statics: Any, x: Any, shape: Any
) -> Any:
    """The record's torch expression with the placeholders filled as the emitter does."""
    assert template is not None
    scope: dict[str, Any] = {"torch": torch, "nn": torch.nn, "Tensor": torch.Tensor}
    exec(record.helper, scope)
    names = [p.name for p in record.parameters if not p.static]
    scope |= dict(zip(names, map(torch.as_tensor, operands), strict=True)) | statics
    scope |= {"x": torch.as_tensor(x), "SHAPE": shape}
    return eval(template.replace("RANK", str(len(shape) if record.name != "vec" else 3)), scope)


def test_every_operator_has_a_case() -> None:
    assert {record.name for record in linear_operators()} == {case[0] for case in CASES}


@each_case
@fields
def test_the_adjoint_is_exact(
    name: str, operands: Any, statics: Any, shape: Any, is_complex: bool
) -> None:
    record = linear_operator(name)
    assert record.numpy_forward is not None and record.numpy_adjoint is not None
    x = draw(shape, is_complex, 1)
    Ax = record.numpy_forward(x, *operands, **statics)
    assert Ax.shape == codomain(record, operands, statics, shape)
    y = draw(Ax.shape, is_complex or np.iscomplexobj(Ax), 2)
    left, right = np.vdot(y, Ax), np.vdot(record.numpy_adjoint(y, *operands, **statics), x)
    if not (is_complex or record.complex):
        left, right = left.real, right.real
    if not is_complex and record.complex:  # a real argument sees the real part of the adjoint
        left, right = left.real, right.real
    assert abs(left - right) <= 1e-12 * np.linalg.norm(Ax) * np.linalg.norm(y)


@each_case
@fields
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=["none", "one axis", "two axes"])
def test_torch_is_numpy_with_any_batch(
    name: str, operands: Any, statics: Any, shape: Any, is_complex: bool, batch: tuple[int, ...]
) -> None:
    record = linear_operator(name)
    assert record.numpy_forward is not None and record.numpy_adjoint is not None
    end = codomain(record, operands, statics, shape)
    for template, run, begin, result in (
        (record.torch_forward, record.numpy_forward, shape, end),
        (record.torch_adjoint, record.numpy_adjoint, end, shape),
    ):
        x = draw((*batch, *begin), is_complex, 3)
        found = run_torch(record, template, operands, statics, x, result)
        samples = x.reshape(-1, *begin)
        expected = np.stack([run(sample, *operands, **statics) for sample in samples])
        expected = expected.reshape(*batch, *result)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@each_case
@fields
def test_a_stacked_operator_takes_many_arrays_at_once(
    name: str, operands: Any, statics: Any, shape: Any, is_complex: bool
) -> None:
    """So that the reference writes out its matrix in one call, not in one a column."""
    record = linear_operator(name)
    assert record.numpy_forward is not None and record.numpy_adjoint is not None
    assert record.stacked == (name in {"fft2", "ifft2", "filters", "blur"})
    if not record.stacked:
        return
    end = codomain(record, operands, statics, shape)
    for run, begin in ((record.numpy_forward, shape), (record.numpy_adjoint, end)):
        x = draw((2, 3, *begin), is_complex, 3)
        found = run(x, *operands, **statics).reshape(6, -1)
        each = [run(one, *operands, **statics).ravel() for one in x.reshape(6, *begin)]
        np.testing.assert_allclose(found, each, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["haar", "db2", "db3", "db4"])
def test_wavelets_are_those_of_pywavelets(name: str) -> None:
    """Up to the order of coefficients and the parity of the shift, which are conventions."""
    x = draw((1, 32, 16), False, 4)
    expected = np.sort(pywt.dwt2(x[0], name, mode="periodization")[0].ravel())
    gaps = []
    for shift in (0, 1):
        moved = np.roll(x, (shift, shift), (-2, -1))
        found = np.asarray(linear_operator("wavelet").numpy_forward(moved, name=name, levels=1))[0]  # type: ignore[misc]
        gaps.append(np.abs(np.sort(found[:16, :8].ravel()) - expected).max())
    assert min(gaps) < 1e-10


def test_dct2_is_that_of_scipy() -> None:
    x = draw((2, 5, 8), False, 5)
    found = linear_operator("dct2").numpy_forward(x)  # type: ignore[misc]
    np.testing.assert_allclose(found, scipy.fft.dctn(x, axes=(-2, -1), norm="ortho"), atol=1e-12)


def test_blur_is_the_convolution_of_scipy() -> None:
    x, kernel = draw((1, 9, 8), False, 6), draw((3, 5), False, 7)
    found = linear_operator("blur").numpy_forward(x, kernel, padding="zero")  # type: ignore[misc]
    expected = scipy.signal.convolve2d(x[0], kernel, mode="same")
    np.testing.assert_allclose(found[0], expected, atol=1e-12)


def test_filters_under_the_fourier_transform_are_diagonal() -> None:
    """The transform of a circular convolution is a product."""
    x, kernel = draw((1, 8, 10), False, 8), draw((1, 3, 3), False, 9)
    found = linear_operator("filters").numpy_forward(x, kernel, padding="circular")  # type: ignore[misc]
    centred = np.zeros((8, 10))
    centred[:3, :3] = kernel[0]
    centred = np.roll(centred, (-1, -1), (0, 1))
    expected = np.fft.ifft2(np.fft.fft2(centred) * np.fft.fft2(x[0])).real
    np.testing.assert_allclose(found[0], expected, atol=1e-12)


def test_radon_has_the_angles_of_scikit_image() -> None:
    """Of a smooth image; theirs rotates and interpolates the image, so it agrees to a few percent."""
    rows, columns = np.mgrid[:61, :61] - 30.0
    image = np.exp(-((rows - 8) ** 2 + (columns + 5) ** 2) / 60) * (rows**2 + columns**2 < 29**2)
    angles = np.array([0.0, 25.0, 90.0, 130.0])
    found = linear_operator("radon").numpy_forward(image[None], angles)[0]  # type: ignore[misc]
    expected = radon(image, theta=angles, circle=True).T
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected)


def test_blocks_are_cut_out_row_by_row() -> None:
    record = linear_operator("blocks")
    x = RNG.standard_normal((2, 6, 9))
    found = run_torch(record, record.torch_forward, (), {"s": 3}, x, (18, 2, 3)).numpy()
    for p in range(2):
        for q in range(3):
            block = x[:, 3 * p : 3 * p + 3, 3 * q : 3 * q + 3]
            np.testing.assert_array_equal(found[:, p, q], block.ravel())


@pytest.mark.parametrize("n", [5, 48, 640])
def test_cosines_of_large_images_have_all_digits(n: int) -> None:
    """Angles of hundreds of turns lose digits: they are reduced in whole numbers first."""
    record = linear_operator("dct2")
    x = RNG.standard_normal((1, 3, n))
    expected = scipy.fft.dctn(x, axes=(-2, -1), norm="ortho")
    np.testing.assert_allclose(record.numpy_forward(x), expected, rtol=0, atol=2e-14)
    single = run_torch(record, record.torch_forward, (), {}, x.astype(np.float32), x.shape).numpy()
    assert np.linalg.norm(single - expected) < 1e-6 * np.linalg.norm(expected)
