"""What the compiler knows of a function or of a linear operator: one record each.

Adding one is adding a file to this package that binds the name `RECORDS`; `registry.py` finds it.
The semantic stage reads the rules, the passes the structure, each backend its own field. Nothing
here imports numpy or torch before it computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from unroll_dsl.types import Array, Builtin, Dim, Field, Mismatch, Type

__all__ = [
    "Function",
    "Kind",
    "LinearOperator",
    "Mismatch",
    "Parameter",
    "Record",
    "Static",
]

Static = (
    int | str | Dim | tuple[int, ...]
)  # the value of an argument that shapes depend on, known while compiling


class Kind(Enum):
    """How a function treats the shape of a sample, which tells a backend how to batch it."""

    ELEMENTWISE = "elementwise"  # arguments broadcast; the result has their common shape
    REDUCTION = "reduction"  # all axes of a sample (or one, with axis=) become one number
    WHOLE = "whole"  # acts on a sample as a whole; `RANK` tells how many axes it has
    JOIN = "join"  # any number of arrays become one along an axis
    CONSTRUCTOR = "constructor"  # makes an array from statics, or from unbatched arrays alone


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    static: bool = False  # a number known while compiling: a size, an axis, a word
    default: Static | float | None = None
    optional: bool = False
    number: bool = False  # the torch expression takes a number of Python too
    many: bool = False  # any number of arguments, one at least
    words: tuple[str, ...] = ()  # of a static that is a word: which there are


@dataclass(frozen=True, slots=True)
class Function:
    """A function of arrays.

    `rule` gives the type of the result from those of the array arguments and the statics by name.

    `numpy` computes one sample in float64 or complex128: called with the arrays positionally and
    the statics by keyword (a `Dim` static arrives as an int; for a reduction `axis` is None or an
    axis of the sample from 1, or several, as in the language).

    `torch` is a Python expression in the parameter names, for tensors with any leading batch axes.
    The emitter replaces, besides the parameters: `AXES` (the axes to reduce, negative: an int or a
    tuple) in a REDUCTION, `RANK` (the number of sample axes of the first argument) in a
    WHOLE, `VALUES` and `AXIS` (negative, of the result) in
    a JOIN, `LIKE` (a tensor that gives dtype and device) in a CONSTRUCTOR. It may call functions that
    `helper`, the source of top-level functions with docstrings and type hints, defines.
    """

    name: str
    parameters: tuple[Parameter, ...]
    kind: Kind
    summary: str  # one sentence for the manual
    rule: Callable[[tuple[Array, ...], dict[str, Static]], Array | Mismatch]
    numpy: Callable[..., Any]
    torch: str
    helper: str = ""
    latex: str = ""  # a format string in the arguments' places, such as r"\left|{0}\right|"
    differentiable: bool = True
    torch_real: str = ""  # a simpler expression where all arguments are real
    torch_temporary: str = ""  # one that may overwrite its first argument
    torch_number: str = ""  # one where the parameters that may be numbers are
    shared: tuple[
        str, ...
    ] = ()  # parameters of which the torch expression takes one for all samples


@dataclass(frozen=True, slots=True)
class LinearOperator:
    """A linear operator, with or without data operands (`fft2`, `filters(B)`, `grad`).

    `forward` and `backward` give the shape of the result and of the argument, or the reason why a
    shape does not fit; they are called with the shape, the operand types and the statics.
    `structure` names what passes may use: "unitary", "diagonal under fft2", "diagonal",
    "selection" (A @ A' is the identity).
    `numpy_*` and `torch_*` are None until the backend can run it; they take the argument first
    (`x` in the torch expressions), then the operands by their parameter names.
    """

    name: str
    parameters: tuple[Parameter, ...]
    summary: str
    complex: bool
    forward: Callable[[Array, tuple[Type, ...], dict[str, Static]], Array | str]
    backward: Callable[[Array, tuple[Type, ...], dict[str, Static]], Array | str]
    structure: frozenset[str] = field(default_factory=frozenset)
    squared_norm: str = (
        ""  # a bound of the squared norm, a formula in the operands; "" where unknown
    )
    numpy_forward: Callable[..., Any] | None = None
    numpy_adjoint: Callable[..., Any] | None = None
    torch_forward: str | None = None
    torch_adjoint: str | None = None
    helper: str = ""
    latex: str = ""
    stacked: bool = False  # whether the NumPy functions take an array with leading axes too
    shared: tuple[str, ...] = ()  # operands of which the torch expressions take one for all samples

    @property
    def defaults(self) -> tuple[tuple[str, Static], ...]:
        """The statics of the operator by its bare name."""
        return tuple(
            (p.name, p.default)
            for p in self.parameters
            if p.static and p.default is not None and not isinstance(p.default, float)
        )

    def map_of(self, operands: tuple[Type, ...], statics: Mapping[str, Static]) -> Builtin:
        """The structure of the map that a call with these operands and statics is."""
        fixed = dict(statics)
        arrays = tuple(type_ for type_ in operands if isinstance(type_, Array))
        return Builtin(
            self.name,
            self.complex or any(a.field is Field.COMPLEX for a in arrays),
            lambda argument: self.forward(argument, operands, fixed),
            lambda argument: self.backward(argument, operands, fixed),
            (*arrays, *(f"{key}={value}" for key, value in sorted(fixed.items()))),
        )


Record = Function | LinearOperator
