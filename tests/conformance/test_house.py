"""What the house promises of its rooms: no circles among imports, every package in its layer, nothing too large,
no name of a class for two things.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "unroll_dsl"
MOST_LINES = 400  # of a file
MOST_OF_A_FUNCTION = 60  # lines, without its docstring
# Public names of classes that several rooms have on purpose. The list can only shrink.
ONE_CONCEPT = {  # on the page, as a type, in the graph, in a backend
    "AdjointMap",
    "Argument",
    "Builtin",
    "Constant",
    "Elementwise",
    "Expressions",
    "Function",
    "IdentityMap",
    "Parameter",
    "PhaseSum",
    "State",
    "Trace",
    "Variable",
}
WORDS_OF_A_ROOM = {  # each is what its own room speaks of; none is read beside another
    "Block",
    "Bound",
    "Call",
    "CannotRead",
    "Domain",
    "Facts",
    "Group",
    "Kind",
    "Line",
    "Measure",
    "Page",
    "Place",
    "Plan",
    "Refused",
    "Row",
    "Step",
    "Sum",
    "Terms",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(name: str, tree: ast.Module) -> set[str]:
    """The modules of the package that one imports, anywhere in it: a name of a module is that module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {other for other in found if other in modules() and other != name}


def circles(edges: set[tuple[str, str]]) -> list[list[str]]:
    components = nx.strongly_connected_components(nx.DiGraph(edges))
    return [sorted(c) for c in components if len(c) > 1]


def test_modules_import_each_other_in_no_circle() -> None:
    edges = {(name, other) for name, tree in modules().items() for other in imports(name, tree)}
    assert circles(edges) == []


def test_a_circle_is_seen() -> None:
    edges = {("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}
    assert circles(edges) == [["a", "b", "c"]]


def test_every_package_is_in_a_layer() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    named = {word.strip(" ()") for layer in layers for word in layer.replace(":", "|").split("|")}
    rooms = {".".join(name.split(".")[:2]) for name in modules()} - {"unroll_dsl"}
    rooms -= {"unroll_dsl.__main__"}
    assert rooms - named == set()
    assert named - rooms <= {"unroll_dsl.lsp"}


def _lines(name: str) -> int:
    base = PACKAGE.parent.joinpath(*name.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_too_long() -> None:
    large = {name for name in modules() if _lines(name) > MOST_LINES}
    assert large == set()


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    assert function.end_lineno is not None
    length = function.end_lineno - first + 1
    match function.body[0]:
        case ast.Expr(ast.Constant(str())) as doc:
            assert doc.end_lineno is not None
            length -= doc.end_lineno - doc.lineno + 1
    return length


def test_no_function_is_too_long() -> None:
    large = {
        f"{name}.{node.name}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _length(node) > MOST_OF_A_FUNCTION
    }
    assert large == set()


def test_the_length_of_a_function_is_that_of_its_code() -> None:
    lines = "\n".join(f"    x{i} = {i}" for i in range(70))
    words = "    more\n" * 70
    short = f'def f():\n    """Words.\n\n{words}    """\n    return 1\n'
    long = f"def g():\n{lines}\n"
    tree = ast.parse(short + long)
    assert [_length(n) for n in tree.body if isinstance(n, ast.FunctionDef)] == [2, 71]


def shared(trees: dict[str, ast.Module]) -> set[str]:
    """Names of public classes that more than one module defines."""
    names = [
        node.name
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    return {name for name, times in Counter(names).items() if times > 1}


def test_no_two_classes_share_a_name_but_those_that_are_meant_to() -> None:
    meant, found = ONE_CONCEPT | WORDS_OF_A_ROOM, shared(modules())
    assert found - meant == set(), "two classes of one name: call the new one after what it is"
    assert meant - found == set(), "no longer shared: take it out of the list"


def test_a_shared_name_is_seen() -> None:
    first, second = (
        ast.parse("class A: ...\nclass _B: ..."),
        ast.parse("class A: ...\nclass _B: ..."),
    )
    assert shared({"a": first, "b": second}) == {"A"}
    assert shared({"a": first, "b": ast.parse("class C: ...")}) == set()


def test_no_two_files_of_tests_share_a_name() -> None:
    """pytest takes the second for the first, and collects neither: folders of tests are no packages."""
    packages = {path.parent for path in (ROOT / "tests").rglob("__init__.py")}
    names = Counter(
        path.name for path in (ROOT / "tests").rglob("test_*.py") if path.parent not in packages
    )
    assert {name for name, times in names.items() if times > 1} == set()
