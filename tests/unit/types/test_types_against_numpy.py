"""The algebra of types held against NumPy: shapes and fields of what arrays give, and sizes against sympy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from unroll_dsl.types import Array, Diagonal, Dim, Field, Form, LinearMap, Mismatch, algebra

_FIELDS = {Field.BOOL: bool, Field.REAL: float, Field.COMPLEX: complex}
SHAPES = ((), (2,), (3,), (2, 2), (2, 3), (3, 2), (3, 3), (2, 3, 3))


def _type(shape: tuple[int, ...], field: Field = Field.REAL, form: Form = Form.PLAIN) -> Array:
    return Array(tuple(Dim.of(n) for n in shape), field, form)


def _value(shape: tuple[int, ...], field: Field = Field.REAL) -> NDArray[Any]:
    return np.ones(shape, _FIELDS[field])


def _shape(found: object) -> tuple[int, ...] | None:
    if not isinstance(found, Array):
        return None
    return tuple(int(dim.value) for dim in found.shape if dim.value is not None)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(SHAPES, SHAPES)))
def test_contraction(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """`A @ B` is NumPy's tensordot over one axis, and is refused where that is."""
    found = algebra.product(_type(left), _type(right))
    if len(left) < 2:
        assert isinstance(found, Mismatch)  # `dot` is for vectors, `*` for numbers
        return
    try:
        expected: tuple[int, ...] | None = np.tensordot(_value(left), _value(right), 1).shape
    except (ValueError, IndexError):
        expected = None
    assert _shape(found) == expected


@pytest.mark.parametrize(("left", "right"), list(itertools.product(SHAPES, SHAPES)))
def test_elementwise(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """Equal shapes, numbers, and a vector along the first axis of what is larger."""
    found = _shape(algebra.arithmetic("+", _type(left), _type(right)))
    small, large = sorted((left, right), key=len)
    aligned = small
    if len(small) == 1 and len(large) > 1:
        aligned = (*small, *(1,) * (len(large) - 1))
    legal = small == large or not small or len(small) == 1
    try:
        shape = np.broadcast_shapes(aligned, large)
    except ValueError:
        shape = ()
    legal = legal and shape == large
    assert found == (large if legal else None)


@pytest.mark.parametrize(
    ("left", "right", "operator"),
    [(a, b, o) for a in Field for b in Field for o in "+-*/" if not (o == "-" and a is b)],
)
def test_fields(left: Field, right: Field, operator: str) -> None:
    found = algebra.arithmetic(operator, _type((2,), left), _type((2,), right))
    assert isinstance(found, Array)
    a, b = _value((2,), left), _value((2,), right)
    value = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[operator](a, b)
    assert (found.field is Field.COMPLEX) == np.iscomplexobj(value)
    assert found.field is not Field.BOOL  # truth values are counted with: 0 and 1


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("field", [Field.REAL, Field.COMPLEX])
def test_adjoints(shape: tuple[int, ...], field: Field) -> None:
    found = algebra.transposed(_type(shape, field))
    assert isinstance(found, Array)
    assert (_shape(found), found.field) == (_value(shape).T.shape, field)


@pytest.mark.parametrize(("matrix", "rhs"), list(itertools.product(SHAPES, SHAPES)))
def test_systems(matrix: tuple[int, ...], rhs: tuple[int, ...]) -> None:
    """`solve` takes what `numpy.linalg.solve` takes: a vector, or a matrix of columns."""
    if len(matrix) != 2 or len(rhs) not in (1, 2):
        return
    found = _shape(algebra.solved(_type(matrix), _type(rhs)))
    try:
        b = _value(rhs) if len(rhs) == 2 else _value(rhs)[:, None]
        expected = np.linalg.solve(np.eye(*matrix), b).shape[: len(rhs)]
    except (ValueError, np.linalg.LinAlgError):
        expected = None
    assert found == expected


def test_a_diagonal_is_a_map_that_keeps_shapes() -> None:
    diagonal = LinearMap(Diagonal(_type((3,))))
    for shape in ((3,), (3, 2, 2)):
        assert _shape(algebra.product(diagonal, _type(shape))) == shape
    assert isinstance(algebra.product(diagonal, _type((2,))), Mismatch)


def test_a_mask_spreads_over_channels() -> None:
    mask, image = _type((4, 5), form=Form.MASK), _type((3, 4, 5), form=Form.IMAGE)
    value = _value((4, 5)) * _value((3, 4, 5))
    assert _shape(algebra.arithmetic("*", mask, image)) == value.shape


@pytest.mark.parametrize("seed", range(20))
def test_sizes_are_polynomials(seed: int) -> None:
    """Sums and products of sizes are equal where sympy finds them equal."""
    rng = np.random.default_rng(seed)
    words = ("m", "n")

    def drawn(depth: int) -> tuple[Dim, sympy.Expr]:
        if depth == 0:
            if rng.integers(2):
                number = int(rng.integers(1, 4))
                return Dim.of(number), sympy.Integer(number)
            word = str(rng.choice(words))
            return Dim.of(word), sympy.Symbol(word)
        (a, p), (b, q) = drawn(depth - 1), drawn(depth - 1)
        match int(rng.integers(3)):
            case 0:
                return a + b, p + q
            case 1:
                return a - b, p - q
            case _:
                return a * b, p * q

    pairs = [drawn(2) for _ in range(12)]
    for (a, p), (b, q) in itertools.combinations(pairs, 2):
        assert (a == b) == (sympy.expand(p - q) == 0)
    a, p = pairs[0]
    assert a.substitute({"m": 5, "n": 7}).value == p.subs({"m": 5, "n": 7})
