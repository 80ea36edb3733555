"""Periodic blur by transforms: what is rewritten, what is left, and that the answer stays."""

from typing import Any

import pytest
import torch

import unroll_dsl
from unroll_dsl.passes.periodic import Periodic
from unroll_dsl.report.summary import summary

PROGRAM = """algorithm deblur
dims h, w, p, q
input y : {field}image[2, h, w]
fixed B : matrix[p, q]
learnable t : scalar per phase = 0.3
let C = blur(B, padding=circular)
state x, v : {field}image[2, h, w] = C' @ y
phase (3):
    x <- soft(v - t * C' @ (C @ v - y), 0.01 * t)
    v <- x + k / (k + 3) * (x - prev(x)) + 0.1 * C @ x
output x
"""


def test_two_transforms_for_a_step_of_descent() -> None:
    spec = unroll_dsl.loads(PROGRAM.format(field=""))
    text = spec.source(dims={"h": 9, "w": 8, "p": 5, "q": 5})
    phase = text[text.index("class Phase") : text.index("class LastPhase")]
    # C' @ (C @ v - y) is one of the two, C @ x the other
    assert phase.count("filtered(") == 2
    assert "blurred" not in text


def test_show_tells_of_it() -> None:
    shown = summary(
        unroll_dsl.loads(PROGRAM.format(field=""), "deblur.unroll"),
        dims={"h": 9, "w": 8, "p": 5, "q": 5},
    )
    assert shown.fused[0].startswith("deblur.unroll:9:19: 2 Fourier transforms")
    assert dict(shown.work[-1].applications)["fft2 and its inverse"] == 2


@pytest.mark.parametrize(
    "sizes",
    [{}, {"h": 9, "w": 8}, {"h": 9, "w": 8, "p": 3, "q": 3}],
    ids=["unknown", "kernel unknown", "small kernel"],
)
def test_a_convolution_stays_where_it_is_cheaper_or_sizes_are_unknown(sizes: Any) -> None:
    spec = unroll_dsl.loads(PROGRAM.format(field=""))
    assert Periodic(sizes)(spec.graph) == spec.graph


def test_a_border_of_zeros_is_no_filter() -> None:
    spec = unroll_dsl.loads(PROGRAM.format(field="").replace("circular", "zero"))
    assert Periodic({"h": 9, "w": 8, "p": 5, "q": 5})(spec.graph) == spec.graph


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("shape", [(9, 8), (8, 9), (4, 7), (2, 13)])
def test_it_computes_what_the_program_says(field: str, shape: tuple[int, int]) -> None:
    """Values against the interpreter, derivatives against the program as written."""
    spec = unroll_dsl.loads(PROGRAM.format(field=field))
    make = torch.Generator().manual_seed(0)
    dtype = torch.complex128 if field else torch.float64
    y = torch.randn(3, 2, *shape, dtype=dtype, generator=make)
    options: Any = {
        "bind": {"B": torch.randn(5, 6, dtype=torch.float64, generator=make) / 5},
        "dims": dict(zip("hw", shape, strict=True)),
    }
    expected = torch.as_tensor(spec.reference(**options)(y.numpy()))
    nets = [spec.compile(**options, optimize=level) for level in (0, 2)]
    gradients = []
    for net in nets:
        found = net(y)
        torch.testing.assert_close(found.detach(), expected, rtol=1e-12, atol=1e-12)
        found.abs().square().sum().backward()
        gradients.append([p.grad for p in net.parameters()])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-10, atol=1e-10)


def test_transfer_functions_freeze() -> None:
    """Among them is a conjugate, which torch keeps as a view."""
    spec = unroll_dsl.loads(PROGRAM.format(field=""))
    B = torch.rand(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    net: Any = spec.compile(bind={"B": B}, dims={"h": 9, "w": 8})
    y = torch.rand(2, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(net.freeze()(y), net(y).detach(), rtol=1e-12, atol=1e-12)
