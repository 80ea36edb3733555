"""A graph and what is bound to it, as a network: values looked at before, arithmetic where it went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from unroll_dsl.backends.binding import Binding, bind
from unroll_dsl.backends.resting import Rest
from unroll_dsl.backends.values import describe
from unroll_dsl.freezing import Origin, kept, remember
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.intervals import interval_scalars
from unroll_dsl.syntax.nodes import Program

if TYPE_CHECKING:
    import torch

    from unroll_dsl.backends.torch.styles import Style


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a caller gives: see `Spec.compile`."""

    constants: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """How a network is made: see `Spec.compile`; `rest` for one that goes on to its fixed point."""

    dtype: torch.dtype | None = None
    device: torch.device | str | None = None
    seed: int | None = None
    optimize: int = 2
    checkpoint: Literal["phase"] | None = None
    gradient: Literal["unroll", "implicit"] | int = "unroll"
    rest: Rest | None = None
    style: Style = "fast"


def compiled(
    program: Program,
    graph: Graph,
    count: int | None,
    given: Supplied,
    made: Made,
    *,
    trained: bool = False,
) -> torch.nn.Module:
    """The network of a program with `count` phases.

    With `trained`, values of learnables may be stored beyond a bound, at which they are reflected.
    """
    from unroll_dsl.backends.numpy.faults import cheap
    from unroll_dsl.backends.torch.backward import backward
    from unroll_dsl.backends.torch.instantiate import instantiate, is_finite

    phases = count or 1
    bound = bind(graph, phases, given.constants, given.parameters, given.sizes)
    check_limits(graph, phases, replace(bound, parameters={}) if trained else bound)
    try:
        network = instantiate(
            graph,
            count,
            bound,
            dtype=made.dtype,
            device=made.device,
            seed=made.seed,
            level=made.optimize,
            style=made.style,
            backward=backward(graph, made.checkpoint, made.gradient, made.rest),
        )
    except ArithmeticError:  # a division of numbers of Python by 0
        _check_arithmetic(graph, phases, bound)
        raise
    scalars = cheap(graph)
    if scalars:
        _check_arithmetic(graph, phases, bound, scalars)
    if not is_finite(network):
        _check_arithmetic(graph, phases, bound)
    return remember(network, _origin(program, graph, bound, made))


def _origin(program: Program, graph: Graph, bound: Binding, made: Made) -> Origin:
    shapes = {name: describe(value).shape for name, value in bound.constants.items()}
    return Origin(
        program,
        graph,
        bound.sizes,
        made.optimize,
        made.checkpoint,
        made.gradient,
        shapes,
        kept(graph, bound.constants),
        made.dtype,
        made.rest,
    )


def _check_arithmetic(
    graph: Graph, phases: int, bound: Binding, only: Sequence[int] | None = None
) -> None:
    """Name the operation for which a value that no input changes is not finite."""
    from unroll_dsl.backends.numpy.given import reference_of

    reference_of(graph, phases, bound).check_arithmetic(only)


def check_limits(graph: Graph, phases: int, bound: Binding) -> None:
    """Constraints of the values that were given; classical ones are the author's."""
    given = {*bound.constants, *bound.parameters}
    limited = {c.name for c in graph.constants if c.limits is not None}
    limited |= {p.name for p in graph.parameters if p.limits is not None}
    limits = [c.limits for c in graph.constants] + [p.limits for p in graph.parameters]
    limited = limited.union(*(interval_scalars(graph, each) for each in limits))
    if given & limited:
        from unroll_dsl.backends.numpy.given import reference_of

        reference_of(graph, phases, bound).check_limits(given)
