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
    Scaled,
    Structure,
    Summed,
)


def same_space(a: Array, b: Array) -> bool:
    """Equal shapes; the field and the spelling (image or tensor) do not matter."""
    return a.shape == b.shape


def fits(value: Array, declared: Array) -> bool:
    """Whether `value` may stand where `declared` is asked for: same shape, or a scalar for all."""
    return (value.shape in (declared.shape, ())) and value.field.value <= declared.field.value


def spreads(value: Array, declared: Array) -> bool:
    """Whether `value` may be repeated along the first axes to make what is `declared`: a row for a
    matrix of rows, one curve for all channels. It is the last axes that agree, whatever the first are:
    in a square matrix too the value is every row."""
    return 0 < value.rank < declared.rank and declared.shape[-value.rank :] == value.shape


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


def is_complex(declared: Declared) -> bool:
    """Whether a declared map makes complex values of real ones: it has complex entries."""
    return Field.COMPLEX in (declared.domain.field, declared.codomain.field)


def _with_field(space: Array, argument: Array, is_complex: bool) -> Array:
    field = Field.COMPLEX if is_complex else argument.field.join(Field.REAL)
    return Array(space.shape, field, space.form)


def map_forward(structure: Structure, argument: Array) -> Array | str:
    """The type of a map applied to `argument`, or why it does not fit."""
    return _Application().reach(structure, argument, False)


def map_backward(structure: Structure, argument: Array) -> Array | str:
    """The type of the adjoint of a map applied to `argument`, or why it does not fit."""
    return _Application().reach(structure, argument, True)


class _Application:
    """One question about a map. Maps share their parts (`let M = A + A` and so on), so each part
    answers once for each argument."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Array, bool], Array | str] = {}

    def reach(self, structure: Structure, argument: Array, adjoint: bool) -> Array | str:
        key = (id(structure), argument, adjoint)
        if key not in self._known:
            self._known[key] = self._reach(structure, argument, adjoint)
        return self._known[key]

    def _reach(self, structure: Structure, argument: Array, adjoint: bool) -> Array | str:
        match structure:
            case Declared(domain, codomain):
                begin, end = (codomain, domain) if adjoint else (domain, codomain)
                if not same_space(begin, argument):
                    return f"expected {begin}, found {argument}"
                return _with_field(end, argument, is_complex(structure))
            case Builtin():
                result = (structure.backward if adjoint else structure.forward)(argument)
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
                return self.reach(of, argument, not adjoint)
            case Composed(outer, inner):
                first, second = (outer, inner) if adjoint else (inner, outer)
                between = self.reach(first, argument, adjoint)
                return between if isinstance(between, str) else self.reach(second, between, adjoint)
            case Summed(left, right):
                one = self.reach(left, argument, adjoint)
                other = self.reach(right, argument, adjoint)
                if isinstance(one, str):
                    return one
                if isinstance(other, str):
                    return other
                if one.shape != other.shape:
                    return f"the terms of the sum give {one} and {other}"
                return Array(one.shape, one.field.join(other.field), one.form)
            case Scaled(of):
                found = self.reach(of, argument, adjoint)
                return found if isinstance(found, str) else _with_field(found, found, True)
            case _:
                assert_never(structure)


def known_domain(structure: Structure) -> Array | None:
    """The domain where the structure fixes it, else None (it acts on many spaces)."""
    return _Ends().of(structure, True)


def known_codomain(structure: Structure) -> Array | None:
    """The codomain where the structure fixes it, else None."""
    return _Ends().of(structure, False)


class _Ends:
    """Where a map begins and ends; each part, however often it is shared, answers once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], Array | None] = {}

    def of(self, structure: Structure, domain: bool) -> Array | None:
        key = (id(structure), domain)
        if key not in self._known:
            self._known[key] = self._of(structure, domain)
        return self._known[key]

    def _of(self, structure: Structure, domain: bool) -> Array | None:
        match structure:
            case Declared(begin, end):
                return begin if domain else end
            case Builtin() | IdentityMap() | Diagonal():
                return None
            case AdjointMap(of):
                return self.of(of, not domain)
            case Composed(outer, inner):
                near, far = (inner, outer) if domain else (outer, inner)
                found = self.of(near, domain)
                if found is not None:
                    return found
                between = self.of(far, domain)
                through = map_backward if domain else map_forward
                reached = through(near, between) if between is not None else None
                return None if isinstance(reached, str) else reached
            case Summed(left, right):
                return self.of(left, domain) or self.of(right, domain)
            case Scaled(of):
                return self.of(of, domain)
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
    pending, seen = [structure], set[int]()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        match part:
            case IdentityMap():
                pass
            case Diagonal(diagonal):
                if diagonal.rank != 1:
                    return False
            case AdjointMap(of) | Scaled(of):
                pending.append(of)
            case Composed(outer, inner):
                pending += [outer, inner]
            case Summed(left, right):
                pending += [left, right]
            case Declared() | Builtin():
                return False
            case _:
                assert_never(part)
    return True
