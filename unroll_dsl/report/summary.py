"""What a network consists of: learnables, work per phase, and the route of each `solve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll_dsl.passes.affine import choices
from unroll_dsl.passes.analysis.cost import Cost, cost
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.passes.kernels.convolutions import fused
from unroll_dsl.passes.periodic import filters
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.passes.routes import routes
from unroll_dsl.shown import preformatted
from unroll_dsl.spec import Spec


@dataclass(frozen=True, slots=True)
class LearnableSummary:
    """A learnable: its type, whether each phase has its own, where its classical value stands."""

    name: str
    type: str
    per_phase: bool


@dataclass(frozen=True, slots=True)
class StageCost:
    """What one stage costs for one sample: operations, bytes in float32, operators applied."""

    stage: str
    flops: str
    bytes: str
    applications: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of a program; numbers where sizes are given, polynomials in the sizes else."""

    name: str
    title: str
    phases: int | None
    learnt: tuple[LearnableSummary, ...]
    per_phase: str
    shared: str
    total: str
    work: tuple[StageCost, ...]
    solves: tuple[tuple[str, str, str], ...]  # where, route, reason
    products: tuple[tuple[str, str], ...] = ()  # where some follow each other: what is done, why
    fused: tuple[str, ...] = ()  # what kernels do differently from the program, and what it saves

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return preformatted(self.to_text())

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title,
            "phases": self.phases,
            "learnables": [
                {"name": x.name, "type": x.type, "per_phase": x.per_phase} for x in self.learnt
            ],
            "parameters": {"per_phase": self.per_phase, "shared": self.shared, "total": self.total},
            "work": [
                {
                    "stage": w.stage,
                    "flops": w.flops,
                    "bytes": w.bytes,
                    "applications": dict(w.applications),
                }
                for w in self.work
            ],
            "solves": [
                {"where": where, "route": route, "reason": reason}
                for where, route, reason in self.solves
            ],
            "products": [{"where": where, "reason": reason} for where, reason in self.products],
            "fused": list(self.fused),
        }

    def to_text(self) -> str:
        lines = [self.title, ""]
        if self.phases is not None:
            lines.append(f"phases            {self.phases}")
        for x in self.learnt:
            lines.append(f"learnable         {x.name} : {x.type}{' per phase' * x.per_phase}")
        lines.append(f"parameters        {self.per_phase} a phase, {self.shared} shared")
        lines.append(f"                  {self.total} in all")
        for w in self.work:
            applied = ", ".join(f"{name} x {count}" for name, count in w.applications)
            lines.append(f"{w.stage:<18}{w.flops} flops, {w.bytes} bytes (float32)")
            if applied:
                lines.append(f"                  applies {applied}")
        for where, route, reason in self.solves:
            lines.append(f"solve, {where}")
            lines.append(f"                  {route}: {reason}")
        for where, reason in self.products:
            lines.append(f"products, {where}")
            lines.append(f"                  {reason}")
        for words in self.fused:
            lines.append(f"fused             {words}")
        return "\n".join(lines)


def summary(
    spec: Spec, *, phases: int | None = None, dims: Mapping[str, int] | None = None
) -> Summary:
    """Count what a network of `phases` phases consists of, for sizes that may be given."""
    sizes = dict(dims or {})
    graph = spec.graph
    count = phases if phases is not None else graph.phases
    optimized = optimize(graph, sizes)
    costs = cost(optimized, sizes)
    live = liveness(optimized, training=graph.loss is not None)

    learnt = tuple(
        LearnableSummary(p.name, str(p.type), p.per_phase)
        for p in graph.parameters
        if p.name in live.parameters and p.trainable
    )
    total = costs.shared + costs.per_phase * (count or 0)
    work = tuple(
        _work(stage, found)
        for stage, found in (
            ("set-up", costs.setup),
            ("once a call", costs.call),
            ("a phase", costs.phase),
            ("output", costs.output),
        )
        if str(found.flops) != "0" or found.applications
    )
    solves = tuple(
        (_where(route.origin), route.name, route.reason) for route in routes(graph, sizes)
    )
    title = spec.program.comment.split("\n", 1)[0].strip() or spec.name
    return Summary(
        spec.name,
        title,
        count,
        learnt,
        str(costs.per_phase),
        str(costs.shared),
        str(total),
        work,
        solves,
        tuple((_where(c.origin), c.reason) for c in choices(graph, sizes)),
        (*fused(optimized), *filters(optimized)),
    )


def _work(stage: str, found: Cost) -> StageCost:
    return StageCost(stage, str(found.flops), str(found.numbers * 4), found.applications)


def _where(span: object) -> str:
    return str(span).rpartition("/")[2]
