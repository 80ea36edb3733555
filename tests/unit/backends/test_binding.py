"""What may be bound to a program and what may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

import unroll_dsl
from unroll_dsl.backends.binding import Binding, bind
from unroll_dsl.diagnostics import UnrollError

PROGRAM = """\
algorithm program
dims m, n, L = 8
input y : vector[m]
fixed A : matrix[m, n]
fixed lambda : scalar > 0 = 0.1
fixed w : vector[3] = 1
fixed C : complex matrix[n, n] = I
learnable s : scalar per phase = 1
learnable theta : vector[n] >= 0 per phase = lambda
learnable W : matrix[n, n] = I
learnable F : tensor[L, 2, n] = 0
state x : vector[n] = 0
phase (4):
    x <- s * soft(W @ x + A' @ y + C_real @ x, theta) + sum(F) + sum(w)
let C_real = real(C)
output x
"""
GRAPH = unroll_dsl.loads(PROGRAM).graph
A = np.ones((3, 5))


def given(dims: Any = None, init: Any = None, **values: Any) -> Binding:
    return bind(GRAPH, 4, values, init or {}, dims or {})


def reported(*args: Any, **values: Any) -> list[tuple[str, str]]:
    """Codes and messages of what is wrong."""
    with pytest.raises(UnrollError) as caught:
        given(*args, **values)
    return [(d.code, d.message()) for d in caught.value.diagnostics]


def test_sizes_follow_from_values_of_every_kind() -> None:
    assert given(A=A).sizes == {"m": 3, "n": 5, "L": 8}
    assert given(init={"theta": np.ones((4, 7))}).sizes == {"n": 7, "L": 8}
    assert given(init={"theta": np.ones(7)}).sizes == {"n": 7, "L": 8}
    assert given(A=A, init={"F": np.zeros((2, 2, 5))}).sizes["L"] == 2
    assert given(dims={"m": np.int64(6)}).sizes["m"] == 6


@pytest.mark.parametrize(
    "value",
    [0.5, 1, np.float64(0.5), np.asarray(0.5), torch.tensor(0.5, dtype=torch.float64)],
    ids=str,
)
def test_a_scalar_may_come_as_any_number(value: Any) -> None:
    assert given(A=A, **{"lambda": value}).constants["lambda"] is value


def test_a_value_per_phase_is_one_for_all_or_one_for_each() -> None:
    for shape in ((), (5,), (4, 5)):
        given(A=A, init={"theta": np.ones(shape)})
    assert reported(A=A, init={"theta": np.ones((3, 5))})[0][0] == "U0509"
    given(A=A, init={"s": [1.0, 2.0, 3.0, 4.0]})
    assert reported(A=A, init={"s": [1.0, 2.0]})[0][0] == "U0509"


def test_real_values_fit_complex_declarations_but_not_the_other_way() -> None:
    given(A=A, C=np.eye(5))
    given(A=A, C=1j * np.eye(5))
    assert reported(A=A + 0j)[0][0] == "U0504"
    assert reported(A=A, **{"lambda": 1j})[0][0] == "U0504"


@pytest.mark.parametrize("shape", [(3,), (3, 5, 1), ()])
def test_a_matrix_has_two_axes(shape: tuple[int, ...]) -> None:
    assert reported(A=np.ones(shape))[0][0] == "U0503"


def test_sizes_that_the_program_states_are_held_to() -> None:
    assert reported(A=A, w=np.ones(4)) == [("U0503", "`w` is vector[3], found shape (4,)")]
    assert reported(A=A, init={"F": np.ones((8, 3, 5))})[0][0] == "U0503"


def test_values_that_disagree_name_each_other() -> None:
    (found,) = reported(A=A, init={"W": np.eye(4)})
    assert found[0] == "U0508"
    assert "`A`" in found[1] and "`W`" in found[1]


@pytest.mark.parametrize(
    "value",
    [
        np.ones((3, 5), int),
        np.ones((3, 5), bool),
        np.ones((3, 5), object),
        np.ones((3, 5), np.longdouble),
        np.full((3, 5), "one"),
        torch.ones(3, 5, dtype=torch.int32),
        torch.ones(3, 5).to_sparse(),
        scipy.sparse.eye_array(3, 5),
        [[1.0, 2.0], [3.0]],
        [["a"]],
        None,
        "A",
        {"A": 1},
        lambda x: x,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_floats_is_turned_down(value: Any) -> None:
    (found,) = reported(A=value)
    assert found[0] == "U0505"


def test_lists_of_numbers_are_arrays() -> None:
    assert given(A=[[1, 2, 3], [4, 5, 6]]).sizes["n"] == 3


def test_precisions_are_not_mixed() -> None:
    (found,) = reported(A=torch.ones(3, 5), init={"W": np.eye(5)})
    assert found[0] == "U0505" and "`A` is float32" in found[1]
    given(A=torch.ones(3, 5), C=torch.eye(5, dtype=torch.complex64), **{"lambda": 0.5})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_are_finite(value: float) -> None:
    assert reported(A=A * value)[0][0] == "U0510"


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3", None])
def test_sizes_are_whole_numbers_of_at_least_1(size: Any) -> None:
    assert reported({"m": size})[0][0] == "U0517"


def test_names_must_exist_and_near_ones_are_offered() -> None:
    with pytest.raises(UnrollError) as caught:
        given(A=A, lamda=0.1)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "U0501"
    assert diagnostic.help() == "did you mean `lambda`? there is `A`, `lambda`, `w`, `C`"
    assert reported({"p": 3})[0][0] == "U0501"
    assert reported(A=A, init={"lambda": 0.1})[0][0] == "U0501"  # not a learnable


def test_where_learnables_are_bound_all_of_them_are_offered() -> None:
    with pytest.raises(UnrollError) as caught:
        given(A=A, W=np.eye(5), teta=0.1)
    (diagnostic,) = caught.value.diagnostics
    words = "`A`, `lambda`, `w`, `C`, `s`, `theta`, `W`, `F`"
    assert diagnostic.help() == f"did you mean `theta`? there is {words}"


def test_a_learnable_may_be_bound_but_not_twice() -> None:
    assert "W" in given(A=A, W=np.eye(5)).parameters
    assert reported(A=A, W=np.eye(5), init={"W": np.eye(5)})[0][0] == "U0515"


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    found = reported({"m": 0}, {"V": 1.0, "s": np.ones(9)}, A=np.ones(3), w=np.ones(3, int))
    assert sorted(code for code, _ in found) == ["U0501", "U0503", "U0505", "U0509", "U0517"]


def test_diagnostics_point_at_the_declaration() -> None:
    with pytest.raises(UnrollError) as caught:
        given(A=np.ones(3), init={"s": np.ones(9)}, w=np.ones(3, int))
    assert {d.labels()[0].span.text for d in caught.value.diagnostics} == {"A", "s", "w"}


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("F", (5, 2), "(L, 2, n)"),
        ("F", (8, 2, 5, 1), "batch axis"),
        ("W", (5,), "(n, n)"),
        ("s", (2, 2), "without a batch axis"),
    ],
)
def test_help_for_a_wrong_shape(name: str, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(UnrollError) as caught:
        given(A=A, init={name: np.ones(shape)})
    assert words in (caught.value.diagnostics[0].help() or "")


def test_a_transposed_matrix_is_recognised() -> None:
    graph = unroll_dsl.loads(
        "algorithm t\ninput y : vector[3]\nfixed A : matrix[3, 5]\noutput A' @ y\n"
    ).graph
    with pytest.raises(UnrollError) as caught:
        bind(graph, 1, {"A": A.T}, {}, {})
    assert "`A.T`" in (caught.value.diagnostics[0].help() or "")
