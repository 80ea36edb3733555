"""What a tree reads: the names that it asks of its surroundings."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from typing import assert_never

from unroll_dsl.backends.torch.tree.nodes import (
    Assign,
    Class,
    Define,
    Do,
    For,
    Function,
    If,
    Return,
    Statement,
    With,
)


def expressions(body: Iterable[Statement]) -> Iterator[ast.expr]:
    """The expressions of statements and of those within them, in the order of their text."""
    for statement in body:
        match statement:
            case Assign(value=value) | Do(value):
                yield value
            case Return(values):
                yield from values
            case For(over=head, body=inside) | If(head, inside) | With(head, inside):
                yield head
                yield from expressions(inside)
            case Define(body=inside):
                yield from expressions(inside)
            case _:
                assert_never(statement)


def names(body: Iterable[Statement]) -> list[str]:
    """The names that statements read, each once, in the order of their text."""
    found: dict[str, None] = {}
    for expr in expressions(body):
        found |= dict.fromkeys(n.id for n in ast.walk(expr) if isinstance(n, ast.Name))
    return list(found)


def attributes(body: Iterable[Statement], of: str = "self") -> set[str]:
    """The attributes that statements read of a name."""
    return {
        node.attr
        for expr in expressions(body)
        for node in ast.walk(expr)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == of
    }


def of_class(class_: Class) -> list[str]:
    """The names that the methods of a class read."""
    return list(dict.fromkeys(word for method in class_.methods for word in of_function(method)))


def of_function(function: Function) -> list[str]:
    return names(function.body)


def globals_of(text: str) -> frozenset[str]:
    """The names that definitions take from the module around them."""
    found: set[str] = set()
    pending = [symtable.symtable(text, "helper", "exec")]
    while pending:
        table = pending.pop()
        pending += table.get_children()
        found |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return frozenset(found)
