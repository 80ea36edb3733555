"""Statements, their parts, and the file they make up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.builder.parts import (
    Formulas,
    Header,
    Named,
    NamedLines,
    Names,
    ObjectiveBody,
    OverLimit,
    Part,
    Shared,
    Targets,
    Unit,
    arguments_in,
    comment_of,
    cover,
    every,
    find,
    head,
    malformed,
    name_in,
    name_of,
    one,
    value_in,
)
from unroll_dsl.syntax.engine import Placed
from unroll_dsl.syntax.tokens import NAME, Token


def start(parts: list[Placed]) -> Unit:
    return Unit(find(parts, Header), _statements(parts))


def header(parts: list[Placed]) -> Header:
    match parts:
        case [Token(text=kind), Token() as name, Token(comment=comment)]:
            return Header(kind, name_of(name), comment, head(parts))
    raise malformed(parts)


def dims(parts: list[Placed]) -> n.Dims:
    return n.Dims(every(parts, n.Dimension), comment_of(parts), head(parts))


def dimension(parts: list[Placed]) -> n.Dimension:
    return n.Dimension(name_in(parts), value_in(parts), cover(parts))


def role(parts: list[Placed]) -> Placed:
    return parts[0]


def names(parts: list[Placed]) -> Names:
    return Names(tuple(name_of(t) for t in every(parts, Token) if t.kind == NAME), cover(parts))


def sharing(parts: list[Placed]) -> Shared:
    words = {" ".join(token.text.split()) for token in every(parts, Token)}
    per_phase = n.Sharing.PER_PHASE.value in words
    sharing = n.Sharing.PER_PHASE if per_phase else n.Sharing.SHARED
    return Shared(sharing, "per step" in words, cover(parts))


def initial(parts: list[Placed]) -> Placed:
    return parts[-1]  # without its `=` or `~`


def random(parts: list[Placed]) -> n.RandomInit:
    return n.RandomInit(name_in(parts), arguments_in(parts), cover(parts))


def bounds(parts: list[Placed]) -> n.Bounds:
    match parts:
        case [Token(text=">" | ">=" as sign), Part() as limit]:
            return n.Bounds(limit.expr, sign == ">", None, False, cover(parts))
        case [Token(text=sign), Part() as limit]:
            return n.Bounds(None, False, limit.expr, sign == "<", cover(parts))
    raise malformed(parts)


def interval(parts: list[Placed]) -> n.Bounds:
    match parts:
        case [Token(), Token(text=left), Part() as low, Token(), Part() as high, Token(text=right)]:
            return n.Bounds(low.expr, left == "(", high.expr, right == ")", cover(parts))
    raise malformed(parts)


def declaration(parts: list[Placed]) -> n.Declaration:
    shared = find(parts, Shared)
    match parts:
        case [Token(text=word), Names(names=declared), Token(), placed, *_]:
            pass
        case _:
            raise malformed(parts)
    return n.Declaration(
        n.Role(word),
        declared,
        _type(placed),
        find(parts, n.Bounds),
        shared.sharing if shared else n.Sharing.SHARED,
        find(parts, n.RandomInit) or value_in(parts),
        comment_of(parts),
        head(parts),
        shared is not None and shared.per_step,
    )


def let(parts: list[Placed]) -> Placed:
    return _named_values(parts, n.Let)


def state(parts: list[Placed]) -> n.State:
    declared, space = one(parts, Names).names, one(parts, n.SpaceType)
    return n.State(declared, space, value_in(parts), comment_of(parts), head(parts))


def phase(parts: list[Placed]) -> n.Phase:
    lines = tuple(x for x in _spread(parts) if isinstance(x, n.PhaseStatement))
    return n.Phase(value_in(parts), lines, comment_of(parts), head(parts))


def repeat(parts: list[Placed]) -> n.Repeat:
    lines = tuple(x for x in _spread(parts) if isinstance(x, n.StepStatement))
    return n.Repeat(one(parts, Part).expr, lines, comment_of(parts), head(parts))


def update(parts: list[Placed]) -> n.Update:
    return n.Update(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


def local(parts: list[Placed]) -> Placed:
    return _named_values(parts, n.Local)


def _named_values(parts: list[Placed], kind: type[n.Let] | type[n.Local]) -> Placed:
    """`r = ...`, or `a, b = f(x)` as `a = f(x)[1]` and `b = f(x)[2]`, which share the call."""
    names, value = one(parts, Names), one(parts, Part)
    comment, place = comment_of(parts), head(parts)
    if len(names.names) == 1:
        return kind(names.names[0], value.expr, comment, place)
    total = n.Number(len(names.names), names.span)
    lines = []
    for at, name in enumerate(names.names, start=1):
        given = {n.AT: n.Number(at, name.span), n.OF: total}
        arguments = [n.Argument(n.Name(w, name.span), x, name.span) for w, x in given.items()]
        taken = n.Argument(None, value.expr, value.span)
        call = n.Call(n.Name(n.ENTRIES, names.span), (taken, *arguments), value.span)
        lines.append(kind(name, call, comment if at == 1 else "", place))
    return NamedLines(tuple(lines), cover(parts))


def trace(parts: list[Placed]) -> n.Trace:
    return n.Trace(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


def output(parts: list[Placed]) -> n.Output:
    found = every(parts, Named)
    values = tuple(named.part.expr for named in found)
    names = tuple(named.name for named in found)
    return n.Output(values, names, comment_of(parts), head(parts))


def named(parts: list[Placed]) -> Named:
    name = name_in(parts) if find(parts, Token) else None
    return Named(name, one(parts, Part), cover(parts))


def minimize(parts: list[Placed]) -> n.Minimize:
    name, space = name_in(parts), find(parts, n.SpaceType)
    last = n.Parameter(name, space, name.span.to(space.span) if space else name.span)
    formula = one(parts, ObjectiveBody)
    variables = (*every(parts, n.Parameter), last)
    return n.Minimize(variables, formula.expr, formula.comment, head(parts))


def parameter(parts: list[Placed]) -> n.Parameter:
    return n.Parameter(name_in(parts), find(parts, n.SpaceType), cover(parts))


def target(parts: list[Placed]) -> Targets:
    """`a, b : vector[n]`: each name a parameter of that type."""
    names, type_ = one(parts, Names).names, one(parts, n.SpaceType)
    *before, last = names
    found = [n.Parameter(name, type_, name.span) for name in before]
    return Targets((*found, n.Parameter(last, type_, last.span.to(type_.span))), cover(parts))


def loss(parts: list[Placed]) -> n.Loss:
    formula = one(parts, ObjectiveBody)
    targets = tuple(t for group in every(parts, Targets) for t in group.targets)
    return n.Loss(targets, formula.expr, formula.comment, head(parts))


def measure(parts: list[Placed]) -> n.Measure:
    return n.Measure(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


def formula(parts: list[Placed]) -> ObjectiveBody:
    comments = [part.comment for part in every(parts, Token) if part.comment]
    comment = comments[0] if comments else ""
    return ObjectiveBody(one(parts, Part).expr, comment, head(parts))


def definition(parts: list[Placed]) -> n.Definition:
    found = find(parts, Names)
    parameters = tuple(
        n.Parameter(name, None, name.span) for name in (found.names if found else ())
    )
    value = one(parts, Formulas)
    lines = tuple(x for x in _spread(parts) if isinstance(x, n.Local))
    return n.Definition(
        name_in(parts), parameters, lines, _one(value), comment_of(parts), head(parts)
    )


@dataclass(frozen=True, slots=True)
class Sizes:
    """The names in the square brackets of a block."""

    names: tuple[n.Name, ...]
    span: Span


def sizes(parts: list[Placed]) -> Sizes:
    return Sizes(one(parts, Names).names, cover(parts))


def block_name(parts: list[Placed]) -> n.Name:
    """The name of a block, behind the word `block`."""
    word, name = (name_of(t) for t in every(parts, Token) if t.kind == NAME)
    if word.text != "block":
        mend = f"a function is written `def {name.text}(...)`, a block of layers `def block {name.text}(...)`"
        raise OverLimit(e.Unexpected(word.span, f"`{word.text}`", "`block`, or the brackets", mend))
    return name


def block(parts: list[Placed]) -> n.BlockDefinition:
    sizes, names = find(parts, Sizes), find(parts, Names)
    given = names.names if names else ()
    return n.BlockDefinition(
        one(parts, n.Name),
        sizes.names if sizes else (),
        tuple(n.Parameter(each, None, each.span) for each in given),
        tuple(x for x in _spread(parts) if isinstance(x, n.Local)),
        _one(one(parts, Formulas)),
        comment_of(parts),
        head(parts),
    )


def result(parts: list[Placed]) -> Formulas:
    return one(parts, Formulas)


def expressions(parts: list[Placed]) -> Formulas:
    return Formulas(every(parts, Part), cover(parts))


def _one(formulas: Formulas) -> n.Expr:
    """A formula, or a list of several."""
    if len(formulas.parts) == 1:
        return formulas.parts[0].expr
    given = tuple(n.Argument(None, part.expr, part.span) for part in formulas.parts)
    return n.Call(n.Name(n.LIST, formulas.span), given, formulas.span)


def _type(part: Placed) -> n.TypeExpr:
    match part:
        case n.SpaceType() | n.LinearType() | n.NetworkType() | n.ConvType():
            return part
        case n.LayerType() | n.RepeatedType() | n.ComposedType():
            return part
    raise malformed([part])


def _statements(parts: Sequence[Placed]) -> tuple[n.Statement, ...]:
    return tuple(part for part in _spread(parts) if isinstance(part, n.Statement))


def _spread(parts: Sequence[Placed]) -> Iterator[Placed | n.Let | n.Local]:
    """Each line, those that one line of several names stands for among them."""
    for part in parts:
        if isinstance(part, NamedLines):
            yield from part.lines
        else:
            yield part
