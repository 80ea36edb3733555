"""What a network is made of: dtypes, memory, graphs of gradients, kept modules, singular factors, memory layout."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import unroll_dsl
from unroll_dsl.backends.torch.instantiate import _LATELY, _tensor, is_finite
from unroll_dsl.backends.torch.learned import _filled, learned
from unroll_dsl.backends.torch.loader import load_module
from unroll_dsl.backends.torch.memory import is_contiguous
from unroll_dsl.backends.torch.singular import _refuse_factor
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.types import Array, Dim, Field

PAGE = """algorithm p
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed s : scalar = 0.5
learnable t : scalar >= 0 per phase = s
learnable W : matrix[n, m] = A'
state x : vector[n] = 0
phase (3):
    x <- soft(x + W @ (y - A @ x), t)
output x
"""
A = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)
SQUARE = Array((Dim.of(2), Dim.of(2)))
COMPLEX = Array((Dim.of(2), Dim.of(2)), Field.COMPLEX)


def page() -> Any:
    return unroll_dsl.loads(PAGE)


def held(net: nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(net.named_parameters()), **dict(net.named_buffers())}


def test_a_bound_tensor_that_wants_gradients_gets_none_of_the_network() -> None:
    given = A.clone().requires_grad_()
    net = page().compile(bind={"A": given})
    assert not any(buffer.requires_grad for buffer in net.buffers())
    copy.deepcopy(net)
    net(torch.ones(2, 3, dtype=torch.float64)).sum().backward()
    assert given.grad is None and net.W.grad is not None


def test_a_start_that_wants_gradients_is_a_value() -> None:
    start = A.mT.clone().requires_grad_()
    net = page().compile(bind={"A": A}, init={"W": start, "t": torch.ones(3).double()})
    assert torch.equal(net.W, start) and net.W.grad_fn is None and net.W is not start


@pytest.mark.parametrize("shift", [0, 1])
def test_tensors_lie_where_torch_puts_them(shift: int) -> None:
    """Contiguous and aligned: the same values give the same bits wherever they come from."""
    room = torch.zeros(13, dtype=torch.float64)
    given = room[shift : shift + 12].reshape(3, 4).copy_(A)
    for value in (given, given.mT.contiguous().mT, A[:, :]):
        found = _tensor(value, SQUARE, torch.float64, None)
        assert found.is_contiguous() and found.data_ptr() % 64 == 0
        assert torch.equal(found, A)


def test_tensors_have_the_precision_of_the_network_and_the_field_of_the_page() -> None:
    for real, both in ((torch.float32, torch.complex64), (torch.float64, torch.complex128)):
        assert _tensor(A, SQUARE, real, None).dtype == real
        assert _tensor(A, COMPLEX, real, None).dtype == both
        assert _tensor(A.numpy(), COMPLEX, real, None).dtype == both
        assert _tensor(0.5, SQUARE, real, None).dtype == real
    conjugated = (A + 1j).conj()
    assert not _tensor(conjugated, COMPLEX, torch.float64, None).is_conj()
    with torch.inference_mode():
        made = torch.ones(2, 2)
    assert not _tensor(made, SQUARE, torch.float32, None).is_inference()


@pytest.mark.parametrize(
    ("bind", "init", "asked", "found"),
    [
        ({"A": A}, {}, None, torch.float64),
        ({"A": A.float()}, {}, None, torch.float32),
        ({"A": A.tolist()}, {}, None, torch.float32),
        ({"A": A.tolist(), "s": np.asarray(0.5)}, {}, None, torch.float64),
        ({"A": A.tolist()}, {"W": A.mT}, None, torch.float64),
        ({"A": A}, {}, torch.float32, torch.float32),
        ({"A": A}, {}, torch.complex64, torch.float32),
        ({"A": A}, {}, torch.bfloat16, torch.bfloat16),
    ],
)
def test_the_precision_is_as_asked_else_that_of_the_values(
    bind: dict[str, Any], init: dict[str, Any], asked: Any, found: torch.dtype
) -> None:
    net = page().compile(bind=bind, init=init, dtype=asked)
    assert {tensor.dtype for tensor in held(net).values()} == {found}


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, "float32"])
def test_a_precision_is_a_float(dtype: Any) -> None:
    with pytest.raises(UnrollError) as caught:
        page().compile(bind={"A": A}, dtype=dtype)
    assert [d.code for d in caught.value.diagnostics] == ["U0505"]


def test_values_are_on_one_device() -> None:
    with pytest.raises(UnrollError) as caught:
        page().compile(bind={"A": A.to("meta")}, init={"W": A.mT})
    (found,) = caught.value.diagnostics
    assert "`W` is on cpu" in found.message() and "meta" in found.message()


def test_what_is_not_finite_is_seen_in_parameters_and_buffers() -> None:
    net = page().compile(bind={"A": A})
    assert is_finite(net)
    for tensor in (net.W, net.phases[1].t, *net.buffers()):
        with torch.no_grad():
            flat = tensor.view(-1)
            before = flat[0].clone()
            flat[0] = torch.inf
            assert not is_finite(net)
            flat[0] = before
    assert is_finite(net)


def test_the_last_few_modules_are_kept() -> None:
    spec = page()
    spec.compile(bind={"A": A})
    before = len(_LATELY)
    key = next(reversed(_LATELY))
    spec.compile(bind={"A": 2 * A}, dtype=torch.float32)
    assert next(reversed(_LATELY)) == key and len(_LATELY) == before
    for phases in range(1, 12):
        spec.compile(phases, bind={"A": A})
    assert len(_LATELY) == 8 and key not in _LATELY


def test_a_module_is_executed_once_and_its_networks_travel() -> None:
    text = "import torch\nfrom torch import nn\nclass T(nn.Module):\n    pass\nSEEN = []\n"
    first, again = load_module(text, "t"), load_module(text, "t")
    assert first is again
    assert load_module(text + "\n", "t") is not first
    network = first.T()
    network.weight = nn.Parameter(torch.ones(2))
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert type(other) is first.T and torch.equal(other.weight, network.weight)
        assert other.weight is not network.weight
    with pytest.raises(ZeroDivisionError):
        load_module("1 / 0", "broken")
    with pytest.raises(ZeroDivisionError):  # it is not there the second time either
        load_module("1 / 0", "broken")


# ---- singular factors -----------------------------------------------------------------------------

EPS = torch.finfo(torch.float64).eps


@pytest.mark.parametrize(
    ("pivots", "refused"),
    [
        ([1.0, 1.0], False),
        ([1.0, 1e-7], False),  # the system has a condition of 1e14
        ([1.0, EPS**0.5 / 2], True),
        ([1.0, 0.0], True),
        ([torch.nan, 1.0], False),  # told elsewhere
        ([], False),
    ],
)
def test_a_factor_without_pivots_is_refused(pivots: list[float], refused: bool) -> None:
    factor = torch.diag(torch.tensor(pivots, dtype=torch.float64))
    if not refused:
        _refuse_factor(factor, None)
        return
    with pytest.raises(UnrollError) as caught:
        _refuse_factor(factor, None)
    assert caught.value.diagnostics[0].code == "U0518"


def test_small_pivots_of_a_matrix_that_is_regular_are_let_be() -> None:
    """A scale is no condition: all pivots small, or one large beside many of one size."""
    _refuse_factor(1e-12 * torch.eye(3, dtype=torch.float64), None)


# ---- learnables -----------------------------------------------------------------------------------


def test_a_phase_without_a_learnable_repeats_that_of_its_neighbour() -> None:
    assert _filled([None, 1, None, 2, None], int) == [1, 1, 1, 2, 2]
    assert _filled([None, None], int) == [] == _filled([], int)


def test_learned_values_are_those_behind_their_bounds_phase_by_phase() -> None:
    spec = page()
    net: Any = spec.compile(bind={"A": A})
    with torch.no_grad():
        for number, phase in enumerate(net.phases, start=1):
            phase.t.fill_(-float(number))
    found = learned(spec.graph, net, lambda p: (0.0, None) if p.name == "t" else (None, None))
    assert isinstance(found["t"], torch.Tensor) and found["t"].tolist() == [1, 2, 3]
    assert isinstance(found["W"], torch.Tensor) and torch.equal(found["W"], net.W.detach())
    assert found["W"] is not net.W and not found["W"].requires_grad
    free = learned(spec.graph, net, lambda p: (None, None))["t"]
    assert isinstance(free, torch.Tensor) and free.tolist() == [-1, -2, -3]


# ---- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A", True),
        ("A'", False),
        ("2 * A", True),
        ("2 * A'", False),
        ("A + B'", False),
        ("A * w", False),  # a number a row, spread
        ("w + w", True),
        ("A @ A'", True),
        ("sum(A)", True),
        ("norm(A)", True),
    ],
)
def test_what_is_contiguous_for_certain(text: str, found: bool) -> None:
    head = "algorithm a\ndims m, n\nfixed A : matrix[m, n]\nfixed B : matrix[n, m]\n"
    head += "fixed w : vector[m]\ninput y : scalar\n"
    graph = unroll_dsl.loads(f"{head}output {text}, y\n").graph
    assert is_contiguous(graph.nodes, graph.outputs[0]) == found
