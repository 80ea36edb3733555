"""Every packaged algorithm: the emitted torch network against the NumPy reference, phase by phase.

A new file in algorithms/ is tested without an edit here; instances are drawn from the declared
types.
"""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import unroll_dsl
from unroll_dsl.resources import algorithm_names
from unroll_dsl.types import SCALAR
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.networks import random_starts

PHASES = 4
# Compiling is slow: a few stand for all.
COMPILED = (
    "admm_csnet", "admm_lasso", "admm_net", "fista", "fista_net", "glista", "ista_net_plus", "lista", "lista_cpss", "tista",
)  # fmt: skip

# Systems solved by conjugate gradients.
ITERATED = ("modl",)

# So is exporting.
EXPORTED = ("admm_net", "fista_net", "lista")

# Sizes where the declared types do not say all that an algorithm asks of them.
SIZES: Mapping[str, Mapping[str, int]] = {
    "fista_net": {
        "m": 14,
        "n": 9,
        "q": 12,
    },  # more measurements than pixels, so that a step is well posed
    "tista": {"m": 6, "n": 12},  # fewer measurements than unknowns
    # small ones in place of defaults that are those of the papers
    "opine_net": {"p": 2, "q": 3, "m": 4, "s": 4},
    "variational_network": {"c": 2, "h": 7, "w": 6, "L": 3, "s": 3, "N": 5},
    "ml_ista": {"h": 7, "w": 6, "a": 3, "b": 4, "s": 3},
}

# A multiplier is a difference of numbers many times its size, which in single precision costs a digit.
# A soft sign of width 0.5 doubles what rounding has changed, phase by phase.
SINGLE: Mapping[str, float] = {"admm_net": 5e-5, "detnet": 5e-5}

# Fourier transforms of kernels round by where these lie in memory, which is elsewhere in a copy.
BLURRED = ("condat_vu", "dpir", "red", "richardson_lucy")

every_algorithm = pytest.mark.parametrize("name", sorted(algorithm_names()))


@cache
def spec_of(name: str) -> Any:
    return unroll_dsl.load(name)


@cache
def instance_of(name: str) -> Instance:
    """A random instance, with one draw of random starts for the network and the reference."""
    instance = draw(spec_of(name).graph, seed=1, dims=SIZES.get(name), batch=3)
    net = spec_of(name).compile(
        phases=phases(name),
        bind=instance.bind,
        init=instance.init,
        dims=instance.sizes,
        dtype=torch.float64,
        seed=0,
    )
    init = {**instance.init, **random_starts(spec_of(name), net)}
    return dataclasses.replace(instance, init=init)


def network(name: str, init: Mapping[str, Any] | None = None, **options: Any) -> Any:
    instance = instance_of(name)
    values = {**instance.init, **(init or {})}
    options.setdefault("dtype", torch.float64)
    net = spec_of(name).compile(
        phases=phases(name), bind=instance.bind, init=values, dims=instance.sizes, **options
    )
    assert isinstance(net, nn.Module)
    return net


def reference(name: str, init: Mapping[str, Any] | None = None) -> Any:
    instance = instance_of(name)
    values = {**instance.init, **(init or {})}
    return spec_of(name).reference(
        phases=phases(name), bind=instance.bind, init=values, dims=instance.sizes
    )


def phases(name: str) -> int | None:
    """The number of phases to test with; None for what has none (an encoder)."""
    return None if spec_of(name).graph.phases is None else PHASES


def inputs(name: str, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    given = [torch.as_tensor(x) for x in instance_of(name).inputs]
    return tuple(x.to(dtype.to_complex() if x.is_complex() else dtype) for x in given)


@cache
def classical(name: str) -> Any:
    """The untrained network in float64. Tests leave it as it is."""
    return network(name)


@cache
def trained(name: str, seed: int = 2) -> dict[str, Any]:
    """Values for all learnables, away from the classical ones, of the same sign, different in every
    phase."""
    rng = np.random.default_rng(seed)
    init: dict[str, Any] = {}

    def moved(values: Any) -> Any:
        if isinstance(values, Mapping):  # the tensors of a layer
            return {key: moved(piece) for key, piece in values.items()}
        near = values * (1 + 0.1 * rng.uniform(-1, 1, values.shape))
        return near + (values == 0) * rng.uniform(0, 0.1, values.shape)

    for parameter, values in reference(name).values().items():
        init[parameter] = moved(values)
    return init


def tuple_of(outputs: Any) -> tuple[Any, ...]:
    """The outputs of a network or a reference, which returns a single one bare."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


def relative_difference(found: torch.Tensor, expected: np.ndarray[Any, Any]) -> float:
    scale = np.linalg.norm(expected.ravel())
    difference = np.linalg.norm((found.detach().cpu().numpy() - expected).ravel())
    return float(difference / scale) if scale else float(difference)


def assert_agree(
    name: str, init: Mapping[str, Any] | None, dtype: torch.dtype, device: str, bound_: float
) -> None:
    net = network(name, init, dtype=dtype, device=device)
    arguments = tuple(x.to(device) for x in inputs(name, dtype))
    assert all(v.device.type == device for v in (*net.parameters(), *net.buffers()))
    ref = reference(name, init)
    numbers = tuple(x.cpu().numpy() for x in arguments)  # the reference computes in double
    with torch.no_grad():
        output = net(*arguments)
        found = net.trajectory(*arguments) if phases(name) is not None else []
    expected = ref.trajectory(*numbers)
    assert len(found) == len(expected)
    for phase, (ours, theirs) in enumerate(zip(found, expected, strict=True), start=1):
        # In the last phase nothing is computed that the output does not need.
        assert set(ours) == set(theirs) or (phase == len(found) and set(ours) < set(theirs))
        for state, value in ours.items():
            assert value.dtype == (dtype.to_complex() if value.is_complex() else dtype)
            assert np.isfinite(theirs[state]).all()
            difference = relative_difference(value, np.asarray(theirs[state]))
            assert difference <= bound_, f"{state} after phase {phase}: {difference:.2e}"
    for ours, theirs in zip(tuple_of(output), tuple_of(ref(*numbers)), strict=True):
        assert relative_difference(ours, np.asarray(theirs)) <= bound_


@every_algorithm
@pytest.mark.parametrize("values", ["classical", "trained"])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_torch_is_numpy_at_every_phase(
    name: str, values: str, dtype: torch.dtype, limit: float
) -> None:
    init = trained(name) if values == "trained" else None
    assert_agree(name, init, dtype, "cpu", max(limit, SINGLE.get(name, 0) * (limit == 1e-5)))


@pytest.mark.gpu
@every_algorithm
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_cuda_is_numpy_at_every_phase(name: str, dtype: torch.dtype, limit: float) -> None:
    assert_agree(
        name, trained(name), dtype, "cuda", max(limit, SINGLE.get(name, 0) * (limit == 1e-5))
    )


def learner(name: str) -> Any:
    """A network away from its classical values; a classical algorithm with its scalars learned.

    The weights of an objective stay the same in all phases."""
    graph = spec_of(name).graph
    scalars = [c.name for c in graph.constants if c.default is not None and c.type == SCALAR]
    learn = {s: "shared" if s.startswith("lambda") else "per phase" for s in scalars}
    net = network(name, learn={} if graph.parameters else learn)
    if not dict(net.named_parameters()):
        pytest.skip("nothing to learn")
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in net.parameters():
            noise = 0.1 * torch.rand(p.shape, dtype=p.dtype, generator=generator)
            p.copy_(torch.where(p == 0, noise, p * (1 - noise)))
    return net


@every_algorithm
def test_gradients_are_finite_and_reach_every_learnable(name: str) -> None:
    net = learner(name)
    results = tuple_of(net(*inputs(name)))
    weights = torch.Generator().manual_seed(4)
    total = sum(
        (r * torch.randn(r.shape, dtype=r.dtype, generator=weights)).sum().real for r in results
    )
    parameters = dict(net.named_parameters())
    found = torch.autograd.grad(total, list(parameters.values()))
    gradients = dict(zip(parameters, found, strict=True))
    reached = {key.rsplit(".", 1)[-1] for key, gradient in gradients.items() if gradient.any()}
    assert reached == {key.rsplit(".", 1)[-1] for key in parameters}
    for key, gradient in gradients.items():
        assert gradient.isfinite().all(), key
        # In the first two phases it may multiply an iterate that starts at zero.
        assert gradient.any() or key.startswith(("phases.0.", "phases.1.")), (
            f"{key} has no influence"
        )


@every_algorithm
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    """Along one direction in the space of all parameters, at a point with no kink nearby."""
    net = learner(name)
    parameters = {key: p.detach() for key, p in net.named_parameters()}
    generator = torch.Generator().manual_seed(5)
    direction = {
        key: p.abs() * torch.randn(p.shape, dtype=p.dtype, generator=generator)
        for key, p in parameters.items()
    }

    def value(step: torch.Tensor) -> torch.Tensor:
        moved = {key: p + step * direction[key] for key, p in parameters.items()}
        output = torch.func.functional_call(net, moved, inputs(name))
        return torch.stack([(r.abs() ** 2).sum() for r in tuple_of(output)]).sum()

    start = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(value(start), start)
    h = torch.tensor(1e-6, dtype=torch.float64)
    with torch.no_grad():
        numerical = (value(h) - value(-h)) / (2 * h)
    assert abs(slope.item()) > 1e-6
    assert slope.item() == pytest.approx(numerical.item(), rel=1e-5)


@every_algorithm
def test_one_sample_needs_no_batch_axis(name: str) -> None:
    net, ref = classical(name), reference(name)
    one = tuple(x[0] for x in inputs(name))
    numbers = tuple(x.numpy() for x in one)
    with torch.no_grad():
        first = net(*inputs(name))
        alone = net(*one)
    for ours, batched in zip(tuple_of(alone), tuple_of(first), strict=True):
        assert ours.shape == batched.shape[1:]
        torch.testing.assert_close(ours, batched[0], rtol=1e-10, atol=1e-12)
    for ours, theirs in zip(tuple_of(alone), tuple_of(ref(*numbers)), strict=True):
        assert np.asarray(theirs).shape == tuple(ours.shape)
        assert relative_difference(ours, np.asarray(theirs)) <= 1e-12


@every_algorithm
def test_vmap_is_the_batch(name: str) -> None:
    net = classical(name)
    with torch.no_grad():
        mapped = torch.func.vmap(net)(*inputs(name))
        batched = net(*inputs(name))
    torch.testing.assert_close(mapped, batched, rtol=1e-10, atol=1e-12)


@every_algorithm
def test_copies_compute_the_same(name: str) -> None:
    net = network(name, trained(name))
    with torch.no_grad():
        expected = net(*inputs(name))
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            close = 1e-11 if name in BLURRED else 0
            torch.testing.assert_close(other(*inputs(name)), expected, rtol=close, atol=close)


@every_algorithm
def test_weights_travel_by_state_dict(name: str) -> None:
    source, target = network(name, trained(name)), network(name)
    target.load_state_dict(source.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(target(*inputs(name)), source(*inputs(name)), rtol=0, atol=0)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in EXPORTED else pytest.mark.slow)
        for name in sorted(algorithm_names())
    ],
)
def test_exports_with_any_batch(name: str) -> None:
    net = classical(name)
    batch = torch.export.Dim("batch", min=2, max=64)
    shapes = tuple({0: batch} for _ in inputs(name))
    # the implicit derivative of conjugate gradients is a hook, which no graph holds: they are exported to infer
    with torch.no_grad() if name in ITERATED else nullcontext():
        program = torch.export.export(net, inputs(name), dynamic_shapes=shapes, strict=True)
    more = tuple(torch.cat([x, x, x]) for x in inputs(name))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(*more), net(*more), rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in COMPILED if n in algorithm_names()])
def test_compiles_without_graph_breaks(name: str) -> None:
    torch.compiler.reset()
    net = network(name, trained(name))
    compiled = torch.compile(net, fullgraph=True)
    torch.testing.assert_close(compiled(*inputs(name)), net(*inputs(name)), rtol=1e-10, atol=1e-12)
