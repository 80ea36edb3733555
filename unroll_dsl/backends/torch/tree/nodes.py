"""The tree of a generated module: laid out whole, frozen, printed once.

    Module      docstring, the network's class, the classes of its phases, functions, helpers
    Class       docstring, methods
    Function    a method, or a function of the page; its body is statements
    Statement   Assign | Do | Return | For | If | With | Define, with expressions of `ast`
    Helper      text that is the same in every module

`origin` of a statement is the place on the page that it is of, "lista.unroll:12", or "" for what has none.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assign:
    """``a, b = value``. A target is a name, an attribute ``self.a`` or the rest ``*phases``."""

    targets: tuple[str, ...]
    value: ast.expr
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """An expression for what it does."""

    value: ast.expr
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    values: tuple[ast.expr, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class For:
    targets: tuple[str, ...]
    over: ast.expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    test: ast.expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class With:
    context: ast.expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Define:
    """A function of one tensor within another function."""

    name: str
    parameter: str
    body: tuple[Statement, ...]


Statement = Assign | Do | Return | For | If | With | Define
Body = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function; annotation and default as Python writes them."""

    name: str
    annotation: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function; a method has `self` among its `parameters`, without an annotation."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    words: str
    body: Body
    keyword_only: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Class:
    """An `nn.Module`."""

    name: str
    words: str
    methods: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Helper:
    """A function, class or constant of its own, as text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Module:
    words: str
    imports: tuple[str, ...]
    network: Class
    phases: tuple[Class, ...]
    blocks: tuple[Class, ...]
    functions: tuple[Function, ...]  # of the page
    helpers: tuple[Helper, ...]


SELF = Parameter("self", "")
