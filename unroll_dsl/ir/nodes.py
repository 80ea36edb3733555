"""The nodes of the IR: values in static single assignment form.

A `Graph` (graph.py) holds nodes in an order in which each comes after its arguments; a node refers to
its arguments by their index. Nodes are values: `origin` and `label` do not take part in equality, so
common subexpressions are found by looking a node up in a dictionary.

A sample has no batch axis in any type. `A @ x` is an `Apply` of a map to a value; maps are nodes too
(their type is a `LinearMap`, or a matrix `Array`), so that structure is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from unroll_dsl.operators.model import Static
from unroll_dsl.source import Span
from unroll_dsl.types import Dim, Type


class Stage(IntEnum):
    """When a value is known. Found from what a node depends on; never written by the author."""

    SETUP = 0  # fixed values and sizes alone: once, when the network is made
    CALL = 1  # learnables shared over phases and inputs as well: once a call
    PHASE = 2  # states, the phase number, learnables that a phase has of its own
    OUTPUT = 3  # states after the last phase; loss targets


# ---- leaves -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """A real scalar as it was written."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Size:
    """A dimension used as a number."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class Input:
    name: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A declared fixed value: an array, or a linear map bound from outside (type LinearMap)."""

    name: str


@dataclass(frozen=True, slots=True)
class Learnable:
    """A learnable array or layer; while initial values are computed, its own initial value."""

    name: str


@dataclass(frozen=True, slots=True)
class State:
    """The value of a state as the phase begins: what `prev(name)` is."""

    name: str


@dataclass(frozen=True, slots=True)
class Final:
    """The value of a state after the last phase."""

    name: str


@dataclass(frozen=True, slots=True)
class PhaseNumber:
    """`k`, a real scalar counting from 1."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parameter of the loss."""

    name: str


@dataclass(frozen=True, slots=True)
class Traced:
    """In a loss under `PhaseSum`: the trace of that name in the phase summed over."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the objective (`minimize over x`)."""

    name: str


@dataclass(frozen=True, slots=True)
class BlockLayer:
    """A layer of a block, by its name; only in the `FunctionBody` of one."""

    name: str


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of a function definition, by its position; only in `FunctionBody` graphs."""

    index: int


# ---- values -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Elementwise:
    """A function record of kind ELEMENTWISE; `add sub mul div pow neg`, `eq ne lt le gt ge`,
    `and or not` are records like the others. Arguments broadcast as types.rules.broadcast says."""

    function: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function record of any other kind, with its statics in the record's order."""

    function: str
    statics: tuple[tuple[str, Static], ...] = ()


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of `Graph.functions[function]`, a `def` of the prelude or of the file."""

    function: str


@dataclass(frozen=True, slots=True)
class Expand:
    """A scalar spread over the shape of the node's type."""


@dataclass(frozen=True, slots=True)
class Eye:
    """The identity as a matrix value of the node's type."""


@dataclass(frozen=True, slots=True)
class Transpose:
    """The conjugate transpose of a matrix, as a matrix."""


@dataclass(frozen=True, slots=True)
class Contract:
    """`M @ T` of two arrays: the last axis of the first against the first axis of the second."""


@dataclass(frozen=True, slots=True)
class Apply:
    """A map of type LinearMap (first argument) applied to an array (second)."""


@dataclass(frozen=True, slots=True)
class Solve:
    """The solution x of `M @ x = b`; arguments M (a matrix or a map) and b (may be a matrix of
    right-hand sides if M is a matrix). What iterates stops where the residual is below `tolerance`
    times b or after so many `iterations`; a pass may add a first guess as third argument."""

    tolerance: float | None = None
    iterations: int | None = None


@dataclass(frozen=True, slots=True)
class ApplyLayer:
    """A layer (first argument: a Learnable, Fixed or SplitLayer of type Layer) on an array; a network from
    outside may take more of them."""


@dataclass(frozen=True, slots=True)
class ConvolvePair:
    """`second(first(x))` of two single convolutions of 3 x 3 with zero padding; arguments first, second
    and x, and the `PairKernel` of the two where that is known. Made by passes/kernels/convolutions.py."""


@dataclass(frozen=True, slots=True)
class PairKernel:
    """The kernel of 5 x 5 of two single convolutions of 3 x 3, one after the other. Made by folding.py."""


@dataclass(frozen=True, slots=True)
class ConvolveFew:
    """A single convolution between many channels and few, zero padding, odd size; arguments layer and x.
    Made by passes/kernels/convolutions.py."""


@dataclass(frozen=True, slots=True)
class PhaseSum:
    """The sum over phases of a scalar that reads traces; in a loss."""


# ---- maps (type LinearMap) ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operator:
    """A LinearOperator record with its data operands as arguments."""

    operator: str
    statics: tuple[tuple[str, Static], ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """`I` as a map."""


@dataclass(frozen=True, slots=True)
class DiagonalMap:
    """Elementwise product with the argument."""


@dataclass(frozen=True, slots=True)
class AdjointMap:
    """The adjoint of a map."""


@dataclass(frozen=True, slots=True)
class ComposeMap:
    """The first argument after the second; either may be a matrix, not both."""


@dataclass(frozen=True, slots=True)
class AddMap:
    """The sum of two maps (either may be a matrix, not both); `sign` is +1 or -1, of the second."""

    sign: int = 1


@dataclass(frozen=True, slots=True)
class ScaleMap:
    """The first argument, a scalar, times the second, a map."""


@dataclass(frozen=True, slots=True)
class SplitLayer:
    """A layer applied to the real and to the imaginary part alike."""


@dataclass(frozen=True, slots=True)
class LayerSteps:
    """The steps of a layer from `start` to before `stop`, as a layer."""

    start: int
    stop: int


Named = (
    Input | Fixed | Learnable | State | Final | Target | Traced | Variable
)  # by a `name` of the page
Leaf = Constant | Size | Named | PhaseNumber | Argument | BlockLayer
Applied = Contract | Apply | Solve | ApplyLayer | ConvolvePair | PairKernel | ConvolveFew
"""What matrices, maps and layers make of their arguments: more than one pass over them."""
Value = Elementwise | Builtin | Invoke | Expand | Eye | Transpose | Applied | PhaseSum
Map = (
    Operator
    | IdentityMap
    | DiagonalMap
    | AdjointMap
    | ComposeMap
    | AddMap
    | ScaleMap
    | SplitLayer
    | LayerSteps
)
Op = Leaf | Value | Map


@dataclass(frozen=True, slots=True)
class Node:
    """One value. `label` is the name that the author gave it (`r = ...`), for generated code."""

    op: Op
    args: tuple[int, ...]
    type: Type
    origin: Span | None = field(default=None, compare=False)
    label: str | None = field(default=None, compare=False)
