"""Which method an iteration is, and whether its steps are those for which it is proved to converge.

gradient, proximal gradient     t < 2 / L                          Beck, 2017, theorem 10.21
with momentum b in [0, 1]       t <= 1 / L                         Beck, Teboulle, 2009; Chambolle, Dossal, 2015
  least squares, b the same     t < (2 + 2 b) / ((1 + 2 b) L)      roots of its characteristic polynomial
heavy ball                      t < 2 (1 - b) / L                  Ghadimi, Feyzmahdavian, Johansson, 2015
  least squares                 t < 2 (1 + b) / L                  Polyak, 1964
Douglas-Rachford, ADMM          relaxation in (0, 2)               Eckstein, Bertsekas, 1992; Boyd et al., 2011
Davis-Yin                       t < 2 / L, relaxation below        Davis, Yin, 2017
                                2 - t L / 2
primal-dual hybrid gradient     tau sigma |K|^2 <= 1               Chambolle, Pock, 2011; Condat, 2013
Condat-Vu                       tau (sigma |K|^2 + L / 2) <= 1     Condat, 2013; Vu, 2013
linearised ADMM                 mu / lambda |K|^2 <= 1             Parikh, Boyd, 2014, section 4.4.2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.objectives import NormalForm, Term, read
from unroll_dsl.oracle.couplings import follow_saddles
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.following import follow
from unroll_dsl.oracle.methods import (
    Admm,
    GradientMethod,
    Linearised,
    Method,
    PrimalDual,
    Splitting,
    method,
)
from unroll_dsl.oracle.terms import Terms
from unroll_dsl.spec import Spec
from unroll_dsl.verify.functions import varies
from unroll_dsl.verify.held_inputs import with_inputs_held
from unroll_dsl.verify.instance import Instance

PHASES = 8  # that are followed in symbols
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Condition:
    """What is proved of a method: a figure, and what it may be at most.

    Attributes
    ----------
    figure
        The largest in the phases that are followed: of t L, of a relaxation, of tau sigma |K|^2.
    limit
        `strict`: the figure has to be below it.
    formula
        The condition in words, with the letters of `Followed`.
    other
        What else is not as it is proved, in words.
    phases
        Those in which it does not hold, from 1; empty where all are alike.
    """

    name: str
    figure: float
    limit: float
    strict: bool
    formula: str
    other: str = ""
    phases: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.other and within(self.figure, self.limit, self.strict)


def within(figure: float, limit: float, strict: bool) -> bool:
    return figure < limit * (1 - _ROUNDING) if strict else figure <= limit * (1 + _ROUNDING)


@dataclass(frozen=True, slots=True)
class Followed:
    """The method of a page on an instance.

    Attributes
    ----------
    smooth
        The terms that are asked for by their gradient.
    dual
        Those behind maps.
    lipschitz
        L, of the gradient of the smooth terms; 0 where there are none.
    norms
        A bound of the squared norm of the map of each dual term.
    """

    form: NormalForm
    method: Method
    smooth: tuple[Term, ...]
    dual: tuple[Term, ...]
    lipschitz: float
    norms: tuple[float, ...]

    @property
    def quadratic(self) -> bool:
        return all(t.quadratic or t.linear for t in self.smooth)


Measured = Callable[[Sequence[Term]], float | None]


def followed(
    spec: Spec, instance: Instance, measured: Measured = lambda smooth: None
) -> Followed | None:
    """The method that the phases are, read in symbols; None where it is none that is known. Numbers that are made of
    inputs, a step of 1 / norm_inf(y)^2, are those of the first sample.

    `measured` gives the Lipschitz constant of the gradient of terms on the instance, for those behind a map from
    outside, whose norm no formula tells; None where it cannot.
    """
    found = _followed(spec, instance, measured)
    if found is not None:
        return found
    try:
        held = with_inputs_held(spec, instance)
    except UnrollError:  # what bounds an input may not bound a constant
        return None
    return None if held is None else _followed(*held, measured)


def _followed(spec: Spec, instance: Instance, measured: Measured) -> Followed | None:
    try:
        form = read(spec.typed)
    except UnrollError:
        return None
    convex = form.convex and not form.penalties
    if not convex or len(form.variables) != 1 or varies(spec.graph):
        return None
    total = max(PHASES, spec.graph.phases or 1)
    values = (instance.bind, instance.init, instance.sizes)
    try:
        terms, scripts = follow(spec, form, range(1, PHASES + 1), total, *values, True)
        if (found := method(scripts)) is not None:
            return _known(form, terms, (), (), found, measured)
    except (Refused, UnrollError):
        pass
    try:
        for saddle, scripts in follow_saddles(spec, form, PHASES, total, *values):
            if (found := method(scripts)) is not None:
                return _known(form, saddle.terms, saddle.dual, saddle.norms, found, measured)
    except (Refused, UnrollError):
        pass
    return None


def _known(
    form: NormalForm,
    terms: Terms,
    dual: tuple[Term, ...],
    norms: tuple[float, ...],
    found: Method,
    measured: Measured,
) -> Followed | None:
    gradients = [g for g in terms.groups if not g.proximal]
    smooth = tuple(t for g in gradients for t in g.terms)
    constants = [g.lipschitz for g in gradients if g.lipschitz is not None]
    if len(constants) == len(gradients):
        return Followed(form, found, smooth, dual, sum(constants), norms)
    constant = measured(smooth)  # of a map from outside
    return None if constant is None else Followed(form, found, smooth, dual, constant, norms)


# ---- conditions ---------------------------------------------------------------------------------


def condition(known: Followed) -> Condition:
    """What is proved of the method, at the values of the instance."""
    match known.method:
        case GradientMethod():
            return _of_gradients(known, known.method)
        case Splitting(steps, relaxations, gradient):
            return _of_splitting(known, steps, relaxations, gradient)
        case Admm(steps, relaxations):
            return replace(_of_splitting(known, steps or (1.0,), relaxations, False), name="ADMM")
        case PrimalDual(tau, sigmas, theta, gradient):
            squares = sum(s * norm for s, norm in zip(sigmas, known.norms, strict=True))
            figure = tau * (squares + (known.lipschitz / 2 if gradient else 0.0))
            other = "" if abs(theta - 1) < _ROUNDING else f"extrapolation {theta:.3g}, not 1"
            if gradient:
                formula = "tau * (sigma * |K|^2 + L / 2)"
                return Condition("Condat-Vu", figure, 1.0, False, formula, other)
            name = "primal-dual hybrid gradient"
            return Condition(name, figure, 1.0, False, "tau * sigma * |K|^2", other)
        case Linearised(share):
            figure = share * sum(known.norms)
            return Condition("linearised ADMM", figure, 1.0, False, "mu / lambda * |K|^2")


def _of_gradients(known: Followed, found: GradientMethod) -> Condition:
    figures = [t * known.lipschitz for t in found.steps]
    steps, momenta = min(found.steps), found.momenta
    kind = "proximal gradient" if found.proximal else "gradient"
    other = "" if steps > 0 else "a step is not positive"
    if found.plain:
        kind = "proximal gradient" if found.proximal else "gradient descent"
        return _worst(kind, figures, 2.0, True, "t * L", other)
    if min(momenta) < 0 or max(momenta) > 1 + _ROUNDING:
        wrong = next(b for b in momenta if b < 0 or b > 1 + _ROUNDING)
        other = other or f"momentum {wrong:.3g} is not within 0 and 1"
    b = max(momenta)
    alike = max(momenta) - min(momenta) <= _ROUNDING
    if found.heavy:
        limit = 2 * (1 + min(momenta)) if known.quadratic and alike else 2 * (1 - b)
        return _worst("heavy ball", figures, limit, True, "t * L", other)
    if known.quadratic and alike and not found.proximal:
        limit = (2 + 2 * b) / (1 + 2 * b)
        return _worst(f"accelerated {kind}", figures, limit, True, "t * L", other)
    return _worst(f"accelerated {kind}", figures, 1.0, False, "t * L", other)


def _worst(
    name: str, figures: Sequence[float], limit: float, strict: bool, formula: str, other: str
) -> Condition:
    """The condition in the phase where it holds least."""
    out = tuple(k for k, f in enumerate(figures, 1) if not within(f, limit, strict))
    phases = out if len(out) < len(figures) else ()
    return Condition(name, max(figures), limit, strict, formula, other, phases)


def _of_splitting(
    known: Followed, steps: Sequence[float], relaxations: Sequence[float], gradient: bool
) -> Condition:
    other = ""
    if max(steps) > min(steps) * (1 + _ROUNDING):
        other = f"the step changes, from {min(steps):.3g} to {max(steps):.3g}"
    elif min(relaxations) <= 0:
        other = f"relaxation {min(relaxations):.3g} is not positive"
    figure = max(relaxations)
    if not gradient:
        return Condition("Douglas-Rachford or ADMM", figure, 2.0, True, "relaxation", other)
    taken = max(steps) * known.lipschitz
    if not taken < 2:
        return Condition("Davis-Yin", taken, 2.0, True, "t * L", other)
    return Condition("Davis-Yin", figure, 2 - taken / 2, True, "relaxation", other)


__all__ = ["Condition", "Followed", "condition", "followed"]
