"""Iterations on terms behind maps: what they ask of the maps and of conjugates, besides gradients and proximal maps.

A map K of a term g(K x) and its adjoint are asked for as a gradient is: what they give is a leaf. So is a proximal
map of the conjugate of g, or of g itself, in the space that K leads to. The leaves of all spaces have one numbering.
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
from unroll_dsl.oracle.terms import (
    POINT,
    STEP,
    Known,
    Query,
    Terms,
    is_real,
    numbers_of,
    program,
    terms_of,
)
from unroll_dsl.oracle.tracing import Script, Tracer, lead
from unroll_dsl.oracle.values import Point, Sum, Value, Word, has_points
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
class Saddle:
    """An objective with terms behind maps.

    Attributes
    ----------
    terms
        The groups that are asked for by their gradient or proximal map in the unknown itself.
    dual
        The terms behind maps; their groups are numbered after the others.
    known
        Of the conjugates of the dual terms, and of these terms in their own space.
    norms
        A bound of the squared norm of the map of each.
    """

    terms: Terms
    dual: tuple[Term, ...]
    known: tuple[Known, ...]
    couplings: tuple[Coupling, ...]
    norms: tuple[float, ...]


class SaddleTracer(Tracer):
    """Follows the phases of a page whose terms stand behind maps."""

    def __init__(self, page: Page, saddle: Saddle, variable: str) -> None:
        super().__init__(page, (*saddle.terms.known, *saddle.known), variable, True)
        self.couplings = saddle.couplings

    def settle(self, value: Sum) -> Sum:
        return super().settle(self._through(value))

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


def follow_saddle(
    spec: Spec,
    form: NormalForm,
    phases: int,
    total: int,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> tuple[Saddle, tuple[Script, ...]]:
    """The phases of an iteration on terms behind maps, up to each of them.

    Raises
    ------
    Refused
        Where they cannot be said in gradients, proximal maps, maps, adjoints and combinations.
    """
    variable = form.variables[0]
    reference = spec.reference(total, bind=bind, init=init, dims=sizes)
    page = Page.of(spec.graph, reference, init, is_real(variable))
    first: Refused | None = None
    for dual, smooth, rest in _divided(form, variable):
        try:
            saddle = _saddle(form, dual, smooth, rest, bind, init, sizes)
            scripts = SaddleTracer(page, saddle, variable.name).scripts(range(1, phases + 1))
            asked = {call.group for call in scripts[-1].calls}
            if len(asked) == len(saddle.terms.groups) + len(dual):
                return saddle, scripts
            raise Refused("a term is not asked for")
        except Refused as refused:
            first = first or refused
    raise first or Refused("no term stands behind a map")


_Division = tuple[tuple[Term, ...], tuple[Term, ...], tuple[tuple[Term, ...], ...]]


def _divided(form: NormalForm, variable: Variable) -> Iterator[_Division]:
    """The terms that are taken behind their maps, those by gradient, those by proximal map together."""
    facts, at, step = Facts(form), name(POINT), Weight.of(STEP)
    behind = [t for t in form.terms if t.single(variable.name) and not t.argument.blocks]
    rough = [
        t for t in behind if not t.smooth and isinstance(prox(facts, (t,), variable, at, step), No)
    ]
    smooth = [t for t in form.terms if t.smooth]
    for dual in (rough, [t for t in behind if t in rough or t.smooth]):
        if not dual:
            continue
        own = [t for t in form.terms if t not in dual]
        yield tuple(dual), (), (tuple(own),) if own else ()
        gradients = [t for t in own if t in smooth]
        others = [t for t in own if t not in smooth]
        if gradients:
            yield tuple(dual), tuple(gradients), (tuple(others),) if others else ()


def _saddle(
    form: NormalForm,
    dual: tuple[Term, ...],
    smooth: tuple[Term, ...],
    rest: tuple[tuple[Term, ...], ...],
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Saddle:
    variable, facts = form.variables[0], Facts(form)
    terms = Terms((), ())
    if smooth or rest:
        terms = terms_of(form, smooth, rest, bind, init, sizes)
    outputs: list[n.Expr] = []
    inputs, places = [], list[tuple[int, list[Query]]]()
    for i, term in enumerate(dual):
        inputs.append(f"{_DUAL}_{i} : {term.argument.type}")
        maps, asked = _of_dual(facts, term, variable, name(f"{_DUAL}_{i}"))
        places.append((len(outputs), [word for word, _ in asked]))
        outputs += [*maps, *(value for _, value in asked)]
    count = len(outputs)
    outputs += [squared_norm_of(facts, term, variable).expr() for term in dual]
    graph, reference = program(form, variable, outputs, bind, init, sizes, inputs)
    holes = [POINT, *(f"{_DUAL}_{i}" for i in range(len(dual)))]
    real = is_real(variable)
    at = [numbers_of(graph, reference, init, i, real, holes) for i in range(count)]
    page = Page.of(graph, reference, init, real)
    norms = [Reader(page, 1, {}).value(i) for i in graph.outputs[count:]]
    known: list[Known] = []
    couplings = []
    for group, (first, words) in enumerate(places, len(terms.groups)):
        couplings.append(Coupling(group, _word(at[first](1.0)), _word(at[first + 1](1.0))))
        known += [Known(group, word, at[first + 2 + i]) for i, word in enumerate(words)]
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
    facts: Facts, term: Term, variable: Variable, at: n.Expr
) -> tuple[list[n.Expr], list[tuple[Query, n.Expr]]]:
    """The map and its adjoint; the proximal maps of the conjugate, however they may be written, and that of the
    term itself."""
    chain, step = term.single(variable.name), Weight.of(STEP)
    assert chain is not None
    back = apply(transpose(chain), at)
    complex_ = term.argument.type.field is Field.COMPLEX
    if complex_ and variable.type.field is not Field.COMPLEX:
        back = fill("real(v)", v=back)
    dual = conjugate(facts, term, at, step)
    if isinstance(dual, No) or term.atom.prox is None:
        raise Refused(f"`{term.text}` has no proximal map", "", term.span)
    asked = [(Query.CONJUGATE, dual)]
    if term.atom.conjugate is not None:
        plain = conjugate(facts, replace(term, atom=replace(term.atom, conjugate=None)), at, step)
        assert not isinstance(plain, No)
        asked.append((Query.CONJUGATE, plain))
    if term.atom.name == "norm1" and not complex_ and term.shift() is None:
        box = fill("box(p, -w, w)", p=at, w=term.weight.expr())
        asked.append((Query.CONJUGATE, box))
    b = term.shift()
    inner = at if b is None else tidy(binary("+", at, b))
    weight = step if term.atom.indicator else step * term.weight
    image = term.formula(term.atom.prox, v=inner, t=weight.expr())
    if b is not None:
        image = tidy(binary("-", image, b))
    return [apply(chain, name(POINT)), back], [*asked, (Query.SPLIT, image)]


def _word(value: Sum) -> Word:
    match value.items:
        case ((word, Point(), 1.0),) if word:
            return word
    raise Refused("a map is a combination of others")


__all__ = ["Saddle", "follow_saddle"]
