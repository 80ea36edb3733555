"""A module by itself, made by hand: a tensor serves where a program has a linear map."""

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import unroll_dsl

PAGE = """algorithm sensed
dims m, h, w
input     y     : {field}vector[m]
fixed     Phi   : linear {field}image[1, h, w] -> {field}vector[m]
learnable t     : scalar = 0.1
state x : {field}image[1, h, w] = Phi' @ y
phase (3):
    x <- x - t * Phi' @ (Phi @ x - y)
output x
"""


def network_of(field: str = "", text: str = PAGE) -> Any:
    namespace: dict[str, Any] = {"__name__": "sensed"}
    exec(unroll_dsl.loads(text.format(field=field)).source(), namespace)
    return namespace["Sensed"]


@pytest.fixture(params=["", "complex "])
def case(request: pytest.FixtureRequest) -> tuple[str, Tensor, Tensor]:
    dtype = torch.complex128 if request.param else torch.float64
    generator = torch.Generator().manual_seed(0)
    Phi = torch.randn(5, 12, dtype=dtype, generator=generator) / 4
    return request.param, Phi, torch.randn(2, 5, dtype=dtype, generator=generator)


def by_hand(Phi: Tensor, y: Tensor) -> Tensor:
    x = y @ Phi.conj()
    for _ in range(3):
        x = x - 0.1 * (x @ Phi.mT - y) @ Phi.conj()
    return x.unflatten(-1, (1, 3, 4))


def test_a_matrix_with_its_sizes_or_a_tensor_of_both_spaces(case: Any) -> None:
    field, Phi, y = case
    made = network_of(field)
    networks = [
        made(Phi, h=3, w=4, dtype=torch.float64),
        made(Phi.view(5, 1, 3, 4), dtype=torch.float64),
        made(Phi, h=3, dtype=torch.float64),  # the width follows
    ]
    for net in networks:
        torch.testing.assert_close(net(y), by_hand(Phi, y), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(net(y[0]), by_hand(Phi, y)[0], rtol=1e-12, atol=1e-12)


def test_it_is_what_compile_makes_of_it(case: Any) -> None:
    field, Phi, y = case
    spec = unroll_dsl.loads(PAGE.format(field=field))
    net = spec.compile(bind={"Phi": Phi}, dims={"h": 3, "w": 4}, dtype=torch.float64)
    torch.testing.assert_close(net(y), by_hand(Phi, y), rtol=1e-12, atol=1e-12)


def test_a_module_is_taken_as_it_is() -> None:
    class Twice(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x.flatten(-3)

        def adjoint(self, y: Tensor) -> Tensor:
            return 2 * y.unflatten(-1, (1, 2, 2))

    twice = Twice()
    assert network_of()(twice).Phi is twice


@pytest.mark.parametrize(
    ("shape", "sizes", "words"),
    [
        ((5, 12), {}, "a matrix does not tell the sizes of 12 entries"),
        ((5, 12), {"h": 3, "w": 5}, r"12 entries are no array of \[1, 3, 5\]"),
        ((5, 12), {"h": 5}, r"12 entries are no array of \[1, 5, None\]"),
        ((5, 2, 2, 3), {}, r"no map from \[1, 'any', 'any'\] to \['any'\]: \[5, 2, 2, 3\]"),
        ((60,), {"h": 3, "w": 4}, r"no map from \[1, 3, 4\] to \['any'\]: \[60\]"),
    ],
)
def test_what_is_no_such_map_is_refused(shape: Any, sizes: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network_of()(torch.zeros(shape), **sizes)


def test_it_is_copied_saved_and_moved_with_the_network(case: Any) -> None:
    field, Phi, y = case
    net = network_of(field)(Phi, h=3, w=4, dtype=torch.float64)
    held = io.BytesIO()
    torch.save(net.state_dict(), held)
    assert list(net.state_dict()) == ["t"]  # the map is given, not learned
    held.seek(0)
    other = copy.deepcopy(net)
    other.load_state_dict(torch.load(held))
    assert torch.equal(other(y), net(y))
    assert other.Phi.matrix.data_ptr() != net.Phi.matrix.data_ptr()
