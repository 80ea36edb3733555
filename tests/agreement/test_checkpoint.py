"""`checkpoint="phase"`: the same gradients, of which far less is kept."""

from typing import Any

import pytest
import torch

import unroll_dsl
from tests.agreement.test_algorithms import instance_of, spec_of

NAMES = ("lista", "fista_net", "ista_net_plus", "admm_net", "admm_csnet", "tista")


def run(name: str, phases: int, checkpoint: Any) -> tuple[dict[str, torch.Tensor], int]:
    """The gradients of a loss, and the bytes that were kept for them."""
    spec, instance = spec_of(name), instance_of(name)
    net = spec.compile(
        phases,
        bind=instance.bind,
        dims=instance.sizes,
        dtype=torch.float64,
        checkpoint=checkpoint,
        seed=0,
    )
    inputs = [torch.as_tensor(a) for a in instance.inputs]
    targets = [torch.as_tensor(a) for a in instance.targets]
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        if spec.graph.loss is not None:
            loss = net.loss(*inputs, *targets)
        else:
            loss = net(*inputs).abs().square().sum()
    loss.backward()
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    total = sum(size for place, size in kept.items() if place not in own)
    return {key: p.grad for key, p in net.named_parameters() if p.grad is not None}, total


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_same_and_less_is_kept(name: str) -> None:
    plain, much = run(name, 12, None)
    again, little = run(name, 12, "phase")
    assert plain.keys() == again.keys()
    for key, gradient in plain.items():
        torch.testing.assert_close(again[key], gradient, rtol=1e-12, atol=1e-14)
    assert little < 0.6 * much


def test_words_that_it_has_not() -> None:
    with pytest.raises(ValueError, match='"phase" or None'):
        unroll_dsl.load("ista").source(checkpoint="layer")  # type: ignore[arg-type]
