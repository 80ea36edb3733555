"""Parts of an iteration, recognised in a phase: gradient steps, shrinkage, momentum, multipliers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unroll_dsl.objectives.weights import Weight
from unroll_dsl.relax.page import Page, walk
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import same_tree

# Where the threshold stands among the arguments of the shrinkage functions of the prelude.
THRESHOLDS = {
    "soft": 1, "hard": 1, "block_soft": 1, "pixel_soft": 1, "soft_nonneg": 1, "singular_soft": 1,
    "support_soft": 1, "garrote": 1, "elastic_net": 1, "firm": 1, "log_shrink": 1, "half_shrink": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GradientStep:
    """`point - weight * core`, where core is what comes back through an adjoint."""

    node: n.Binary
    term: n.Expr  # the right side of the sum, as it is written
    weight: Weight
    core: n.Expr


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """A call of a shrinkage function in a line of the phase."""

    line: n.Update | n.Local
    call: n.Call
    name: str

    @property
    def argument(self) -> n.Expr:
        return self.call.arguments[0].value

    @property
    def threshold(self) -> n.Expr:
        return self.call.arguments[THRESHOLDS[self.name]].value


def gradient_steps(page: Page) -> Iterator[GradientStep]:
    """The gradient steps of the phase."""
    for line in page.lines:
        for node in walk(line.value):
            match node:
                case n.Binary("-" | "+", _, right):
                    weight, core = page.weighed(right)
                    if comes_back(core) and page.changes(core):
                        yield GradientStep(node, right, weight, core)


def comes_back(expr: n.Expr) -> bool:
    """Whether an expression is `A' @ ...`, `P * (P * x - y)` with P a mask, or the real part of such."""
    match expr:
        case n.Binary("*", mask, n.Binary("-", n.Binary("*", same, _), _)):
            return same_tree(mask, same)
        case n.Binary("@", n.Adjoint(), _):
            return True
        case n.Binary("@", left, _):
            return comes_back(left)
        case n.Call(n.Name("real"), (n.Argument(None, value),)):
            return comes_back(value)
    return False


def shrinkages(page: Page) -> Iterator[Shrinkage]:
    """The shrinkage calls of the phase."""
    for line in page.lines:
        if isinstance(line, n.Trace):
            continue
        for node in walk(line.value):
            match node:
                case n.Call(n.Name(name), arguments) if THRESHOLDS.get(name, 99) < len(arguments):
                    yield Shrinkage(line, node, name)


@dataclass(frozen=True, slots=True)
class Proximal:
    """A shrinkage with the transform around it: `T' @ soft(T @ r, theta)`, or `soft(r, theta)`."""

    shrinkage: Shrinkage
    node: n.Expr  # the whole
    point: n.Expr  # r
    transform: n.Expr | None  # T


def proximal(page: Page) -> Iterator[Proximal]:
    """The proximal maps of the phase that a network may take the place of."""
    for found in shrinkages(page):
        for node in walk(found.line.value):
            match node, found.argument:
                case n.Binary("@", n.Adjoint(outer), inner), n.Binary("@", left, point) if (
                    inner is found.call and same_tree(outer, left)
                ):
                    yield Proximal(found, node, point, outer)
                    break
        else:
            yield Proximal(found, found.call, found.argument, None)


@dataclass(frozen=True, slots=True)
class Momentum:
    """`x + weight * (x - prev(x))`."""

    node: n.Binary
    term: n.Expr
    weight: Weight
    core: n.Expr


def momenta(page: Page) -> Iterator[Momentum]:
    for line in page.lines:
        for node in walk(line.value):
            match node:
                case n.Binary("+", _, right):
                    weight, core = page.weighed(right)
                    match core:
                        case n.Binary(
                            "-", n.Name(x), n.Call(n.Name("prev"), (n.Argument(None, n.Name(y)),))
                        ) if x == y:
                            yield Momentum(node, right, weight, core)


@dataclass(frozen=True, slots=True)
class Multiplier:
    """`u <- u + summands`: the dual ascent of ADMM."""

    line: n.Update
    rest: tuple[tuple[bool, n.Expr], ...]  # the other summands; True: subtracted


def multipliers(page: Page) -> Iterator[Multiplier]:
    for line in page.lines:
        if not isinstance(line, n.Update):
            continue
        parts = list(summands(line.value, False))
        own = [p for p in parts if isinstance(p[1], n.Name) and p[1].text == line.target.text]
        rest = tuple(p for p in parts if p not in own)
        plain = all(not comes_back(e) and not _shrinks(e) for _, e in rest)
        if len(own) == 1 and not own[0][0] and len(rest) >= 2 and plain:
            yield Multiplier(line, rest)


def summands(expr: n.Expr, minus: bool) -> Iterator[tuple[bool, n.Expr]]:
    match expr:
        case n.Binary("+" | "-" as sign, left, right):
            yield from summands(left, minus)
            yield from summands(right, minus ^ (sign == "-"))
        case n.Unary("-", operand):
            yield from summands(operand, not minus)
        case _:
            yield minus, expr


def _shrinks(expr: n.Expr) -> bool:
    return any(isinstance(e, n.Call) for e in walk(expr))


def systems(page: Page) -> Iterator[n.Call]:
    """The `solve(M, b)` of the phase."""
    for line in page.lines:
        for node in walk(line.value):
            match node:
                case n.Call(n.Name("solve")):
                    yield node
