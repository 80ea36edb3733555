"""Whether a value can be that of what is declared."""

from __future__ import annotations

from unroll_dsl.semantics import errors, mends
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.scopes import Context
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import Dims, Expr, Number
from unroll_dsl.types import (
    Array,
    LinearMap,
    Type,
    Unknown,
    fits,
    known_codomain,
    known_domain,
    map_forward,
)
from unroll_dsl.types.algebra import as_structure


def fit(
    checking: Checking,
    name: str,
    value: Expr,
    found: Type,
    declared: Type,
    place: Span,
    context: Context,
) -> None:
    """Report if a value of type `found` cannot be the value of what is `declared`, in `place`."""
    if isinstance(found, Unknown) or isinstance(declared, Unknown):
        return
    operand = checking.inference.operand(value, found, context)
    mend = None
    match found, declared:
        case Array(), Array():
            if found.shape in (declared.shape, ()):
                if not fits(found, declared):
                    report = errors.ComplexToReal(name, operand, str(declared), place)
                    checking.reporter.report(report)
                return
            mend = mends.of_turned(value, found, declared)
        case LinearMap(), Array(shape=(_, _)):
            if _is_matrix(checking, found, declared):
                return
        case _, LinearMap():
            if _is_map(found, declared):
                return
        case _:
            pass
    checking.reporter.report(errors.ValueDoesNotFit(name, operand, str(declared), place, mend))


def _is_map(found: Type, declared: LinearMap) -> bool:
    """Whether a value maps the declared domain to the declared codomain."""
    structure, wanted = as_structure(found), declared.structure
    if structure is None:
        return False
    first, last = known_domain(wanted), known_codomain(wanted)
    assert first is not None and last is not None, "declared maps know both"
    reached = map_forward(structure, first)
    return isinstance(reached, Array) and reached.shape == last.shape


def _is_matrix(checking: Checking, found: LinearMap, declared: Array) -> bool:
    """Whether `I`, `2 * I`, `diag(v)` can be the value of a matrix of the declared shape."""
    sizes = {
        dimension.name.text: int(dimension.default.value)
        for statement in checking.program.statements
        if isinstance(statement, Dims)
        for dimension in statement.dimensions
        if isinstance(dimension.default, Number)
    }
    m, n = (dim.substitute(sizes) for dim in declared.shape)
    reached = map_forward(found.structure, Array((n,), declared.field))
    return isinstance(reached, Array) and reached.shape == (m,)
