"""What passes make of a program computes what the program as written does: values and gradients."""

from typing import Any

import pytest
import torch

import unroll_dsl
from tests.agreement.test_algorithms import instance_of, phases, spec_of
from unroll_dsl.resources import algorithm_names


def made(name: str, level: int) -> tuple[Any, list[torch.Tensor], list[torch.Tensor]]:
    """The network in double precision, its inputs and its targets."""
    spec, instance = spec_of(name), instance_of(name)
    net = spec.compile(
        phases(name),
        bind=instance.bind,
        init=instance.init,
        dims=instance.sizes,
        dtype=torch.float64,
        optimize=level,
    )
    inputs, targets = (
        [torch.as_tensor(array) for array in arrays]
        for arrays in (instance.inputs, instance.targets)
    )
    return net, inputs, targets


def several(outputs: Any) -> tuple[torch.Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_levels_agree(name: str, level: int) -> None:
    plain, inputs, targets = made(name, 0)
    fast, _, _ = made(name, level)
    fast.load_state_dict(plain.state_dict())
    with torch.no_grad():
        for found, expected in zip(several(fast(*inputs)), several(plain(*inputs)), strict=True):
            assert (found - expected).abs().max() <= 1e-12 * max(expected.abs().max().item(), 1)
    if not list(plain.parameters()):
        return
    for net in (plain, fast):
        if spec_of(name).graph.loss is not None:
            net.loss(*inputs, *targets).backward()
        else:
            sum(x.abs().square().sum() for x in several(net(*inputs))).backward()
    own = dict(plain.named_parameters())
    for key, parameter in fast.named_parameters():
        wanted = own[key].grad
        if wanted is None:
            assert parameter.grad is None
            continue
        scale = max(wanted.abs().max().item(), 1e-6)
        assert (parameter.grad - wanted).abs().max() <= 1e-9 * scale, key


PAIRS = """
algorithm pairs
dims h, w
input x : image[{i}, h, w]
learnable A : conv[{i} -> {c}, 3] ~ normal
learnable B : conv[{c} -> {o}, 3{bias}] ~ normal
output B(A(x))
"""


@pytest.mark.parametrize(("i", "c", "o"), [(1, 16, 16), (16, 16, 1), (2, 9, 3)])
@pytest.mark.parametrize("shape", [(7, 5), (1, 6), (2, 2), (3, 1), (1, 1)])
@pytest.mark.parametrize("bias", ["", ", bias"])
def test_a_fused_pair_is_the_pair_up_to_the_border(
    i: int, c: int, o: int, shape: tuple[int, int], bias: str
) -> None:
    spec = unroll_dsl.loads(PAIRS.format(i=i, c=c, o=o, bias=bias))
    assert "convolve_pair(" in spec.source()
    plain, fast = (spec.compile(dtype=torch.float64, optimize=level) for level in (0, 2))
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.normal_()
    fast.load_state_dict(plain.state_dict())
    x = torch.randn(2, i, *shape, dtype=torch.float64)
    torch.testing.assert_close(fast(x), plain(x), rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(fast(x[0]), plain(x[0]), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "change",
    [
        ("3] ~ normal\nl", "3, bias] ~ normal\nl"),
        ("3] ~ normal\nl", "3, padding=circular] ~ normal\nl"),
        ("conv[1 -> 16, 3] ~", "conv[1 -> 16, 5] ~"),
        ("output B(A(x))", "output B(A(x)), A(x)"),
    ],
)
def test_pairs_that_are_left(change: tuple[str, str]) -> None:
    """A bias between the two, another padding or size; the last would still pay, and is fused."""
    text = PAIRS.format(i=1, c=16, o=16, bias="")
    assert change[0] in text
    fused = "convolve_pair(" in unroll_dsl.loads(text.replace(*change)).source()
    assert fused == change[0].startswith("output")


@pytest.mark.parametrize("t", [0.7, 0.0, -0.3])
def test_shrinking_is_soft_thresholding_for_any_threshold(t: float) -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims n\ninput v : vector[n]\nlearnable t : scalar = 1\noutput soft(v, t)\n"
    )
    net = spec.compile(init={"t": t}, dtype=torch.float64)
    assert "softshrink" in spec.source()
    v = torch.tensor([[-2.0, -0.5, 0.0, 0.5, 2.0, torch.inf]], dtype=torch.float64)
    expected = v.sign() * torch.relu(v.abs() - t)
    with torch.no_grad():
        torch.testing.assert_close(net(v), expected, rtol=0, atol=1e-16)
    torch.testing.assert_close(net(v).detach(), expected, rtol=0, atol=1e-16)
