"""Page -> certificate: read the objective, follow the phases, solve for the worst case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.certify.errors import NotCertified
from unroll_dsl.certify.model import Certificate, Function, Measure
from unroll_dsl.certify.solving import solve
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Learnable, PhaseNumber
from unroll_dsl.ir.stages import reachable
from unroll_dsl.objectives import NormalForm, read
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.following import Followed, follow
from unroll_dsl.oracle.terms import Group, Terms
from unroll_dsl.oracle.tracing import Script, live
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import Minimize
from unroll_dsl.verify.instance import draw

_CLASSES = ("convex", "quadratic")
_MANY, _FEW = 20, 8  # phases that are looked at unasked; else so many


def certify(
    spec: Spec,
    phases: int | None = None,
    *,
    at: Sequence[int] | None = None,
    bind: Mapping[str, Any] | None = None,
    init: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
    of: str = "convex",
    smoothness: float | None = None,
    strong: float | None = None,
    measure: str = "objective",
) -> Certificate:
    """The worst case of an iteration over all functions of a class, all starts and all dimensions.

    The terms of the page's objective that it asks for by gradients stand for any convex function with as large a
    Lipschitz constant of the gradient, those by proximal maps for any convex function. It holds for every data and
    every matrix whose constants are those that the steps are made of.

    Parameters
    ----------
    phases
        How many, by default what the program says.
    at
        The numbers of phases of the table; by default powers of two, and the last.
    bind, init, dims
        As for `Spec.compile`: steps and thresholds of a trained network are `init=spec.values(net)`. Without a
        matrix the steps have to be multiples of 1 / L.
    of
        The class: "convex", or "quadratic", which least squares are.
    smoothness
        The Lipschitz constant of the gradient, in place of that of the objective.
    strong
        The constant of strong convexity; by default what quadratic terms of the unknown itself give.
    measure
        "objective": F(x_K) - F*; "distance": |x_K - x*|^2; "gradient": |grad F(x_K)|^2.

    Returns
    -------
    Certificate

    Raises
    ------
    UnrollError
        U0630: what it does cannot be said in gradients, proximal maps and combinations; U06 where the objective
        has no normal form.
    ModuleNotFoundError
        Without PEPit: `pip install 'unroll_dsl[certify]'`.
    """
    kind = _kind(of, measure)
    values = (bind or {}, init or {}, dims or {})
    try:
        return _certified(spec, phases, at, *values, of, smoothness, strong, kind)
    except Refused as refused:
        place = refused.span or spec.program.name.span
        raise UnrollError([NotCertified(spec.name, refused.reason, refused.mend, place)]) from None


def _kind(of: str, measure: str) -> Measure:
    """What is to be bounded, if that can be."""
    if of not in _CLASSES:
        raise ValueError(f"the class is one of {', '.join(_CLASSES)}, found {of!r}")
    return Measure(measure)


def _certified(
    spec: Spec,
    phases: int | None,
    at: Sequence[int] | None,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    dims: Mapping[str, int],
    of: str,
    smoothness: float | None,
    strong: float | None,
    measure: Measure,
) -> Certificate:
    form = read(spec.typed)
    _check(spec, form)
    total = phases or max(spec.graph.phases or 1, *(at or (1,)))
    counts = _counts(total, phases is not None, at)
    missing = [c.name for c in spec.graph.constants if c.default is None and c.name not in bind]
    sizes = dict(bind_values(spec.graph, max(counts), bind, init, dims).sizes)
    drawn = [draw(spec.graph, seed=seed, dims=sizes) for seed in ((0, 1) if missing else (0,))]
    followed = [
        _followed(
            follow(spec, form, counts, total, {**i.bind, **bind}, {**i.init, **init}, i.sizes),
            smoothness,
        )
        for i in drawn
    ]
    terms, scripts, unit = followed[0]
    if missing and not _alike(followed[0], followed[1]):
        names = ", ".join(f"`{name}`" for name in missing)
        raise Refused(
            f"its steps depend on more of {names} than the Lipschitz constant L",
            f"bind it: --bind {missing[0]}=FILE",
        )
    functions = tuple(
        _function(group, i, terms.groups, unit, of, strong) for i, group in enumerate(terms.groups)
    )
    _check_output(terms, scripts, measure)
    if find_spec("PEPit") is None:
        words = "certificates need PEPit: pip install 'unroll_dsl[certify]'"
        raise ModuleNotFoundError(words, name="PEPit")
    bounds = tuple(solve(script, functions, unit, measure) for script in scripts)
    fixed = all(other[2] == unit for other in followed) or smoothness is not None
    known = unit if not missing or fixed else None
    assumed = _assumed(terms, functions, scripts, known, measure)
    return Certificate(
        spec.name,
        measure,
        functions,
        bounds,
        known,
        assumed,
        _steps(scripts[-1], terms, unit),
        total if total > counts[-1] and not at else 0,
        _besides(spec.graph, form.variables[0].name),
    )


def _besides(graph: Graph, variable: str) -> tuple[str, ...]:
    """The states that the outputs need besides the unknown: momenta, multipliers."""
    kept = live(graph) - {variable}
    return tuple(s.name for s in graph.states if s.name in kept and s.type.rank)


def _check(spec: Spec, form: NormalForm) -> None:
    """What the objective has to be."""
    graph = spec.graph
    minimize = next(s for s in spec.program.statements if isinstance(s, Minimize))
    if not graph.outputs:
        raise Refused("a problem has no iteration", "derive one: `unroll derive`")
    if len(form.variables) != 1:
        raise Refused("its objective has several unknowns", "", form.variables[1].span)
    if not graph.states:
        raise Refused("it has no phases")
    for term in form.terms:
        if not term.convex or term.argument.blocks:
            raise Refused(f"`{term.text}` is not convex", "", term.span)
    own = _of_a_phase(graph)
    if own is not None:
        raise Refused(
            f"its objective changes from phase to phase, with {own}",
            "what all phases share may stand in it",
            minimize.body.span,
        )


def _of_a_phase(graph: Graph) -> str | None:
    """What of the objective differs from phase to phase."""
    assert graph.objective is not None
    per_phase = {p.name for p in graph.parameters if p.per_phase}
    for index in reachable(graph.nodes, [graph.objective]):
        match graph.nodes[index].op:
            case PhaseNumber():
                return "`k`"
            case Learnable(name) if name in per_phase:
                return f"`{name}`"
    return None


def _counts(total: int, asked: bool, at: Sequence[int] | None) -> tuple[int, ...]:
    """The rows of the table; many phases take minutes, and are looked at where they are asked for."""
    if at:
        if min(at) < 1 or max(at) > total:
            raise ValueError(f"the numbers of phases are from 1 to {total}")
        return tuple(sorted(set(at)))
    last = total if asked or total <= _MANY else _FEW
    found = [2**i for i in range(last.bit_length()) if 2**i < last]
    return (*found, last)


_Followed = tuple[Terms, tuple[Script, ...], float]


def _followed(found: Followed, smoothness: float | None) -> _Followed:
    terms, scripts = found
    for group in terms.groups:
        if not group.proximal and group.lipschitz is None and smoothness is None:
            raise Refused(
                f"the Lipschitz constant of the gradient of `{group.terms[0].text}` is not known",
                "give it: --smoothness L",
                group.terms[0].span,
            )
    return terms, scripts, _unit(terms.groups, smoothness)


def _unit(groups: Sequence[Group], smoothness: float | None) -> float:
    """L: of what is asked for by gradients, else of what is smooth, else 1."""
    if smoothness is not None:
        return smoothness
    found = [g.lipschitz for g in groups if not g.proximal and g.lipschitz]
    found += [g.lipschitz for g in groups if g.lipschitz]
    return found[0] if found else 1.0


def _alike(first: _Followed, second: _Followed) -> bool:
    """Whether two instances take the same steps, in units of their L."""
    (_, a, unit), (_, b, other) = first, second
    if any(len(s.calls) != len(t.calls) for s, t in zip(a, b, strict=True)):
        return False

    def numbers(script: Script, scale: float) -> list[float]:
        gradients = {call.leaf for call in script.calls if not call.proximal}
        points = [c.point for c in script.calls] + [script.output]
        found = [c * (scale if leaf in gradients else 1.0) for p in points for leaf, c in p.terms]
        return found + [call.step * scale for call in script.calls if call.proximal]

    pairs = [(numbers(s, unit), numbers(t, other)) for s, t in zip(a, b, strict=True)]
    return all(
        len(x) == len(y) and all(math.isclose(u, v, rel_tol=1e-8) for u, v in zip(x, y))
        for x, y in pairs
    )


_NAMES = "fghpqr"


def _function(
    group: Group, place: int, groups: Sequence[Group], unit: float, of: str, strong: float | None
) -> Function:
    """What a group of terms stands for, in units of L."""
    name = _NAMES[place] if place < len(_NAMES) else f"f_{place + 1}"
    smooth = group.lipschitz / unit if group.lipschitz else None
    if not group.proximal:
        smooth = 1.0
    convexity = group.strong / unit
    if place == 0 and strong is not None:
        convexity = strong / unit
    quadratic = of == "quadratic" and not group.proximal
    if quadratic and not group.quadratic:
        raise Refused(f"`{group.words}` is not quadratic", "--class convex", group.terms[0].span)
    words = ["convex"] if not convexity else [f"{convexity:.6g} L-strongly convex"]
    if smooth is not None:
        words.append("L-smooth" if smooth == 1 else f"{smooth:.6g} L-smooth")
    if quadratic:
        words.append("quadratic")
    if group.indicator:
        words = ["indicator of a convex set"]
    if convexity >= (smooth or math.inf) * (1 - 1e-12):
        raise Refused("the constant of strong convexity is below the Lipschitz constant L")
    terms = group.words
    return Function(name, ", ".join(words), terms, smooth, convexity, group.indicator, quadratic)


def _check_output(terms: Terms, scripts: Sequence[Script], measure: Measure) -> None:
    rough = [i for i, g in enumerate(terms.groups) if g.proximal and g.lipschitz is None]
    if measure is Measure.GRADIENT and rough:
        raise Refused(
            f"`{terms.groups[rough[0]].words}` has no gradient", "--measure objective or distance"
        )
    if measure is not Measure.OBJECTIVE:
        return
    for script in scripts:
        for i in rough:
            if terms.groups[i].indicator and not _is_proximal(script, i):
                raise Refused(
                    f"its output may lie outside of the set of `{terms.groups[i].words}`",
                    "give a projected point out, or take --measure distance",
                )


def _is_proximal(script: Script, group: int) -> bool:
    """Whether the output is a proximal point of a group."""
    leaves = [c.leaf for c in script.calls if c.group == group and c.proximal]
    return any(script.output.terms == ((leaf, 1.0),) for leaf in leaves)


def _assumed(
    terms: Terms,
    functions: Sequence[Function],
    scripts: Sequence[Script],
    unit: float | None,
    measure: Measure,
) -> tuple[str, ...]:
    """What the bound rests on, besides the class."""
    found = ["x_0 = 0, x* anywhere" if scripts[-1].from_zero else "x_0 and x* anywhere"]
    found[0] += ", in any dimension"
    if unit is None:
        found.append("L is whatever it is: all steps are multiples of 1 / L")
    else:
        found.append(f"L = {unit:.6g}")
    for i, (group, function) in enumerate(zip(terms.groups, functions, strict=True)):
        rough = group.proximal and group.lipschitz is None
        if rough and measure is Measure.OBJECTIVE and not _is_proximal(scripts[-1], i):
            found.append(f"{function.name} has a subgradient at the output")
    return tuple(found)


def _steps(script: Script, terms: Terms, unit: float) -> tuple[float, ...]:
    """Those of the proximal maps in the last script, in units of 1 / L."""
    return tuple(
        call.step * unit
        for call in script.calls
        if call.proximal and not terms.groups[call.group].indicator
    )


__all__ = ["certify"]
