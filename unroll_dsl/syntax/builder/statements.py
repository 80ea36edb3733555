"""Statements, their parts, and the file they make up."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.builder.parts import (
    Header,
    Named,
    Names,
    ObjectiveBody,
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
    match parts:
        case [Token(text="shared")]:
            return Shared(n.Sharing.SHARED, cover(parts))
    return Shared(n.Sharing.PER_PHASE, cover(parts))


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
    )


def let(parts: list[Placed]) -> n.Let:
    return n.Let(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


def state(parts: list[Placed]) -> n.State:
    declared, space = one(parts, Names).names, one(parts, n.SpaceType)
    return n.State(declared, space, value_in(parts), comment_of(parts), head(parts))


def phase(parts: list[Placed]) -> n.Phase:
    lines = tuple(part for part in parts if isinstance(part, n.Update | n.Local | n.Trace))
    return n.Phase(value_in(parts), lines, comment_of(parts), head(parts))


def update(parts: list[Placed]) -> n.Update:
    return n.Update(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


def local(parts: list[Placed]) -> n.Local:
    return n.Local(name_in(parts), one(parts, Part).expr, comment_of(parts), head(parts))


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
    value = one(parts, Part).expr
    lines = every(parts, n.Local)
    return n.Definition(name_in(parts), parameters, lines, value, comment_of(parts), head(parts))


def result(parts: list[Placed]) -> Part:
    return one(parts, Part)


def _type(part: Placed) -> n.TypeExpr:
    match part:
        case n.SpaceType() | n.LinearType() | n.NetworkType() | n.ConvType():
            return part
        case n.LayerType() | n.RepeatedType() | n.ComposedType():
            return part
    raise malformed([part])


def _statements(parts: Sequence[Placed]) -> tuple[n.Statement, ...]:
    return tuple(part for part in parts if isinstance(part, n.Statement))
