"""The pages of the deck, derived by its table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unroll_dsl.derive import derive
from unroll_dsl.derive.deck import deck, options_of
from unroll_dsl.derive.method import Derivation
from unroll_dsl.loading import load, loads
from unroll_dsl.relax import Relaxed, relax
from unroll_dsl.spec import Spec


@dataclass(frozen=True, slots=True)
class Slide:
    """One page of the deck.

    Attributes
    ----------
    name : str
        Of the shipped page that it comes out as.
    problem : Spec
        The objective.
    derivation, relaxed
        The way: from the objective to the iteration, and from there to the network.
    spec : Spec
        The derived page, checked.
    text : str
        It as a file.
    tests : tuple of mapping
        What the protocol of the shipped page leaves open, for each figure of the authors that the page is held against.
    """

    name: str
    problem: Spec
    derivation: Derivation
    relaxed: tuple[Relaxed, ...]
    spec: Spec
    text: str
    tests: tuple[Mapping[str, str], ...]

    @property
    def lines(self) -> int:
        """Of the page that are neither empty nor comments alone."""
        return sum(1 for line in self.text.splitlines() if line.strip() and line.strip()[0] != "#")


def slides(only: Collection[str] | None = None) -> Iterator[Slide]:
    """Derive them, in the order of the table; `only` those of these names, where it is given."""
    problems: dict[str, Spec] = {}
    for name, entry in deck().items():
        if only is not None and name not in only:
            continue
        problem = problems.setdefault(entry["problem"], load(entry["problem"]))
        yield _slide(name, problem, entry)


def _slide(name: str, problem: Spec, entry: Mapping[str, Any]) -> Slide:
    derivation = derive(problem.typed, entry["method"], options_of(entry, name))
    spec, text = loads(derivation.text, f"{name}.unroll"), derivation.text
    relaxed = relax(spec.typed, entry["relax"]) if entry.get("relax") else ()
    if relaxed:
        text = relaxed[-1].text
        spec = loads(text, f"{name}.unroll")
    return Slide(name, problem, derivation, relaxed, spec, text, tuple(entry.get("figures", ())))
