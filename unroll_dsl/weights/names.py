"""The map from the names in an authors' file to ours: a TOML file, data and no code.

source = "jianzhangcs/ISTA-Net-PyTorch"     # where the names come from
strip = "module."                           # a prefix that some files have
[tensors]                                   # ours = theirs, {k} counts phases from 1
rho = "fcs.{k-1}.lambda_step"
"D.weight" = "fcs.{k-1}.conv_D"
B = { from = "layer{4*k-2:02d}.*.gamma", axes = [1, 0] }      # axes are permuted; * matches one
"""

from __future__ import annotations

import ast
import fnmatch
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_HOLE = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")


class BadMap(ValueError):
    """A weight map that does not say what it should."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One tensor: its name in the program (`rho`, `D.weight`), and where it comes from."""

    ours: str
    theirs: str
    axes: tuple[int, ...] | None = None

    @property
    def per_phase(self) -> bool:
        return _HOLE.search(self.theirs) is not None

    def pattern(self, k: int) -> str:
        """Their name in phase `k`."""

        def value(match: re.Match[str]) -> str:
            return format(_arithmetic(ast.parse(match[1], mode="eval").body, k), match[2] or "")

        return _HOLE.sub(value, self.theirs)

    def find(self, names: Iterable[str], k: int) -> str | None:
        """The name among `names`, or None; `*` must match exactly one."""
        pattern = self.pattern(k)
        found = [name for name in names if name == pattern or fnmatch.fnmatchcase(name, pattern)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class WeightMap:
    source: str
    strip: str
    rules: tuple[Rule, ...]


def read_map(path: Path) -> WeightMap:
    """Read a weight map.

    Raises
    ------
    BadMap
        With the file and what is wrong in it.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMap(f"{path}: {error}") from error
    tensors = data.get("tensors")
    if not isinstance(tensors, Mapping) or not tensors:
        raise BadMap(f"{path}: a weight map has a table [tensors], ours = theirs")
    rules = []
    for ours, theirs in tensors.items():
        axes = None
        if isinstance(theirs, Mapping):
            axes = tuple(theirs["axes"]) if "axes" in theirs else None
            theirs = theirs.get("from")
        if not isinstance(theirs, str):
            raise BadMap(f"{path}: `{ours}` is a name, or a table with `from`")
        rule = Rule(ours, theirs, axes)
        try:
            rule.pattern(1)
        except (SyntaxError, ValueError) as error:
            raise BadMap(f"{path}: `{ours}`: {theirs!r} is not understood: {error}") from error
        rules.append(rule)
    return WeightMap(str(data.get("source", "")), str(data.get("strip", "")), tuple(rules))


def _arithmetic(node: ast.expr, k: int) -> int:
    """Sums and products of whole numbers and `k`."""
    match node:
        case ast.Name("k"):
            return k
        case ast.Constant(int() as value):
            return value
        case ast.BinOp(left, ast.Add(), right):
            return _arithmetic(left, k) + _arithmetic(right, k)
        case ast.BinOp(left, ast.Sub(), right):
            return _arithmetic(left, k) - _arithmetic(right, k)
        case ast.BinOp(left, ast.Mult(), right):
            return _arithmetic(left, k) * _arithmetic(right, k)
    raise ValueError("only sums and products of whole numbers and k")
