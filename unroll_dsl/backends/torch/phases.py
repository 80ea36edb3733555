"""What the phases of a network compute, and the classes or methods that do it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from unroll_dsl.backends.torch.blocks import Line
from unroll_dsl.passes.analysis.liveness import Liveness, Variant


@dataclass(frozen=True, slots=True)
class Kind:
    """Phases that are alike. `inference` tells what `forward` computes, `training` what a loss
    needs besides; `parameters` are the learnables that such a phase has."""

    name: str  # Phase, LastPhase, ...
    inference: Variant
    training: Variant
    parameters: tuple[str, ...]

    @property
    def same_work(self) -> bool:
        """Whether training needs nothing that `forward` does not compute."""
        return not self.training.traces and set(self.training.updates) <= set(
            self.inference.updates
        )


def kinds(inference: Liveness, training: Liveness) -> tuple[Kind, ...]:
    """The steady kind of phase, then those of the last phases, the last one last."""
    length = max(len(inference.tail), len(training.tail))
    found: list[tuple[Variant, Variant]] = [(inference.steady, training.steady)]
    for place in range(length, 0, -1):
        found.append((_from_end(inference, place), _from_end(training, place)))
    while len(found) > 1 and found[1] == found[0]:
        del found[1]
    names = ["Phase", *_tail_names(len(found) - 1)]
    return tuple(
        Kind(name, first, second, second.parameters)
        for name, (first, second) in zip(names, found, strict=True)
    )


def _from_end(liveness: Liveness, place: int) -> Variant:
    return liveness.tail[-place] if place <= len(liveness.tail) else liveness.steady


def _tail_names(count: int) -> list[str]:
    words = ["LastPhase", "NextToLastPhase"]
    extra = [f"PhaseBeforeLast{place}" for place in range(2, count)]
    return [*words, *extra][:count][::-1]


@dataclass(slots=True)
class Body:
    """The body of one kind of phase in one mode."""

    kind: Kind
    traced: bool
    states_in: list[str]  # names of states (of the program) that it reads
    states_out: list[str]
    traces_out: list[str]
    arguments: list[str] = field(default_factory=list)  # besides states; Python names
    kinds: dict[str, str] = field(default_factory=dict)  # annotations of those that are no tensors
    sizes: list[str] = field(default_factory=list)  # sizes that no argument has
    needs_k: bool = False
    lines: list[Line] = field(default_factory=list)
    results: list[ast.expr] = field(default_factory=list)


Writer = Callable[[Kind, bool], Body]
