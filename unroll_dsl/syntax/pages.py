"""A program as a page: columns aligned, short comments at the ends of lines.

`printer.to_text` is canonical; this is how the files of algorithms/ are laid out. Both read back as the same tree.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import lines_text, statement_text

_COMMENT = 48  # the column of a comment at a line's end, at least
_WIDTH = 100
_FRACTION = re.compile(r"(?<![\w./^])(?<!/ )(\d+) / (\d+)(?![\w.])")  # 1/2, as papers have it


def page_text(program: n.Program) -> str:
    """The program as a file."""
    blocks: list[list[str]] = []
    if program.comment:
        blocks.append([f"# {line}".rstrip() for line in program.comment.split("\n")])
    head = [f"{program.kind} {program.name.text}"]
    grouped = itertools.groupby(program.statements, _group)
    for group, statements in grouped:
        lines = list(_lines(group, tuple(statements)))
        if group == "dims":
            head += lines
        else:
            blocks.append(lines)
    if blocks and program.comment:
        blocks[0] += head
    else:
        blocks.insert(0, head)
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def ordered(program: n.Program) -> n.Program:
    """The statements in the order of the files of algorithms/, all sizes in one line."""
    learnt = {
        w.text
        for s in program.statements
        if isinstance(s, n.Declaration) and s.role is n.Role.LEARNABLE
        for w in s.names
    }
    lets = [s for s in program.statements if isinstance(s, n.Let)]
    late: set[str] = set()  # lets that come of what is learnt: below it
    while more := {s.name.text for s in lets if _words(s.value) & (learnt | late)} - late:
        late |= more
    statements = sorted(
        program.statements,
        key=lambda s: 2.5 if isinstance(s, n.Let) and s.name.text in late else _place(s),
    )
    dims = [s for s in statements if isinstance(s, n.Dims)]
    if len(dims) > 1:
        whole = tuple(d for s in dims for d in s.dimensions)
        first = dataclasses.replace(dims[0], dimensions=whole)
        statements = [first, *(s for s in statements if not isinstance(s, n.Dims))]
    return dataclasses.replace(program, statements=tuple(statements))


def _words(expr: n.Expr) -> set[str]:
    match expr:
        case n.Name(text):
            return {text}
        case n.Unary(_, operand) | n.Adjoint(operand) | n.PhaseSum(operand):
            return _words(operand)
        case n.Binary(_, left, right):
            return _words(left) | _words(right)
        case n.Call(function, arguments):
            return _words(function).union(*(_words(a.value) for a in arguments))
        case _:
            return set()


def _place(statement: n.Statement) -> int:
    match statement:
        case n.Dims():
            return 0
        case n.Declaration(n.Role.INPUT | n.Role.FIXED) | n.Let():
            return 1
        case n.Declaration():
            return 2
        case n.Definition() | n.BlockDefinition():
            return 3
        case n.Minimize():
            return 4
        case n.State():
            return 5
        case n.Phase():
            return 6
        case n.Output():
            return 7
        case n.Loss():
            return 8
        case n.Measure():
            return 9


def _group(statement: n.Statement) -> str:
    match statement:
        case n.Dims():
            return "dims"
        case n.Declaration(n.Role.LEARNABLE):
            return "learnable"
        case n.Declaration() | n.Let():
            return "constants"
        case n.State() | n.Phase() | n.Output():
            return "iteration"
        case n.Minimize():
            return "objective"
        case n.Loss():
            return "loss"
        case n.Measure():
            return "data"
        case n.Definition() | n.BlockDefinition():
            return "functions"


def _lines(group: str, statements: Sequence[n.Statement]) -> Iterator[str]:
    written = [(s, _short("\n".join(text))) for s, text in lines_text(statements)]
    statements = [statement for statement, _ in written]
    rows = [_columns(s, text) for s, text in written] if group in _ALIGNED else []
    if rows:
        words = max(len(row[0]) for row in rows)
        names = max((len(row[1]) for row in rows if len(row[1]) <= 14), default=0)
        texts = [f"{a:<{words}} {b:<{names}} {c}" for a, b, c in rows]
        yield from _commented(texts, [s.comment for s in statements])
        return
    states = [s for s in statements if isinstance(s, n.State)]
    width = max((len(", ".join(w.text for w in s.names)) for s in states), default=0)
    shown = dict(zip(states, _commented(_states(states, width), [s.comment for s in states])))
    for statement, whole in written:
        if isinstance(statement, n.State):
            yield shown[statement]
            continue
        first, *rest = whole.split("\n")
        if isinstance(statement, n.Phase):
            yield from _commented([first], [statement.comment])
            body: list[tuple[str, str]] = []
            for line, texts in lines_text(statement.body):
                body += zip(texts, [line.comment, *[""] * len(texts)])
            yield from _commented([f"    {_short(x)}" for x, _ in body], [c for _, c in body])
        elif rest:
            yield from (
                f"# {x}".rstrip() for x in statement.comment.split("\n") if statement.comment
            )
            yield from (first, *rest)
        else:
            yield from _commented([first], [statement.comment])


def _states(states: Sequence[n.State], width: int) -> list[str]:
    texts = [_short(statement_text(s)).removeprefix("state ").split(" : ", 1) for s in states]
    return [f"state {names:<{width}} : {rest}" for names, rest in texts]


_ALIGNED = ("learnable", "constants")


def _columns(statement: n.Statement | n.PhaseStatement, text: str) -> tuple[str, str, str]:
    """`fixed`, `lambda`, `: scalar > 0 = 0.1`."""
    word, _, rest = text.partition(" ")
    sign = " = " if isinstance(statement, n.Let) else " : "
    name, _, value = rest.partition(sign)
    return word, name, sign.strip() + " " + value


def _commented(texts: Sequence[str], comments: Sequence[str]) -> Iterator[str]:
    """Lines with their comments at the end, in one column where they fit; else above the line."""
    ends = [len(t) for t, c in zip(texts, comments) if c and "\n" not in c]
    column = max([_COMMENT, *(-(-(end + 1) // 8) * 8 for end in ends if end < 64)])
    for text, comment in zip(texts, comments, strict=True):
        if not comment:
            yield text
        elif "\n" in comment or max(column, len(text) + 2) + 2 + len(comment) > _WIDTH:
            indent = " " * (len(text) - len(text.lstrip()))
            yield from (f"{indent}# {line}".rstrip() for line in comment.split("\n"))
            yield text
        else:
            yield f"{text:<{column}}# {comment}" if len(text) < column else f"{text}  # {comment}"


def _short(text: str) -> str:
    return _FRACTION.sub(r"\1/\2", text)
