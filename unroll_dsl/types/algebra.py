"""The rules by which types combine: products, sums, multiples, adjoints, solutions; of layers see layering.py.

Each takes types and gives the type of the result, or a `Mismatch`. The checker of programs asks them
and adds words; the verifier of the IR asks the same ones. The rule of a function or an operator of
the library is in its record.
"""

from __future__ import annotations

from typing import assert_never

from unroll_dsl.types.mismatch import Mismatch, Why, no_value
from unroll_dsl.types.model import (
    UNKNOWN,
    Array,
    Composed,
    Declared,
    Diagonal,
    Field,
    Form,
    Layer,
    LinearMap,
    Scaled,
    Structure,
    Summed,
    Type,
    Unknown,
)
from unroll_dsl.types.rules import (
    adjoint,
    broadcast,
    is_matrix_like,
    known_codomain,
    known_domain,
    map_backward,
    map_forward,
    spreads,
)

Found = Type | Mismatch


def as_structure(type_: Type) -> Structure | None:
    """The linear map that a value of this type is, or None. Whatever has rows and columns is a
    matrix, and a matrix is a map: a mask too, where it stands before `@`."""
    match type_:
        case LinearMap(structure):
            return structure
        case Array(shape=(m, n), field=field):
            return Declared(Array((n,), field), Array((m,), field))
        case _:
            return None


# ---- one operand --------------------------------------------------------------------------------


def negated(type_: Type) -> Found:
    """`-v`, `-A`."""
    match type_:
        case Array():
            return Array(type_.shape, type_.field.join(Field.REAL), type_.form)
        case LinearMap() | Unknown():
            return type_
        case Layer():
            return no_value(None, type_)
        case _:
            assert_never(type_)


def transposed(type_: Type) -> Found:
    """`A'`: of a map its adjoint, of a matrix its conjugate transpose, of a number its conjugate."""
    match type_:
        case LinearMap(structure):
            return LinearMap(adjoint(structure))
        case Array(shape=(m, n)):
            return Array((n, m), type_.field)
        case Array(shape=()) | Unknown():
            return type_
        case Array() | Layer():
            return Mismatch(0, "a map, a matrix or a number", str(type_), why=Why.NOT_A_MAP)
        case _:
            assert_never(type_)


def diagonal(type_: Type) -> Found:
    """`diag(v)`."""
    match type_:
        case Array():
            return LinearMap(Diagonal(type_))
        case Unknown():
            return type_
        case LinearMap() | Layer():
            return no_value(0, type_)
        case _:
            assert_never(type_)


# ---- `@` ----------------------------------------------------------------------------------------


def product(left: Type, right: Type) -> Found:
    """`left @ right`: a map applied, two arrays contracted, or two maps composed."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    outer = as_structure(left)
    if isinstance(left, Layer) or (isinstance(left, Array) and left.rank < 2):
        return Mismatch(0, "a map or a matrix", str(left), why=Why.NOT_A_MAP)
    if isinstance(right, Layer):
        return no_value(1, right)
    if isinstance(left, Array) and isinstance(right, Array):
        return contracted(left, right)
    assert outer is not None, "what is no array of rank 2 or more is a map"
    if isinstance(right, LinearMap):
        return composed(left, right)
    if is_matrix_like(outer) and right.rank == 2:
        between = map_forward(outer, Array((right.shape[0],), right.field))
        if isinstance(between, Array):
            return Array((between.shape[0], right.shape[1]), between.field)
    domain = known_domain(outer)
    if right.rank == 2 and domain is not None and domain.rank == 1:
        return composed(left, right)
    return applied(outer, right)


def contracted(left: Array, right: Array) -> Array | Mismatch:
    """`M @ T`: the last axis of the first against the first axis of the second."""
    if left.rank and right.rank and left.shape[-1] == right.shape[0]:
        shape = left.shape[:-1] + right.shape[1:]
        form = right.form if len(shape) == right.rank else Form.PLAIN
        return Array(shape, left.field.join(right.field).join(Field.REAL), form)
    if left.rank == 0:
        return Mismatch(0, "a map or a matrix", str(left), why=Why.NOT_A_MAP)
    if left.rank == 2 and right.rank == 2:
        ends, begins = f"vector[{right.shape[0]}]", f"vector[{left.shape[1]}]"
        return Mismatch(
            None, begins, f"{right} ends in {ends}, {left} begins in {begins}", None, Why.ENDS
        )
    expected = f"an array whose first axis is {left.shape[-1]}"
    if left.rank == 2:
        expected = f"vector[{left.shape[1]}]"
    return Mismatch(1, expected, str(right), why=Why.SPACE)


def applied(map_: Structure, argument: Array) -> Array | Mismatch:
    """A map applied to an array."""
    result = map_forward(map_, argument)
    if isinstance(result, Array):
        return result
    domain = known_domain(map_)
    if domain is not None:
        return Mismatch(1, str(domain), str(argument), why=Why.SPACE)
    if not result.startswith("expected "):
        return Mismatch(0, result, str(argument), why=Why.OPERATOR)
    expected, _, found = result.removeprefix("expected ").rpartition(", found ")
    return Mismatch(1, expected or found, str(argument), why=Why.SPACE)


def composed(left: Type, right: Type) -> Found:
    """Two maps, one after the other; a matrix times a diagonal or the identity is a matrix again."""
    outer, inner = as_structure(left), as_structure(right)
    if outer is None or inner is None:
        return _no_map(0 if outer is None else 1, left if outer is None else right)
    if isinstance(left, Array) and is_matrix_like(inner):
        back = map_backward(inner, Array((left.shape[1],), left.field))
        if isinstance(back, Array):
            return Array((left.shape[0], back.shape[0]), left.field.join(back.field))
    return composed_map(left, right)


def composed_map(left: Type, right: Type) -> Found:
    """Two maps, one after the other, as a map."""
    outer, inner = as_structure(left), as_structure(right)
    if outer is None or inner is None:
        return _no_map(0 if outer is None else 1, left if outer is None else right)
    between, begin = known_codomain(inner), known_domain(outer)
    reason: Array | str | None = None
    if between is not None:
        reason = map_forward(outer, between)
    elif begin is not None:
        reason = map_backward(inner, begin)
    if isinstance(reason, str):
        return Mismatch(None, "maps that meet", reason, why=Why.ENDS)
    return LinearMap(Composed(outer, inner))


# ---- arithmetic ---------------------------------------------------------------------------------


def arithmetic(operator: str, left: Type, right: Type) -> Found:
    """`+ - * / ^` of arrays and maps. Sums of maps, and their multiples by numbers, are maps; an
    array times a map scales what the map gives."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    for place, type_ in enumerate((left, right)):
        if isinstance(type_, Layer):
            return no_value(place, type_)
    if isinstance(left, Array) and isinstance(right, Array):
        return elementwise(left, right)
    if operator in ("+", "-"):
        return added(left, right)
    match operator, left, right:
        case "*", Array(shape=()), LinearMap():
            return scaled(left, right)
        case "*", Array(), LinearMap():
            return _after_diagonal(left, right)
        case (("*" | "/"), LinearMap(), Array(shape=())):
            return scaled(right, left)
        case _:
            place = 0 if isinstance(left, LinearMap) else 1
            return no_value(place, (left, right)[place])


def elementwise(left: Array, right: Array) -> Array | Mismatch:
    """Arithmetic of arrays, entry by entry."""
    common = broadcast(left, right)
    if common is None:
        return _disagree(left, right)
    return Array(common.shape, common.field.join(Field.REAL), common.form)


def scaled(factor: Type, map_: Type) -> Found:
    """A number times a map."""
    if not isinstance(factor, Array) or factor.rank:
        return Mismatch(0, "a number", str(factor))
    if not isinstance(map_, LinearMap):
        return _no_map(1, map_)
    if factor.field is not Field.COMPLEX or isinstance(map_.structure, Scaled):
        return map_
    return LinearMap(Scaled(map_.structure))


def _after_diagonal(entries: Array, map_: LinearMap) -> Found:
    codomain = known_codomain(map_.structure)
    if codomain is not None and isinstance(map_forward(Diagonal(entries), codomain), str):
        return _disagree(entries, map_)
    return LinearMap(Composed(Diagonal(entries), map_.structure))


def added(left: Type, right: Type) -> Found:
    """The sum or difference of two maps; a matrix plus a multiple of the identity, or a diagonal, is
    a matrix again."""
    first, second = as_structure(left), as_structure(right)
    if first is None or second is None:
        place = 1 if first is None else 0  # the map is what is no value
        return no_value(place, (left, right)[place])
    for matrix, beside in ((left, second), (right, first)):
        if isinstance(matrix, Array) and is_matrix_like(beside):
            reached = map_forward(beside, Array((matrix.shape[1],), matrix.field))
            if isinstance(reached, Array) and reached.shape[0] == matrix.shape[0]:
                return Array(matrix.shape, matrix.field.join(reached.field))
            return _disagree(left, right)
    return added_map(left, right)


def added_map(left: Type, right: Type) -> Found:
    """The sum or difference of two maps, as a map."""
    first, second = as_structure(left), as_structure(right)
    if first is None or second is None:
        return _no_map(0 if first is None else 1, left if first is None else right)
    for ends in (known_domain, known_codomain):
        one, other = ends(first), ends(second)
        if one is not None and other is not None and one.shape != other.shape:
            return _disagree(left, right)
    return LinearMap(Summed(first, second))


def spread(value: Type, declared: Type) -> Found:
    """A value that fills what is `declared`: a number for every entry, a row for every row."""
    if not isinstance(value, Array) or not isinstance(declared, Array):
        return no_value(0, value)
    common = broadcast(value, declared)
    fills = (common is not None and common.shape == declared.shape) or spreads(value, declared)
    if not fills or value.field.value > declared.field.value:
        return Mismatch(0, f"what fills {declared}", str(value), why=Why.SHAPES)
    return declared


# ---- systems and layers -------------------------------------------------------------------------


def solved(matrix: Type, rhs: Type) -> Found:
    """`solve(M, b)`: b lies in the space that M maps to itself; a matrix takes several columns."""
    if isinstance(matrix, Unknown) or isinstance(rhs, Unknown):
        return UNKNOWN
    structure = as_structure(matrix)
    if structure is None:
        return Mismatch(0, "a matrix or a map", str(matrix), why=Why.NOT_SQUARE)
    if not isinstance(rhs, Array):
        return no_value(1, rhs)
    if isinstance(matrix, Array):
        m, n = matrix.shape
        if m != n:
            return Mismatch(0, "a square matrix", str(matrix), why=Why.NOT_SQUARE)
        if rhs.rank == 2 and rhs.shape[0] == m:
            return Array(rhs.shape, rhs.field.join(matrix.field).join(Field.REAL), rhs.form)
    result = map_forward(structure, rhs)
    if isinstance(result, str):
        return Mismatch(1, "a right-hand side in its space", f"{rhs} ({result})")
    if result.shape != rhs.shape:
        return Mismatch(1, "a right-hand side in its space", f"{rhs} (it takes {rhs} to {result})")
    return Array(rhs.shape, result.field, rhs.form)


# ---- mismatches ---------------------------------------------------------------------------------


def _no_map(place: int, type_: Type) -> Mismatch:
    return Mismatch(place, "a map or a matrix", str(type_), why=Why.NOT_A_MAP)


def _disagree(left: Type, right: Type) -> Mismatch:
    return Mismatch(None, f"the shape of {left}", str(right), why=Why.SHAPES)
