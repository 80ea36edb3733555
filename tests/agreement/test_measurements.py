"""Every packaged algorithm with `measure` lines: data made by torch against data made by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.measure import Measurement, measurement
from unroll_dsl.resources import algorithm_names
from unroll_dsl.verify.instance import draw

FOUND = {name: measurement(unroll_dsl.load(name)) for name in sorted(algorithm_names())}
MEASURED = [name for name, found in FOUND.items() if found is not None]
# No solution is known, data are signals whose codes are computed, a covariance is made of samples, a mixture is no map of the speech in it, or
# operands come with each sample.
OF_EACH_SAMPLE = {"adalista", "detnet", "modl", "oamp_net"}
# Small sizes in place of the defaults of the papers.
SIZES = {
    "opine_net": {"p": 2, "q": 3, "m": 4, "s": 4},
    "variational_network": {"c": 2, "h": 7, "w": 6, "L": 3, "s": 3, "N": 5},
}
WITHOUT = OF_EACH_SAMPLE | {
    "baseline_shrink",
    "baseline_tanh",
    "deep_nmf",
    "glad",
    "lfista",
    "lista",
    "step_lista",
}


def data(name: str) -> tuple[Measurement, Any, list[np.ndarray[Any, Any]]]:
    """The measurement of an algorithm, an instance of the whole, and targets and noises for it."""
    found, spec = FOUND[name], unroll_dsl.load(name)
    assert found is not None
    instance = draw(spec.graph, seed=3, dims=SIZES.get(name), learned=bool(found.learned))
    targets = dict(zip((t.name for t in spec.graph.targets), instance.targets, strict=True))
    noises = found.noise(3, instance.sizes, torch.Generator().manual_seed(4), torch.float64)
    return found, instance, [*(targets[t] for t in found.targets), *(n.numpy() for n in noises)]


def test_every_algorithm_with_a_loss_says_how_its_data_are_made() -> None:
    losses = {n for n in algorithm_names() if unroll_dsl.load(n).graph.loss is not None}
    assert losses - set(MEASURED) == WITHOUT


@pytest.mark.parametrize("name", MEASURED)
def test_torch_makes_the_data_of_numpy(name: str) -> None:
    found, instance, given = data(name)
    # as a user binds them: the network's own constants too; noise where there is a choice
    bind = instance.bind | ({"sigma": 0.3} if found.noisy else {})
    known = {"bind": bind, "dims": instance.sizes, "init": instance.init}
    expected = found.reference(**known)(*given)
    with torch.no_grad():
        made = found.compile(**known, dtype=torch.float64)(*map(torch.as_tensor, given))
    several = (made, expected) if len(found.inputs) > 1 else ((made,), (expected,))
    for ours, theirs in zip(*several, strict=True):
        scale = np.abs(theirs).max()
        assert np.abs(ours.numpy() - theirs).max() <= 1e-12 * max(scale, 1)


@pytest.mark.parametrize("name", MEASURED)
def test_the_network_takes_what_is_made(name: str) -> None:
    """Shapes, fields and precision are those of the inputs."""
    found, instance, given = data(name)
    spec = unroll_dsl.load(name)
    options: dict[str, Any] = {
        "bind": instance.bind,
        "dims": instance.sizes,
        "dtype": torch.float64,
    }
    net = spec.compile(1, init=instance.init, seed=0, **options)
    made = found.compile(network=net, **options)(*map(torch.as_tensor, given))
    several = made if isinstance(made, tuple) else (made,)
    assert found.inputs == tuple(entry.name for entry in spec.graph.inputs)
    outputs = net(*several)
    assert (outputs[0] if isinstance(outputs, tuple) else outputs).shape[0] == 3
