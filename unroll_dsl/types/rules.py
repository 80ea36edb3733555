"""How shapes combine: broadcasting, application of maps, adjoints."""

from __future__ import annotations

from typing import assert_never

from unroll_dsl.types.model import (
    AdjointMap,
    Array,
    Builtin,
    Composed,
    Declared,
    Diagonal,
    Field,
    Form,
    IdentityMap,
    Structure,
    Summed,
)


def same_space(a: Array, b: Array) -> bool:
    """Equal shapes; the field and the spelling (image or tensor) do not matter."""
    return a.shape == b.shape


def fits(value: Array, declared: Array) -> bool:
    """Whether `value` may stand where `declared` is asked for: same shape, or a scalar for all."""
    return (value.shape in (declared.shape, ())) and value.field.value <= declared.field.value


def broadcast(a: Array, b: Array) -> Array | None:
    """The common type of two arrays under elementwise arithmetic, or None.

    Equal shapes; a scalar with anything; a vector[c] along the first axis of an array whose first
    axis is c (a number per channel, a number per row); a mask[h, w] over the channels of an image.
    """
    field = a.field.join(b.field)
    small, large = (a, b) if a.rank <= b.rank else (b, a)
    if small.rank == large.rank:
        if small.shape != large.shape:
            return None
        form = large.form if large.form is not Form.PLAIN else small.form
        return Array(large.shape, field, form)
    over_first = small.rank == 1 and small.shape[0] == large.shape[0]
    over_channels = small.form is Form.MASK and large.shape[-small.rank :] == small.shape
    if small.rank == 0 or over_first or over_channels:
        return Array(large.shape, field, large.form)
    return None


def _with_field(space: Array, argument: Array, is_complex: bool) -> Array:
    field = Field.COMPLEX if is_complex else argument.field.join(Field.REAL)
    return Array(space.shape, field, space.form)


def map_forward(structure: Structure, argument: Array) -> Array | str:
    """The type of a map applied to `argument`, or why it does not fit."""
    match structure:
        case Declared(domain, codomain):
            if not same_space(domain, argument):
                return f"expected {domain}, found {argument}"
            is_complex = Field.COMPLEX in (domain.field, codomain.field)
            return _with_field(codomain, argument, is_complex)
        case Builtin():
            result = structure.forward(argument)
            if isinstance(result, str):
                return result
            return _with_field(result, argument, structure.complex)
        case Diagonal(diagonal):
            common = broadcast(diagonal, argument)
            if common is None or common.shape != argument.shape:
                return f"a diagonal of {diagonal} does not act on {argument}"
            return common
        case IdentityMap():
            return argument
        case AdjointMap(of):
            return map_backward(of, argument)
        case Composed(outer, inner):
            between = map_forward(inner, argument)
            return between if isinstance(between, str) else map_forward(outer, between)
        case Summed(left, right):
            first, second = map_forward(left, argument), map_forward(right, argument)
            if isinstance(first, str):
                return first
            if isinstance(second, str):
                return second
            if first.shape != second.shape:
                return f"the terms of the sum give {first} and {second}"
            return Array(first.shape, first.field.join(second.field), first.form)
        case _:
            assert_never(structure)


def map_backward(structure: Structure, argument: Array) -> Array | str:
    """The type of the adjoint of a map applied to `argument`, or why it does not fit."""
    match structure:
        case Declared(domain, codomain):
            if not same_space(codomain, argument):
                return f"expected {codomain}, found {argument}"
            is_complex = Field.COMPLEX in (domain.field, codomain.field)
            return _with_field(domain, argument, is_complex)
        case Builtin():
            result = structure.backward(argument)
            if isinstance(result, str):
                return result
            return _with_field(result, argument, structure.complex)
        case Diagonal() | IdentityMap():
            return map_forward(structure, argument)
        case AdjointMap(of):
            return map_forward(of, argument)
        case Composed(outer, inner):
            between = map_backward(outer, argument)
            return between if isinstance(between, str) else map_backward(inner, between)
        case Summed(left, right):
            return map_forward(Summed(AdjointMap(left), AdjointMap(right)), argument)
        case _:
            assert_never(structure)


def known_domain(structure: Structure) -> Array | None:
    """The domain where the structure fixes it, else None (it acts on many spaces)."""
    match structure:
        case Declared(domain):
            return domain
        case Builtin() | IdentityMap() | Diagonal():
            return None
        case AdjointMap(of):
            return known_codomain(of)
        case Composed(outer, inner):
            found = known_domain(inner)
            if found is not None:
                return found
            between = known_domain(outer)
            back = map_backward(inner, between) if between is not None else None
            return None if isinstance(back, str) else back
        case Summed(left, right):
            return known_domain(left) or known_domain(right)
        case _:
            assert_never(structure)


def known_codomain(structure: Structure) -> Array | None:
    """The codomain where the structure fixes it, else None."""
    match structure:
        case Declared(_, codomain):
            return codomain
        case Builtin() | IdentityMap() | Diagonal():
            return None
        case AdjointMap(of):
            return known_domain(of)
        case Composed(outer, inner):
            found = known_codomain(outer)
            if found is not None:
                return found
            between = known_codomain(inner)
            onward = map_forward(outer, between) if between is not None else None
            return None if isinstance(onward, str) else onward
        case Summed(left, right):
            return known_codomain(left) or known_codomain(right)
        case _:
            assert_never(structure)


def adjoint(structure: Structure) -> Structure:
    """The adjoint, with doubled and trivial ones removed."""
    match structure:
        case AdjointMap(of):
            return of
        case IdentityMap():
            return structure
        case _:
            return AdjointMap(structure)


def is_matrix_like(structure: Structure) -> bool:
    """Whether a map is made of identities and diagonals of vectors alone, so that beside a matrix it
    is one too: `A' @ A + rho * I`, `W @ diag(s)`."""
    match structure:
        case IdentityMap():
            return True
        case Diagonal(diagonal):
            return diagonal.rank == 1
        case AdjointMap(of):
            return is_matrix_like(of)
        case Composed(outer, inner):
            return is_matrix_like(outer) and is_matrix_like(inner)
        case Summed(left, right):
            return is_matrix_like(left) and is_matrix_like(right)
        case Declared() | Builtin():
            return False
        case _:
            assert_never(structure)
