"""Linear maps from outside."""

import pytest
import torch

from unroll_dsl.backends.maps import Matrix, Selection, as_map, try_out

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
