"""A compiled program as one value: typed nodes and the roles that some of them play.

Indices of nodes ("ids") are positions in `Graph.nodes`; arguments come before their users.
"""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.ir.nodes import Node
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.types import Array, Block, Layer, LinearMap
from unroll_dsl.types.blocks import Template


@dataclass(frozen=True, slots=True)
class Limits:
    """A constraint; `lower` and `upper` are ids of scalar nodes known at set-up, or None."""

    lower: int | None
    lower_strict: bool
    upper: int | None
    upper_strict: bool


@dataclass(frozen=True, slots=True)
class Random:
    """A random initial value: `xavier_normal`, `normal(mean, std)`, ... with constant arguments."""

    name: str
    arguments: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A `fixed` value. `default` is the id of its classical value, or None: it must be bound.

    `number`: it is kept as a number of Python, as in programs for inference.
    """

    name: str
    type: Array | LinearMap | Layer
    limits: Limits | None
    default: int | None
    comment: str
    origin: Span
    number: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `learnable`. `initial` is the id of its classical value (it may read `k` if per phase).

    A `fixed ... per phase` is one too, with `trainable` False: a buffer that each phase owns.
    """

    name: str
    type: Array | Layer
    limits: Limits | None
    per_phase: bool
    initial: int | Random | None
    comment: str
    origin: Span
    trainable: bool = True
    number: bool = False  # as in `Constant`


@dataclass(frozen=True, slots=True)
class Domain:
    """What data an input is for: the numbers between which every entry lies. None: no bound."""

    lower: float | None
    lower_strict: bool
    upper: float | None
    upper_strict: bool

    def __str__(self) -> str:
        if self.lower is not None and self.upper is not None:
            left, right = "(" if self.lower_strict else "[", ")" if self.upper_strict else "]"
            return f"in {left}{self.lower:g}, {self.upper:g}{right}"
        if self.lower is not None:
            return f"{'>' if self.lower_strict else '>='} {self.lower:g}"
        return f"{'<' if self.upper_strict else '<='} {self.upper:g}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An input or a loss target."""

    name: str
    type: Array
    comment: str
    origin: Span
    domain: Domain | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A state: the ids of its initial value and of its value at the end of a phase.

    `first` is the id of its value at the end of the first phase, where a pass has found a shorter way
    there than `update`; None where it has not.
    """

    name: str
    type: Array
    initial: int
    update: int
    comment: str
    origin: Span
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    name: str
    node: int
    origin: Span


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """A `def` at given argument types, or a block of layers: its own nodes, and the id of the result among them.

    `name` is the key in `Graph.functions`: the author's name, with a suffix only where one file uses
    the same function at ranks that need different code; of a block `ResBlock[64]`.
    """

    name: str
    parameters: tuple[tuple[str, Array], ...]
    nodes: tuple[Node, ...]
    result: int
    comment: str
    origin: Span
    block: Block | None = None  # whose body it is, with layers of its own


@dataclass(frozen=True, slots=True)
class Graph:
    """The program. Order of declarations is the author's."""

    name: str
    comment: str  # the file's leading comment: title line, then the paper
    file: SourceFile
    dims: tuple[tuple[str, int | None], ...]  # symbols in order, with defaults
    inputs: tuple[Entry, ...]
    constants: tuple[Constant, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[Slot, ...]
    traces: tuple[Trace, ...]
    outputs: tuple[int, ...]
    targets: tuple[Entry, ...]
    loss: int | None
    variables: tuple[tuple[str, Array], ...]  # of the objective
    objective: int | None
    phases: int | None  # the default count; None where there is no phase block
    functions: tuple[FunctionBody, ...]  # callees before callers
    nodes: tuple[Node, ...]
    templates: tuple[Template, ...] = ()  # the blocks of the page, as they are written

    def function(self, name: str) -> FunctionBody:
        return next(body for body in self.functions if body.name == name)

    @property
    def per_phase(self) -> frozenset[str]:
        """The learnables that have a value in each phase."""
        return frozenset(p.name for p in self.parameters if p.per_phase)
