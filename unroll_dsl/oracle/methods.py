"""Script -> method: which iteration it is, with its steps, momenta and relaxation in each phase.

Nothing is known by its name: what counts is of which points a phase asks for gradients and proximal maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from unroll_dsl.oracle.multipliers import Admm, Linearised, admm, linearised
from unroll_dsl.oracle.points import (
    SAME,
    along,
    coefficient,
    equal,
    shares_of,
    unit,
    vanishes,
)
from unroll_dsl.oracle.terms import Query
from unroll_dsl.oracle.tracing import START, Call, Script
from unroll_dsl.oracle.values import Point


@dataclass(frozen=True, slots=True)
class GradientMethod:
    """x_k = prox(v_k - t_k * gradient(v_k)), v_{k+1} = x_k + b_k * (x_k - x_{k-1}).

    Attributes
    ----------
    steps
        t_1, t_2, ...
    momenta
        b_1, b_2, ...: one fewer.
    heavy
        The momentum is that of Polyak: the gradient is taken at x, before it is added.
    proximal
        There is a proximal map.
    """

    steps: tuple[float, ...]
    momenta: tuple[float, ...]
    heavy: bool
    proximal: bool

    @property
    def plain(self) -> bool:
        return all(abs(b) <= SAME for b in self.momenta)


@dataclass(frozen=True, slots=True)
class Splitting:
    """a = prox_f(w), b = prox_g(2 a - w - t * gradient(a)), w + relaxation * (b - a).

    Douglas and Rachford's, with a gradient Davis and Yin's; ADMM whose constraint is z = x is the same.
    """

    steps: tuple[float, ...]
    relaxations: tuple[float, ...]
    gradient: bool


@dataclass(frozen=True, slots=True)
class PrimalDual:
    """p_l = prox of the conjugate at p_l + sigma_l * K_l v, x = prox(x - tau * (sum of K_l' p_l + gradient(x))),
    v = x + theta * (x - the x before); or with p extrapolated in place of x, which linearised ADMM is.

    `sigmas` has a step of each dual term; theta is the sum of both extrapolations, one of which is 0.
    """

    tau: float
    sigmas: tuple[float, ...]
    theta: float
    gradient: bool


Method = GradientMethod | Splitting | PrimalDual | Linearised | Admm


def method(scripts: Sequence[Script]) -> Method | None:
    """The method that the scripts of 1, 2, ... phases are; None: none that is known."""
    kinds = {call.asked for call in scripts[-1].calls}
    if Query.SYSTEM in kinds:
        return admm(scripts)
    if Query.SPLIT in kinds:
        return linearised(scripts)
    if Query.FORTH in kinds:
        return _primal_dual(scripts)
    if Query.GRADIENT in kinds:
        found = _gradient(scripts)
        if found is not None:
            return found
    return _splitting(scripts)


# ---- gradients ----------------------------------------------------------------------------------


def _gradient(scripts: Sequence[Script]) -> GradientMethod | None:
    calls = scripts[-1].calls
    gradients = [c for c in calls if c.asked is Query.GRADIENT]
    images = [c for c in calls if c.asked is Query.PROXIMAL]
    groups = len({c.group for c in calls})
    if len(gradients) != len(scripts) or len(images) not in (0, len(scripts)):
        return None
    x = _iterates(scripts)
    if groups > (2 if images else 1) or not gradients[0].point.near(x[0]):
        return None
    steps = []
    for k, call in enumerate(gradients):
        point = images[k].point if images else x[k + 1]
        step = -coefficient(point, call.leaf)
        if images and not _takes(images[k], step, x[k + 1]):
            return None
        steps.append(step)
    momenta = _extrapolated(gradients, images, x, steps)
    if momenta is not None:
        return GradientMethod(tuple(steps), momenta, False, bool(images))
    momenta = None if images else _inertia(gradients, x, steps)
    return None if momenta is None else GradientMethod(tuple(steps), momenta, True, False)


def _takes(image: Call, step: float, x: Point) -> bool:
    """Whether a proximal point of that step is the next iterate; a projection has any step."""
    return (not image.step or equal(image.step, step)) and x.near(unit(image.leaf))


def _extrapolated(
    gradients: Sequence[Call], images: Sequence[Call], x: Sequence[Point], steps: Sequence[float]
) -> tuple[float, ...] | None:
    """Momenta that are added before the gradient is taken."""
    momenta = []
    for k, call in enumerate(gradients):
        forward = call.point + unit(call.leaf) * -steps[k]
        if not (images[k].point if images else x[k + 1]).near(forward):
            return None
        if k:
            momentum = along(call.point + x[k] * -1.0, x[k] + x[k - 1] * -1.0)
            if momentum is None:
                return None
            momenta.append(momentum)
    return tuple(momenta)


def _inertia(
    gradients: Sequence[Call], x: Sequence[Point], steps: Sequence[float]
) -> tuple[float, ...] | None:
    """Momenta of Polyak."""
    momenta = []
    for k, call in enumerate(gradients):
        if not call.point.near(x[k]):
            return None
        left = x[k + 1] + x[k] * -1.0 + unit(call.leaf) * steps[k]
        if not k:
            if not vanishes(left, x[k + 1]):
                return None
            continue
        momentum = along(left, x[k] + x[k - 1] * -1.0)
        if momentum is None:
            return None
        momenta.append(momentum)
    return tuple(momenta)


def _iterates(scripts: Sequence[Script]) -> list[Point]:
    """The unknown at the start and after each phase."""
    return [unit(START), *(script.output for script in scripts)]


# ---- two proximal maps --------------------------------------------------------------------------


def _splitting(scripts: Sequence[Script]) -> Splitting | None:
    calls = scripts[-1].calls
    images = [c for c in calls if c.asked is Query.PROXIMAL]
    gradients = [c for c in calls if c.asked is Query.GRADIENT]
    if len({c.group for c in images}) != 2:
        return None
    return _reflected(images, gradients) or _reflected(images[1:], gradients)


def _reflected(images: Sequence[Call], gradients: Sequence[Call]) -> Splitting | None:
    """The first image of each pair is taken at w, the second at a point reflected in it."""
    pairs = list(zip(images[::2], images[1::2], strict=False))
    if len(pairs) < 2:
        return None
    steps: list[float] = []
    for a, b in pairs:
        left = b.point + unit(a.leaf) * -2.0 + a.point
        own = [g for g in gradients if g.point.near(unit(a.leaf))]
        taken = [-coefficient(left, g.leaf) for g in own]
        left = left + Point(tuple((g.leaf, t) for g, t in zip(own, taken, strict=True)))
        told = [s for s in (a.step, b.step, *taken) if s]
        if a.group == b.group or len(own) != bool(gradients) or not vanishes(left, b.point):
            return None
        if not told or not all(equal(s, told[0]) for s in told):
            return None
        steps.append(told[0])
    relaxations = []
    for (a, b), (after, _) in pairwise(pairs):
        difference = unit(b.leaf) + unit(a.leaf) * -1.0
        relaxation = along(after.point + a.point * -1.0, difference)
        if relaxation is None:
            return None
        relaxations.append(relaxation)
    return Splitting(tuple(steps), tuple(relaxations), bool(gradients))


# ---- terms behind maps --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Phase:
    """What one phase asks for."""

    calls: tuple[Call, ...]

    def of(self, asked: Query, group: int | None = None) -> list[Call]:
        return [c for c in self.calls if c.asked is asked and group in (None, c.group)]


def _phases(scripts: Sequence[Script]) -> list[_Phase]:
    counts = [0, *(len(s.calls) for s in scripts)]
    return [_Phase(scripts[-1].calls[a:b]) for a, b in pairwise(counts)]


def _primal_dual(scripts: Sequence[Script]) -> PrimalDual | None:
    """The same in the last phases, of which all points are told apart."""
    x, phases = _iterates(scripts), _phases(scripts)
    if len(scripts) < 4:
        return None
    found = [_primal_dual_phase(x, phases, k) for k in (len(phases) - 2, len(phases) - 1)]
    first, second = found
    if first is None or second is None or not _like(first, second):
        return None
    return second


def _like(a: PrimalDual, b: PrimalDual) -> bool:
    numbers = [(a.tau, b.tau), (a.theta, b.theta), *zip(a.sigmas, b.sigmas, strict=True)]
    return all(abs(s - t) <= SAME * max(abs(s), abs(t), 1.0) for s, t in numbers)


def _primal_dual_phase(x: Sequence[Point], phases: Sequence[_Phase], k: int) -> PrimalDual | None:
    """Phase k from 0: x[k] before it and x[k + 1] after."""
    images = phases[k].of(Query.CONJUGATE)
    maps, sigmas, thetas = {}, [], []
    for image in images:
        earlier = [phases[j].of(Query.CONJUGATE, image.group) for j in (k - 1, k - 2)]
        if any(len(found) != 1 for found in earlier):
            return None
        before = [unit(found[0].leaf) for found in earlier]
        step = image.point + before[0] * -1.0
        forth = _image(step, phases[k].of(Query.FORTH, image.group))
        if forth is None:
            return None
        told = _extrapolation(forth, (x[k], x[k - 1]))
        duals = (unit(image.leaf), before[0])
        if told is None:
            told, duals = _extrapolation(forth, (x[k + 1], x[k])), (before[0], before[1])
        if told is None or (image.step and not equal(image.step, told[0])):
            return None
        sigmas.append(told[0])
        thetas.append(told[1])
        maps[image.group] = duals
    if not images or not all(equal(theta, thetas[0]) for theta in thetas):
        return None
    primal = _primal(x, phases[k], k, maps)
    if primal is None:
        return None
    tau, other, gradient = primal
    if min(abs(thetas[0]), abs(other)) > SAME:
        return None
    return PrimalDual(tau, tuple(sigmas), thetas[0] + other, gradient)


def _image(step: Point, forth: Sequence[Call]) -> Point | None:
    """The point whose image under the map is a combination of leaves of it."""
    found, left = Point(), step
    for call in forth:
        c = coefficient(step, call.leaf)
        found, left = found + call.point * c, left + unit(call.leaf) * -c
    return found if vanishes(left, step) else None


def _extrapolation(point: Point, around: tuple[Point, Point]) -> tuple[float, float] | None:
    """s and b where a point is s * (x + b * (x - y))."""
    shares = shares_of(point, around)
    if shares is None or not shares[0] + shares[1] > 0:
        return None
    step = shares[0] + shares[1]
    return step, -shares[1] / step


def _primal(
    x: Sequence[Point], phase: _Phase, k: int, maps: dict[int, tuple[Point, Point]]
) -> tuple[float, float, bool] | None:
    """The step of the unknown, the extrapolation of what comes back, and whether there is a gradient."""
    images = phase.of(Query.PROXIMAL)
    if len(images) > 1 or (images and not x[k + 1].near(unit(images[0].leaf))):
        return None
    point = images[0].point if images else x[k + 1]
    left = point + x[k] * -1.0
    steps = [images[0].step] if images and images[0].step else []
    for call in phase.of(Query.GRADIENT):
        if not call.point.near(x[k]):
            return None
        steps.append(-coefficient(left, call.leaf))
        left = left + unit(call.leaf) * steps[-1]
    gradient, thetas = bool(phase.of(Query.GRADIENT)), list[float]()
    for group, (after, before) in maps.items():
        for call in phase.of(Query.BACK, group):
            c = coefficient(left, call.leaf)
            if not c:
                continue
            told = _extrapolation(call.point * -c, (after, before))
            if told is None:
                return None
            steps.append(told[0])
            thetas.append(told[1])
            left = left + unit(call.leaf) * -c
    same = all(equal(s, steps[0]) for s in steps) and all(equal(t, thetas[0]) for t in thetas)
    if not thetas or not same or not vanishes(left, point):
        return None
    return steps[0], thetas[0], gradient


__all__ = ["Admm", "GradientMethod", "Linearised", "Method", "PrimalDual", "Splitting", "method"]
