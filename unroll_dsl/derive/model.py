"""What a user says about a derivation, what a method answers with, and the way that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say about a derivation.

    Attributes
    ----------
    split
        Splittings: `z = D @ x`, or `z = x`.
    momentum
        Of FISTA: "nesterov" (Beck, Teboulle) or "chambolle-dossal".
    letters
        Names in place of those that a method would choose: {"step": "tau"}.
    values
        Classical values of constants that the method declares: {"rho": "0.2"}.
    output
        What the page gives, a formula: "real(x)"; of a splitting `z = x`, "x" in place of "z".
    start
        The start of the variable's state, a formula: "Q @ y".
    statements
        Statements to put into the problem, in place of those of the same names.
    name
        Of the page.
    phases
        How many the page says.
    """

    split: tuple[str, ...] = ()
    momentum: str = "nesterov"
    letters: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    output: str | None = None
    start: str | None = None
    statements: tuple[str, ...] = ()
    name: str | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """An equation of the way: a left side in words of the language, and an expression.

    With `over`, the left side is where the expression is smallest over these variables.
    """

    left: str
    right: n.Expr
    relation: str = "="
    over: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: its heading, sentences, equations, and where they are from."""

    heading: str
    words: str = ""
    formulas: tuple[Formula, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """A `fixed` value that a method declares, or, without a type, a `let`."""

    name: str
    value: n.Expr | None
    comment: str
    type: str | None = None
    bounds: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """States of one type and start."""

    names: tuple[str, ...]
    type: str
    start: n.Expr
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the phase: `x <- e`, or `x = e`."""

    target: str
    value: n.Expr
    update: bool = True
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a method answers with: all that is not in the problem.

    `minimised` says which state stands for each variable of the objective.
    """

    comment: str
    constants: tuple[Constant, ...]
    states: tuple[State, ...]
    lines: tuple[Line, ...]
    output: tuple[n.Expr, ...]
    minimised: Mapping[str, str]
    phases: int
    way: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a method does not serve: the term in the way, and which methods would do.

    With `option`, that option of the user's is in the way, and `mend` says what would do.
    """

    reason: str
    span: Span
    instead: tuple[str, ...] = ()
    option: str = ""
    mend: str | None = None
