"""What an iteration computes, in symbols: combinations of maps of points, of data and of what is not linear.

A `Point` is a combination of leaves of the space of the unknown: the start, gradients and proximal points that
have been asked for. A `Sum` is a combination of items `word(base)`: a word of maps, the last applied first, to
a point, to data or to a `Tree`, which is what no rule of linear algebra opens. Numbers are numbers: steps and
thresholds have values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HOLE = -1  # the leaf that stands for any point, in gradients and proximal maps
TINY = 1e-11  # what rounding leaves of what cancels


@dataclass(frozen=True, slots=True)
class Point:
    """Coefficients of leaves, in the order of the leaves."""

    terms: tuple[tuple[int, float], ...] = ()

    def __mul__(self, factor: float) -> Point:
        return Point(tuple((leaf, c * factor) for leaf, c in self.terms if c * factor))

    def __add__(self, other: Point) -> Point:
        found = dict(self.terms)
        for leaf, c in other.terms:
            found[leaf] = found.get(leaf, 0.0) + c
        return Point(tuple(sorted((leaf, c) for leaf, c in found.items() if c)))

    def near(self, other: Point, tolerance: float = 1e-9) -> bool:
        """Whether both are one point but for rounding."""
        scale = max((abs(c) for p in (self, other) for _, c in p.terms), default=0.0)
        return all(abs(c) <= tolerance * scale for _, c in (self + other * -1.0).terms)


@dataclass(frozen=True, slots=True)
class Data:
    """An array that is given: an input, a fixed array, ones. `learned`: training changes it."""

    name: str
    learned: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Tree:
    """A function of values that is not linear in them. `called`: how the page calls it."""

    function: str
    arguments: tuple[Value, ...]
    called: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Link:
    """One map of a word."""

    name: str
    adjoint: bool = False
    learned: bool = field(default=False, compare=False)
    unitary: bool = field(default=False, compare=False)


Word = tuple[Link, ...]
Base = Point | Data | Tree
ONES = Data("1")


@dataclass(frozen=True, slots=True)
class Sum:
    """Coefficients of items, none of them 0; a point by itself is one item."""

    items: tuple[tuple[Word, Base, float], ...] = ()

    @staticmethod
    def of(items: Iterable[tuple[Word, Base, float]]) -> Sum:
        """Equal items together; points without a map before them as one."""
        point, found, size = Point(), dict[tuple[Word, Base], float](), dict[object, float]()
        for word, base, c in items:
            if not word and isinstance(base, Point):
                point = point + base * c
                continue
            found[word, base] = found.get((word, base), 0.0) + c
            size[word, base] = max(size.get((word, base), 0.0), abs(c))
        kept = [(w, b, c) for (w, b), c in found.items() if abs(c) > TINY * size[w, b]]
        if point.terms:
            kept.insert(0, ((), point, 1.0))
        return Sum(tuple(kept))

    def __add__(self, other: Sum) -> Sum:
        return Sum.of((*self.items, *other.items))

    def __mul__(self, factor: float) -> Sum:
        return Sum.of((w, b, c * factor) for w, b, c in self.items if c * factor)

    @property
    def point(self) -> Point:
        """The part that is a point."""
        return next((b for w, b, _ in self.items if not w and isinstance(b, Point)), Point())

    @property
    def rest(self) -> tuple[tuple[Word, Base, float], ...]:
        """What else there is."""
        return tuple(i for i in self.items if i[0] or not isinstance(i[1], Point))


@dataclass(frozen=True, slots=True)
class Map:
    """A combination of words."""

    words: tuple[tuple[Word, float], ...]

    @staticmethod
    def of(words: Iterable[tuple[Word, float]]) -> Map:
        found: dict[Word, float] = {}
        for word, c in words:
            found[word] = found.get(word, 0.0) + c
        return Map(tuple((word, c) for word, c in found.items() if c))

    def __add__(self, other: Map) -> Map:
        return Map.of((*self.words, *other.words))

    def __mul__(self, factor: float) -> Map:
        return Map.of((word, c * factor) for word, c in self.words)

    def after(self, other: Map) -> Map:
        return Map.of((joined(a, b), c * d) for a, c in self.words for b, d in other.words)

    def adjoint(self) -> Map:
        return Map.of((tuple(map(turned, reversed(word))), c) for word, c in self.words)

    @property
    def scale(self) -> float:
        """The number before the identity, or before the first of its words; 0 of no words."""
        ordered = sorted(self.words, key=lambda item: [(m.name, m.adjoint) for m in item[0]])
        return ordered[0][1] if ordered else 0.0

    def apply(self, value: Sum) -> Sum:
        return Sum.of((joined(w, u), b, c * d) for w, c in self.words for u, b, d in value.items)


IDENTITY = Map((((), 1.0),))
Value = float | Sum | Map


def turned(link: Link) -> Link:
    if link.name == "real" or link.name.startswith("diag "):  # of real values
        return link
    return Link(link.name, not link.adjoint, link.learned, link.unitary)


def joined(first: Word, second: Word) -> Word:
    """The word `first` after `second`; a unitary map and its adjoint are none."""
    left, right = list(first), list(second)
    while left and right and left[-1].unitary and left[-1] == turned(right[0]):
        left.pop()
        right.pop(0)
    return (*left, *right)


def data(name: str, learned: bool = False) -> Sum:
    return Sum((((), Data(name, learned), 1.0),))


def ones(value: float) -> Sum:
    """A number in every entry."""
    return Sum((((), ONES, value),)) if value else Sum()


def tree(function: str, arguments: Iterable[Value], called: str = "") -> Sum:
    return Sum((((), Tree(function, tuple(arguments), called), 1.0),))


def with_point(value: Sum, point: Point) -> Sum:
    """The value with `point` for the hole."""

    def filled(base: Base) -> Base:
        match base:
            case Point(terms):
                found = Point(tuple(t for t in terms if t[0] != HOLE))
                for leaf, c in terms:
                    if leaf == HOLE:
                        found = found + point * c
                return found
            case Tree(function, arguments, called):
                return Tree(function, tuple(map(turn, arguments)), called)
            case Data():
                return base

    def turn(argument: Value) -> Value:
        return with_point(argument, point) if isinstance(argument, Sum) else argument

    return Sum.of((w, filled(b), c) for w, b, c in value.items)


def bases(value: Value) -> Iterator[Base | Link]:
    """All that a value is made of, within trees too."""
    match value:
        case Sum(items):
            for word, base, _ in items:
                yield from word
                yield base
                if isinstance(base, Tree):
                    for argument in base.arguments:
                        yield from bases(argument)
        case Map(words):
            for word, _ in words:
                yield from word
        case _:
            pass


def has_points(value: Value) -> bool:
    return any(isinstance(base, Point) for base in bases(value))


def shown(names: Mapping[str, None]) -> str:
    return ", ".join(f"`{name}`" for name in names)
