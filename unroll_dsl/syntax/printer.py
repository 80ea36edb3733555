"""From the tree back to text: canonical, and read again as the same tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TypeVar, assert_never

from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.expressions import Level, argument_text, expression_text, type_text

__all__ = ["expression_text", "lines_text", "same_tree", "statement_text", "to_text", "type_text"]

_INDENT = " " * 4
Line = n.Statement | n.PhaseStatement | n.StepStatement
L = TypeVar("L", bound=Line)


def to_text(program: n.Program) -> str:
    """The program as a file: comments above what they are about, a blank line around blocks."""
    lines = _comment(program.comment)
    if program.kind == "prelude":
        lines += [""] if lines else []
    else:
        lines.append(f"{program.kind} {program.name.text}")
    after_block = False
    for statement, text in lines_text(program.statements):
        is_block = isinstance(
            statement, n.Phase | n.Minimize | n.Loss | n.Definition | n.BlockDefinition
        )
        if (is_block or after_block) and lines and lines[-1]:
            lines.append("")
        lines += [*_comment(statement.comment), *text]
        after_block = is_block
    return "\n".join(lines) + "\n"


def statement_text(statement: Line) -> str:
    """A statement without its comment."""
    return "\n".join(_statement(statement))


def lines_text(statements: Sequence[L]) -> Iterator[tuple[L, list[str]]]:
    """Statements with their text; what takes the values of one call, `a, b = f(x)`, is one line."""
    for group in by_call(statements):
        first, value = group[0], _call(group[0])
        if len(group) > 1 and value is not None:
            names = ", ".join(x.name.text for x in group if isinstance(x, n.Let | n.Local))
            word = "let " if isinstance(first, n.Let) else ""
            yield first, [f"{word}{names} = {expression_text(value)}"]
        else:
            yield first, _statement(first)


def by_call(statements: Sequence[L]) -> Iterator[Sequence[L]]:
    """Statements in groups: those that take the values of one call, each other by itself."""
    at = 0
    while at < len(statements):
        call, total = _call(statements[at]), _taken(statements[at])
        group = statements[at : at + total]
        if len(group) < total or any(_call(x) is not call for x in group):
            group = group[:1]
        yield group
        at += len(group)


def _taken(statement: Line) -> int:
    """Of how many names the line is that a statement begins; 1 where it has its own."""
    match statement:
        case n.Let(_, value) | n.Local(_, value) if _call(statement) is not None:
            assert isinstance(value, n.Call)
            numbers = {a.keyword.text: a.value for a in value.arguments if a.keyword}
            at, of = numbers[n.AT], numbers[n.OF]
            assert isinstance(at, n.Number) and isinstance(of, n.Number)
            return int(of.value) if at.value == 1 else 1
        case _:
            return 1


def _call(statement: Line) -> n.Expr | None:
    """The call of which a statement takes one value of several, in a line of several names."""
    match statement:
        case n.Let(_, n.Call(arguments=(taken, _, n.Argument(n.Name(n.OF))))):
            return taken.value
        case n.Local(_, n.Call(arguments=(taken, _, n.Argument(n.Name(n.OF))))):
            return taken.value
        case _:
            return None


def same_tree(first: object, second: object) -> bool:
    """Whether two nodes differ in nothing but their places."""
    waiting = [(first, second)]
    while waiting:
        a, b = waiting.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, tuple) and isinstance(b, tuple):
            if len(a) != len(b):
                return False
            waiting.extend(zip(a, b, strict=True))
        elif isinstance(a, Span | SourceFile):
            continue
        elif is_dataclass(a) and is_dataclass(b):
            waiting.extend((getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
        elif a != b:
            return False
    return True


def _statement(statement: Line) -> list[str]:
    match statement:
        case n.Dims(dimensions):
            return ["dims " + ", ".join(d.name.text + _equals(d.default) for d in dimensions)]
        case n.Declaration(role, names, type_, bounds, sharing, value):
            text = f"{role.value} {_names(names)} : {type_text(type_)}{_bounds(bounds)}"
            per_phase = " per phase" if sharing is n.Sharing.PER_PHASE else ""
            per_step = " per step" if statement.per_step else ""
            return [text + per_phase + per_step + _initial(value)]
        case n.Let(name, value):
            return [f"let {name.text} = {expression_text(value)}"]
        case n.State(names, type_, value):
            return [f"state {_names(names)} : {type_text(type_)}{_equals(value)}"]
        case n.Update(target, value):
            return [f"{target.text} <- {expression_text(value)}"]
        case n.Local(name, value):
            return [f"{name.text} = {expression_text(value)}"]
        case n.Trace(name, value):
            return [f"trace {name.text} = {expression_text(value)}"]
        case n.Phase(count, body):
            head = "phase:" if count is None else f"phase ({expression_text(count)}):"
            return [head, *_block(body)]
        case n.Repeat(count, lines):
            return [f"repeat ({expression_text(count)}):", *_block(lines)]
        case n.Output(values, names):
            parts = [
                (f"{name.text} = " if name else "") + expression_text(value)
                for name, value in zip(names, values, strict=True)
            ]
            return [f"output {', '.join(parts)}"]
        case n.Minimize(variables, body):
            head = f"minimize over {_parameters(variables)}:"
            return [head, _INDENT + expression_text(body)]
        case n.Loss(targets, body):
            head = f"loss ({_parameters(targets)}):" if targets else "loss:"
            return [head, _INDENT + expression_text(body)]
        case n.Measure(name, value):
            return [f"measure {name.text} = {expression_text(value)}"]
        case n.Definition(name, parameters, lines):
            head = f"def {name.text}({_parameters(parameters)})"
            if not lines:
                return [f"{head} = {_list(statement.values)}"]
            return [f"{head}:", *_block(lines), f"{_INDENT}return {_list(statement.values)}"]
        case n.BlockDefinition(name, sizes, parameters, lines, value):
            own = f"[{_names(sizes)}]" if sizes else ""
            head = f"def block {name.text}{own}({_parameters(parameters)})"
            if not lines:
                return [f"{head} = {expression_text(value)}"]
            return [f"{head}:", *_block(lines), f"{_INDENT}return {expression_text(value)}"]
        case _:
            assert_never(statement)


def _block(lines: Sequence[n.PhaseStatement] | Sequence[n.StepStatement]) -> list[str]:
    return [
        _INDENT + text
        for line, texts in lines_text(lines)
        for text in (*_comment(line.comment), *texts)
    ]


def _comment(comment: str) -> list[str]:
    return [f"# {line}".rstrip() for line in comment.split("\n")] if comment else []


def _names(names: Iterable[n.Name]) -> str:
    return ", ".join(name.text for name in names)


def _list(expressions: Iterable[n.Expr]) -> str:
    return ", ".join(map(expression_text, expressions))


def _equals(value: n.Expr | None) -> str:
    return "" if value is None else f" = {expression_text(value)}"


def _initial(value: n.Expr | n.RandomInit | None) -> str:
    match value:
        case n.RandomInit(name, arguments):
            given = f"({', '.join(map(argument_text, arguments))})" if arguments else ""
            return f" ~ {name.text}{given}"
        case _:
            return _equals(value)


def _bounds(bounds: n.Bounds | None) -> str:
    if bounds is None or (bounds.lower is None and bounds.upper is None):
        return ""
    if bounds.upper is None:
        return f" >{'' if bounds.lower_strict else '='} {_limit(bounds.lower)}"
    if bounds.lower is None:
        return f" <{'' if bounds.upper_strict else '='} {_limit(bounds.upper)}"
    left, right = "(" if bounds.lower_strict else "[", ")" if bounds.upper_strict else "]"
    low, high = expression_text(bounds.lower), expression_text(bounds.upper)
    return f" in {left}{low}, {high}{right}"


def _limit(limit: n.Expr | None) -> str:
    """A bound outside brackets, which reaches as far as a sum does."""
    return "" if limit is None else expression_text(limit, Level.SUM)


def _parameters(parameters: Iterable[n.Parameter]) -> str:
    return ", ".join(
        p.name.text + (f" : {type_text(p.type)}" if p.type else "") for p in parameters
    )
