"""`measure` lines: the program made of them, what it asks for, and its noise."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.measure import Measurement, measurement
from unroll_dsl.report import latex

torch.set_num_threads(1)

SENSED = """\
algorithm sensed
dims m, n
input y  : vector[m]
input x0 : vector[n]
fixed A : matrix[m, n]
fixed B : matrix[n, m]
fixed variance : scalar >= 0 = 0.25
let   sigma = sqrt(variance)
state x : vector[n] = x0
phase (2):
    x <- x - B @ (A @ x - y)
output x
loss (weight : scalar, x_star : vector[n]):
    weight * sumsq(x - x_star)
measure y  = A @ x_star + sigma * noise
measure x0 = A' @ y / 2
"""
SAMPLED = """\
algorithm sampled
dims h, w
input y : complex image[1, h, w]
fixed P : mask[h, w]
fixed sigma : scalar >= 0 = 0.5
state x : image[1, h, w] = 0
phase (2):
    x <- x - real(fft2' @ (P * (fft2 @ x) - y))
output x
loss (target : image[1, h, w]):
    sumsq(x - target)
measure y = P * (fft2 @ target + sigma * noise)
"""


def made_of(text: str) -> Measurement:
    found = measurement(unroll_dsl.loads(text))
    assert found is not None
    return found


def test_a_program_without_measure_lines_has_no_measurement() -> None:
    assert measurement(unroll_dsl.load("lista")) is None


def test_what_is_made_and_of_what() -> None:
    found = made_of(SENSED)
    assert (found.inputs, found.targets) == (("y", "x0"), ("x_star",))
    assert found.noisy and found.noise_inputs == ("y",)


def test_data_are_what_the_lines_say() -> None:
    rng = np.random.default_rng(0)
    A, x_star, noise = rng.normal(size=(3, 5)), rng.normal(size=(4, 5)), rng.normal(size=(4, 3))
    y = x_star @ A.T + 0.1 * noise
    bind = {"A": A, "variance": 0.01}
    expected = (y, y @ A / 2)
    in_numpy = made_of(SENSED).reference(bind=bind)(x_star, noise)
    in_torch = made_of(SENSED).compile(bind=bind)(torch.tensor(x_star), torch.tensor(noise))
    for made, also, wanted in zip(in_numpy, in_torch, expected, strict=True):
        np.testing.assert_allclose(made, wanted, rtol=1e-13)
        np.testing.assert_allclose(also.numpy(), wanted, rtol=1e-13)


def test_what_the_network_alone_needs_may_be_bound_and_may_be_missing() -> None:
    A, x, noise = torch.eye(3, 5), torch.ones(5), torch.zeros(3)
    without = made_of(SENSED).compile(bind={"A": A})
    beside = made_of(SENSED).compile(bind={"A": A, "B": torch.ones(5, 3, dtype=torch.float64)})
    assert torch.equal(without(x, noise)[0], beside(x, noise)[0])


def test_a_wrong_name_is_answered() -> None:
    with pytest.raises(UnrollError, match="C"):
        made_of(SENSED).compile(bind={"A": torch.eye(3, 5), "C": 1.0})


def test_the_network_knows_nothing_of_its_data() -> None:
    """What only a `measure` line needs is no argument of the module, and no reason for a warning."""
    lines = SENSED.splitlines(keepends=True)
    plain = "".join(lines[:6] + lines[8:-2])
    spec, bare = unroll_dsl.loads(SENSED), unroll_dsl.loads(plain)
    assert not spec.warnings
    strip = [text.source().replace("text>:10", "text>:8") for text in (spec, bare)]
    assert strip[0].count("variance") == strip[0].count("sigma") == 0
    assert len(strip[0].splitlines()) == len(strip[1].splitlines())


def test_an_input_that_nothing_reads_still_warns() -> None:
    text = SENSED.replace("= x0\n", "= 0\n")
    assert [d.code for d in unroll_dsl.loads(text).warnings] == ["W0401"]


def test_noise_has_variance_1_and_is_circular() -> None:
    real = made_of(SENSED).noise(4000, {"m": 25}, torch.Generator().manual_seed(0))[0]
    assert real.shape == (4000, 25) and real.dtype == torch.float32
    assert float(real.var()) == pytest.approx(1, rel=0.02) and abs(float(real.mean())) < 0.01
    sizes = {"h": 5, "w": 5}
    values = made_of(SAMPLED).noise(4000, sizes, torch.Generator().manual_seed(0), torch.float64)[0]
    assert values.shape == (4000, 1, 5, 5) and values.dtype == torch.complex128
    assert float((values.abs() ** 2).mean()) == pytest.approx(1, rel=0.02)
    assert float((values.real**2).mean()) == pytest.approx(0.5, rel=0.02)
    assert abs(complex((values**2).mean())) < 0.02


def test_the_same_seed_draws_the_same_noise_in_half_precision() -> None:
    single, half = (
        made_of(SENSED).noise(3, {"m": 4}, torch.Generator().manual_seed(1), dtype)[0]
        for dtype in (torch.float32, torch.float16)
    )
    assert torch.equal(single.half(), half)


def test_noise_asks_for_its_sizes() -> None:
    with pytest.raises(UnrollError, match="`w` is not determined"):
        made_of(SAMPLED).noise(3, {"h": 4})


def test_noise_is_as_strong_as_stated_and_nothing_beside_the_mask() -> None:
    found, mask = made_of(SAMPLED), torch.zeros(16, 16)
    mask[::2] = 1
    target = torch.zeros(200, 1, 16, 16)
    noises = found.noise(200, {"h": 16, "w": 16}, torch.Generator().manual_seed(0))
    y = found.compile(bind={"P": mask, "sigma": 0.3})(target, *noises)
    assert torch.all(y[..., 1::2, :] == 0)
    assert float((y[..., ::2, :].abs() ** 2).mean()) == pytest.approx(0.09, rel=0.02)


def test_real_values_of_a_complex_input_are_made_complex() -> None:
    text = SAMPLED.replace("P * (fft2 @ target + sigma * noise)", "P * target")
    bind, target = {"P": np.ones((2, 2))}, np.ones((3, 1, 2, 2))
    assert made_of(text).reference(bind=bind)(target).dtype == np.complex128
    module = made_of(text).compile(bind=bind)
    for same in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert same(torch.tensor(target)).dtype == torch.complex128


def test_a_name_of_the_program_is_not_taken_for_noise() -> None:
    text = SENSED.replace("matrix[n, m]", "matrix[n, m]\nfixed noise_y : vector[m]").replace(
        "sigma * noise", "noise_y + sigma * noise"
    )
    bind = {"A": torch.eye(2), "noise_y": torch.full((2,), 3.0)}
    y, _ = made_of(text).compile(bind=bind)(torch.zeros(2), torch.ones(2))
    assert y.tolist() == [3.5, 3.5]


def test_learning_what_data_are_made_with_leaves_the_lines_out() -> None:
    spec = unroll_dsl.loads(SENSED)
    assert measurement(spec.with_roles(learn={"A": "shared"})) is None
    other = measurement(spec.with_roles(learn={"B": "shared"}))
    assert other is not None and other.inputs == ("y", "x0")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SAMPLED, r"y = P \odot \left(\mathrm{fft}_{2}\,\mathrm{target} + \sigma\,n\right)"),
        (SENSED, r"y = A\,x_{\star} + \sigma\,\varepsilon"),  # n is a size there
    ],
)
def test_latex(text: str, line: str) -> None:
    assert rf"\State \textbf{{data}} ${line}$" in latex(unroll_dsl.loads(text).typed)
