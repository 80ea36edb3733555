"""Names for values that the author gave none: `A' @ y` becomes `Aty`."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.backends.torch.spelling import LONGEST, spelled
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.types import Dim


def name_for(nodes: Sequence[Node], index: int) -> str:
    """The name that a value wishes for: the author's, else one that follows from what it is, else from how
    it is written."""
    node = nodes[index]
    found = node.label or derived_name(nodes, index)
    if found is not None:
        return found
    text = node.origin.text if node.origin is not None else ""
    match node.op:
        case ops.Eye():
            return "eye"
        case ops.Builtin(
            "regular" | "regular_matrix" | "regular_eigenvalues" | "regular_shift" | "regular_sum"
        ):
            return "system"
        case ops.Builtin("transfer"):
            return spelled(f"transfer({text.partition('(')[0]})") or "transfer"
        case _:
            found = None if text.startswith("solve(") else spelled(text)
            return found if found is not None and found.isidentifier() else "value"


def factor_name(node: Node) -> str | None:
    """What a factor of a system is called where the page has its letter: `R_factor`."""
    is_factor = node.origin is not None and node.origin.text.startswith("solve(")
    return f"{node.label}_factor" if is_factor and node.label is not None else None


def derived_name(nodes: Sequence[Node], index: int) -> str | None:
    """A name for a value that the author gave none: `A' @ y` becomes `Aty`. None if too long."""
    found = _derive(nodes, index, 0)
    if found is None or len(found) > LONGEST or not found.isidentifier():
        return None
    return found


def _derive(nodes: Sequence[Node], index: int, depth: int) -> str | None:
    node = nodes[index]
    if depth > 4:
        return None
    if node.label is not None and depth > 0:
        return node.label
    parts = [_derive(nodes, argument, depth + 1) for argument in node.args]
    leaf = _leaf(node)
    if leaf is not None:
        return leaf
    if not parts or any(part is None for part in parts):
        return None
    words = [part for part in parts if part is not None]
    match node.op:
        case ops.Transpose() | ops.AdjointMap():
            return f"{words[0]}t"
        case ops.Contract() | ops.Apply() | ops.ComposeMap():
            short = all(len(word.removesuffix("t")) <= 1 for word in words)
            return "".join(words) if short else "_".join(words)
        case ops.Elementwise("div"):
            return f"inverse_{words[1]}" if words[0] == "1" else f"{words[0]}_over_{words[1]}"
        case ops.Elementwise("mul") if words[0] == words[1]:
            return f"{words[0]}_squared"
        case ops.Builtin(
            "regular" | "regular_matrix" | "regular_eigenvalues" | "regular_shift" | "regular_sum"
        ):
            return words[0]
        case ops.Elementwise("mul"):
            return "_".join(words) if not words[0].isdigit() else f"{words[1]}_{words[0]}"
        case ops.Elementwise("add" | "sub" as word):
            sign = "plus" if word == "add" else "minus"
            if words[0].isdigit() and word == "add":
                words.reverse()
            return f"{words[0]}_{sign}_{words[1]}"
        case ops.Elementwise("pow"):
            return f"{words[0]}_squared" if words[1] == "2" else f"{words[0]}_{words[1]}"
        case ops.Expand():
            return words[0]
        case ops.Builtin("spectral_norm" | "norm2"):
            return f"norm_{words[0]}"
        case ops.Builtin("entries", places) if all(isinstance(at, int) for _, at in places):
            return "_".join([words[0], *(str(at) for _, at in places)])  # x_2 for `x[2]`
        case ops.Builtin(function) | ops.Elementwise(function) if len(words) == 1:
            return f"{function}_{words[0]}"
        case _:
            return None


def _leaf(node: Node) -> str | None:
    """The name of what the page names, of a small number, a size, a factor."""
    match node.op:
        case (
            ops.Input(name)
            | ops.Fixed(name)
            | ops.Learnable(name)
            | ops.State(name)
            | ops.Final(name)
            | ops.Target(name)
        ):
            return name
        case ops.Constant(value) if isinstance(value, int):
            return str(value)
        case ops.Size(dim) if len(dim.symbols) == 1 and dim == Dim.of(next(iter(dim.symbols))):
            return next(iter(dim.symbols))
        case ops.Builtin("right_singular_vectors"):
            return "V"
        case ops.Builtin("symmetric_eigenvectors"):
            return "Q"
        case ops.Builtin("cholesky" | "regular_factor"):
            return "C"
        case _:
            return None
