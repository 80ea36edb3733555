"""Whether a value is a known one at some point and with some step: gradients and proximal maps, found again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from unroll_dsl.oracle.values import HOLE, Base, Data, Map, Point, Sum, Tree, Value

ANY = 0.0  # the step of a projection
_SAME = 1e-9


class Differs(Exception):
    """The two are not one."""


@dataclass(slots=True)
class Match:
    """The point that stands in the hole, and the numbers that should be equal: known, found."""

    point: Point | None = None
    numbers: list[tuple[float, float]] = field(default_factory=list)

    def base(self, known: Base, found: Base) -> None:
        match known, found:
            case Point(), Point():
                self._point(known, found)
            case Data(), Data() if known == found:
                return
            case Tree(), Tree() if known.function == found.function:
                self._values(known.arguments, found.arguments)
            case _:
                raise Differs

    def _point(self, known: Point, found: Point) -> None:
        match known.terms:
            case terms if not any(leaf == HOLE for leaf, _ in terms):
                if not known.near(found):
                    raise Differs
            case ((_, c),):
                point = found * (1 / c)
                if self.point is None:
                    self.point = point
                elif not self.point.near(point):
                    raise Differs
            case _:
                raise Differs

    def _values(self, known: tuple[Value, ...], found: tuple[Value, ...]) -> None:
        if len(known) != len(found):
            raise Differs
        for a, b in zip(known, found, strict=True):
            match a, b:
                case float(), float():
                    self.numbers.append((a, b))
                case Sum(), Sum():
                    self._sums(a, b)
                case Map(), Map():
                    self._maps(a, b)
                case _:
                    raise Differs

    def _sums(self, known: Sum, found: Sum) -> None:
        self._point(known.point, found.point)
        others = list(found.rest)
        if len(known.rest) != len(others):
            raise Differs
        for word, base, c in known.rest:
            for item in others:
                if item[0] != word or _shape(item[1]) != _shape(base):
                    continue
                self.base(base, item[1])
                self.numbers.append((c, item[2]))
                others.remove(item)
                break
            else:
                raise Differs

    def _maps(self, known: Map, found: Map) -> None:
        others = dict(found.words)
        if set(others) != {word for word, _ in known.words}:
            raise Differs
        self.numbers += [(c, others[word]) for word, c in known.words]


def _shape(base: Base) -> object:
    """What has to be equal before two bases are compared."""
    match base:
        case Point():
            return "point"
        case Data(name):
            return name
        case Tree(function, arguments):
            return function, len(arguments)


def matched(known: Base, found: Base) -> Match | None:
    """What makes the two one, or None where nothing does."""
    match = Match()
    try:
        match.base(known, found)
    except Differs:
        return None
    return match


def alike(known: Base, found: Base) -> bool:
    """Whether two bases are one but for rounding."""
    match = matched(known, found)
    return match is not None and match.point is None and same(match.numbers)


def same(pairs: list[tuple[float, float]]) -> bool:
    return all(abs(a - b) <= _SAME * max(abs(a), abs(b), 1e-300) for a, b in pairs)


def step_of(numbers: Callable[[float], list[tuple[float, float]]]) -> float | None:
    """The step s > 0 for which the numbers of a proximal map are those found; None: there is none. Where none of
    them depends on the step, it is `ANY`."""
    one, two = numbers(1.0), numbers(2.0)
    moving = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if not same([(a[0], b[0])])]
    if not moving:
        return ANY
    place = moving[0]
    wanted = one[place][1]

    def at(s: float) -> float:
        return numbers(s)[place][0]

    for guess in _guesses(at, wanted):
        if guess > 0 and math.isfinite(guess) and same([(at(guess), wanted)]):
            return guess
    return _bisected(at, wanted)


def _guesses(at: Callable[[float], float], wanted: float) -> list[float]:
    """Where a s, a + b s or 1 / (a + b s) is what is wanted."""
    one, two = at(1.0), at(2.0)
    found = [1 + (wanted - one) / (two - one)]
    if one and two and wanted and one != two:
        found.append(1 + (1 / wanted - 1 / one) / (1 / two - 1 / one))
    return found


def _bisected(at: Callable[[float], float], wanted: float) -> float | None:
    low, high = -30.0, 30.0
    below = at(math.exp(low)) - wanted
    if below * (at(math.exp(high)) - wanted) > 0:
        return None
    for _ in range(200):
        middle = (low + high) / 2
        value = at(math.exp(middle)) - wanted
        low, high = (middle, high) if value * below > 0 else (low, middle)
    s = math.exp((low + high) / 2)
    return s if same([(at(s), wanted)]) else None
