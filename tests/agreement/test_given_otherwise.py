"""What is given otherwise than a network takes it: arrays of NumPy, batches of targets, conditions for functions,
modules in single precision, values of two precisions."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import unroll_dsl
from unroll_dsl.verify.instance import draw

HEAD = "algorithm a\ndims n\ninput y : vector[n]\n"
NETWORK = (
    f"{HEAD}learnable t : scalar = 0.5\nstate x : vector[n] = 0\nphase (2):\n    x <- x + t * (y - x)\n"
    "output x\nloss (g : vector[n]):\n    sumsq(x - g)\n"
)


@pytest.mark.parametrize("given", [np.ones(3, dtype=np.float32), [1.0, 2.0, 3.0]])
def test_what_is_no_tensor_is_refused_in_words(given: Any) -> None:
    net = unroll_dsl.loads(NETWORK).compile()
    with pytest.raises(
        TypeError, match=r"`y` must be a tensor, found (ndarray|list): give torch.as"
    ):
        net(given)
    with pytest.raises(TypeError, match="`g` must be a tensor"):
        net.loss(torch.ones(3), given)


def test_targets_of_another_batch_are_refused() -> None:
    net: Any = unroll_dsl.loads(NETWORK).compile()
    with pytest.raises(ValueError, match=r"`y` has \[4\], `g` has \[3\]"):
        net.loss(torch.ones(4, 2), torch.ones(3, 2))
    # x is 0.75 after two phases, for each of two entries
    for batch in ((4, 2), (1, 2), (2,)):
        assert net.loss(torch.ones(4, 2), torch.ones(batch)).item() == pytest.approx(2 * 0.25**2)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("where(c, a, b)", [1.0, -4.0]),
        ("where(not c, a, b)", [2.0, -2.0]),
        ("where(c and a > 2, a, b)", [2.0, -4.0]),
        ("c * a + b", [3.0, -4.0]),
        ("sum(c) * a", [1.0, -2.0]),
    ],
)
def test_functions_take_conditions(body: str, expected: list[float], level: int) -> None:
    text = f"{HEAD}def pick(c, a, b) = {body}\noutput pick(y > 0, y, 2 * y)\n"
    spec, y = unroll_dsl.loads(text), np.array([1.0, -2.0])
    np.testing.assert_array_equal(spec.reference()(y), expected)
    net = spec.compile(optimize=level)
    np.testing.assert_array_equal(net(torch.as_tensor(y)), expected)
    batch = net(torch.as_tensor(np.stack([y, y])))
    np.testing.assert_array_equal(batch, [expected, expected])


MOVED: list[int] = []  # modules that were moved in place


class Single(nn.Module):
    """A map that computes in single precision, whatever it is given; its weights are of double precision."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(12.0, dtype=torch.float64).reshape(3, 4))

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        MOVED.append(id(self))
        return super()._apply(fn, recurse)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype != torch.float32:
            raise TypeError("single precision alone")
        return x @ self.weight.float().mT

    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        if y.dtype != torch.float32:
            raise TypeError("single precision alone")
        return y @ self.weight.float()


def test_the_reference_copies_a_module_of_single_precision() -> None:
    text = (
        "algorithm a\ninput y : vector[4]\nfixed A : linear vector[4] -> vector[3]\noutput A @ y\n"
    )
    module = Single()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        reference = unroll_dsl.loads(text).reference(bind={"A": module})
        found = reference(np.ones(4))
    assert any("less than double precision" in str(warning.message) for warning in told)
    np.testing.assert_allclose(found, [6.0, 22.0, 38.0], rtol=1e-6)
    with torch.no_grad():
        module.weight[0] += 1  # the next call reads it anew
    np.testing.assert_allclose(reference(np.ones(4)), [10.0, 22.0, 38.0], rtol=1e-6)
    assert MOVED and id(module) not in MOVED
    assert module.weight.dtype == torch.float64


@pytest.mark.parametrize("name", ["fista", "fista_net"])
def test_momentum_under_autocast(name: str) -> None:
    """Products come in bfloat16, states as they are: momentum takes both."""
    spec = unroll_dsl.load(name)
    instance = draw(spec.graph, seed=0, batch=2)
    options = {"bind": instance.bind, "init": instance.init, "dims": instance.sizes}
    net: Any = spec.compile(3, **options, dtype=torch.float32, seed=0)
    inputs = [torch.as_tensor(x, dtype=torch.float32) for x in instance.inputs]
    with torch.no_grad():
        expected = net(*inputs)
        with torch.autocast("cpu", torch.bfloat16):
            found = net(*inputs)
    assert (found - expected).abs().max() < 0.1 * expected.abs().max().clamp(min=1)


@pytest.mark.parametrize("given", [{"a": 2.0}, {"a": 0.5, "c": -1.0}])
def test_bounds_are_looked_at_before_sizes_are_known(given: dict[str, float]) -> None:
    """Of a reference as of a network: the size is told by the call alone."""
    spec = unroll_dsl.loads("""algorithm bounded
dims n
input y : vector[n]
fixed a : scalar
fixed c : scalar >= 0 = 1
learnable q : scalar in [a, 1] = 1
output c * q * y
""")
    for make in (spec.reference, spec.compile):
        with pytest.raises(unroll_dsl.UnrollError, match=r"U0537|U0506"):
            make(bind=given)
    assert spec.reference(bind={"a": 1.0})(np.ones(2)).tolist() == [1, 1]
