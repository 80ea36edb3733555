"""The syntax tree. Nodes are places: two nodes are equal only if they are the same occurrence."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax.roles import Role as Role
from unroll_dsl.syntax.roles import Sharing as Sharing

ENTRIES = "[]"
LIST = "()"
AT, OF = "at1", "of1"  # keywords of `ENTRIES`: which, and of how many that a line names
IMAGINARY_UNIT = "1i"  # a name that no program can declare, so that `i` stays free

# ---- expressions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    text: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    value: int | float  # an int where it is written as one
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    operator: str  # - not
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """Arithmetic `+ - * / ^`, application or composition `@`, comparison, `and`, `or`."""

    operator: str
    left: Expr
    right: Expr
    operator_span: Span
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Adjoint:
    operand: Expr
    span: Span  # with the prime


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """One argument of a call, with its keyword if it has one."""

    keyword: Name | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`f(a, b, key=c)`; the function may itself be a call: `split(N)(u)`.

    What is written with signs is a call of these: `x[2, 1:3]` of `ENTRIES`, with the keywords at1, first2
    and last2 (`:` is first=1), and the list of numbers in `axis=(2, 3)` of `LIST`, as are the values that a
    `def` returns. `a, b = f(x)` stands for two lines, `f(x)[1]` and `f(x)[2]`, of one and the same call.
    """

    function: Expr
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class PhaseSum:
    """`sum over phases EXPR`, in a loss; EXPR reads traces."""

    body: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Layers written where they are applied, in a block: `conv[c -> c, 3]`, `(relu >> conv[c -> 1, 3])`."""

    steps: tuple[StepType, ...]
    span: Span


Expr = Name | Number | Unary | Binary | Adjoint | Call | PhaseSum | Chain

# ---- types --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class SpaceType:
    """`complex image[1, h, w]`, `vector[m]`, `scalar`, `mask[h, w]`; dims are expressions."""

    kind: Name
    dims: tuple[Expr, ...]
    is_complex: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class LinearType:
    """`linear X -> Y`."""

    domain: SpaceType
    codomain: SpaceType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class NetworkType:
    """`network X -> Y`, `network X, S -> Y`."""

    domains: tuple[SpaceType, ...]
    codomain: SpaceType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ConvType:
    """`conv[1 -> 32, 3, bias, padding=circular, groups=2]`."""

    channels_in: Expr
    channels_out: Expr
    size: Expr
    flags: tuple[Name, ...]
    options: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class LayerType:
    """`deconv[64 -> 32, 4, stride=2]`, `up[2, bilinear]`, `group_norm[8]`."""

    kind: Name
    channels: tuple[Expr, Expr] | None
    numbers: tuple[Expr, ...]
    flags: tuple[Name, ...]
    options: tuple[Argument, ...]
    span: Span

    @property
    def sizes(self) -> tuple[Expr, ...]:
        """What stands in its brackets, in order, where it is a named block: `Double[c, 2 * c]`."""
        return tuple(sorted((*self.numbers, *self.flags), key=lambda size: size.span.start))


@dataclass(frozen=True, slots=True, eq=False)
class RepeatedType:
    """`(conv[64 -> 64, 3, bias] >> relu) * 15`, `ResBlock[64] * 4`."""

    steps: tuple[StepType, ...]
    count: Number
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ComposedType:
    """`conv[...] >> relu >> conv[...]`."""

    steps: tuple[StepType, ...]
    span: Span


StepType = ConvType | NetworkType | LayerType | RepeatedType | Name
TypeExpr = SpaceType | LinearType | NetworkType | ConvType | LayerType | RepeatedType | ComposedType

# ---- statements ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """A constraint: `> 0`, `>= 0`, `< 2`, `in [0, 1)`. A missing side is unbounded."""

    lower: Expr | None
    lower_strict: bool
    upper: Expr | None
    upper_strict: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RandomInit:
    """`~ xavier_normal`, `~ normal(0, 0.1)`."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    name: Name
    default: Expr | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Dims:
    dimensions: tuple[Dimension, ...]
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """`input`, `fixed` or `learnable`, of one name or several alike."""

    role: Role
    names: tuple[Name, ...]
    type: TypeExpr
    bounds: Bounds | None
    sharing: Sharing
    value: Expr | RandomInit | None
    comment: str
    span: Span
    per_step: bool = False  # a value for each step of an inner loop


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    name: Name
    value: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class State:
    names: tuple[Name, ...]
    type: SpaceType
    value: Expr | None
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """`x <- EXPR`."""

    target: Name
    value: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """`r = EXPR`."""

    name: Name
    value: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """`trace r = EXPR`."""

    name: Name
    value: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """`repeat (3):` within a phase, and its block; a `state` there starts as the loop begins."""

    count: Expr
    body: tuple[StepStatement, ...]
    comment: str
    span: Span  # of the header


StepStatement = Update | Local | State
PhaseStatement = Update | Local | Trace | Repeat


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """`phase (7):` and its block."""

    count: Expr | None
    body: tuple[PhaseStatement, ...]
    comment: str
    span: Span  # of the header


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """`output x, u = A @ x`: a name is for the loss, None where there is none."""

    values: tuple[Expr, ...]
    names: tuple[Name | None, ...]
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a loss (typed), of `minimize` (typed or not) or of a `def` (not)."""

    name: Name
    type: SpaceType | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Minimize:
    """`minimize over x:` and the objective; a variable without a type is a state's name."""

    variables: tuple[Parameter, ...]
    body: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    targets: tuple[Parameter, ...]
    body: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """`measure y = EXPR`: how the data of input `y` are made of the loss's targets and `noise`."""

    name: Name
    value: Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """`def f(a, b) = EXPR`, or a block of locals closed by `return EXPR`."""

    name: Name
    parameters: tuple[Parameter, ...]
    locals: tuple[Local, ...]
    value: Expr
    comment: str
    span: Span

    @property
    def values(self) -> tuple[Expr, ...]:
        """The formulas of what it returns: one, or several."""
        match self.value:
            case Call(Name(text), arguments) if text == LIST:
                return tuple(argument.value for argument in arguments)
            case _:
                return (self.value,)


@dataclass(frozen=True, slots=True, eq=False)
class BlockDefinition:
    """`def block B[c](x) = EXPR`, or a block of locals closed by `return EXPR`: layers and what is made of them."""

    name: Name
    sizes: tuple[Name, ...]
    parameters: tuple[Parameter, ...]
    locals: tuple[Local, ...]
    value: Expr
    comment: str
    span: Span


_Named = Dims | Declaration | Let | State | Definition | BlockDefinition
Statement = _Named | Phase | Output | Minimize | Loss | Measure


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A file: `algorithm NAME` or `problem NAME`, its leading comment, its statements in order.

    `comment`, here and on statements, is the text of the `#` lines directly above it or, failing
    that, at its line's end, without the `#`. The comment at the top of the file is the program's.
    """

    kind: str  # algorithm | problem | prelude (no header; definitions alone)
    name: Name
    statements: tuple[Statement, ...]
    comment: str
    file: SourceFile
    span: Span
    poisoned: frozenset[str] = frozenset()  # names in lines that did not parse: not to be reported
