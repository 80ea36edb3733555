"""A tree as text.

A statement of the page has one comment that names its line, however many statements it became: behind a
single one where there is room, else above.
"""

from __future__ import annotations

import ast
import subprocess
import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import assert_never

from unroll_dsl.backends.torch.templates import text
from unroll_dsl.backends.torch.tree.nodes import (
    Assign,
    Class,
    Define,
    Do,
    For,
    Function,
    If,
    Module,
    Parameter,
    Return,
    Statement,
    With,
)
from unroll_dsl.diagnostics.raised import InternalError

WIDTH = 100
_STEP = "    "


def printed(module: Module) -> str:
    """The text of a module: the network first, then what it calls."""
    head = module.words.strip().replace("\\", "\\\\").replace('"""', "'''")
    parts = [f'"""{head}\n"""\n', "\n".join([*module.imports, ""])]
    parts += ["\n".join(_class(each)) for each in (module.network, *module.phases, *module.blocks)]
    parts += [function_text(each) for each in module.functions]
    parts += [each.text.strip("\n") + "\n" for each in module.helpers]
    return formatted("\n\n".join(parts))


@lru_cache(maxsize=256)  # equal texts: of several levels, of what was saved and is loaded
def formatted(source: str) -> str:
    """The text as ruff writes it (in a tenth of the time that black takes for the same)."""
    from ruff.__main__ import find_ruff_bin

    width = ("--line-length", str(WIDTH), "--target-version", "py311")
    command = (find_ruff_bin(), "format", "--isolated", "--no-cache", *width, "-")
    found = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if found.returncode:
        raise InternalError(f"the generated text is not Python: {found.stderr.decode()}")
    return found.stdout.decode()


def function_text(function: Function) -> str:
    return "\n".join(_function(function, "")) + "\n"


def _class(class_: Class) -> list[str]:
    lines = [f"class {class_.name}(nn.Module):", docstring(class_.words, 4), ""]
    for method in class_.methods:
        lines += [*_function(method, _STEP), ""]
    return lines


def _function(function: Function, space: str) -> list[str]:
    given = [_parameter(each) for each in function.parameters]
    if function.keyword_only:
        given += ["*", *map(_parameter, function.keyword_only)]
    lines = [f"{space}def {function.name}({', '.join(given)}) -> {function.returns}:"]
    if function.words:
        lines.append(docstring(function.words, len(space) + 4))
    return [*lines, *_body(function.body, space + _STEP)]


def _parameter(parameter: Parameter) -> str:
    found = parameter.name
    if parameter.annotation:
        found += f": {parameter.annotation}"
    return found if parameter.default is None else f"{found} = {parameter.default}"


def _body(body: Sequence[Statement], space: str) -> list[str]:
    lines: list[str] = []
    for origin, group in groupby(body, _origin):
        found = [_statement(each, space) for each in group]
        if not origin:
            lines += [line for each in found for line in each]
            continue
        comment = f"# {origin}"
        if len(found) == 1 and len(found[0]) == 1:
            (line,) = found[0]
            if len(line) + 2 + len(comment) <= WIDTH:
                lines.append(f"{line}  {comment}")
                continue
        lines += [space + comment, *(line for each in found for line in each)]
    return lines


def _origin(statement: Statement) -> str:
    match statement:
        case Assign(origin=origin) | Do(origin=origin) | Return(origin=origin):
            return origin
        case If(body=(first, *_)):
            return _origin(first)
        case _:
            return ""


def _statement(statement: Statement, space: str) -> list[str]:
    match statement:
        case Assign(targets, value):
            return [f"{space}{', '.join(targets)} = {_bare(value)}"]
        case Do(value):
            return [f"{space}{text(value)}"]
        case Return(values):
            return [f"{space}return {', '.join(map(text, values))}"]
        case For(targets, over, inside):
            head = f"for {', '.join(targets)} in {text(over)}:"
        case If(test, inside):
            # the comment of what is within stands above
            plain = tuple(_without_origin(each) for each in inside)
            return [f"{space}if {text(test)}:", *_body(plain, space + _STEP)]
        case With(context, inside):
            head = f"with {text(context)}:"
        case Define(name, parameter, inside):
            lines = [f"{space}def {name}({parameter}: Tensor) -> Tensor:"]
            return [*lines, *_body(inside, space + _STEP), ""]
        case _:
            assert_never(statement)
    return [space + head, *_body(inside, space + _STEP)]


def _bare(value: ast.expr) -> str:
    """Several values without brackets around them."""
    if isinstance(value, ast.Tuple) and len(value.elts) > 1:
        return ", ".join(map(text, value.elts))
    return text(value)


def _without_origin(statement: Statement) -> Statement:
    match statement:
        case Assign(targets, value):
            return Assign(targets, value)
        case Do(value):
            return Do(value)
        case Return(values):
            return Return(values)
        case _:
            return statement


def docstring(words: str, indent: int) -> str:
    """A docstring at that indentation: on one line if it fits."""
    space = " " * indent
    words = words.replace("\\", "\\\\").replace('"""', "'''")
    one = f'{space}"""{words}"""'
    if len(one) <= WIDTH - 1 and "\n" not in words:
        return one
    paragraphs = words.split("\n")
    if len(paragraphs) == 1:
        head, dot, rest = words.partition(". ")
        head, colon, tail = (head + dot.rstrip(), "", rest) if dot else words.partition(": ")
        if not tail or len(head) > 90 - indent:
            first, *more = textwrap.wrap(words, 96 - indent)
            lines = [f'{space}"""{first}', *(space + line for line in more), f'{space}"""']
            return "\n".join(lines)
        paragraphs = [head.rstrip(":") + ("." if colon else ""), "", tail[0].upper() + tail[1:]]
    wrapped: list[str] = []
    for paragraph in paragraphs:
        wrapped += textwrap.wrap(paragraph, 98 - indent) if paragraph else [""]
    body = "\n".join((space + line).rstrip() for line in wrapped[1:])
    return f'{space}"""{wrapped[0]}\n{body}\n{space}"""'
