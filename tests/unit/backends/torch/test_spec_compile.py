"""`Spec.compile`: every argument takes effect or is turned down with what there is instead."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

A = torch.linspace(-1, 1, 12).reshape(3, 4).double()
y = torch.ones(2, 3, dtype=torch.float64)


def lista(**options: Any) -> Any:
    return unroll_dsl.load("lista").compile(phases=3, bind={"Wd": A}, **options)


def names(net: Any) -> list[str]:
    return [name for name, _ in net.named_parameters()]


def test_parameters_have_the_names_of_the_program_phase_by_phase() -> None:
    assert names(lista()) == ["We", "S", *(f"phases.{k}.theta" for k in range(3))]
    assert list(lista().state_dict()) == names(lista())


def test_python_keywords_get_an_underscore() -> None:
    net = unroll_dsl.load("ista").compile(phases=2, bind={"A": A}, learn={"lambda": "shared"})
    assert names(net) == ["lambda_"]


def test_fix_takes_a_learnable_out_of_training_but_not_out_of_the_network() -> None:
    net = lista(fix=["S"])
    assert "S" not in names(net)
    torch.testing.assert_close(net(y), lista()(y), rtol=1e-13, atol=1e-13)


def test_learn_per_phase_makes_one_for_each_phase() -> None:
    net = unroll_dsl.load("fista").compile(phases=3, bind={"A": A}, learn={"lambda": "per phase"})
    assert names(net) == [f"phases.{k}.lambda_" for k in range(3)]


@pytest.mark.parametrize(
    "values",
    [
        0.25,
        np.full(4, 0.25),
        torch.full((3, 4), 0.25, dtype=torch.float64),
        torch.tensor([[0.25], [0.5], [0.75]], dtype=torch.float64).expand(3, 4),
    ],
    ids=["a number", "one value", "the same in every phase", "one for each phase"],
)
def test_init_starts_learnables_elsewhere(values: Any) -> None:
    net = lista(init={"theta": values})
    expected = torch.as_tensor(values, dtype=torch.float64).expand(3, 4)
    found = torch.stack([phase.theta.detach() for phase in net.phases])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    reference = unroll_dsl.load("lista").reference(phases=3, bind={"Wd": A}, init={"theta": values})
    torch.testing.assert_close(net(y).detach(), torch.as_tensor(reference(y.numpy())))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"init": {"thet": 1.0}}, "theta"),
        ({"fix": ["W"]}, "We"),
        ({"learn": {"beta": "shared"}}, "alpha"),
        ({"learn": {"alpha": "per layer"}}, "per phase"),
        ({"dims": {"q": 3}}, "n"),
        ({"init": {"theta": np.zeros(5)}}, r"\[4\]|4"),
        ({"init": {"theta": np.zeros((2, 4))}}, "3"),
        ({"init": {"theta": -1.0}}, ">= 0"),
        ({"init": {"S": np.eye(4) * 1j}}, "complex"),
    ],
)
def test_what_does_not_fit_is_turned_down(options: dict[str, Any], words: str) -> None:
    with pytest.raises(unroll_dsl.UnrollError, match=words):
        lista(**options)


@pytest.mark.parametrize("phases", [0, -1, 2.0, True, "3"])
def test_phases_are_whole_numbers_from_1(phases: Any) -> None:
    with pytest.raises(unroll_dsl.UnrollError, match="phases"):
        unroll_dsl.load("lista").compile(phases=phases, bind={"Wd": A})


def test_dtype_is_that_of_the_bound_values_unless_it_is_asked_for() -> None:
    assert lista().S.dtype == torch.float64
    assert lista(dtype=torch.float32).S.dtype == torch.float32
    random = unroll_dsl.load("baseline_tanh")
    assert random.compile(dims={"n": 3, "m": 4}).We.dtype == torch.get_default_dtype()
    assert random.compile(dims={"n": 3, "m": 4}, dtype=torch.float64).b.dtype == torch.float64


def test_a_seed_repeats_random_starts_and_leaves_the_global_generator_alone() -> None:
    spec = unroll_dsl.load("baseline_tanh")
    state = torch.random.get_rng_state()
    first, second, other = (
        spec.compile(dims={"n": 3, "m": 4}, seed=seed).We.detach() for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_module_of_its_own_starts_with_floats() -> None:
    """Without a bound tensor the default dtype must not become that of a literal."""
    source = unroll_dsl.load("baseline_shrink").source()
    namespace: dict[str, Any] = {"__name__": "baseline_shrink"}
    exec(source, namespace)
    net = namespace["BaselineShrink"](3, 4)
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_a_thousand_phases_run() -> None:
    spec = unroll_dsl.load("lista")
    net = spec.compile(phases=1000, bind={"Wd": A})
    Z = net(y)
    Z.sum().backward()
    assert len(net.trajectory(y)) == 1000
    assert net.phases[0].theta.grad is not None
    expected = spec.reference(phases=1000, bind={"Wd": A})(y.numpy())
    torch.testing.assert_close(Z.detach(), torch.as_tensor(expected), rtol=1e-11, atol=1e-11)


def test_bound_values_are_not_parameters_and_not_saved() -> None:
    net = unroll_dsl.load("fista").compile(phases=3, bind={"A": A}, optimize=0)
    assert dict(net.named_buffers()).keys() >= {"A"}
    assert list(net.state_dict()) == []


def test_the_bound_tensor_is_left_alone() -> None:
    given = A.clone()
    net = unroll_dsl.load("lista").compile(phases=2, bind={"Wd": given})
    net.loss(y, torch.zeros(2, 4, dtype=torch.float64)).backward()
    torch.optim.SGD(net.parameters(), 1.0).step()
    assert torch.equal(given, A)
    assert not given.requires_grad


def test_values_are_those_behind_the_constraints() -> None:
    net = lista()
    with torch.no_grad():
        for phase in net.phases:
            phase.theta.neg_()
    values = unroll_dsl.load("lista").values(net)
    assert values.keys() == {"We", "S", "theta"}
    assert values["theta"].shape == (3, 4)
    torch.testing.assert_close(values["theta"], torch.stack([-p.theta for p in net.phases]))


@pytest.mark.parametrize("name", ["lista", "lamp", "lfista", "glista"])
def test_values_of_a_trained_network_make_the_same_reference(name: str) -> None:
    spec = unroll_dsl.load(name)
    bind = {"Wd" if name == "lista" else "A": A}
    net: Any = spec.compile(phases=3, bind=bind)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in net.parameters():
            p.sub_(0.3 * torch.rand(p.shape, generator=generator, dtype=p.dtype))
    reference = spec.reference(phases=3, bind=bind, init=spec.values(net))
    torch.testing.assert_close(net(y).detach(), torch.as_tensor(reference(y.numpy())))


def test_a_bound_that_names_a_constant_is_evaluated() -> None:
    spec = unroll_dsl.loads("""
algorithm bounded
input y : scalar
fixed top : scalar > 0 = 2
learnable p : scalar in [0, top] = 1
output p * y
""")
    net: Any = spec.compile(bind={"top": 3.0})
    with torch.no_grad():
        net.p.fill_(5.0)
    assert spec.values(net, bind={"top": 3.0})["p"].item() == 1.0  # folded at 3
    assert net(torch.ones(())).item() == 1.0


def test_numbers_given_to_init_keep_their_digits() -> None:
    net = unroll_dsl.load("lista").compile(
        bind={"Wd": np.eye(4)}, init={"theta": 0.1}, dtype=torch.float64
    )
    assert net.phases[0].theta.tolist() == [0.1] * 4
