"""Iterations on terms behind maps: what they ask of the maps and of conjugates, besides gradients and proximal maps.

A map K of a term g(K x) and its adjoint are asked for as a gradient is: what they give is a leaf. So is a proximal
map of the conjugate of g, or of g itself, in the space that K leads to, and the minimiser of the squares and of
distances from points behind the maps, which is a linear system. The leaves of all spaces have one numbering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from unroll_dsl.ir.graph import Slot
from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.maps import apply, squared_norm, transpose
from unroll_dsl.objectives.model import NormalForm, Term, Variable
from unroll_dsl.objectives.proximal import No, conjugate, prox
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.matching import ANY, step_of
from unroll_dsl.oracle.reading import Page, Reader
from unroll_dsl.oracle.systems import system
from unroll_dsl.oracle.terms import (
    POINT,
    STEP,
    Known,
    Query,
    Terms,
    facts_of,
    is_real,
    numbers_of,
    program,
    terms_of,
)
from unroll_dsl.oracle.tracing import Script, Tracer, lead
from unroll_dsl.oracle.values import Point, Sum, Tree, Value, Word, has_points
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, name, tidy
from unroll_dsl.types import Field

_DUAL = "certified_dual"


@dataclass(frozen=True, slots=True)
class Coupling:
    """The map of a term, and its adjoint, as words; the number that they are taken times."""

    group: int
    forth: Word
    back: Word


@dataclass(frozen=True, slots=True)
class Division:
    """A way to ask for the terms of an objective.

    Attributes
    ----------
    dual
        Those behind their maps; of the unknown itself where `z = x` is split off.
    smooth, rest
        Those by their gradient, and the groups by their proximal map.
    split
        The dual ones are asked for by their own proximal maps, else by those of their conjugates.
    squares
        The quadratic terms whose minimiser is asked for together with the distances from dual points; None: nothing is.
    """

    dual: tuple[Term, ...]
    smooth: tuple[Term, ...] = ()
    rest: tuple[tuple[Term, ...], ...] = ()
    split: bool = False
    squares: tuple[Term, ...] | None = None


@dataclass(frozen=True, slots=True)
class Saddle:
    """An objective with terms behind maps.

    Attributes
    ----------
    terms
        The groups that are asked for by their gradient or proximal map in the unknown itself.
    dual
        The terms behind maps; their groups are numbered after the others, that of a system is the last.
    known
        Of the conjugates of the dual terms, or of these terms in their own space, and of the system.
    couplings
        The maps of dual terms; of the unknown itself there is none.
    norms
        A bound of the squared norm of the map of each dual term; empty where there is a system.
    """

    terms: Terms
    dual: tuple[Term, ...]
    known: tuple[Known, ...]
    couplings: tuple[Coupling, ...]
    norms: tuple[float, ...]

    @property
    def groups(self) -> int:
        """How many there are."""
        own = any(known.asked is Query.SYSTEM for known in self.known)
        return len(self.terms.groups) + len(self.dual) + own


class SaddleTracer(Tracer):
    """Follows the phases of a page whose terms stand behind maps."""

    def __init__(self, page: Page, saddle: Saddle, variable: str) -> None:
        super().__init__(page, (*saddle.terms.known, *saddle.known), variable, True)
        self.couplings = saddle.couplings
        self.solves = any(known.asked is Query.SYSTEM for known in saddle.known)

    def settle(self, value: Sum) -> Sum:
        value = self._through(value)
        trees = any(isinstance(base, Tree) for _, base, _ in value.rest)
        if self.solves and trees and not has_points(value):
            return self._opened(value)  # of a start at 0, the first system reads data alone
        return super().settle(value)

    def _through(self, value: Sum) -> Sum:
        """The value with what maps and their adjoints make of points as leaves."""
        found = True
        while found:
            found = False
            for coupling in self.couplings:
                for asked, word in ((Query.FORTH, coupling.forth), (Query.BACK, coupling.back)):
                    after = self._opened_map(value, coupling.group, asked, word)
                    found = found or after is not value
                    value = after
        return value

    def _opened_map(self, value: Sum, group: int, asked: Query, word: Word) -> Sum:
        points: dict[Word, Point] = {}
        left = []
        for w, base, c in value.items:
            if isinstance(base, Point) and len(w) >= len(word) and w[len(w) - len(word) :] == word:
                before = w[: len(w) - len(word)]
                points[before] = points.get(before, Point()) + base * c
            else:
                left.append((w, base, c))
        if not points:
            return value
        for before, point in points.items():
            if point.terms:  # what differs by a factor is asked for once
                factor = point.terms[-1][1]
                leaf = self.ask(group, asked, point * (1 / factor), 0.0)
                left.append((before, Point(((leaf, 1.0),)), factor))
        return Sum.of(left)

    def whole(self, value: Sum) -> Sum:
        found = self.settle(value)
        return self._affine(found) if found.rest and has_points(found) else found

    def _updated(self, reader: Reader, slot: Slot, k: int) -> Value:
        """What is made of a new state is made of the leaf that it is."""
        found = super()._updated(reader, slot, k)
        reader.known[slot.update] = found
        return found

    def _affine(self, value: Sum) -> Sum:
        """The value where it is wholly a proximal point of squares of the unknown itself: `(v + t * y) / (1 + t)`,
        in which no function tells the map."""
        for known in self.known:
            if not known.stepped or lead(known.at(1.0)) is not None:
                continue

            def numbers(s: float, known: Known = known) -> list[tuple[float, float]]:
                return _pairs(known.at(s), value)

            step = _step(numbers)
            if step is None:
                continue
            ((_, share),) = known.at(step).point.terms
            leaf = self.ask(known.group, known.asked, value.point * (1 / share), step)
            return Sum((((), Point(((leaf, 1.0),)), 1.0),))
        return value


def _step(numbers: Callable[[float], list[tuple[float, float]]]) -> float | None:
    if any(a != a or b != b for a, b in numbers(1.0)):
        return None
    found = step_of(numbers)
    return None if found is None or found == ANY else found


def _pairs(known: Sum, found: Sum) -> list[tuple[float, float]]:
    """The coefficients of the data of both; no numbers where they are not of the same data."""
    mine = {(w, b): c for w, b, c in known.rest}
    other = {(w, b): c for w, b, c in found.rest}
    if set(mine) != set(other) or not mine or len(known.point.terms) != 1:
        return [(float("nan"), 0.0)]
    return [(mine[key], other[key]) for key in mine]


# ---- reading ------------------------------------------------------------------------------------


def follow_saddles(
    spec: Spec,
    form: NormalForm,
    phases: int,
    total: int,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Iterator[tuple[Saddle, tuple[Script, ...]]]:
    """The phases of an iteration on terms behind maps, up to each of them, in each way in which they can be said in
    gradients, proximal maps, maps, adjoints, systems and combinations."""
    variable = form.variables[0]
    reference = spec.reference(total, bind=bind, init=init, dims=sizes)
    page = Page.of(spec.graph, reference, init, is_real(variable))
    for division in _divided(form, variable):
        try:
            saddle = _saddle(form, division, bind, init, sizes)
            scripts = SaddleTracer(page, saddle, variable.name).scripts(range(1, phases + 1))
        except Refused:
            continue
        if len({call.group for call in scripts[-1].calls}) == saddle.groups:
            yield saddle, scripts


def _divided(form: NormalForm, variable: Variable) -> Iterator[Division]:
    """The ways to ask for the terms: by splittings with a system, without one, and by conjugates."""
    facts, at, step = Facts(form), name(POINT), Weight.of(STEP)
    own = [t for t in form.terms if t.single(variable.name) is not None and not t.argument.blocks]
    behind = [t for t in own if t.single(variable.name)]
    rough = [
        t for t in behind if not t.smooth and isinstance(prox(facts, (t,), variable, at, step), No)
    ]
    both = [t for t in behind if t in rough or t.smooth]
    curved = [t for t in own if not t.quadratic and not t.linear]
    squares = [t for t in form.terms if t.quadratic or t.linear]
    if curved and len(curved) + len(squares) == len(form.terms):
        yield Division(tuple(curved), (), (), True, tuple(squares))
    for dual in _apart(rough, both, curved):
        left = tuple(t for t in form.terms if t not in dual)
        yield Division(tuple(dual), (), (left,) if left else (), True)
    for dual in _apart(rough, both, [t for t in behind if t in curved]):
        left = tuple(t for t in form.terms if t not in dual)
        yield Division(tuple(dual), (), (left,) if left else ())
        gradients = tuple(t for t in left if t.smooth)
        others = tuple(t for t in left if not t.smooth)
        if gradients:
            yield Division(tuple(dual), gradients, (others,) if others else ())


def _apart(*groups: list[Term]) -> list[list[Term]]:
    """Those of the groups that are not empty, each once."""
    found: list[list[Term]] = []
    for group in groups:
        if group and group not in found:
            found.append(group)
    return found


def _saddle(
    form: NormalForm,
    division: Division,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Saddle:
    variable, facts, dual = form.variables[0], facts_of(form), division.dual
    terms = Terms((), ())
    if division.smooth or division.rest:
        terms = terms_of(form, division.smooth, division.rest, bind, init, sizes)
    points = [f"{_DUAL}_{i}" for i in range(len(dual))]
    outputs: list[n.Expr] = []
    asked: list[tuple[int, Query]] = []  # the group of each output, and what it is
    for group, (term, word) in enumerate(zip(dual, points, strict=True), len(terms.groups)):
        for query, value in _of_dual(facts, term, variable, name(word), division.split):
            asked.append((group, query))
            outputs.append(value)
    if division.squares is not None:
        group = len(terms.groups) + len(dual)
        asked.append((group, Query.SYSTEM))
        outputs.append(
            system(facts, division.squares, dual, variable, name(POINT), Weight.of(STEP))
        )
    else:
        outputs += [squared_norm_of(facts, term, variable).expr() for term in dual]
    inputs = [f"{word} : {t.argument.type}" for word, t in zip(points, dual, strict=True)]
    graph, reference = program(form, variable, outputs, bind, init, sizes, inputs, facts)
    real = is_real(variable)
    known: list[Known] = []
    words: dict[tuple[int, Query], Word] = {}
    for i, (group, query) in enumerate(asked):
        at = numbers_of(graph, reference, init, i, real, (POINT, *points))
        if query in (Query.FORTH, Query.BACK):
            words[group, query] = _word(at(1.0))
        else:
            known.append(Known(group, query, at))
    couplings = [
        Coupling(group, words[group, Query.FORTH], words[group, Query.BACK])
        for group in dict.fromkeys(group for group, _ in words)
    ]
    page = Page.of(graph, reference, init, real)
    norms = [Reader(page, 1, {}).value(i) for i in graph.outputs[len(asked) :]]
    numbers = tuple(v for v in norms if isinstance(v, float))
    return Saddle(terms, dual, tuple(known), tuple(couplings), numbers)


def squared_norm_of(facts: Facts, term: Term, variable: Variable) -> Weight:
    """A bound of the squared norm of the map of a term.

    Raises
    ------
    Refused
        Where none is known.
    """
    chain = term.single(variable.name)
    found = None if chain is None else squared_norm(chain, facts.squared_norm)
    if found is None:
        raise Refused(f"the norm of the map of `{term.text}` is not known", "", term.span)
    return found


def _of_dual(
    facts: Facts, term: Term, variable: Variable, at: n.Expr, split: bool
) -> Iterator[tuple[Query, n.Expr]]:
    """The map and its adjoint, where there is one; the proximal map of the term itself, or those of its conjugate,
    however they may be written."""
    chain, step = term.single(variable.name), Weight.of(STEP)
    assert chain is not None
    complex_ = term.argument.type.field is Field.COMPLEX
    if chain:
        yield Query.FORTH, apply(chain, name(POINT))
        back = apply(transpose(chain), at)
        if complex_ and variable.type.field is not Field.COMPLEX:
            back = fill("real(v)", v=back)
        yield Query.BACK, back
    dual = conjugate(facts, term, at, step)
    if isinstance(dual, No) or term.atom.prox is None:
        raise Refused(f"`{term.text}` has no proximal map", "", term.span)
    b = term.shift()
    if split:
        inner = at if b is None else tidy(binary("+", at, b))
        weight = step if term.atom.indicator else step * term.weight
        image = term.formula(term.atom.prox, v=inner, t=weight.expr())
        yield Query.SPLIT, image if b is None else tidy(binary("-", image, b))
        return
    yield Query.CONJUGATE, dual
    if term.atom.conjugate is not None:
        plain = conjugate(facts, replace(term, atom=replace(term.atom, conjugate=None)), at, step)
        assert not isinstance(plain, No)
        yield Query.CONJUGATE, plain
    if term.atom.name == "norm1" and not complex_ and b is None:
        yield Query.CONJUGATE, fill("box(p, -w, w)", p=at, w=term.weight.expr())


def _word(value: Sum) -> Word:
    match value.items:
        case ((word, Point(), 1.0),) if word:
            return word
    raise Refused("a map is a combination of others")


__all__ = ["Saddle", "follow_saddles", "squared_norm_of"]
