"""Layers of the reference against torch.nn.functional, and against formulas written out."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from unroll_dsl.backends.numpy.layer_steps import apply_step
from unroll_dsl.backends.numpy.layers import apply_layer, layer_steps, pair_kernel, within
from unroll_dsl.types import Activation, Conv, Dim, Layer, Step

RNG = np.random.default_rng(0)
MODES = {"zero": "constant", "circular": "circular", "reflect": "reflect", "replicate": "replicate"}


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def conv(inside: int, outside: int, size: int, **options: Any) -> Conv:
    return Conv(Dim.of(inside), Dim.of(outside), size, **options)


def same(found: Any, expected: Tensor) -> None:
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("padding", MODES)
def test_a_convolution_keeps_the_size(size: int, padding: str) -> None:
    """An even kernel has one pixel more behind it, as torch's padding "same"."""
    x, weight = normal(2, 6, 8), normal(3, 2, size, size)
    before = (size - 1) // 2
    after = size - 1 - before
    image, margins = torch.from_numpy(x)[None], (before, after, before, after)
    wide = F.pad(image, margins, mode=MODES[padding])
    expected = F.conv2d(wide, torch.from_numpy(weight))[0]
    layer = Layer((conv(2, 3, size, padding=padding),))
    same(apply_layer(layer, {"weight": weight}, x), expected)
    if padding == "zero":
        same(expected, F.conv2d(image, torch.from_numpy(weight), padding="same")[0])


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups_and_bias_of_a_convolution(groups: int) -> None:
    x, weight, bias = normal(4, 5, 6), normal(8, 4 // groups, 3, 3), normal(8)
    given = (torch.from_numpy(value) for value in (x[None], weight, bias))
    expected = F.conv2d(*given, padding=1, groups=groups)[0]
    layer = Layer((conv(4, 8, 3, bias=True, groups=groups),))
    same(apply_layer(layer, {"weight": weight, "bias": bias}, x), expected)


@pytest.mark.parametrize(
    "name",
    ["relu", "tanh", "sigmoid", "softplus", "leaky_relu", "elu", "silu", "gelu"],
)
def test_activations_are_those_of_torch(name: str) -> None:
    x = np.concatenate([np.linspace(-6, 6, 41), [0.0, -0.0, 1e-9, -1e-9]]).reshape(1, 5, 9)
    expected = getattr(torch if name in ("tanh", "sigmoid") else F, name)(torch.from_numpy(x))
    same(apply_layer(Layer((Activation(name),)), {}, x), expected)


def test_a_piecewise_linear_function_goes_through_its_knots() -> None:
    """Slopes 3, 1, -2, 5 of what is left of -1, the cells [-1, 0] and [0, 1], and what is right of 1."""
    x = np.array([[[-3.0, -1.0, -0.5, 0.0], [0.25, 1.0, 1.5, 4.0]]])
    value = {"slopes": np.array([[3.0, 1.0, -2.0, 5.0]]), "start": np.array([0.5])}
    expected = [[[-5.5, 0.5, 1.0, 1.5], [1.0, -0.5, 2.0, 14.5]]]
    np.testing.assert_allclose(apply_layer(Layer((Activation("plf"),)), value, x), expected)


def test_a_chain_applies_its_steps_in_order_with_their_own_tensors() -> None:
    x = normal(1, 4, 4)
    value = {
        "0.weight": np.full((2, 1, 1, 1), 2.0),
        "2.weight": normal(1, 2, 1, 1),
        "2.bias": [7.0],
    }
    value["2.bias"] = np.array([7.0])
    layer = Layer((conv(1, 2, 1), Activation("relu"), conv(2, 1, 1, bias=True)))
    expected = value["2.weight"].sum() * np.maximum(2 * x, 0) + 7
    np.testing.assert_allclose(apply_layer(layer, value, x), expected)


def test_a_split_layer_acts_on_both_parts_alike() -> None:
    x, weight = normal(1, 4, 5) + 1j * normal(1, 4, 5), normal(1, 1, 3, 3)
    plain = Layer((conv(1, 1, 3), Activation("relu")))
    split = Layer(plain.steps, split=True)
    value = {"0.weight": weight}
    found = apply_layer(split, value, x)
    np.testing.assert_allclose(found.real, apply_layer(plain, value, x.real))
    np.testing.assert_allclose(found.imag, apply_layer(plain, value, x.imag))


@pytest.mark.parametrize(("a", "b"), [(3, 3), (1, 3), (5, 3)])
def test_the_kernel_of_two_correlations_is_that_of_both(a: int, b: int) -> None:
    first, second, x = normal(3, 2, a, a), normal(4, 3, b, b), normal(2, 9, 10)
    both = pair_kernel(first, second)
    assert both.shape == (4, 2, a + b - 1, a + b - 1)
    image = torch.from_numpy(x)[None]
    expected = F.conv2d(F.conv2d(image, torch.from_numpy(first)), torch.from_numpy(second))
    same(F.conv2d(image, torch.from_numpy(both)).numpy(), expected)


def test_tensors_of_some_steps_are_those_of_a_layer_of_their_own() -> None:
    value = {"0.weight": 0, "0.bias": 1, "2.weight": 2, "3.weight": 3}
    assert layer_steps({}, value, 0, 2) == {"0.weight": 0, "0.bias": 1}  # type: ignore[arg-type]
    assert layer_steps({}, value, 2, 4) == {"0.weight": 2, "1.weight": 3}  # type: ignore[arg-type]
    assert layer_steps({}, value, 2, 3) == {"weight": 2}  # type: ignore[arg-type]
    assert layer_steps({}, {"weight": 5}, 0, 1) == {"weight": 5}  # type: ignore[arg-type]


def test_tensors_within_a_layer_have_its_name_before_theirs() -> None:
    value = {"a.weight": 1, "a.0.bias": 2, "ab.weight": 3, "a": 4}
    assert within(value, "a") == {"weight": 1, "0.bias": 2}


# ---- steps --------------------------------------------------------------------------------------


def channels(inside: int, outside: int) -> tuple[Dim, Dim]:
    return Dim.of(inside), Dim.of(outside)


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "groups"),
    [
        (3, 1, 1, 1),
        (3, 2, 1, 1),
        (4, 2, 1, 2),
        (3, 1, 2, 1),
        (5, 1, 3, 2),
        (3, 2, 2, 1),
        (2, 2, 1, 1),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_convolutions_with_strides(
    size: int, stride: int, dilation: int, groups: int, bias: bool
) -> None:
    options = (("stride", stride), ("dilation", dilation), ("groups", groups))
    step = Step("conv", channels(4, 6), size, ("bias",) * bias, options)
    x, weight, shift = normal(4, 8, 12), normal(6, 4 // groups, size, size), normal(6)
    expected = F.conv2d(
        torch.from_numpy(x)[None],
        torch.from_numpy(weight),
        torch.from_numpy(shift) if bias else None,
        stride,
        step.padding,
        dilation,
        groups,
    )[0]
    assert expected.shape[1:] == (8 // stride, 12 // stride)
    same(apply_step(step, {"weight": weight, "bias": shift}, x, False), expected)


@pytest.mark.parametrize(
    ("size", "stride"), [(2, 2), (3, 2), (4, 2), (3, 1), (5, 3), (4, 4), (5, 1)]
)
@pytest.mark.parametrize("bias", [False, True])
def test_transposed_convolutions(size: int, stride: int, bias: bool) -> None:
    step = Step("deconv", channels(4, 3), size, ("bias",) * bias, (("stride", stride),))
    x, weight, shift = normal(4, 3, 5), normal(4, 3, size, size), normal(3)
    pad = step.padding
    expected = F.conv_transpose2d(
        torch.from_numpy(x)[None],
        torch.from_numpy(weight),
        torch.from_numpy(shift) if bias else None,
        stride,
        pad,
        output_padding=stride - size + 2 * pad,
    )[0]
    assert expected.shape == (3, 3 * stride, 5 * stride)
    same(apply_step(step, {"weight": weight, "bias": shift}, x, False), expected)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pooling(size: int) -> None:
    x = normal(2, 6, 12)
    image = torch.from_numpy(x)[None]
    for kind, function in (("max_pool", F.max_pool2d), ("avg_pool", F.avg_pool2d)):
        same(apply_step(Step(kind, None, size), {}, x, False), function(image, size)[0])


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1, 5), (1, 2, 1)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_larger_images(shape: tuple[int, ...], factor: int) -> None:
    x = normal(*shape)
    for mode in ("nearest", "bilinear"):
        expected = F.interpolate(torch.from_numpy(x)[None], scale_factor=factor, mode=mode)[0]
        same(apply_step(Step("up", None, factor, (mode,)), {}, x, False), expected)


def test_norms() -> None:
    x, weight, bias = 3 * normal(6, 4, 5) + 1, normal(6), normal(6)
    image, scale, shift = (torch.from_numpy(v) for v in (x[None], weight, bias))
    tensors = {"weight": weight, "bias": bias}
    same(apply_step(Step("instance_norm"), {}, x, False), F.instance_norm(image)[0])
    for groups in (1, 2, 3, 6):
        expected = F.group_norm(image, groups, scale, shift)[0]
        same(apply_step(Step("group_norm", None, groups), tensors, x, False), expected)
    by_pixel = F.layer_norm(image.movedim(1, -1), (6,), scale, shift).movedim(-1, 1)[0]
    same(apply_step(Step("layer_norm"), tensors, x, False), by_pixel)
    mean, variance = normal(6), RNG.uniform(0.5, 2, 6)
    held = {**tensors, "running_mean": mean, "running_var": variance}
    expected = F.batch_norm(image, torch.from_numpy(mean), torch.from_numpy(variance), scale, shift)
    same(apply_step(Step("batch_norm"), held, x, False), expected[0])


def test_slopes_and_shares_of_channels_or_entries() -> None:
    x, v, weight = normal(3, 4, 5), normal(6), normal(3)
    image = torch.from_numpy(x)
    slopes = torch.from_numpy(weight)
    found = apply_step(Step("prelu"), {"weight": weight}, x, False)
    same(found, F.prelu(image[None], slopes)[0])
    entries = normal(6)
    np.testing.assert_allclose(
        apply_step(Step("prelu"), {"weight": entries}, v, True), np.where(v > 0, v, entries * v)
    )
    same(apply_step(Step("softmax"), {}, x, False), image.softmax(0))
    same(apply_step(Step("softmax"), {}, x, True), image.softmax(-1))
    large = np.array([1000.0, 999.0])
    same(apply_step(Step("softmax"), {}, large, True), torch.from_numpy(large).softmax(-1))


@pytest.mark.parametrize("bias", [False, True])
def test_dense_layers_act_on_the_last_axis(bias: bool) -> None:
    step = Step("dense", channels(4, 3), flags=("bias",) * bias)
    x, weight, shift = normal(2, 4), normal(3, 4), normal(3)
    found = apply_step(step, {"weight": weight, "bias": shift}, x, True)
    np.testing.assert_allclose(found, x @ weight.T + (shift if bias else 0))
    assert apply_step(Step("dropout", None, 0.5), {}, x, True) is x
