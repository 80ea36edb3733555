"""What a relaxation is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unroll_dsl.relax.page import Page
from unroll_dsl.syntax import nodes as n


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the brackets after a relaxation's name: `step(shared, letter=rho, value=0.5)`."""

    flags: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()  # names that are no flags, in order
    values: Mapping[str, n.Expr] = field(default_factory=dict)

    def number(self, key: str, default: int) -> int:
        match self.values.get(key):
            case n.Number(value) if isinstance(value, int):
                return value
        return default

    def word(self, key: str) -> str | None:
        match self.values.get(key):
            case n.Name(text):
                return text
        return None


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A rewriting: one module of this package, or several alike; it binds `RELAXATIONS`.

    Attributes
    ----------
    before, after
        An example, for the manual and for what `--explain` shows.
    classical
        Whether the network starts as the algorithm that it comes from.
    flags, keys
        What may stand in its brackets. `words` says whether names may.
    objective
        Whether the page still minimises what it says.
    """

    name: str
    title: str
    source: str
    before: str
    after: str
    classical: bool
    run: Callable[[Page, Given], None]
    flags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    words: bool = False
    objective: bool = False
