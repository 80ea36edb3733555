"""How fast the objective falls to its least value along a long run, and whether that is as fast as is proved.

    F(x_k) - F* <= |x_0 - x*|^2 / (2 (t_1 + ... + t_k))     proximal gradient, t <= 1 / L; Beck, Teboulle, 2009, thm 3.1
    F(x_k) - F* <= |x_0 - x*|^2 / (2 t T_k^2)               with momentum (T_k - 1) / T_{k+1}, T_1 = 1 and
                                                            T_{k+1}^2 - T_{k+1} <= T_k^2; Chambolle, Dossal, 2015, thm 1

T_k >= (k + 1) / 2 in FISTA: 2 |x_0 - x*|^2 / (t (k + 1)^2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.oracle.methods import GradientMethod
from unroll_dsl.verify.method import Condition, Followed, within
from unroll_dsl.verify.report import Fall, Row, Verdict

_MOST = 240  # phases of a run that are looked at
_FIRST = 3  # the phase that a fit begins with
_FEWEST = 8  # points of a fit
_FLOOR = 1e-13  # of the objective: rounding
_SHARE = 0.1  # of the run that is fitted begins here
_SAME = 1e-6

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Least:
    """What is known of the least value: the value, by how much it may be smaller, the size of the objective, and the
    squared distance of the start from the minimiser."""

    value: float
    gap: float
    unit: float
    distance: float


@dataclass(frozen=True, slots=True)
class Proof:
    """The bound of F(x_k) - F*: `distance / shares[k - 1]`, its rate in words. `continued`: after the phases that
    have been followed in symbols the iteration goes on as it began."""

    shares: Numbers
    rate: str
    formula: str
    continued: int


def looked_at(phases: int) -> NDArray[np.int_]:
    """The phases, from 1, at which a run is looked at: all early ones, then ever fewer."""
    return np.unique(np.geomspace(1, phases, _MOST).round().astype(int))


# ---- what is proved -----------------------------------------------------------------------------


def proof(known: Followed, found: Condition, phases: int) -> Proof | None:
    """What is proved of the objective in each of so many phases; None where nothing is."""
    method = known.method
    if not isinstance(method, GradientMethod) or not found.holds or method.heavy:
        return None
    steps = np.asarray(method.steps)
    if not within(float(steps.max()) * known.lipschitz, 1.0, False):
        return None
    alike = float(np.ptp(steps)) <= _SAME * float(steps.max())
    count = len(steps)
    if method.plain:
        rest = np.full(max(phases - count, 0), steps[-1] if alike else 0.0)
        shares = 2 * np.cumsum(np.concatenate([steps, rest]))[:phases]
        return Proof(shares, "1/k", "|x0 - x*|^2 / (2 t k)", count)
    counters = _counters(method.momenta, phases)
    if counters is None or not alike:
        return None
    words = "|x0 - x*|^2 / (2 t T_k^2)"
    return Proof(2 * steps[0] * counters**2, "1/k^2", words, count)


def _counters(momenta: Sequence[float], phases: int) -> Numbers | None:
    """The T_k that momenta come from, continued; None where they are not of that kind."""
    if abs(momenta[0]) > _SAME or any(b <= 0 for b in momenta[1:]):
        return None
    golden = (1 + sqrt(5)) / 2
    growth = 1 / momenta[1] - 2  # of (k - 1) / (k + a): its a
    for second in (golden, (growth + 1) / growth if growth > 0 else golden):
        found = [1.0, second]
        for momentum in momenta[1:]:
            found.append((found[-1] - 1) / momentum)
        pairs = pairwise(found)
        if min(found) >= 1 and all(b**2 - b <= a**2 * (1 + _SAME) for a, b in pairs):
            step = min(found[-1] - found[-2], 0.5)
            more = found[-1] + step * np.arange(1, max(phases - len(found), 0) + 1)
            return np.concatenate([found, more])[:phases]
    return None


# ---- the fit ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RateFit:
    """`factor` a phase, or as k^-power, whichever leaves the smaller residual."""

    linear: bool
    factor: float
    power: float

    @property
    def words(self) -> str:
        if self.linear:
            return f"falls by a factor of {self.factor:.3g} a phase"
        return f"falls as 1/k^{self.power:.2g}"


def fitted(phases: NDArray[np.int_], gaps: Numbers, floor: float) -> RateFit | None:
    """The fall of gaps over the last nine tenths of what lies above the floor; None where that is too little.

    What is fitted is the largest gap that is still to come, so that a momentum's waves do not count.
    """
    over = np.flatnonzero(gaps > floor)
    if not len(over) or over[-1] + 1 < _FEWEST:
        return None
    last = over[-1] + 1
    k, envelope = phases[:last], np.maximum.accumulate(gaps[:last][::-1])[::-1]
    kept = (k >= max(_FIRST, _SHARE * k[-1])) & (envelope > floor)
    if kept.sum() < _FEWEST:
        return None
    k, heights = k[kept].astype(float), np.log(envelope[kept])
    # spread evenly over the phases: early ones are looked at more often
    weights = np.gradient(k)
    lines = [_line(axis, heights, weights) for axis in (k, np.log(k))]
    (slope, first), (power, second) = lines
    return RateFit(bool(first <= second), float(np.exp(slope)), -power)


def _line(x: Numbers, y: Numbers, weights: Numbers) -> tuple[float, float]:
    """The slope of the weighted line through points, and what it leaves."""
    x0, y0 = np.average(x, weights=weights), np.average(y, weights=weights)
    spread = max(float(np.average((x - x0) ** 2, weights=weights)), 1e-30)
    slope = float(np.average((x - x0) * (y - y0), weights=weights)) / spread
    left = np.average((y - y0 - slope * (x - x0)) ** 2, weights=weights)
    return slope, float(left)


# ---- the row ------------------------------------------------------------------------------------


def rate_row(
    group: str, phases: NDArray[np.int_], values: Numbers, least: Least, proved: Proof | None
) -> tuple[Row, Fall] | None:
    """The fall of the objective, at these phases, to its least value.

    With a proof the row holds the largest share of what is proved that the run takes: above 1 the page is wrong.
    """
    floor = 10 * max(least.gap, _FLOOR * least.unit)
    gaps = np.where(np.isfinite(values), values - least.value, np.nan)
    known = np.isfinite(gaps)
    if not known.any():
        return None
    k, gaps = phases[known], gaps[known]
    fit = fitted(k, gaps, floor)
    words = fit.words if fit else "is at the least value too soon for a fit"
    bounds = None if proved is None else least.distance / np.maximum(proved.shares[k - 1], 1e-300)
    drawn = tuple(float(g) for g in gaps)
    fall = Fall(
        tuple(int(i) for i in k),
        drawn,
        floor,
        words,
        None if bounds is None else tuple(float(b) for b in bounds),
    )
    if proved is None or bounds is None:
        return (Row(group, "rate", Verdict.NOTE, detail=words), fall) if fit else None
    share = np.where(gaps > floor, (gaps - floor) / bounds, 0.0)
    worst = int(np.argmax(share))
    figure = float(share[worst])
    words += f"; proved is {proved.rate}, {proved.formula}"
    if figure <= 1 + _SAME:
        return Row(group, "rate", Verdict.PASSED, figure, 1.0, words), fall
    words = f"slower than its method, in phase {k[worst]}; {words}"
    return Row(group, "rate", Verdict.FAILED, figure, 1.0, words), fall


__all__ = ["Least", "Proof", "RateFit", "fitted", "looked_at", "proof", "rate_row"]
