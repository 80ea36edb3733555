"""Helpers without what nothing in a module uses: parameters that no call gives, and what follows from them.

def shrink(v, t, inplace=False):              def shrink(v, t):
    if not inplace or v.numel() < 2**18:  =>      return softshrink(v, t)
        return softshrink(v, t)
    ...
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.backends.torch.tree.folding import Folding, folded_body
from unroll_dsl.backends.torch.tree.nodes import Helper
from unroll_dsl.backends.torch.tree.reading import globals_of

_MARK = "# "


def trimmed(
    helpers: Sequence[Helper], words: Sequence[str], calls: Iterable[ast.Call]
) -> tuple[Helper, ...]:
    """The helpers of a module that reads these names, in calls among others, until nothing is left to
    leave out."""
    outside = list(calls)
    found = tuple(helpers)
    while True:
        parsed = {each.name: ast.parse(each.text).body[0] for each in found}
        inside = [call for node in parsed.values() for call in calls_in(node)]
        made = tuple(_trimmed(each, parsed[each.name], [*outside, *inside]) for each in found)
        kept = _reachable(made, words)
        if kept == found:
            return found
        found = kept


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of functions by their names."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
            yield each


def _reachable(made: Sequence[Helper], words: Sequence[str]) -> tuple[Helper, ...]:
    """Those that are still read."""
    known = {each.name: each for each in made}
    reads = {each.name: globals_of(each.text) for each in made}
    pending = list(words)
    kept: set[str] = set()
    while pending:
        word = pending.pop()
        if word in known and word not in kept:
            kept.add(word)
            pending.extend(reads[word])
    return tuple(each for each in made if each.name in kept)


@dataclass(frozen=True, slots=True)
class _Uses:
    """How calls give one parameter."""

    given: int
    total: int
    certain: bool  # all of what is given is a value and not None


def _trimmed(helper: Helper, node: ast.stmt, calls: Sequence[ast.Call]) -> Helper:
    if not isinstance(node, ast.FunctionDef):
        return helper
    own = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == node.name]
    if not own or any(_spreads(call) for call in own):
        return helper
    first = len(node.args.args) - len(node.args.defaults)
    changed = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }
    values: dict[str, ast.Constant] = {}
    given: set[str] = set()
    for place, default in enumerate(node.args.defaults, start=first):
        word = node.args.args[place].arg
        uses = _uses(own, place, word)
        if not isinstance(default, ast.Constant) or word in changed:
            continue
        if not uses.given:
            values[word] = default
        elif uses.given == uses.total and uses.certain and default.value is None:
            given.add(word)
    if not values and not given:
        return helper
    return replace(helper, text=_written(helper.text, node, values, given))


def _spreads(call: ast.Call) -> bool:
    """Whether a call gives arguments that cannot be counted."""
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    return starred or any(keyword.arg is None for keyword in call.keywords)


def _uses(calls: Sequence[ast.Call], place: int, word: str) -> _Uses:
    found = [
        call.args[place] if len(call.args) > place else value
        for call in calls
        for value in [next((k.value for k in call.keywords if k.arg == word), None)]
    ]
    given = [value for value in found if value is not None]
    # a name within a helper may itself be a parameter that is None
    certain = not any(isinstance(value, ast.Constant | ast.Name) for value in given)
    return _Uses(len(given), len(calls), certain)


def _written(
    text: str, node: ast.FunctionDef, values: dict[str, ast.Constant], given: set[str]
) -> str:
    """The text of a function with constants for some parameters, and others that are never None."""
    _mark_comments(text, node)
    arguments = node.args
    first = len(arguments.args) - len(arguments.defaults)
    kept: list[ast.arg] = []
    defaults: list[ast.expr] = []
    for place, argument in enumerate(arguments.args):
        default = arguments.defaults[place - first] if place >= first else None
        if argument.arg in values:
            continue
        if argument.arg in given and not defaults:
            argument.annotation = _certain(argument.annotation)
            default = None
        kept.append(argument)
        if default is not None:
            defaults.append(default)
    arguments.args, arguments.defaults = kept, defaults
    node.body = folded_body([Folding(values, given).visit(each) for each in node.body])
    return _unmarked(ast.unparse(ast.fix_missing_locations(_Bare().visit(node))))


class _Bare(ast.NodeTransformer):
    """A generator that is the one argument of a call stands without brackets of its own, which `unparse`
    gives it; a name is written as it is."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        match node:
            case ast.Call(args=[ast.GeneratorExp() as only], keywords=[]):
                node.args = [ast.Name(ast.unparse(ast.fix_missing_locations(only))[1:-1])]
            case _:
                pass
        return node


def _certain(annotation: ast.expr | None) -> ast.expr | None:
    """`Tensor` of `Tensor | None`."""
    match annotation:
        case ast.BinOp(left, ast.BitOr(), ast.Constant(None)):
            return left
        case _:
            return annotation


def _mark_comments(text: str, node: ast.FunctionDef) -> None:
    """Put each comment into the tree, behind what it stands behind: a tree has no place for comments."""
    reader = io.StringIO(text).readline
    comments = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(reader)
        if token.type == tokenize.COMMENT
    }
    for parent in ast.walk(node):
        for field in ("body", "orelse"):
            block = getattr(parent, field, None)
            if isinstance(block, list):
                setattr(parent, field, _marked(block, comments))


def _marked(block: list[ast.stmt], comments: dict[int, str]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in block:
        inner = getattr(statement, "body", None)
        end = statement.lineno if isinstance(inner, list) else statement.end_lineno
        comment = next(
            (c for line, c in comments.items() if statement.lineno <= line <= (end or 0)), None
        )
        mark = ast.Expr(ast.Constant(comment), lineno=0, end_lineno=0) if comment else None
        found.append(statement)
        if mark is not None and isinstance(inner, list):
            inner.insert(0, mark)
        elif mark is not None:
            found.append(mark)
    return found


def _unmarked(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        if bare[:1] in "'\"" and bare[1:].startswith(_MARK) and lines:
            lines[-1] += f"  {ast.literal_eval(bare)}"
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
