"""Splittings z_l = K_l x with scaled multipliers u_l: ADMM, and ADMM with its quadratic linearised.

What is seen are the points p_l = K_l x + u_l of which proximal maps are asked for, and z_l that they give: the
multipliers after them are p_l - z_l.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from unroll_dsl.oracle.points import along, equal, shares_of, unit, vanishes
from unroll_dsl.oracle.terms import Query
from unroll_dsl.oracle.tracing import Call, Script
from unroll_dsl.oracle.values import Point


@dataclass(frozen=True, slots=True)
class Admm:
    """x = argmin q(x) + rho / 2 * (sum of ||K_l x - z_l + u_l||^2), z_l = prox_{1 / rho}(c_l + u_l), u_l + c_l - z_l
    with c_l = relaxation * K_l x + (1 - relaxation) * z_l; Boyd et al., 2011, section 3.4.3.

    `steps` are 1 / rho in the phases in which they can be told.
    """

    steps: tuple[float, ...]
    relaxations: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Linearised:
    """x = prox_mu(x - share * sum of K_l' (K_l x - z_l + u_l)), z_l = prox_lambda(K_l x + u_l), u_l + K_l x - z_l;
    mu = share * lambda."""

    share: float


@dataclass(frozen=True, slots=True)
class _Round:
    """A phase: what it asks for, the unknown after it, and K_l x by the group of its term."""

    calls: tuple[Call, ...]
    x: Point
    images: Mapping[int, Point]

    def of(self, asked: Query) -> list[Call]:
        return [c for c in self.calls if c.asked is asked]

    @property
    def splits(self) -> dict[int, Call]:
        return {c.group: c for c in self.of(Query.SPLIT)}

    def multiplier(self, group: int) -> Point:
        """u_l after the phase, where the page is of this kind."""
        call = self.splits[group]
        return call.point + unit(call.leaf) * -1.0


def _rounds(scripts: Sequence[Script]) -> list[_Round] | None:
    """None where not every phase asks for each proximal map once, or not for the image of its own unknown."""
    calls = scripts[-1].calls
    groups = {c.group for c in calls if c.asked is Query.SPLIT}
    behind = {c.group for c in calls if c.asked in (Query.FORTH, Query.BACK)}
    found, begun = [], 0
    for script in scripts:
        own = script.calls[begun:]
        begun = len(script.calls)
        images: dict[int, Point] = {}
        for group in groups:
            forths = [c for c in calls if c.asked is Query.FORTH and c.group == group]
            image = image_of(forths, script.output) if group in behind else script.output
            if image is not None:
                images[group] = image
        if sorted(c.group for c in own if c.asked is Query.SPLIT) != sorted(groups):
            return None
        if set(images) != groups:
            return None
        found.append(_Round(own, script.output, images))
    return found if groups and len(found) > 2 else None


def image_of(calls: Iterable[Call], point: Point) -> Point | None:
    """What a map makes of a point, where the image of a multiple of it has been asked for."""
    for call in calls:
        share = along(call.point, point)
        if share:
            return unit(call.leaf) * (1 / share)
    return None


def _brought_back(
    point: Point, backs: Sequence[Call], wanted: Mapping[int, Point]
) -> tuple[float, ...] | None:
    """The numbers c_l with which a point is the sum of c_l * K_l' @ wanted_l, one of all terms of the unknown itself;
    None: it is no such sum."""
    behind = {call.group for call in backs}
    own = sum((goal for group, goal in wanted.items() if group not in behind), Point())
    found = [own] if own.terms else []
    for group, goal in wanted.items():
        if group in behind and goal.terms:
            image = image_of([c for c in backs if c.group == group], goal)
            if image is None:
                return None
            found.append(image)
    return shares_of(point, tuple(found)) if found else None


def admm(scripts: Sequence[Script]) -> Admm | None:
    """Splittings whose unknown is the minimiser of a quadratic."""
    rounds = _rounds(scripts)
    if rounds is None:
        return None
    steps, relaxations = [c.step for c in rounds[0].calls if c.step], list[float]()
    for before, after in pairwise(rounds):
        systems = after.of(Query.SYSTEM)
        if len(systems) != 1 or not after.x.near(unit(systems[0].leaf)):
            return None
        wanted = {g: unit(c.leaf) + before.multiplier(g) * -1.0 for g, c in before.splits.items()}
        backs = [c for c in scripts[-1].calls if c.asked is Query.BACK]
        shares = _brought_back(systems[0].point, backs, wanted)
        if shares is None or not all(equal(share, 1.0) for share in shares):
            return None
        for group, call in after.splits.items():
            earlier = before.splits[group]
            step = after.images[group] + unit(earlier.leaf) * -1.0
            relaxation = along(call.point + earlier.point * -1.0, step)
            if relaxation is None:
                return None
            relaxations.append(relaxation)
        told = [c.step for c in after.calls if c.step]
        if not all(equal(step, told[0]) for step in told):
            return None  # the system and the proximal maps are of two penalties
        steps += told
    return Admm(tuple(steps), tuple(relaxations))


def linearised(scripts: Sequence[Script]) -> Linearised | None:
    """Splittings whose unknown takes a step along what their quadratic has for a gradient; the last phase, of which
    all points are told apart."""
    rounds = _rounds(scripts)
    if rounds is None:
        return None
    before, after = rounds[-2], rounds[-1]
    images = after.of(Query.PROXIMAL)
    if len(images) > 1 or (images and not after.x.near(unit(images[0].leaf))):
        return None
    point = images[0].point if images else after.x
    wanted = {
        g: before.images[g] + unit(c.leaf) * -1.0 + before.multiplier(g)
        for g, c in before.splits.items()
    }
    backs = [c for c in scripts[-1].calls if c.asked is Query.BACK]
    shares = _brought_back(point + before.x * -1.0, backs, wanted)
    if shares is None or not all(equal(share, shares[0]) for share in shares):
        return None
    share = -shares[0]
    taken = [c.step for c in after.splits.values() if c.step]
    if images and images[0].step:
        taken.append(images[0].step / share)
    moved = [
        call.point + (before.multiplier(g) + after.images[g]) * -1.0
        for g, call in after.splits.items()
    ]
    same = all(equal(step, taken[0]) for step in taken)
    if not same or not all(vanishes(left, after.x) for left in moved):
        return None
    return Linearised(share)


__all__ = ["Admm", "Linearised", "admm", "image_of", "linearised"]
