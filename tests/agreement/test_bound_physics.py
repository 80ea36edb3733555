"""Maps from outside in network and reference: tried as they are bound, and in which precision."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import unroll_dsl

PROGRAM = """
algorithm bound
dims c, h, w
input y : image[c, h, w]
fixed A : linear image[c, h, w] -> image[c, h, w]
learnable t : scalar = 0.5
state x : image[c, h, w] = 0
phase (3):
    x <- x - t * A' @ (A @ x - y)
output x
"""
COMPLEX = PROGRAM.replace("image[c, h, w]\nfixed", "complex image[c, h, w]\nfixed").replace(
    "-> image", "-> complex image"
)
COMPLEX = COMPLEX.replace("x - t * A' @ (A @ x - y)", "x - t * real(A' @ (A @ x - y))")
SIDE = 6


class Shifted(nn.Module):
    """A weighted sum of an image and itself one pixel on, periodic; weights in a buffer."""

    weights: Tensor

    def __init__(self, *weights: float) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        return self.mixed(x, 1)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.mixed(y, -1)

    def mixed(self, x: Tensor, places: int) -> Tensor:
        # as grid_sample, conv2d and matmul do it: both of one dtype, or an error
        if x.dtype != self.weights.dtype:
            raise RuntimeError(f"expected {self.weights.dtype}, found {x.dtype}")
        return self.weights[0] * x + self.weights[1] * torch.roll(x, places, -1)


class Physics(Shifted):
    """The same with the names of deepinv."""

    forward = None  # type: ignore[assignment]

    def A(self, x: Tensor, **options: Any) -> Tensor:
        return self.mixed(x, 1)

    def A_adjoint(self, y: Tensor, **options: Any) -> Tensor:
        return self.mixed(y, -1)


class Narrow(Shifted):
    """Casts to single precision and back, whatever it is given."""

    def mixed(self, x: Tensor, places: int) -> Tensor:
        single = self.weights.float()
        found = single[0] * x.float() + single[1] * torch.roll(x.float(), places, -1)
        return found.to(x.dtype)


class Single(Narrow):
    """Takes single precision alone, and gives it."""

    def mixed(self, x: Tensor, places: int) -> Tensor:
        if x.dtype != torch.float32:
            raise RuntimeError("single precision alone")
        return super().mixed(x, places)


def exact(y: Any, phases: int = 3) -> Any:
    """The iteration in double precision with the numbers that the physics holds."""
    a, b = (float(np.float32(w)) for w in (0.6, 0.3))
    x = np.zeros_like(y)
    for _ in range(phases):
        r = a * x + b * np.roll(x, 1, -1) - y
        x = x - 0.5 * (a * r + b * np.roll(r, -1, -1))
    return x


def bound(value: Any, program: str = PROGRAM) -> Any:
    spec = unroll_dsl.loads(program, "bound.unroll")
    return spec.reference(bind={"A": value}, dims={"c": 1, "h": SIDE, "w": SIDE})


DATA = np.random.default_rng(0).standard_normal((2, 1, SIDE, SIDE))
FORMS: dict[str, Callable[[], Any]] = {
    "a module": lambda: Shifted(0.6, 0.3),
    "a physics": lambda: Physics(0.6, 0.3),
    "methods of a module": lambda: (lambda m: (m.forward, m.adjoint))(Shifted(0.6, 0.3)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_module_of_single_precision_is_copied_in_double(form: str) -> None:
    value = FORMS[form]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reference = bound(value)
        np.testing.assert_allclose(reference(DATA), exact(DATA), atol=1e-14)
    module = value[0].__self__ if isinstance(value, tuple) else value
    assert module.weights.dtype == torch.float32  # the caller's is as it was


@pytest.mark.parametrize("kind", [Narrow, Single])
def test_what_computes_in_single_precision_is_said(kind: Any) -> None:
    with pytest.warns(UserWarning, match="`A` computes in less than double precision"):
        reference = bound(kind(0.6, 0.3))
    np.testing.assert_allclose(reference(DATA), exact(DATA), atol=1e-5)


def test_the_reference_asks_for_an_adjoint_too() -> None:
    with pytest.raises(unroll_dsl.UnrollError, match="forward and adjoint do not match"):
        bound((lambda x: 2 * x, lambda y: y))


def test_a_real_map_acts_on_complex_data() -> None:
    """On real and imaginary part: in the reference a physics never sees the other field."""
    program = PROGRAM.replace("input y : image", "input y : complex image")
    program = program.replace("state x : image", "state x : complex image")
    data = DATA + 1j * DATA[:, :, ::-1]
    found = bound(Shifted(0.6, 0.3), program)(data)
    np.testing.assert_allclose(found, exact(data.real) + 1j * exact(data.imag), atol=1e-14)


def test_from_real_to_complex() -> None:
    spectrum = (
        lambda x: torch.fft.fft2(x, norm="ortho"),
        lambda y: torch.fft.ifft2(y, norm="ortho").real,
    )
    found = bound(spectrum, COMPLEX)(np.fft.fft2(DATA, norm="ortho"))
    np.testing.assert_allclose(found, (1 - 0.5**3) * DATA, atol=1e-14)
    wrong = (spectrum[0], lambda y: torch.fft.fft2(y, norm="ortho").real)
    with pytest.raises(unroll_dsl.UnrollError, match="do not match"):
        bound(wrong, COMPLEX)


@pytest.mark.parametrize("factor", [1.01, 1.5, 2.0, -1.0, 0.0])
@pytest.mark.parametrize("side", [7, 512])
def test_the_adjoint_of_a_network(side: int, factor: float) -> None:
    module = Shifted(0.6, 0.3)
    spec = unroll_dsl.loads(PROGRAM, "bound.unroll")
    dims = {"c": 1, "h": side, "w": side}
    spec.compile(bind={"A": (module, module.adjoint)}, dims=dims, dtype=torch.float32)
    wrong = (module, lambda y: factor * module.adjoint(y))
    with pytest.raises(unroll_dsl.UnrollError, match="do not match"):
        spec.compile(bind={"A": wrong}, dims=dims, dtype=torch.float32)


def test_a_physics_of_another_precision_than_the_network_is_refused() -> None:
    spec = unroll_dsl.loads(PROGRAM, "bound.unroll")
    dims = {"c": 1, "h": SIDE, "w": SIDE}
    with pytest.raises(unroll_dsl.UnrollError, match="cannot be applied to float64 arguments"):
        spec.compile(bind={"A": Shifted(0.6, 0.3)}, dims=dims, dtype=torch.float64)


def test_a_map_into_another_space_is_refused() -> None:
    spec = unroll_dsl.loads(PROGRAM, "bound.unroll")
    with pytest.raises(unroll_dsl.UnrollError, match=r"`A @ x` is image.*found shape \(1, 5, 6\)"):
        spec.compile(
            bind={"A": (lambda x: x[..., 1:, :], lambda y: y)}, dims={"c": 1, "h": 6, "w": 6}
        )


def test_a_physics_of_deepinv() -> None:
    physics_module = pytest.importorskip("deepinv.physics", reason="deepinv is not installed")
    kernel = torch.rand(1, 1, 3, 3)
    physics = physics_module.Blur(filter=kernel / kernel.sum(), padding="circular")
    found = bound(physics)(DATA)
    assert np.isfinite(found).all()
    spec = unroll_dsl.loads(PROGRAM, "bound.unroll")
    net: Any = spec.compile(bind={"A": physics}, dims={"c": 1, "h": SIDE, "w": SIDE})
    with torch.no_grad():
        np.testing.assert_allclose(net(torch.from_numpy(DATA).float()), found, atol=1e-5)
