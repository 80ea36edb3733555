"""Slips that an author might make, found in a module's tree and written into its text.

Each changes one place and leaves the rest of the text as it is, so that lines keep their numbers. Text that
people read is left alone: docstrings, f-strings, what is raised, annotations, `assert`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_OTHER: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_ORDERED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)  # a o b is not b o a
_CALLS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "maximum": "minimum",
    "minimum": "maximum",
    "amax": "amin",
    "amin": "amax",
    "argmax": "argmin",
    "argmin": "argmax",
    "fftshift": "ifftshift",
    "ifftshift": "fftshift",
    "floor": "ceil",
    "ceil": "floor",
    "cos": "sin",
    "sin": "cos",
}
_CONJ = {"conj", "conjugate", "conj_physical", "resolve_conj", "adjoint", "mH"}
_ABSORBED = {"abs", "sqrt", "real", "detach", "clone", "mean", "sorted", "reversed"}  # f(x) -> x


@dataclass(frozen=True, slots=True)
class Slip:
    """One change of a text: the bytes from `start` to `end`, which are `old`, become `new`."""

    path: str
    line: int
    start: int
    end: int
    kind: str
    old: str
    new: str

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path}:{self.line}  {self.kind}: {_short(old)} -> {_short(new)}"

    @property
    def change(self) -> tuple[str, str, str]:
        """What is changed, wherever it stands."""
        return self.kind, self.old, self.new

    def applied(self, text: str) -> str:
        """The text with the slip in it; `ValueError` where the text is no longer the one it was made for."""
        data = text.encode()
        if data[self.start : self.end].decode(errors="replace") != self.old:
            raise ValueError(f"{self.path}:{self.line} no longer reads {self.old!r}")
        return (data[: self.start] + self.new.encode() + data[self.end :]).decode()


def slips(path: str, text: str) -> tuple[Slip, ...]:
    """All slips of a module, in the order of its text."""
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(node: ast.AST) -> tuple[int, int]:
        return (
            starts[node.lineno - 1] + node.col_offset,
            starts[node.end_lineno - 1] + node.end_col_offset,
        )

    data = text.encode()
    found = []
    for node in _code(ast.parse(text)):
        for kind, new in _changes(node):
            start, end = place(node)
            old = data[start:end].decode()
            written = f"({new})" if isinstance(node, ast.expr) and not _closed(new) else new
            if old != new and _parses(data[:start] + written.encode() + data[end:]):
                found.append(Slip(path, node.lineno, start, end, kind, old, written))
    return tuple(sorted(set(found), key=lambda slip: (slip.start, slip.end, slip.kind, slip.new)))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a tree but those of text, annotations and refusals."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_text(child):
                yield from _code(child)


def _is_text(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Raise() | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The slips at one node: their kind, and what the node's text becomes."""
    match node:
        case ast.BinOp(_, ast.Div(), ast.Constant(str()) | ast.JoinedStr()):
            return  # a path
        case ast.BinOp(_, ast.Div(), ast.Name(name)) if name.isupper():
            return
        case ast.BinOp(left, op, right):
            if type(op) in _OTHER:
                yield "operator", _unparsed(ast.BinOp(left, _OTHER[type(op)](), right))
            if isinstance(op, _ORDERED):
                yield "operands", _unparsed(ast.BinOp(right, op, left))
            if isinstance(op, ast.Mult | ast.Div | ast.Add | ast.Sub):
                yield "term left out", _unparsed(left)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield "sign", _unparsed(operand)
        case ast.Compare(left, [op], [right]) if type(op) in _OTHER:
            yield "comparison", _unparsed(ast.Compare(left, [_OTHER[type(op)]()], [right]))
        case ast.BoolOp(op, values):
            yield "condition", _unparsed(ast.BoolOp(_OTHER[type(op)](), values))
            yield "condition left out", _unparsed(values[0])
        case ast.IfExp(test, body, other):
            yield "branches", _unparsed(ast.IfExp(test, other, body))
        case ast.Constant(bool() as value):
            yield "constant", repr(not value)
        case ast.Constant(int() as value):
            yield "off by one", repr(value + 1)
        case ast.Constant(float() as value):
            yield "factor", repr(2 * value if value else 1.0)
        case ast.Call():
            yield from _calls(node)
        case ast.Attribute(value, "mH" | "H"):
            yield "conj dropped", _unparsed(ast.Attribute(value, "mT", ast.Load()))
        case ast.AugAssign(target, op, value):
            if type(op) in _OTHER:
                yield "operator", _unparsed(ast.AugAssign(target, _OTHER[type(op)](), value))
            yield "step left out", "pass"
        case ast.Expr(ast.Call()):
            yield "step left out", "pass"
        case ast.Continue():
            yield "loop", "break"
        case ast.Break():
            yield "loop", "continue"


def _calls(node: ast.Call) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Call(ast.Attribute(value, name), args, keywords):
            module = isinstance(value, ast.Name) and value.id in ("np", "torch", "math")
            if name in _CALLS:
                function = ast.Attribute(value, _CALLS[name], ast.Load())
                yield "function", _unparsed(ast.Call(function, args, keywords))
            whole = args[0] if module and args else value
            if name in _CONJ and not (module and not args):
                yield "conj dropped", _unparsed(whole)
            if name in _ABSORBED and not (module and not args):
                yield "function left out", _unparsed(whole)
        case ast.Call(ast.Name(name), args, keywords) if name in _CALLS:
            function = ast.Name(_CALLS[name], ast.Load())
            yield "function", _unparsed(ast.Call(function, args, keywords))
        case ast.Call(ast.Name(name), [first], []) if name in _ABSORBED:
            yield "function left out", _unparsed(first)


def _unparsed(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _closed(text: str) -> bool:
    """Whether an expression needs no brackets wherever it stands."""
    found = ast.parse(text, mode="eval").body
    return isinstance(found, ast.Constant | ast.Call | ast.Attribute | ast.Name | ast.Subscript)


def _parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except SyntaxError:
        return False
    return True


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
