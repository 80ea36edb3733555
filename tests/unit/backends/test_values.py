"""What is known of a value without computing with it: shape, kind, dtype; bounds and their words."""

from math import inf, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

from unroll_dsl.backends.values import (
    Meta,
    as_array,
    as_numpy,
    describe,
    for_torch,
    looks_like_a_map,
    outside,
    words,
)


@pytest.mark.parametrize(
    ("value", "meta"),
    [
        (True, Meta((), "b", None)),
        (1, Meta((), "f", None)),
        (0.5, Meta((), "f", None)),
        (1j, Meta((), "c", None)),
        ([1, 2], Meta((2,), "f", None)),
        ([[1.0], [2.0]], Meta((2, 1), "f", None)),
        ((1, 2j), Meta((2,), "c", None)),
        ([True], Meta((1,), "b", None)),
        ([[1.0], [2.0, 3.0]], Meta((), "?", "list")),
        (["a"], Meta((1,), "?", "list")),
        (np.float32(1), Meta((), "f", "float32")),
        (np.ones((2, 3)), Meta((2, 3), "f", "float64")),
        (np.ones(2, ">f8"), Meta((2,), "f", "float64")),
        (np.ones(2, np.float16), Meta((2,), "f", "float16")),
        (np.ones(2, complex), Meta((2,), "c", "complex128")),
        (np.ones(2, np.uint8), Meta((2,), "i", "uint8")),
        (np.ones(2, np.int16), Meta((2,), "i", "int16")),
        (np.ones(2, bool), Meta((2,), "b", "bool")),
        (np.ones(2, object), Meta((2,), "?", "object")),
        (torch.ones(2, 3), Meta((2, 3), "f", "float32")),
        (torch.ones(2, dtype=torch.bfloat16), Meta((2,), "f", "bfloat16")),
        (torch.ones(2, dtype=torch.complex64), Meta((2,), "c", "complex64")),
        (torch.ones(2).to_sparse(), Meta((2,), "?", "float32")),
        (scipy.sparse.eye_array(3, 5), Meta((3, 5), "?", "float64")),
        (None, Meta((), "?", "NoneType")),
        (len, Meta((), "?", "builtin_function_or_method")),
    ],
    ids=str,
)
def test_metadata(value: Any, meta: Meta) -> None:
    assert describe(value) == meta


def test_arrays_as_torch_takes_them() -> None:
    for array in (
        np.arange(6.0)[::-1],
        np.arange(6.0, dtype=">f8"),
        np.arange(6.0).reshape(2, 3).T,
    ):
        found = for_torch(array)
        np.testing.assert_array_equal(torch.from_numpy(found).numpy(), array)
        assert found.shape == array.shape
    locked = np.arange(3.0)
    locked.flags.writeable = False
    assert for_torch(locked).flags.writeable
    plain = np.arange(3.0)
    assert for_torch(plain) is plain or np.shares_memory(for_torch(plain), plain)
    assert for_torch(np.asarray(2.0)).shape == () and for_torch(5) == 5


def test_tensors_as_arrays() -> None:
    y = torch.tensor([1 + 2j, 3j], requires_grad=True)
    np.testing.assert_array_equal(as_array(y.conj()), [1 - 2j, -3j])
    np.testing.assert_array_equal(as_array(y.conj().imag), [-2, -3])
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert as_numpy(torch.ones(2)).dtype == as_numpy([1, 2]).dtype == np.float64
    assert as_numpy(y).dtype == as_numpy(1j).dtype == np.complex128


class Physics:
    def A(self, x: Any) -> Any:
        return x

    def A_adjoint(self, y: Any) -> Any:
        return y


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ((len, len), True),
        ([len, len], True),
        ((len, len, len), False),
        ((len,), False),
        ((len, 3), False),
        (SimpleNamespace(matvec=len, rmatvec=len), True),
        (SimpleNamespace(matvec=len), False),
        (Physics(), True),
        (SimpleNamespace(A=len, adjoint=len), False),
        (len, False),
        (3, False),
    ],
)
def test_what_has_a_forward_and_an_adjoint(value: Any, found: bool) -> None:
    assert looks_like_a_map(value) == found


@pytest.mark.parametrize(
    ("values", "ends", "found"),
    [
        ([1.0, 2.0], (1.0, False, 2.0, False), None),
        ([1.0, 2.0], (1.0, True, 2.0, False), 1.0),
        ([1.0, 2.0], (1.0, False, 2.0, True), 2.0),
        ([0.5, 3.0], (1.0, False, 2.0, False), 0.5),
        ([1.5, 3.0], (1.0, False, 2.0, False), 3.0),
        ([5.0], (None, True, None, True), None),
        ([5.0], (nan, True, nan, True), None),
        ([5.0], (None, True, 4.0, False), 5.0),
        ([5.0], (6.0, False, None, False), 5.0),
        ([-inf, inf], (-inf, False, inf, False), None),
        (7.0, (8.0, False, None, False), 7.0),
    ],
)
def test_an_entry_outside_of_bounds(values: Any, ends: Any, found: float | None) -> None:
    assert outside(values, *ends) == found


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.0, True, 1.0, False), "in (0, 1]"),
        ((0.0, False, 1.0, True), "in [0, 1)"),
        ((0.5, True, None, False), "> 0.5"),
        ((0.5, False, None, False), ">= 0.5"),
        ((None, False, 2.0, True), "< 2"),
        ((None, False, 2.0, False), "<= 2"),
    ],
)
def test_bounds_in_words(ends: Any, text: str) -> None:
    assert words(*ends) == text
