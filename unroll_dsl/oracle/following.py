"""Page -> script: the phases in what they ask of the objective, in the groups of terms with which that can be said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from unroll_dsl.ir.graph import Graph
from unroll_dsl.objectives import NormalForm
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.reading import Page
from unroll_dsl.oracle.terms import Terms, is_real, partitions, terms_of
from unroll_dsl.oracle.tracing import Script, Tracer, lead, live
from unroll_dsl.spec import Spec

Followed = tuple[Terms, tuple[Script, ...]]


def follow(
    spec: Spec,
    form: NormalForm,
    counts: Sequence[int],
    total: int,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
    of_state: bool = False,
) -> Followed:
    """The phases in what they ask for, with the groups of terms with which that can be said. Best are those with
    which all that is asked for is of points in the affine sense: an x shrunk towards 0 belongs to a term.

    Parameters
    ----------
    counts
        The numbers of phases after which a script ends.
    total
        As many as the values per phase are for.
    of_state
        The scripts give the state that the objective is of, in place of the output.

    Raises
    ------
    Refused
        Where no groups serve: why the first did not.
    """
    reference = spec.reference(total, bind=bind, init=init, dims=sizes)
    page = Page.of(spec.graph, reference, init, is_real(form.variables[0]))
    first: Refused | None = None
    second: Followed | None = None
    for smooth, rest in partitions(form):
        try:
            terms = terms_of(form, smooth, rest, bind, init, sizes)
            _check_leads(terms)
            scripts = Tracer(page, terms.known, form.variables[0].name, of_state).scripts(counts)
            asked = {call.group for call in scripts[-1].calls}
            idle = [g for i, g in enumerate(terms.groups) if i not in asked]
            if idle:
                raise Refused(
                    f"no phase asks for the gradient or the proximal map of `{idle[0].words}`"
                )
            found = terms, scripts
            if _is_affine(scripts[-1]):
                return found
            second = second or found
        except Refused as refused:
            first = first or refused
    if second is not None:
        return second
    assert first is not None
    raise _of_another_space(spec.graph, form.variables[0].name, first)


def _of_another_space(graph: Graph, variable: str, refused: Refused) -> Refused:
    """The refusal of a page that keeps something behind a map, as primal-dual methods do: that is why."""
    space = dict(graph.variables)[variable].shape
    names = live(graph)
    other = [
        s.name for s in graph.states if s.name in names and s.type.rank and s.type.shape != space
    ]
    if not other:
        return refused
    words = (
        f"`{other[0]}` lies in another space than `{variable}`: what methods ask for behind a map (PDHG, Condat-Vu, "
        "splittings of `D @ x`) is not followed"
    )
    return Refused(refused.reason, words, refused.span)


def _is_affine(script: Script) -> bool:
    """Whether a translation of start and minimiser translates all that is asked for."""
    gradients = {call.leaf for call in script.calls if not call.proximal}
    points = [*(call.point for call in script.calls), script.output]
    weights = (sum(c for leaf, c in p.terms if leaf not in gradients) for p in points)
    return all(math.isclose(weight, 1, abs_tol=1e-9) for weight in weights)


def _check_leads(terms: Terms) -> None:
    """A gradient `x - y` is not told from the points beside it: `x - t * (x - y)` may be one of any point."""
    for known in terms.known:
        group = terms.groups[known.group]
        if lead(known.at(1.0)) is None:
            what = "proximal map" if known.proximal else "gradient"
            raise Refused(
                f"the {what} of `{group.terms[0].text}` is not told from the points beside it",
                "put a map before the unknown: `fixed A`, bound to the identity",
                group.terms[0].span,
            )
