"""Declared names and their types: what the lines above the phase say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from unroll_dsl.near import near
from unroll_dsl.semantics import errors, layers
from unroll_dsl.semantics.constants import as_dim
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Definer, Sort, Symbol
from unroll_dsl.semantics.scopes import RESERVED, Reporter
from unroll_dsl.source import Span
from unroll_dsl.syntax.foreign import is_network, kind_instead, padding_instead
from unroll_dsl.syntax.nodes import (
    ComposedType,
    ConvType,
    Declaration,
    Definition,
    Dimension,
    Dims,
    Expr,
    LayerType,
    Let,
    LinearType,
    Local,
    Loss,
    Measure,
    Minimize,
    Name,
    NetworkType,
    Number,
    Output,
    Phase,
    PhaseStatement,
    Program,
    Repeat,
    RepeatedType,
    Role,
    Sharing,
    SpaceType,
    State,
    StepType,
    Trace,
    TypeExpr,
    Update,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    UNKNOWN,
    Activation,
    Array,
    Bound,
    Conv,
    Declared,
    Dim,
    Field,
    Form,
    Layer,
    LinearMap,
    SizeTooLong,
    Step,
    Type,
)
from unroll_dsl.types.steps import KINDS

_NETWORK = (
    "say its layers, `conv[1 -> 32, 3] >> relu >> conv[32 -> 1, 3]`, or bind it: "
    "`network image[1, h, w] -> image[1, h, w]`"
)
_KINDS: dict[str, tuple[Form, int | None]] = {
    "scalar": (Form.PLAIN, 0),
    "vector": (Form.PLAIN, 1),
    "matrix": (Form.PLAIN, 2),
    "tensor": (Form.PLAIN, None),
    "image": (Form.IMAGE, 3),
    "mask": (Form.MASK, 2),
}
LayerStep = Conv | Activation | Bound | Step
PADDINGS = ("zero", "circular", "reflect", "replicate")
_WIDE = ("stride", "dilation")
_CONV_OPTIONS = ("bias", "padding", "groups", *_WIDE)
_ROLES = {Role.INPUT: Sort.INPUT, Role.FIXED: Sort.FIXED, Role.LEARNABLE: Sort.LEARNABLE}


def _in_phase(body: tuple[PhaseStatement, ...]) -> Iterator[tuple[Sort, Name, Definer]]:
    for line in body:
        match line:
            case Local(name):
                yield Sort.LOCAL, name, line
            case Trace(name):
                yield Sort.TRACE, name, line
            case Repeat(_, steps):
                for step in steps:
                    if isinstance(step, Local):
                        yield Sort.LOCAL, step.name, step
                    elif isinstance(step, State):
                        yield from ((Sort.INNER, name, step) for name in step.names)
            case Update():
                pass
            case _:
                assert_never(line)


class Declarations:
    """Collects the names of a program; reports double and reserved ones."""

    def __init__(self, program: Program, reporter: Reporter) -> None:
        self.program = program
        self.reporter = reporter
        self.symbols: dict[str, Symbol] = {}
        self._sizes: Mapping[str, Symbol] | None = None
        self.spaces: dict[SpaceType, Array] = {}

    def collect(self) -> None:
        """Every name of the program, with the type that it is declared with."""
        for sort, name, definer in self._declared():
            self._declare(sort, name, definer)
        for word, symbol in list(self.symbols.items()):
            definer = symbol.definer
            if isinstance(definer, Declaration | State):
                per_phase = (
                    isinstance(definer, Declaration) and definer.sharing is Sharing.PER_PHASE
                )
                self.symbols[word] = Symbol(
                    word, symbol.sort, symbol.span, definer, self.type_of(definer.type), per_phase
                )

    def _declared(self) -> Iterator[tuple[Sort, Name, Definer]]:
        for statement in self.program.statements:
            match statement:
                case Dims(dimensions):
                    for dimension in dimensions:
                        yield Sort.DIMENSION, dimension.name, dimension
                case Declaration(role, names):
                    for name in names:
                        yield _ROLES[role], name, statement
                case Let(name):
                    yield Sort.LET, name, statement
                case State(names):
                    for name in names:
                        yield Sort.STATE, name, statement
                case Definition(name):
                    yield Sort.DEFINITION, name, statement
                case Phase(_, body):
                    yield from _in_phase(body)
                case Output() | Minimize() | Loss() | Measure():
                    pass
                case _:
                    assert_never(statement)

    def _declare(self, sort: Sort, name: Name, definer: Definer) -> None:
        if name.text in RESERVED:
            meaning = RESERVED[name.text]
            self.reporter.report(errors.ReservedName(name.span, name.text, meaning))
            return
        first = self.symbols.get(name.text)
        if first is None:
            self.symbols[name.text] = Symbol(name.text, sort, name.span, definer)
        elif sort is Sort.LOCAL and first.sort is Sort.STATE:
            self.reporter.report(errors.StateAssigned(name.span, name.text, first.span))
        else:
            self.reporter.report(
                errors.DeclaredTwice(name.span, name.text, first.span, first.sort.value)
            )

    # ---- types ----------------------------------------------------------------------------------

    def _dimensions(self) -> Mapping[str, Symbol]:
        """The sizes among the names: looked for once, not for every declaration."""
        if self._sizes is None:
            self._sizes = {n: s for n, s in self.symbols.items() if s.sort is Sort.DIMENSION}
        return self._sizes

    def size(self, dimension: Dimension) -> tuple[str, int | None]:
        """A name from `dims`, and the size that it has where the program is given no other."""
        default = None if dimension.default is None else self.dim(dimension.default)
        return dimension.name.text, default.value if default is not None else None

    def dim(self, expr: Expr) -> Dim | None:
        """The size that an expression spells; None if it is none, reported."""
        dims = self._dimensions()
        try:
            found = as_dim(expr, dims)
        except SizeTooLong as error:
            self.reporter.report(errors.SizeWithoutEnd(expr.span, str(error)))
            return None
        if found is not None:
            if found.value is not None and found.value < 1:
                self.reporter.report(errors.DimensionExpected(expr.span, str(found.value)))
                return None
            return found
        if isinstance(expr, Name):
            if expr.text in self.program.poisoned:
                return None
            undeclared = expr.text if expr.text not in self.symbols else None
            close = near(expr.text, dims)
            self.reporter.report(errors.DimensionExpected(expr.span, expr.text, close, undeclared))
        else:
            self.reporter.report(errors.DimensionExpected(expr.span, expression_text(expr)))
        return None

    def space(self, type_: SpaceType) -> Array | None:
        kind = type_.kind.text
        if kind not in _KINDS:
            self.reporter.report(
                errors.UnknownWord(
                    type_.kind.span,
                    kind,
                    "kind of space",
                    tuple(_KINDS),
                    () if is_network(kind) else kind_instead(kind) or near(kind, _KINDS),
                    _NETWORK if is_network(kind) else None,
                )
            )
            return None
        form, rank = _KINDS[kind]
        found = len(type_.dims)
        if rank is None and found == 0:
            self.reporter.report(
                errors.WrongDimensionCount(type_.span, kind, "at least 1 size", found)
            )
            return None
        if rank is not None and found != rank:
            expected = "no sizes" if rank == 0 else "1 size" if rank == 1 else f"{rank} sizes"
            self.reporter.report(errors.WrongDimensionCount(type_.span, kind, expected, found))
            return None
        dims = [self.dim(dim) for dim in type_.dims]
        if any(dim is None for dim in dims):
            return None
        field = Field.COMPLEX if type_.is_complex else Field.REAL
        self.spaces[type_] = Array(tuple(dim for dim in dims if dim is not None), field, form)
        return self.spaces[type_]

    def type_of(self, type_: TypeExpr) -> Type:
        match type_:
            case SpaceType():
                return self.space(type_) or UNKNOWN
            case LinearType(domain, codomain):
                first, second = self.space(domain), self.space(codomain)
                return LinearMap(Declared(first, second)) if first and second else UNKNOWN
            case NetworkType() | ConvType() | LayerType():
                return self._chain((type_,))
            case ComposedType(steps):
                return self._chain(steps)
            case RepeatedType():
                return self._chain((type_,))
            case _:
                assert_never(type_)

    def _chain(self, written: tuple[StepType, ...]) -> Type:
        steps = tuple(layers.single(written, self.reporter))
        known: dict[layers.Single, LayerStep | None] = {}  # what is repeated is read once
        for step in steps:
            if step not in known:
                known[step] = self._step(step)
        found = [known[step] for step in steps]
        if any(step is None for step in found):
            return UNKNOWN
        layer = Layer(tuple(step for step in found if step is not None))
        if not layers.meeting(layer, steps, self.reporter):
            return UNKNOWN
        for place, node in enumerate(steps):
            if layer.steps[place] == Activation("plf") and layer.channels(place) is None:
                self.reporter.report(
                    errors.CallMismatch(
                        ">>",
                        errors.Operand(node.span, "plf"),
                        "`plf` beside a convolution, which tells its number of channels",
                        "none",
                        "apply `plf(x, q)` to values at knots, a learnable `q : tensor[C, 101]`",
                    )
                )
                return UNKNOWN
        return layer

    def _step(self, step: layers.Single) -> LayerStep | None:
        match step:
            case LayerType():
                return layers.read(step, self.dim, self.reporter)
            case Name(text, span) if text in KINDS:
                return layers.read(LayerType(step, None, (), (), (), span), self.dim, self.reporter)
            case Name(text, span):
                if text not in ACTIVATIONS:
                    self.reporter.report(
                        errors.UnknownWord(
                            span,
                            text,
                            "activation",
                            ACTIVATIONS,
                            near(text, (*ACTIVATIONS, *KINDS)),
                        )
                    )
                    return None
                return Activation(text)
            case NetworkType(domains, codomain):
                found = [self.space(domain) for domain in (*domains, codomain)]
                if None in found:
                    return None
                first, *more, last = (space for space in found if space is not None)
                return Bound(first, last, tuple(more))
            case ConvType():
                return self._conv(step)
            case _:
                assert_never(step)

    def _conv(self, conv: ConvType) -> Conv | Step | None:
        first, second = self.dim(conv.channels_in), self.dim(conv.channels_out)
        size = conv.size.value if isinstance(conv.size, Number) else None
        if not isinstance(size, int) or size < 1:
            self.reporter.report(
                errors.NumberExpected(conv.size.span, "the kernel size", expression_text(conv.size))
            )
            return None
        said = self._conv_options(conv)
        if first is None or second is None or said is None:
            return None
        bias, padding, groups = said
        wide = [o for o in conv.options if o.keyword and o.keyword.text in _WIDE]
        found = layers.read_options(tuple(wide), KINDS["conv"], self.reporter)
        if found is None:
            return None
        if not found:
            return Conv(first, second, size, bias, padding, groups)
        if padding != "zero":
            why = errors.LayerFault.Why.PADDING
            text = f"padding={padding}"
            self.reporter.report(errors.LayerFault(conv.span, "conv", why, text))
            return None
        flags = ("bias",) if bias else ()
        options = (*found, *((("groups", groups),) if groups > 1 else ()))
        return layers.checked(
            Step("conv", (first, second), size, flags, options), conv.span, self.reporter
        )

    def _conv_options(self, conv: ConvType) -> tuple[bool, str, int] | None:
        """Bias, padding and groups; None if a word is none of those known, reported."""
        for flag in conv.flags:
            if flag.text != "bias":
                self._unknown(flag.span, flag.text, "option of conv", _CONV_OPTIONS)
                return None
        padding, groups = "zero", 1
        for option in conv.options:
            key = option.keyword
            assert key is not None
            if key.text == "padding" and isinstance(option.value, Name):
                padding = option.value.text
                if padding not in PADDINGS:
                    self._unknown(option.value.span, padding, "padding", PADDINGS)
                    return None
            elif key.text == "groups" and isinstance(option.value, Number):
                groups = int(option.value.value)
            elif key.text not in _WIDE:
                self._unknown(option.span, key.text, "option of conv", _CONV_OPTIONS)
                return None
        return bool(conv.flags), padding, groups

    def _unknown(self, span: Span, word: str, what: str, known: tuple[str, ...]) -> None:
        close = padding_instead(word, known) or near(word, known)
        self.reporter.report(errors.UnknownWord(span, word, what, known, close))


def declared_at(symbol: Symbol) -> Span:
    """Where the type of a declared name is written."""
    match symbol.definer:
        case Declaration() | State():
            return symbol.definer.type.span
        case _:
            return symbol.span


__all__ = ["ACTIVATIONS", "PADDINGS", "Declarations", "declared_at"]
