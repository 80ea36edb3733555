"""Script -> bound, by PEPit: a semidefinite program whose solution is the worst function of the class.

Y. Drori, M. Teboulle: Performance of first-order methods for smooth convex minimization: a novel approach.
Mathematical Programming, 2014. A. Taylor, J. Hendrickx, F. Glineur: Smooth strongly convex interpolation and exact
worst-case performance of first-order methods. Mathematical Programming, 2017. B. Goujaud, C. Moucer, F. Glineur,
J. Hendrickx, A. Taylor, A. Dieuleveut: PEPit: computer-assisted worst-case analyses of first-order optimization
methods in Python. Mathematical Programming Computation, 2024.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from unroll_dsl.certify.model import Bound, Function, Measure
from unroll_dsl.oracle.tracing import START, Script
from unroll_dsl.oracle.values import Point


def solve(script: Script, functions: Sequence[Function], unit: float, measure: Measure) -> Bound:
    """The worst case of a script over a class, in units of `unit`: functions are divided by it, so that the
    semidefinite program has numbers of order 1."""
    from PEPit import PEP
    from PEPit import Point as Vector

    problem = PEP()
    declared = [_declare(problem, function) for function in functions]
    whole = declared[0]
    for function in declared[1:]:
        whole = whole + function
    minimiser = whole.stationary_point()
    zero = Vector(is_leaf=False, decomposition_dict={})
    leaves: dict[int, Any] = {}
    leaves[START] = zero if script.from_zero else problem.set_initial_point()
    problem.set_initial_condition((leaves[START] - minimiser) ** 2 <= 1)

    def vector(point: Point) -> Any:
        found = zero
        for leaf, c in point.terms:
            found = found + c * leaves[leaf]
        return found

    for call in script.calls:
        at = vector(call.point)
        if call.proximal:
            leaves[call.leaf] = _proximal(declared[call.group], at, call.step * unit or 1.0)
        else:
            leaves[call.leaf] = unit * declared[call.group].gradient(at)
    last = vector(script.output)
    match measure:
        case Measure.OBJECTIVE:
            problem.set_performance_metric(whole(last) - whole(minimiser))
        case Measure.DISTANCE:
            problem.set_performance_metric((last - minimiser) ** 2)
        case Measure.GRADIENT:
            problem.set_performance_metric(whole.gradient(last) ** 2)
    return _solved(problem, script.phases)


def _declare(problem: Any, function: Function) -> Any:
    from PEPit import functions as known

    strong, smooth = function.strong, function.smoothness
    if function.indicator:
        return problem.declare_function(known.ConvexIndicatorFunction)
    if smooth is None and strong:
        return problem.declare_function(known.StronglyConvexFunction, mu=strong)
    if smooth is None:
        return problem.declare_function(known.ConvexFunction)
    if function.quadratic:
        kind = known.SmoothStronglyConvexQuadraticFunction
        return problem.declare_function(kind, mu=strong, L=smooth)
    if strong:
        return problem.declare_function(known.SmoothStronglyConvexFunction, mu=strong, L=smooth)
    return problem.declare_function(known.SmoothConvexFunction, L=smooth)


def _proximal(function: Any, at: Any, step: float) -> Any:
    from PEPit.primitive_steps import proximal_step

    return proximal_step(at, function, step)[0]


def _solved(problem: Any, phases: int) -> Bound:
    import cvxpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "may be inaccurate": told with the residual
        try:
            proved = problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
        except (cvxpy.SolverError, ZeroDivisionError) as error:
            return Bound(phases, math.inf, math.inf, f"failed: {error}")
    status = str(problem.wrapper.prob.status)
    if proved is None or "unbounded" in status or "infeasible" in status:
        return Bound(phases, math.inf, 0.0, status)
    found = float(problem.wrapper.objective.value)
    return Bound(phases, float(proved), abs(float(proved) - found), status)
