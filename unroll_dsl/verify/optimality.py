"""Whether a point minimises the objective of a program, of which the iteration is no witness.

Where the objective is a sum of convex terms that are known (`terms.py`), its least value is computed and certified
by duality, and the point is held against it. Else the objective is searched for a fall (`searching.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.objectives import Term, Weight
from unroll_dsl.relax.find import shrinkages
from unroll_dsl.relax.page import Page, Refused
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.verify.functions import Objective, varies
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.minimum import Minimum, minimum
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.searching import WALL, Reached, Searched, search
from unroll_dsl.verify.spaces import Point
from unroll_dsl.verify.terms import Terms, Unreadable

TOLERANCE = 1e-9  # of what is above the least value, relative to the objective
COARSEST = 1e-5  # where a run still gains more than that, a search decides nothing
_NEAR = 1e-6  # what counts as the least value; as near as a minimisation from elsewhere has to come
_CERTAIN = 1e-7  # a least value is known where its certificate leaves no more open
_FAR = 1e-3  # so far above the least value no right iteration rises on and on
_SAME = 1e-9  # of two ways to the same value
_ROUNDING = 1e-12  # of a point at rest, relative: so near to a constraint it is kept to
# A run that slows down as 1/k^p gains 2^-p as much in each doubling. Allowed is ten times the last gain, for
# p >= 1/2 four times what is still to come, or so much times what is to come if that is more.
_TO_COME = 10.0
_SLOWER = 4.0

States = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a point: by how much the objective is above its least value, relative, and words."""

    verdict: Verdict
    above: float
    tolerance: float
    words: str


@dataclass(frozen=True, slots=True)
class RestingPlace:
    """Where a run of one sample has come to.

    Attributes
    ----------
    last
        Its variables at the end.
    late, early
        Those at some phases of the last half, and of the quarter before.
    rests
        Whether it no longer moves.
    positive
        Variables that it never makes negative. A fall that leads below 0 where the iteration never goes decides
        nothing: the objective may be meant for what is positive.
    """

    last: States
    late: tuple[States, ...]
    early: tuple[States, ...]
    rests: bool
    positive: frozenset[str]


class Judge:
    """Decides on places that runs on one sample of an instance come to."""

    def __init__(self, spec: Spec, instance: Instance, seed: int) -> None:
        """`instance` has a batch of one."""
        self.spec, self.instance, self.seed = spec, instance, seed
        self.unread = ""  # why there are no terms
        self._least: Minimum | None = None

    @cached_property
    def objective(self) -> Objective:
        return Objective(self.spec, self.instance)

    @cached_property
    def terms(self) -> Terms | None:
        try:
            return Terms(self.spec, self.instance, self.objective.space)
        except Unreadable as why:
            self.unread = str(why)
            return None

    def steepest(self, smooth: Sequence[Term]) -> float | None:
        """The Lipschitz constant of the gradient of terms on the sample; None where it is not known."""
        return None if self.terms is None else self.terms.steepest(smooth)

    def decide(self, place: RestingPlace) -> Decision:
        """Whether the objective is at its least where a run has come to.

        Values are relative to the objective there, or at 0 if it is larger there. What the run itself would
        still gain is no fault of its goal.
        """
        if varies(self.spec.graph):
            words = "its objective reads values of a phase"
            return Decision(Verdict.UNDECIDED, np.nan, TOLERANCE, words)
        x = self._kept(place, place.last)
        here = self.objective.function.at(x)
        if not here < WALL:
            words = "it violates a constraint of the objective there"
            if not place.rests:  # what is split off may keep to it in the limit alone
                return Decision(Verdict.UNDECIDED, np.nan, TOLERANCE, f"{words}, and moves on")
            return Decision(Verdict.FAILED, np.nan, TOLERANCE, words)
        unit = self._unit(x, here)
        tolerance = TOLERANCE + self._to_come(place, unit)
        least = self._least_value(x, unit)
        found = None
        if least is not None:
            found = self._held_against(place, x, here, unit, tolerance, least)
        found = found or self._searched(place, x, unit, tolerance)
        away = float(np.max(np.abs(x - self.objective.space.flat(place.last))))
        if not away > _ROUNDING * float(np.max(np.abs(x))):
            return found
        return replace(
            found, words=f"{found.words}; its constraints are kept to but for {away:.0e}"
        )

    def least(self, place: RestingPlace) -> tuple[Minimum, float, float] | None:
        """The least value near a place, what no variable adds to it, and the size of the objective there; None
        where it is not certain."""
        if varies(self.spec.graph):
            return None
        x = self._kept(place, place.last)
        here = self.objective.function.at(x)
        if not here < WALL:
            return None
        unit = self._unit(x, here)
        found = self._least_value(x, unit)
        return None if found is None else (found, self._rest(x), unit)

    def _kept(self, place: RestingPlace, states: States) -> Point:
        """A point of a run as one that keeps to the constraints, where it does so but for rounding, or, while the run
        moves on, but for what counts as near: what has been split off keeps to them, and the variable in the limit."""
        x = self.objective.space.flat(states)
        return self._within(x, _ROUNDING if place.rests else _NEAR)

    def _within(self, x: Point, most: float = _ROUNDING) -> Point:
        """The nearest of some points that keeps to the constraints, at most so much of its size away; `x` itself where
        it does, or where none does."""
        value = self.objective.function.value
        if value(x[None])[0] < WALL:
            return x
        size, share = max(float(np.max(np.abs(x))), 1e-30), _ROUNDING
        while share <= most * (1 + _SAME):
            step = share * size
            near = np.stack(
                [
                    np.where((x < 0) & (x >= -step), 0.0, x),
                    np.where(np.abs(x) <= step, 0.0, x),
                    x + step,
                    x - step,
                    x * (1 - share),
                    x * (1 + share),
                ]
            )
            fine = value(near) < WALL
            if fine.any():
                return np.asarray(near[int(np.argmax(fine))])
            share *= 10
        return x

    def _along(self, place: RestingPlace, states: Sequence[States]) -> Point:
        """The objective at points of a run."""
        return self.objective.function.value(np.stack([self._kept(place, s) for s in states]))

    def _unit(self, x: Point, here: float) -> float:
        nothing = abs(self.objective.function.at(0 * x))
        return max(abs(here), nothing if nothing < WALL else 0.0, 1e-30)

    def _to_come(self, place: RestingPlace, unit: float) -> float:
        """How far the objective may still be above where the run leads, relative; infinite where it gains
        no less than before."""
        if place.rests:
            return 0.0
        late, early = (self._along(place, states) for states in (place.late, place.early))
        gain, before = float(np.ptp(late)), float(np.ptp(early))
        if not np.isfinite(gain) or (gain > 1e-3 * TOLERANCE * unit and gain >= before):
            return np.inf
        share = min(gain / max(before, 1e-30), 1.0)  # of rounding there may be more than before
        return gain * max(_TO_COME, _SLOWER * share / max(1 - share, 1e-3)) / unit

    def _rises(self, place: RestingPlace, unit: float) -> bool:
        """Whether the objective is larger in all of the last half of the run than in all before."""
        late, early = (self._along(place, states) for states in (place.late, place.early))
        return bool(np.min(late[1:]) > np.max(early) + TOLERANCE * unit)

    # ---- the least value ------------------------------------------------------------------------

    def _least_value(self, x: Point, unit: float) -> Minimum | None:
        """The least value that the objective has, where it is certain."""
        terms = self.terms
        if terms is None:
            return None
        if self._least is None:
            self._least = minimum(terms, x, unit)
        found = self._least
        size = max(float(np.linalg.norm(terms.rough_at(found.x))), 1e-30)
        if found.gap > _CERTAIN * unit or found.apart > _CERTAIN * size:
            self.unread = f"its least value is known to {found.gap / unit:.0e} alone"
            return None
        # the terms are those of the page: they differ from its objective by the same at any point
        between = 0.7 * x + 0.3 * found.x
        value = self.objective.function.at(between)
        if value < WALL and abs(value - self._of_terms(between) - self._rest(x)) > _SAME * unit:
            self.unread = "its terms are not read rightly"
            return None
        return found

    def _of_terms(self, x: Point) -> float:
        assert self.terms is not None
        return self.terms.value(x) + self.terms.height(self.terms.rough_at(x))

    def _rest(self, x: Point) -> float:
        """What no variable changes."""
        return self.objective.function.at(x) - self._of_terms(x)

    def _held_against(
        self,
        place: RestingPlace,
        x: Point,
        here: float,
        unit: float,
        tolerance: float,
        least: Minimum,
    ) -> Decision | None:
        """The point against the least value; None where the iteration may be meant for positive values."""
        open_ = least.gap / unit
        above = (here - self._rest(x) - least.value) / unit
        if above > _FAR and np.isinf(tolerance) and self._rises(place, unit):
            words = f"the objective rises while it moves on, to {above:.1e} above the least value"
            return Decision(Verdict.FAILED, above, _FAR, words)
        if above > tolerance + open_:
            if place.positive:
                return None
            words = f"it is {above:.1e} above the least value; {self.objective.space.words(least.x - x)}"
            hint = self._of_another_weight(x, unit)
            return Decision(Verdict.FAILED, above, tolerance, f"{hint}; {words}" if hint else words)
        if above + open_ > _NEAR:
            words = f"it does not rest yet, {above:.0e} above the least value"
            return Decision(Verdict.UNDECIDED, above, tolerance, words)
        words = f"the least value, which duality gives to {max(open_, 1e-16):.0e}"
        return Decision(Verdict.PASSED, max(above, 0.0), min(tolerance, _NEAR) + open_, words)

    def _of_another_weight(self, x: Point, unit: float) -> str:
        """Whether the point is the minimiser for another weight of the term without gradient.

        A norm f has <p, z> = f(z) for p in its subdifferential at z, so that 0 = <S'(x), x> + c f(K x).
        """
        terms = self.terms
        assert terms is not None
        if len(terms.rough) != 1 or terms.rough[0].atom.indicator or np.any(terms.rough_offset):
            return ""
        z = terms.rough_at(x)
        height = terms.height(z)
        if not height > 0 or abs(terms.height(2 * z) - 2 * height) > _SAME * height:
            return ""
        factor = -float(terms.slope(x) @ x) / height
        if not factor > 0:
            return ""
        terms.factor = factor
        try:
            found = minimum(terms, x, unit)
            above = terms.value(x) + factor * height - found.value
        finally:
            terms.factor = 1.0
        if abs(above) + found.gap > 100 * TOLERANCE * unit:
            return ""
        return _of_threshold(self.spec, terms.rough[0], factor)

    # ---- a search -------------------------------------------------------------------------------

    def _searched(self, place: RestingPlace, x: Point, unit: float, tolerance: float) -> Decision:
        if not tolerance <= COARSEST:
            return Decision(Verdict.UNDECIDED, np.nan, tolerance, "it does not rest yet")
        space, function = self.objective.space, self.objective.function
        positive = space.entries(place.positive)
        found = search(_within(function, positive), x, self.seed, tolerance * unit)
        fall = found.fall / unit
        if fall > tolerance:
            return Decision(Verdict.FAILED, fall, tolerance, space.words(found.step))
        if found.reached > max(_NEAR, tolerance) * unit:
            how = (
                "does not end"
                if np.isinf(found.reached)
                else f"ends {found.reached / unit:.0e} above it"
            )
            words = f"no step from it falls, but a minimisation of its own {how}"
            return Decision(Verdict.UNDECIDED, fall, tolerance, words)
        if positive.any():
            free = search(function, x, self.seed, tolerance * unit)
            if free.fall > tolerance * unit:
                names = ", ".join(f"`{name}`" for name in sorted(place.positive))
                words = f"over {names} >= 0 it does, and falls below: does the objective say >= 0?"
                return Decision(Verdict.UNDECIDED, free.fall / unit, tolerance, words)
        return Decision(Verdict.PASSED, fall, tolerance, _words(found, unit, self.unread))


def _of_threshold(spec: Spec, term: Term, factor: float) -> str:
    """Which term the threshold of a page belongs to, where it has one, and which it should be that of."""

    def written(weight: Weight) -> str:
        return term.text if weight.is_one else f"{expression_text(weight.expr())} * {term.text}"

    wrong = written(Weight(Fraction(f"{factor:.4g}")) * term.weight)
    try:
        places = {found.call.span.line for found in shrinkages(Page(spec.typed))}
    except Refused:  # it has an inner loop
        places = set()
    if len(places) != 1:
        return f"it is the minimiser for {wrong}, not for {written(term.weight)}"
    return f"the threshold of line {places.pop()} is that of {wrong}, not of {written(term.weight)}"


def _words(found: Reached, unit: float, unread: str) -> str:
    back = max(found.reached, 0.0) / unit
    why = f" (by search: {unread})" if unread else ""
    return f"no step from it falls; a minimisation of its own comes back to {back:.0e}{why}"


def _within(function: Searched, positive: NDArray[np.bool_]) -> Searched:
    """The function, infinite where an entry of `positive` is negative."""
    if not positive.any():
        return function

    def value(points: Point) -> Point:
        outside = (points[:, positive] < 0).any(axis=1)
        return np.where(outside, np.inf, function.value(points))

    return Searched(value, function.slope)


__all__ = ["COARSEST", "TOLERANCE", "Decision", "Judge", "RestingPlace"]
