"""Each function record means the same in both backends, at every rank, with and without batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from unroll_dsl.operators.model import Function, Kind, Mismatch
from unroll_dsl.operators.registry import INTERNAL, function, functions
from unroll_dsl.types import Array, Dim, Field

# of singular values, which are not smooth where some are equal
SPECTRAL = ("nuclear_norm", "low_rank", "orthogonal_part", "sqrtm")
SHAPES: tuple[tuple[int, ...], ...] = ((), (4,), (4, 3), (4, 3, 2))
SQUARE = (4, 4)
BATCHES: tuple[tuple[int, ...], ...] = ((), (2,), (2, 5))
STATICS = {"topk": {"r": 3}, "linspace": {"n": 5}, "dct_basis": {"n": 3}}
POSITIVE = {"log", "sqrt", "pow"}  # real arguments are drawn positive
CONDITIONS = {
    "and": 2,
    "or": 2,
    "not": 1,
    "where": 1,
    "indicator": 1,
}  # so many arguments are boolean
UNBATCHED = {("plf", 1), ("axpy", 2), ("axmy", 2), ("extrapolate", 2)}  # learnt, not computed
# What passes rewrite to is tested in test_factorisations.py, on matrices that have the factors.
RECORDS = [
    record
    for record in functions()
    if record.name not in INTERNAL - {"diagonal_matrix", "axpy", "axmy", "extrapolate"}
    and record.kind is not Kind.JOIN
    and record.name != "entries"  # both in test_entries.py, as programs write them
]


def cases(record: Function) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    """Argument types that the record accepts, one for each choice of ranks and fields."""
    count = sum(not parameter.static for parameter in record.parameters)
    shapes = (*SHAPES, SQUARE)
    if record.kind is Kind.ELEMENTWISE:  # arguments come aligned
        choices: Any = [(shape,) * count for shape in SHAPES]
    else:
        choices = itertools.product(shapes, repeat=count)
    for sizes in choices:
        for fields in itertools.product((Field.REAL, Field.COMPLEX), repeat=count):
            booleans = CONDITIONS.get(record.name, 0)
            kinds = (Field.BOOL,) * booleans + fields[booleans:]
            types = tuple(
                Array(tuple(map(Dim.of, shape)), field)
                for shape, field in zip(sizes, kinds, strict=True)
            )
            axes: list[Any] = [None]
            if record.kind is Kind.REDUCTION:
                axes += [*range(1, len(sizes[0]) + 1), *([(1, 2)] if len(sizes[0]) > 2 else [])]
            for axis in axes:
                statics = dict(STATICS.get(record.name, {}))
                if axis is not None:
                    statics["axis"] = axis
                if not isinstance(record.rule(types, dict(statics)), Mismatch):
                    yield types, statics


def draw(record: Function, types: tuple[Array, ...], batch: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(abs(hash((len(types), len(batch)))) % 2**32)
    found = []
    for position, type_ in enumerate(types):
        leading = () if (record.name, position) in UNBATCHED else batch
        shape = (*leading, *(dim.value or 0 for dim in type_.shape))
        value = rng.normal(size=shape)
        match type_.field:
            case Field.BOOL:
                value = value > 0
            case Field.COMPLEX:
                value = value + 1j * rng.normal(size=shape)
            case Field.REAL if record.name in POSITIVE:
                value = np.abs(value) + 0.1
        found.append(np.tanh(value) if record.name == "acos" else value)
    if record.name == "quantile":
        found[1] = rng.uniform(size=batch)
    return found


def _negative(axis: Any, rank: int) -> Any:
    if isinstance(axis, tuple):
        return tuple(each - 1 - rank for each in axis)
    return tuple(range(-rank, 0)) if axis is None else axis - 1 - rank


def run_torch(
    record: Function, types: tuple[Array, ...], statics: dict[str, Any], values: list[Any]
) -> Any:
    """The record's torch expression with the placeholders filled as the emitter does."""
    real = all(type_.field is not Field.COMPLEX for type_ in types)
    scope: dict[str, Any] = {"torch": torch, "Tensor": torch.Tensor}
    exec(record.helper, scope)
    names = [parameter.name for parameter in record.parameters if not parameter.static]
    tensors = [torch.as_tensor(value) for value in values]
    statics = dict(statics)
    if record.kind is Kind.REDUCTION:
        rank = types[0].rank
        if rank == 0:
            tensors, rank = [tensor[..., None] for tensor in tensors], 1
        axis = statics.pop("axis", None)
        scope["AXES"] = _negative(axis, rank)
    scope |= dict(zip(names, tensors, strict=True)) | statics
    scope |= {"RANK": types[0].rank if types else 0, "LIKE": torch.zeros((), dtype=torch.float64)}
    template = record.torch_real if real and record.torch_real else record.torch
    return eval(template, scope).resolve_conj().numpy()


def run_numpy(
    record: Function, statics: dict[str, Any], values: list[Any], batch: tuple[int, ...]
) -> Any:
    """One sample at a time."""
    if not batch:
        return np.asarray(record.numpy(*values, **statics))
    flat = [
        [value] * int(np.prod(batch))
        if (record.name, position) in UNBATCHED
        else value.reshape(-1, *value.shape[len(batch) :])
        for position, value in enumerate(values)
    ]
    results = [np.asarray(record.numpy(*sample, **statics)) for sample in zip(*flat, strict=True)]
    return np.stack(results).reshape(*batch, *results[0].shape)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_both_backends_agree_and_have_the_type_of_the_rule(record: Function) -> None:
    count = 0
    for types, statics in cases(record):
        for batch in BATCHES if types else [()]:
            values = draw(record, types, batch)
            found = run_torch(record, types, statics, values)
            expected = run_numpy(record, statics, values, batch)
            declared = record.rule(types, dict(statics))
            assert isinstance(declared, Array)
            shape = tuple(dim.value for dim in declared.shape)
            assert found.shape == expected.shape == (*batch, *shape)
            kinds = {Field.BOOL: "b", Field.REAL: "f", Field.COMPLEX: "c"}
            assert found.dtype.kind == expected.dtype.kind == kinds[declared.field]
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
            count += 1
    assert count >= (1 if record.name == "dct_basis" else 3)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_gradients_are_finite_at_zero_and_right_elsewhere(record: Function) -> None:
    """A network starts at zero: norms and signs must not give NaN there."""
    if not record.differentiable or record.name in (
        "div",
        "log",
        "inv",
        "pinv",
        "singular_soft",
        *SPECTRAL,
    ):
        pytest.skip("no derivative, or none at 0")
    for types, statics in cases(record):
        if not types or any(type_.field is not Field.REAL for type_ in types):
            continue
        values = [torch.tensor(value, requires_grad=True) for value in draw(record, types, ())]

        def evaluate(
            *tensors: torch.Tensor, types: Any = types, statics: Any = statics
        ) -> torch.Tensor:
            return _expression(record, types, statics, list(tensors))

        assert torch.autograd.gradcheck(evaluate, tuple(values))
        if record.name in ("sqrt", "pow", "spectral_norm"):
            continue
        zeros = [torch.zeros_like(value, requires_grad=True) for value in values]
        total = evaluate(*zeros).sum()
        total = total.real + total.imag if total.is_complex() else total
        gradients = torch.autograd.grad(total, zeros, allow_unused=True)
        assert all(g is None or g.isfinite().all() for g in gradients)


def _expression(record: Function, types: Any, statics: Any, tensors: list[torch.Tensor]) -> Any:
    scope: dict[str, Any] = {"torch": torch, "Tensor": torch.Tensor}
    exec(record.helper, scope)
    names = [parameter.name for parameter in record.parameters if not parameter.static]
    rank, statics = types[0].rank, dict(statics)
    if record.kind is Kind.REDUCTION:
        if rank == 0:
            tensors, rank = [tensor[..., None] for tensor in tensors], 1
        axis = statics.pop("axis", None)
        scope["AXES"] = _negative(axis, rank)
    scope |= dict(zip(names, tensors, strict=True)) | statics | {"RANK": types[0].rank}
    return eval(record.torch_real or record.torch, scope)


# ---- meanings that agreement does not show ------------------------------------------------------


def test_sign_is_a_phase_and_0_at_0() -> None:
    found = function("sign").numpy(np.array([3 + 4j, 0, -2]))
    np.testing.assert_allclose(found, [0.6 + 0.8j, 0, -1])
    np.testing.assert_array_equal(function("sign").numpy(np.array([3.0, 0.0, -2.0])), [1, 0, -1])


def test_dot_conjugates_its_first_argument() -> None:
    x, y = np.array([1 + 2j, 3j]), np.array([2 - 1j, 1 + 1j])
    assert function("dot").numpy(x, y) == pytest.approx(np.vdot(x, y))


def test_axes_count_from_1() -> None:
    M = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(function("sum").numpy(M, axis=2), M.sum(1))


def test_topk_takes_the_first_of_equals_in_both_backends() -> None:
    v = np.array([1.0, 2.0, 2.0, 2.0, 0.0, 2.0])
    record = function("topk")
    type_ = Array((Dim.of(6),))
    expected = [False, True, True, False, False, False]
    np.testing.assert_array_equal(record.numpy(v, r=2), expected)
    np.testing.assert_array_equal(run_torch(record, (type_,), {"r": 2}, [v]), expected)


@pytest.mark.parametrize("q", [0.0, 1.0])
def test_the_outer_quantiles_are_entries_exactly(q: float) -> None:
    """`support_soft` compares with them, so rounding would count."""
    v = np.random.default_rng(3).normal(size=1000) * 1e3
    record = function("quantile")
    type_ = Array((Dim.of(1000),))
    end = v.max() if q else v.min()
    assert record.numpy(v, np.asarray(q)) == end
    assert run_torch(record, (type_, Array()), {}, [v, np.asarray(q)]) == end


def test_dct_basis_is_orthonormal_without_a_constant_member() -> None:
    from scipy.fft import dct

    n = 4
    B = function("dct_basis").numpy(n=n).reshape(n * n - 1, -1)
    np.testing.assert_allclose(B @ B.T, np.eye(n * n - 1), atol=1e-14)
    np.testing.assert_allclose(B.sum(1), 0, atol=1e-14)
    D = dct(np.eye(n), norm="ortho", axis=0)
    np.testing.assert_allclose(B[4].reshape(n, n), np.outer(D[1], D[1]), atol=1e-14)  # a = b = 1
    np.testing.assert_allclose(B[0].reshape(n, n), np.outer(D[1], D[0]), atol=1e-14)  # vertical


def test_plf_is_the_identity_at_the_values_of_its_knots() -> None:
    x = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(function("plf").numpy(x, np.linspace(-1, 1, 7)), x, atol=1e-14)


def test_plf_gradients_reach_values_and_argument() -> None:
    x = torch.tensor([[-1.7, -0.31, 0.42], [0.77, 1.3, -0.9]], dtype=torch.float64)
    q = torch.randn(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    types = (Array((Dim.of(2), Dim.of(3))), Array((Dim.of(2), Dim.of(5))))
    x.requires_grad_(), q.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, q: _expression(function("plf"), types, {}, [x, q]), (x, q)
    )


def test_singular_soft_shrinks_singular_values() -> None:
    M = np.random.default_rng(0).normal(size=(4, 3))
    s = np.linalg.svd(M, compute_uv=False)
    found = np.linalg.svd(function("singular_soft").numpy(M, 0.5), compute_uv=False)
    np.testing.assert_allclose(found, np.maximum(s - 0.5, 0), atol=1e-14)
