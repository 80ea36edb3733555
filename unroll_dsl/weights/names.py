"""The map from the names in an authors' file to ours: a TOML file, data and no code.

source = "jianzhangcs/ISTA-Net-PyTorch"     # where the names come from
strip = "module."                           # a prefix that some files have
[tensors]                                   # ours = theirs, {k} counts phases from 1
rho = "fcs.{k-1}.lambda_step"
"D.weight" = "fcs.{k-1}.conv_D"
B = { from = "layer{4*k-2:02d}.*.gamma", axes = [1, 0] }      # axes are permuted; * matches one
C = ["layer{k}.c", "layers.{k-1}.weights"]  # other files of theirs have other names

and, beside [tensors], `ignore = ["*.momentum"]`: what their files hold besides; and
`phases = "fcs.{k-1}.conv_D"`, or `phases = { count = "net.{7*k-6}.weight", plus = 1 }`: where all tensors
are shared, the names that their files repeat for each phase, which tell how many there are.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll_dsl.files.toml import BadToml, read_toml

_WILD = frozenset("*?[")
_HOLE = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")


class BadMap(ValueError):
    """A weight map that does not say what it should."""


@dataclass(frozen=True, slots=True)
class TensorRule:
    """One tensor: its name in the program (`rho`, `D.weight`), and where it comes from."""

    ours: str
    theirs: tuple[str, ...]  # the first that is there counts
    axes: tuple[int, ...] | None = None

    @property
    def per_phase(self) -> bool:
        return any(_HOLE.search(name) is not None for name in self.theirs)

    def patterns(self, k: int) -> tuple[str, ...]:
        """Their names in phase `k`."""

        def value(match: re.Match[str]) -> str:
            return format(_arithmetic(ast.parse(match[1], mode="eval").body, k), match[2] or "")

        return tuple(_HOLE.sub(value, name) for name in self.theirs)

    def find(self, names: Collection[str], k: int) -> str | None:
        """The name among `names`, or None; `*` must match exactly one."""
        for pattern in self.patterns(k):
            if pattern in names:
                return pattern
            found = fnmatch.filter(names, pattern) if _WILD.intersection(pattern) else []
            if len(found) == 1:
                return found[0]
        return None


@dataclass(frozen=True, slots=True)
class WeightMap:
    source: str
    strip: str
    rules: tuple[TensorRule, ...]
    ignore: tuple[str, ...] = ()
    phases: TensorRule | None = None  # names that are repeated for each phase
    more: int = 0  # phases without such a name

    def ignores(self, name: str) -> bool:
        """Whether their file may hold this besides."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.ignore)


def read_map(path: Path) -> WeightMap:
    """Read a weight map.

    Raises
    ------
    BadMap
        With the file and what is wrong in it.
    """
    try:
        data = read_toml(path)
    except FileNotFoundError as error:
        raise BadMap(
            f"there is no map from authors' names to those of the program ({path.name}); `--map TOML` gives one"
        ) from error
    except (OSError, BadToml) as error:
        raise BadMap(f"{path}: {error}") from error
    tensors = data.get("tensors")
    if not isinstance(tensors, Mapping) or not tensors:
        raise BadMap(f"{path}: a weight map has a table [tensors], ours = theirs")
    rules = tuple(_rule(path, ours, theirs, "from") for ours, theirs in tensors.items())
    source, strip = (str(data.get(key, "")) for key in ("source", "strip"))
    phases, more = None, 0
    if "phases" in data:
        phases = _rule(path, "phases", data["phases"], "count")
        more = data["phases"].get("plus", 0) if isinstance(data["phases"], Mapping) else 0
        if not phases.per_phase or not isinstance(more, int):
            raise BadMap(f"{path}: `phases` is a name with {{k}}, and `plus` a whole number")
    return WeightMap(source, strip, rules, tuple(data.get("ignore", ())), phases, more)


def _rule(path: Path, ours: str, theirs: Any, key: str) -> TensorRule:
    """A name, a list of names, or a table with one of these under `key`."""
    axes = None
    if isinstance(theirs, Mapping):
        axes = tuple(theirs["axes"]) if "axes" in theirs else None
        theirs = theirs.get(key)
    theirs = [theirs] if isinstance(theirs, str) else theirs
    if not isinstance(theirs, list) or not all(isinstance(name, str) for name in theirs):
        raise BadMap(f"{path}: `{ours}` is a name, a list of names, or a table with `{key}`")
    rule = TensorRule(ours, tuple(theirs), axes)
    try:
        rule.patterns(1)
    except (SyntaxError, ValueError) as error:
        raise BadMap(f"{path}: `{ours}`: {theirs!r} is not understood: {error}") from error
    return rule


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
