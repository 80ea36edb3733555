"""A network that was saved and loaded is the same network: every algorithm, whatever it was compiled with."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import unroll_dsl
from unroll_dsl.resources import algorithm_names
from unroll_dsl.types import Array
from unroll_dsl.verify.instance import draw
from unroll_dsl.weights.container import read_spec

PRECISIONS = (torch.float32, torch.float64)


def near(value: Any, rng: np.random.Generator, name: str = "") -> Any:
    """Another value, inside any constraint that has the first in it and 0 at its end; `L` has a lower bound."""
    return np.asarray(value) * (1.2 if name == "L" else rng.uniform(0.8, 0.95))


def roles(spec: Any, rng: np.random.Generator) -> dict[str, Any]:
    """`learn` and `fix`, drawn; roles that the program has no meaning for are left out."""
    found: dict[str, Any] = {"learn": {}, "fix": []}
    drawn: list[tuple[str, str | None]] = [
        (constant.name, str(rng.choice(["shared", "per phase"])))
        for constant in spec.graph.constants
        if isinstance(constant.type, Array) and rng.random() < 0.6
    ]
    drawn += [(p.name, None) for p in spec.graph.parameters if rng.random() < 0.4]
    for name, sharing in drawn:
        more = {"learn": dict(found["learn"]), "fix": list(found["fix"])}
        if sharing is None:
            more["fix"].append(name)
        else:
            more["learn"][name] = sharing
        try:
            spec.with_roles(**more)
        except unroll_dsl.UnrollError:
            continue
        found = more
    return found


def options(spec: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Depth, level and precision, drawn."""
    drawn: dict[str, Any] = {"optimize": int(rng.integers(0, 3))}
    if spec.graph.phases is not None:
        drawn["phases"] = int(rng.integers(2, 4))
    drawn["dtype"] = PRECISIONS[int(rng.integers(2))]
    return drawn


def with_values(changed: Any, drawn: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """The same with values: of all without a classical one, and in place of some that have one."""
    instance = draw(changed.graph, seed=1)
    given = {"bind": dict(instance.bind), "init": dict(instance.init), "dims": instance.sizes}
    reference = changed.reference(drawn.get("phases"), **given)
    kind = drawn["dtype"]
    for constant in changed.graph.constants:
        if isinstance(constant.type, Array) and constant.default is not None and rng.random() < 0.7:
            value = near(reference.constant(constant.name), rng, constant.name)
            given["bind"][constant.name] = value.tolist() if rng.random() < 0.5 else value
    for parameter in changed.graph.parameters:
        if isinstance(parameter.type, Array) and isinstance(parameter.initial, int):
            given["init"][parameter.name] = near(
                reference.parameter(parameter.name), rng, parameter.name
            )
    for values in (given["bind"], given["init"]):
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                tensor = torch.from_numpy(np.array(value))
                values[name] = tensor.to(kind.to_complex() if tensor.is_complex() else kind)
    return {"instance": instance, **drawn, **given}


def assert_same(net: Any, again: Any, inputs: Any) -> None:
    def outputs(found: Any) -> tuple[Tensor, ...]:
        with torch.no_grad():
            value = found(*inputs)
        return value if isinstance(value, tuple) else (value,)

    for ours, theirs in zip(outputs(net), outputs(again), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(torch.nan_to_num(ours), torch.nan_to_num(theirs))


def compiled(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """The spec that a user has, a network of it, inputs, and what must be bound again."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    spec = unroll_dsl.load(name)
    chosen = roles(spec, rng)
    changed = spec.with_roles(**chosen)
    made = with_values(changed, options(spec, rng), rng)
    instance = made.pop("instance")
    net: Any = spec.compile(**chosen, **made, seed=3)
    again = {c.name for c in changed.graph.constants if c.default is None}
    bind = {key: value for key, value in made["bind"].items() if key in again}
    kind = made["dtype"]
    inputs = [
        torch.from_numpy(x).to(kind.to_complex() if np.iscomplexobj(x) else kind)
        for x in instance.inputs
    ]
    return spec, net, inputs, bind


def round_trip(name: str, seed: int, folder: Path) -> None:
    spec, net, inputs, bind = compiled(name, seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.97)  # as training would
    save = folder / "net.safetensors"
    unroll_dsl.save_network(save, spec, net)
    again: Any = unroll_dsl.load_network(save, bind=bind)
    assert_same(net, again, inputs)
    assert {key: value.requires_grad for key, value in net.named_parameters()} == {
        key: value.requires_grad for key, value in again.named_parameters()
    }
    unroll_dsl.save_network(folder / "twice.safetensors", spec, again)
    first, second = (load_file(folder / f"{word}.safetensors") for word in ("net", "twice"))
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize("name", algorithm_names())
def test_every_algorithm(name: str, tmp_path: Path) -> None:
    round_trip(name, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("name", algorithm_names())
def test_every_algorithm_with_other_options(name: str, seed: int, tmp_path: Path) -> None:
    round_trip(name, seed, tmp_path)


A = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)
Y = torch.ones(2, 3, dtype=torch.float64)


def test_a_bound_value_in_place_of_a_classical_one(tmp_path: Path) -> None:
    spec = unroll_dsl.load("ista")
    net: Any = spec.compile(4, bind={"A": A, "lambda": 0.7})
    unroll_dsl.save_network(tmp_path / "net", spec, net)
    again: Any = unroll_dsl.load_network(tmp_path / "net", bind={"A": A})
    assert_same(net, again, [Y])
    other: Any = spec.compile(4, bind={"A": A})
    assert not torch.equal(net(Y), other(Y))
    # and what is bound again counts
    unroll_dsl.load_network(tmp_path / "net", bind={"A": A, "lambda": 0.1})
    again = unroll_dsl.load_network(tmp_path / "net", bind={"A": A, "lambda": 0.1})
    assert_same(other, again, [Y])


def test_the_weights_alone_with_what_is_known_of_them(tmp_path: Path) -> None:
    spec = unroll_dsl.load("ista").with_roles({"A": "shared"})
    bind = {"lambda": torch.tensor(0.7, dtype=torch.float64)}
    net: Any = spec.compile(4, bind=bind, init={"A": A})
    save = tmp_path / "net"
    unroll_dsl.save_network(save, spec, net.state_dict(), phases=4, bind=bind)
    assert_same(net, unroll_dsl.load_network(save), [Y])
    assert [p.name for p in read_spec(save)[0].graph.parameters] == ["A"]


def test_a_learnable_without_a_classical_value_beyond_its_bound(tmp_path: Path) -> None:
    """Training steps over bounds, where values are reflected: so they are stored, and so they come back."""
    program = """
algorithm small
dims n
input y : vector[n]
learnable t : scalar >= 0
state x : vector[n] = 0
phase (2):
    x <- soft(y + x, t)
output x
"""
    spec = unroll_dsl.loads(program, "small.unroll")
    net: Any = spec.compile(init={"t": 0.3}, dtype=torch.float64)
    with torch.no_grad():
        net.t.fill_(-0.4)
    unroll_dsl.save_network(tmp_path / "net", spec, net)
    again: Any = unroll_dsl.load_network(tmp_path / "net")
    assert again.t.item() == -0.4
    assert_same(net, again, [Y])


def test_the_options_of_training_come_back(tmp_path: Path) -> None:
    spec = unroll_dsl.load("ista")
    net: Any = spec.compile(12, bind={"A": A}, learn={"lambda": "shared"}, gradient=2)
    unroll_dsl.save_network(tmp_path / "net", spec, net)
    again: Any = unroll_dsl.load_network(tmp_path / "net", bind={"A": A})
    gradients = [
        torch.autograd.grad(found(Y).square().sum(), found.get_parameter("lambda_"))
        for found in (net, again)
    ]
    assert torch.equal(*gradients[0], *gradients[1])
    unrolled: Any = spec.compile(12, bind={"A": A}, learn={"lambda": "shared"})
    other = torch.autograd.grad(unrolled(Y).square().sum(), unrolled.get_parameter("lambda_"))
    assert not torch.equal(*gradients[0], *other)


def test_what_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    spec = unroll_dsl.load("ista")
    net: Any = spec.compile(4, bind={"A": A})
    with pytest.raises(ValueError, match="a frozen network has no weights"):
        unroll_dsl.save_network(tmp_path / "net", spec, net.freeze())
    with pytest.raises(ValueError, match="not of <Spec lista"):
        unroll_dsl.save_network(tmp_path / "net", unroll_dsl.load("lista"), net)
    with pytest.raises(ValueError, match="has 4 phases, not 5"):
        unroll_dsl.save_network(tmp_path / "net", spec, net, phases=5)
    assert not (tmp_path / "net").exists()


def test_another_size_is_taken_where_it_is_said(tmp_path: Path) -> None:
    spec, save = unroll_dsl.load("zero_filling"), tmp_path / "net"
    unroll_dsl.save_network(save, spec, spec.compile(bind={"P": torch.ones(4, 6)}))
    mask = torch.ones(8, 8)
    with pytest.raises(unroll_dsl.UnrollError, match=r"bound with shape \(8, 8\), trained with"):
        unroll_dsl.load_network(save, bind={"P": mask})
    again: Any = unroll_dsl.load_network(save, bind={"P": mask}, dims={"h": 8, "w": 8})
    y = torch.randn(1, 8, 8, dtype=torch.complex64)
    assert_same(spec.compile(bind={"P": mask}), again, [y])


@pytest.mark.parametrize("given", [A.mT.contiguous().mT, torch.zeros(13).double()[1:].view(3, 4)])
def test_how_a_matrix_lies_in_memory_makes_no_difference(given: Tensor) -> None:
    given = given.copy_(A)
    nets: list[Any] = [unroll_dsl.load("ista").compile(4, bind={"A": m}) for m in (A, given)]
    assert_same(*nets, [Y])


def test_arrays_that_run_backwards() -> None:
    spec = unroll_dsl.load("ista").with_roles({"A": "shared"})
    backwards = A.numpy()[::-1, ::-1]
    nets: list[Any] = [spec.compile(4, init={"A": m}) for m in (backwards, backwards.copy())]
    assert_same(*nets, [Y])
    fixed: list[Any] = [
        unroll_dsl.load("ista").compile(4, bind={"A": m}) for m in (backwards, backwards.copy())
    ]
    assert_same(*fixed, [Y])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize(
    ("bounds", "start"),
    [(">= 0.7", 0.7), ("<= 0.1", 0.1), ("in [0.1, 0.1]", 0.1), ("in [0.7, 0.9]", 0.7)],
)
def test_values_at_a_bound_that_the_precision_rounds(
    bounds: str, start: float, dtype: torch.dtype, tmp_path: Path
) -> None:
    """What rounds a bound rounds the value at it alike: it is not outside."""
    spec = unroll_dsl.loads(f"""algorithm bounded
dims n
input y : vector[n]
learnable q : scalar {bounds} = {start}
output q * y
""")
    net = spec.compile(dtype=dtype)
    y = torch.ones(3, dtype=dtype)
    unroll_dsl.save_network(tmp_path / "net.safetensors", spec, net)
    assert torch.equal(
        unroll_dsl.load_network(tmp_path / "net.safetensors", dtype=dtype)(y), net(y)
    )
    values = spec.values(net)
    assert spec.reference(init=values)(np.ones(3))[0] == net(y)[0].item()
    outside = start - 1e-6 if ">" in bounds else start + 1e-6 if "<" in bounds else start - 1e-5
    with pytest.raises(unroll_dsl.UnrollError, match="U0506"):
        spec.reference(init={"q": outside})(np.ones(3))
