"""Linear maps from outside."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from unroll_dsl.backends.maps import Matrix, Pair, Selection, WrongImage, as_map, try_out

PICK = torch.zeros(4, 6)
PICK[torch.arange(4), torch.tensor([5, 0, 2, 3])] = 1


def test_a_matrix_that_takes_entries_is_an_index() -> None:
    map_, dense = as_map(PICK, (2, 3), (4,)), Matrix(PICK, (2, 3), (4,))
    assert isinstance(map_, Selection)
    x, y = torch.randn(5, 7, 2, 3), torch.randn(5, 7, 4)
    torch.testing.assert_close(map_(x), dense(x))
    torch.testing.assert_close(map_.adjoint(y), dense.adjoint(y))
    assert try_out(map_, x[0, 0], y[0, 0]).gap < 1e-6


@pytest.mark.parametrize(
    "change",
    [
        lambda matrix: matrix * 2,
        lambda matrix: matrix[[0, 0, 1, 2]],
        lambda matrix: matrix.index_fill(0, torch.tensor(1), 0),
        lambda matrix: matrix.scatter(1, torch.tensor([[0, 1, 2, 3, 4, 5]]), 1.0),
        lambda matrix: torch.where(matrix.cumsum(0) == 1, matrix, matrix.flip(0)),
    ],
    ids=["other values", "an entry twice", "an empty row", "a full row", "two in a row"],
)
def test_other_matrices_stay_matrices(change: object) -> None:
    matrix = change(PICK.clone())  # type: ignore[operator]
    assert isinstance(as_map(matrix, (6,), (4,)), Matrix)


def pair() -> Pair:
    matrix = torch.arange(24.0).reshape(4, 6)
    return Pair(
        lambda x: x.flatten(1) @ matrix.mT,
        lambda y: (y @ matrix).reshape(-1, 2, 3),
        (2, 3),
        (4,),
    )


@pytest.mark.parametrize(
    "map_", [Matrix(PICK, (2, 3), (4,)), Selection.of(PICK, (2, 3), (4,)), pair()]
)
def test_arrays_of_another_shape_are_refused_both_ways(map_: Any) -> None:
    assert map_(torch.ones(7, 2, 3)).shape == (7, 4) and map_(torch.ones(2, 3)).shape == (4,)
    assert map_.adjoint(torch.ones(5, 7, 4)).shape == (5, 7, 2, 3)
    with pytest.raises(
        ValueError, match=r"\[2, 3\] to \[4\] takes \[\.\.\., 2, 3\], found \[3, 2\]"
    ):
        map_(torch.ones(3, 2))
    with pytest.raises(ValueError, match=r"\[2, 3\] to \[4\] takes \[\.\.\., 4\], found \[2, 3\]"):
        map_.adjoint(torch.ones(2, 3))


def test_two_functions_see_one_batch_axis() -> None:
    seen: list[tuple[int, ...]] = []
    map_ = Pair(lambda x: seen.append(tuple(x.shape)) or 2 * x, lambda y: 2 * y, (3,), (3,))  # type: ignore[func-returns-value]
    for batch in ((), (5,), (2, 5)):
        x = torch.randn(*batch, 3)
        torch.testing.assert_close(map_(x), 2 * x)
    assert seen == [(1, 3), (5, 3), (10, 3)]


def test_a_complex_matrix_takes_real_data_and_conjugates_in_its_adjoint() -> None:
    matrix = torch.complex(torch.randn(4, 6), torch.randn(4, 6))
    map_ = as_map(matrix, (2, 3), (4,))
    x, y = torch.randn(2, 3), torch.randn(5, 4)
    torch.testing.assert_close(map_(x), matrix @ x.flatten().cfloat())
    expected = (y.cfloat() @ matrix.conj()).reshape(5, 2, 3)
    torch.testing.assert_close(map_.adjoint(y), expected)
    assert torch.vdot(map_(x), y[0].cfloat()).item() == pytest.approx(
        torch.vdot(x.flatten().cfloat(), map_.adjoint(y[0]).flatten()).item(), rel=1e-4
    )


def test_operators_of_scipy_have_their_adjoint_as_derivative() -> None:
    matrix = np.random.default_rng(0).standard_normal((4, 6))
    operator = SimpleNamespace(matvec=lambda x: matrix @ x, rmatvec=lambda y: matrix.T @ y)
    map_ = as_map(operator, (2, 3), (4,))
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    y = torch.randn(5, 4, dtype=torch.float64)
    (map_(x) * y).sum().backward()
    torch.testing.assert_close(x.grad, map_.adjoint(y))
    torch.testing.assert_close(map_.adjoint(y), (y @ torch.from_numpy(matrix)).reshape(5, 2, 3))
    assert torch.autograd.gradcheck(map_, (x,)) and torch.autograd.gradcheck(
        map_.adjoint, (y.requires_grad_(),)
    )


class Physics(torch.nn.Module):
    def A(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    def A_adjoint(self, y: torch.Tensor) -> torch.Tensor:
        return 2 * y

    adjoint = None


def test_what_may_stand_for_a_map() -> None:
    """Two functions, a physics, a module with an adjoint, a map itself."""
    module = torch.nn.Module()
    module.forward = module.adjoint = lambda x: 2 * x  # type: ignore[assignment]
    own = pair()
    assert as_map(own, (9,), (9,)) is own
    for value in ((lambda x: 2 * x, lambda y: 2 * y), Physics(), module):
        map_: Any = as_map(value, (3,), (3,))
        for function in (map_, map_.adjoint):
            torch.testing.assert_close(function(torch.ones(2, 3)), torch.full((2, 3), 2.0))
        assert map_.module is (value if isinstance(value, torch.nn.Module) else None)


def test_images_of_another_shape_are_told() -> None:
    x, y = torch.randn(3), torch.randn(4)
    good = as_map(torch.randn(4, 3), (3,), (4,))
    assert try_out(good, x, y).gap < 1e-6
    for functions, of_adjoint in (
        ((lambda x: x, good.adjoint), False),
        ((good, lambda y: y), True),
    ):
        with pytest.raises(WrongImage) as caught:
            try_out(as_map(functions, (3,), (4,)), x, y)
        assert caught.value.of_adjoint == of_adjoint
        assert caught.value.found == ((4,) if of_adjoint else (3,))
