"""All records by name. A module of this package that binds `RECORDS` is found; nothing else is needed."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.operators.model import Function, LinearOperator, Record


@cache
def _records() -> Mapping[str, Record]:
    import unroll_dsl.operators as package

    found: dict[str, Record] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for record in getattr(import_module(f"{package.__name__}.{module}"), "RECORDS", ()):
            if record.name in found:
                raise InternalError(f"two records are called `{record.name}`")
            found[record.name] = record
    return found


def lookup(name: str) -> Record | None:
    """The record of that name, or None."""
    return _records().get(name)


def written(name: str) -> Record | None:
    """The record that a program may call by that name, or None."""
    return None if name in INTERNAL or name in _SPELT else lookup(name)


def function(name: str) -> Function:
    """The function record of that name, which must exist."""
    record = _records().get(name)
    if not isinstance(record, Function):
        raise InternalError(f"no function record is called `{name}`")
    return record


def linear_operator(name: str) -> LinearOperator:
    """The linear operator record of that name, which must exist."""
    record = _records().get(name)
    if not isinstance(record, LinearOperator):
        raise InternalError(f"no linear operator record is called `{name}`")
    return record


def names() -> tuple[str, ...]:
    """All names that a program may write, in order."""
    return tuple(name for name in _records() if name not in INTERNAL and name not in _SPELT)


def functions() -> tuple[Function, ...]:
    return tuple(r for r in _records().values() if isinstance(r, Function))


def linear_operators() -> tuple[LinearOperator, ...]:
    return tuple(r for r in _records().values() if isinstance(r, LinearOperator))


# Written with signs, not called by name.
_SPELT = frozenset(
    [
        "add",
        "sub",
        "mul",
        "div",
        "pow",
        "neg",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "and",
        "or",
        "not",
        "entries",
    ]
)
# What passes rewrite to; no program calls these.
INTERNAL = frozenset({
    "diagonal_matrix", "right_singular_vectors", "symmetric_eigenvectors", "cholesky",
    "transfer", "filtered", "aliased", "difference_kernels", "shrink", "shrink_each", "cholesky_solve", "definite_solve", "orthogonal_factor", "triangular_solve", "solve_dense",
    "regular", "regular_eigenvalues", "regular_matrix", "regular_factor", "regular_shift", "regular_sum",
    "as_complex", "axpy", "axmy", "extrapolate", "square_sum", "square_mean",
})  # fmt: skip
