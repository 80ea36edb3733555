"""A penalty of one's own, `def phi(t) = log(1 + abs(t) / eps)`: its proximal map.

phi is a function of one entry, even in it. On z >= 0 the minimiser of 1/2 * (z - a)^2 + t * phi(z), a = |v|, is
a stationary point, a place where phi changes its formula, or 0; all are compared. sympy solves for the stationary
points where it can (roots are substituted away first; it gets a time limit); else they are found by Newton's
steps, written out in the language, from a and from 0, kept within [0, a].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unroll_dsl.atoms.model import Atom, Parameter
from unroll_dsl.objectives.formulas import Unfit, walk
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import substitute

_SECONDS = 10
_STEPS = 10


@dataclass(frozen=True, slots=True)
class Penalty:
    """What is found of a function of the page: an atom, and the functions that its proximal map calls.

    `exact` says that all stationary points are in closed form.
    """

    atom: Atom
    functions: tuple[str, ...]
    exact: bool
    formula: str  # phi in `v` and the parameters, for a test


def penalty(definition: n.Definition) -> Penalty:
    """The proximal map of `sum(phi(v, parameters))`.

    Raises
    ------
    Unfit
        The function has steps, is not even, or is made of what is not known here.
    """
    name = definition.name.text
    if definition.locals or not definition.parameters:
        raise Unfit(f"`{name}` is no formula of one line")
    entry, *rest = (p.name.text for p in definition.parameters)
    clash = {word: f"{word}_" for word in rest if word in ("a", "t", "v", "w", "z")}
    value = substitute(
        definition.value, {k: n.Name(w, definition.value.span) for k, w in clash.items()}
    )
    rest = [clash.get(word, word) for word in rest]
    pieces = tuple(_pieces(value))
    from unroll_dsl.objectives import symbols

    even = symbols.is_even(value, entry, rest)
    if not even:
        raise Unfit(f"`{name}` is not the same at -{entry} as at {entry}")
    found = symbols.solved(pieces, entry, rest, _SECONDS)
    convex = symbols.is_convex(value, entry, rest)
    places = tuple(symbols.breaks(value, entry, rest))
    exact = found is not None
    texts = tuple(found) if found is not None else ()
    functions = _functions(name, value, entry, rest, texts, places, exact, symbols)
    signature = ", ".join(("v", *rest))
    call = ", ".join(("v", "t", *rest))
    atom = Atom(
        name,
        f"penalty `{name}` of the page",
        (f"sum({name}({signature}))",),
        convex=convex,
        latex=rf"\sum_i \operatorname{{{name}}}(({{v}})_i)",
        source="its stationary points, by sympy"
        if exact
        else "its stationary points, by Newton's steps",
        parameters=tuple(
            Parameter(word, "a parameter of the page's function", "1") for word in rest
        ),
        prox=f"prox_{name}({call})",
        separable=True,
    )
    formula = expression_text(substitute(value, {entry: n.Name("v", value.span)}))
    return Penalty(atom, functions, exact, formula)


def _functions(
    name: str,
    value: n.Expr,
    entry: str,
    rest: Sequence[str],
    roots: Sequence[str],
    places: Sequence[str],
    exact: bool,
    symbols: Any,
) -> tuple[str, ...]:
    """The functions of the page, the one that is called last."""
    own = "".join(f", {word}" for word in rest)
    better = (
        f"# Of two points the one at which 1/2 * (z - a)^2 + t * {name}(z) is smaller.\n"
        f"def better_{name}(z, w, a, t{own}) = where((z - a)^2 / 2 + t * {name}(z{own}) "
        f"<= (w - a)^2 / 2 + t * {name}(w{own}), z, w)"
    )
    found = [better]
    lines = ["    a = abs(v)"]
    candidates = [f"relu({root})" for root in roots] + list(places)
    if not exact:
        first, second = symbols.derivatives(value, entry, rest)
        found.append(
            f"# One of Newton's steps to a stationary point of the same, within [0, a].\n"
            f"def step_{name}(z, a, t{own}) = min(max(z - (z - a + t * ({first})) / max(abs(1 + t * ({second})), 0.1), 0), a)"
        )
        steps = ["    z_1 = step_{0}(z, a, t{1})"] + [
            f"    z_{i} = step_{{0}}(z_{i - 1}, a, t{{1}})" for i in range(2, _STEPS)
        ]
        walk = "\n".join(steps).format(name, own)
        last = f"    return step_{name}(z_{_STEPS - 1}, a, t{own})"
        found.append(f"# {_STEPS} of them.\ndef steps_{name}(z, a, t{own}):\n{walk}\n{last}")
        candidates += [f"steps_{name}({start}, a, t{own})" for start in ("a", "0 * a + 1e-9")]
    point = "0 * a"
    for i, candidate in enumerate(candidates, start=1):
        lines.append(f"    z_{i} = better_{name}({point}, {candidate}, a, t{own})")
        point = f"z_{i}"
    head = f"# The proximal map of t times {name}: stationary points, kinks and 0 compared."
    found.append(
        f"{head}\ndef prox_{name}(v, t{own}):\n"
        + "\n".join(lines)
        + f"\n    return sign(v) * {point}"
    )
    return tuple(found)


def _pieces(expr: n.Expr) -> Iterator[n.Expr]:
    """The formulas of a function that changes them: one for each branch of its `where`s."""
    for node in walk(expr):
        match node:
            case n.Call(n.Name("where"), (_, n.Argument(None, yes), n.Argument(None, no))):
                for branch in (yes, no):
                    yield from _pieces(_put(expr, node, branch))
                return
    yield expr


def _put(expr: n.Expr, old: n.Expr, new: n.Expr) -> n.Expr:
    if expr is old:
        return new
    match expr:
        case n.Binary(sign, left, right):
            return n.Binary(sign, _put(left, old, new), _put(right, old, new), expr.span, expr.span)
        case n.Unary(sign, operand):
            return n.Unary(sign, _put(operand, old, new), expr.span)
        case n.Call(function, arguments):
            given = tuple(n.Argument(a.keyword, _put(a.value, old, new), a.span) for a in arguments)
            return n.Call(function, given, expr.span)
    return expr


Values = Mapping[str, float]
