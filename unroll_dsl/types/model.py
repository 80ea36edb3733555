"""Types of the language: arrays, linear maps and layers, with symbolic shapes.

A program speaks of one sample; the batch is in no type. Types are values: equal types compare equal.
A matrix is an array that can also be applied as a linear map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from unroll_dsl.types.dims import Dim
from unroll_dsl.types.steps import KINDS, Step

Shape = tuple[Dim, ...]


class Field(Enum):
    """Of what the entries are. Order: BOOL < REAL < COMPLEX, each embeds in the next."""

    BOOL = 0
    REAL = 1
    COMPLEX = 2

    def join(self, other: Field) -> Field:
        return self if self.value >= other.value else other


class Form(Enum):
    """How a shape is spelt and which broadcasts it takes part in."""

    PLAIN = "plain"  # scalar, vector, matrix, tensor, by rank
    IMAGE = "image"  # image[c, h, w]: channels first
    MASK = "mask"  # mask[h, w]: broadcasts over the channels of an image


@dataclass(frozen=True, slots=True)
class Array:
    """Entries of a `field` in a `shape`; () is a scalar."""

    shape: Shape = ()
    field: Field = Field.REAL
    form: Form = Form.PLAIN

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        if self.form is not Form.PLAIN:
            kind = self.form.value
        else:
            kind = ("scalar", "vector", "matrix")[self.rank] if self.rank < 3 else "tensor"
        prefix = {Field.BOOL: "boolean ", Field.REAL: "", Field.COMPLEX: "complex "}[self.field]
        dims = f"[{', '.join(map(str, self.shape))}]" if self.rank else ""
        return f"{prefix}{kind}{dims}"


# ---- linear maps: the structure that shapes are computed from ---------------------------------


@dataclass(frozen=True, slots=True)
class Declared:
    """`linear X -> Y`: both spaces are known. A matrix[m, n] is Declared(vector[n], vector[m])."""

    domain: Array
    codomain: Array


@dataclass(frozen=True, slots=True)
class Builtin:
    """A linear operator of the library, `fft2` or `filters(B)`: its record knows the shape rule.

    `forward` maps the shape of an argument to the shape of the result, `backward` that of a result
    to that of the argument; both return a string, the reason, where the shape does not fit.
    """

    name: str
    complex: bool
    forward: Callable[[Array], Array | str] = field(compare=False, repr=False)
    backward: Callable[[Array], Array | str] = field(compare=False, repr=False)
    parameters: tuple[Array | Dim | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagonal:
    """Elementwise product with an array that broadcasts against the argument."""

    diagonal: Array


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """`I`, of whatever size its place asks for."""


@dataclass(frozen=True, slots=True)
class AdjointMap:
    of: Structure


@dataclass(frozen=True, slots=True)
class Composed:
    """`outer @ inner`."""

    outer: Structure
    inner: Structure


@dataclass(frozen=True, slots=True)
class Summed:
    """`left + right` or `left - right`."""

    left: Structure
    right: Structure


@dataclass(frozen=True, slots=True)
class Scaled:
    """A complex number times a map, which then makes complex values of real ones."""

    of: Structure


Structure = Declared | Builtin | Diagonal | IdentityMap | AdjointMap | Composed | Summed | Scaled


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A linear map; a real scalar times it is of the same type."""

    structure: Structure

    def __str__(self) -> str:
        return describe(self.structure)


# ---- layers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conv:
    """`conv[in -> out, size, bias, padding=..., groups=...]`; correlates, stride 1, same size."""

    channels_in: Dim
    channels_out: Dim
    size: int
    bias: bool = False
    padding: str = "zero"  # zero | circular | reflect | replicate
    groups: int = 1

    def __str__(self) -> str:
        options = [f"{self.channels_in} -> {self.channels_out}", str(self.size)]
        if self.bias:
            options.append("bias")
        if self.padding != "zero":
            options.append(f"padding={self.padding}")
        if self.groups != 1:
            options.append(f"groups={self.groups}")
        return f"conv[{', '.join(options)}]"


@dataclass(frozen=True, slots=True)
class Activation:
    """An elementwise function by name, or `plf` (piecewise linear, learned, per channel)."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Bound:
    """`network X -> Y`: any function bound from outside; `network X, S -> Y` takes `more` beside."""

    domain: Array
    codomain: Array
    more: tuple[Array, ...] = ()

    @property
    def domains(self) -> tuple[Array, ...]:
        return (self.domain, *self.more)

    def __str__(self) -> str:
        return f"network {', '.join(map(str, self.domains))} -> {self.codomain}"


@dataclass(frozen=True, slots=True)
class Block:
    """A named block of the page at its sizes, `ResBlock[64]`: layers of its own, and what is made of them.

    `parts` are these layers, by the names that their tensors have; `arguments` how many arrays it takes;
    `channels` what enters and what leaves it, where that follows from its sizes. Its name and sizes say
    all of this: blocks of the same are the same.
    """

    name: str
    sizes: tuple[Dim, ...]
    parts: tuple[tuple[str, Layer], ...] = field(default=(), compare=False, repr=False)
    arguments: int = field(default=1, compare=False)
    channels: tuple[Dim, Dim] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.sizes))}]" if self.sizes else self.name

    @property
    def key(self) -> str:
        """What its body is called among the functions of a graph."""
        return f"{self.name}[{', '.join(map(str, self.sizes))}]"


def _ends(step: Conv | Activation | Bound | Block | Step) -> tuple[Dim, Dim] | None:
    """Channels in and out, of what changes them."""
    match step:
        case Conv(channels_in, channels_out):
            return channels_in, channels_out
        case Block(channels=ends):
            return ends
        case Step(channels=ends):
            return ends
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Layer:
    """Steps applied from left to right: `conv[...] >> relu >> conv[...]`.

    `split` layers act on the real and the imaginary part alike.
    """

    steps: tuple[Conv | Activation | Bound | Block | Step, ...]
    split: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is made of plain convolutions, activations and networks, which passes take apart."""
        return not any(isinstance(step, Step | Block) for step in self.steps)

    @property
    def is_flat(self) -> bool:
        """Whether it acts on the last axis alone, as dense layers do."""
        return not any(
            isinstance(step, Conv | Block) or (isinstance(step, Step) and KINDS[step.kind].images)
            for step in self.steps
        )

    @property
    def domains(self) -> tuple[Array, ...] | None:
        """The spaces of its arguments where its first step is a network from outside."""
        first = self.steps[0]
        return first.domains if isinstance(first, Bound) else None

    @property
    def from_outside(self) -> Bound | None:
        """The network from outside that it is, and nothing else."""
        match self.steps:
            case (Bound() as bound,):
                return bound
            case _:
                return None

    def channels(self, place: int) -> Dim | None:
        """How many channels enter the step at `place`, from 0: what leaves the convolution before it,
        else what enters the one after it."""
        for step in reversed(self.steps[:place]):
            ends = _ends(step)
            if ends is not None or isinstance(step, Block):
                return ends[1] if ends else None
        for step in self.steps[place:]:
            ends = _ends(step)
            if ends is not None or isinstance(step, Block):
                return ends[0] if ends else None
        return None

    def __str__(self) -> str:
        text = " >> ".join(map(str, self.steps))
        return f"split({text})" if self.split else text


@dataclass(frozen=True, slots=True)
class Unknown:
    """The type of what has already been reported; it agrees with everything."""

    def __str__(self) -> str:
        return "unknown"


Type = Array | LinearMap | Layer | Unknown

SCALAR = Array()
BOOLEAN = Array(field=Field.BOOL)
UNKNOWN = Unknown()
IDENTITY = LinearMap(IdentityMap())


def describe(structure: Structure) -> str:
    """The words for a map in a message: its spaces where they are known, else its form."""
    match structure:
        case Declared(domain, codomain):
            return f"linear {domain} -> {codomain}"
        case Builtin(name):
            return f"linear map `{name}`"
        case Diagonal(diagonal):
            return f"diagonal map of {diagonal}"
        case IdentityMap():
            return "identity"
        case AdjointMap(of):
            return f"adjoint of {describe(of)}"
        case Composed(outer, inner):
            return f"{describe(outer)} after {describe(inner)}"
        case Summed(left, right):
            return f"sum of {describe(left)} and {describe(right)}"
        case Scaled(of):
            return f"complex multiple of {describe(of)}"
