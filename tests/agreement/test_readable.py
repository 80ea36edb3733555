"""What is to be read computes what the program as written does."""

import pytest
import torch

from tests.agreement.test_algorithms import instance_of, phases, spec_of
from unroll_dsl.resources import algorithm_names


@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_the_readable_style_is_the_program(name: str) -> None:
    spec, instance = spec_of(name), instance_of(name)
    given = {"bind": instance.bind, "init": instance.init, "dims": instance.sizes}
    plain, readable = (
        spec.compile(phases(name), dtype=torch.float64, **given, **form)
        for form in ({"optimize": 0}, {"style": "readable"})
    )
    readable.load_state_dict(plain.state_dict())
    inputs, targets = (
        [torch.as_tensor(array) for array in arrays]
        for arrays in (instance.inputs, instance.targets)
    )
    with torch.no_grad():
        results = [net(*inputs) for net in (readable, plain)]
        results = [found if isinstance(found, tuple) else (found,) for found in results]
        if spec.graph.loss is not None:
            results = [
                (*found, net.loss(*inputs, *targets))
                for found, net in zip(results, (readable, plain), strict=True)
            ]
    for found, expected in zip(*results, strict=True):
        assert (found - expected).abs().max() <= 1e-12 * max(expected.abs().max().item(), 1)
