"""What is known of a function that objectives are made of: one record each.

Adding one is adding a file to this package that binds the name `ATOMS`; `registry.py` finds it, the tests
of completeness hold it against a numerical minimiser, against differences and against Moreau's identity, and
docs/atoms.md shows it.

Formulas are text in the language, in the letters

    v    the argument        t    the weight of the proximal map, > 0
    p    a dual point        s    the step of the conjugate's proximal map
    w    the weight of the atom, within `conjugate`

and in the atom's own parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Domain(Enum):
    """What values an atom takes."""

    REAL = "real values"
    ANY = "real or complex values"


class Shape(Enum):
    """What arrays an atom takes."""

    ANY = "any array"
    VECTOR = "a vector"
    MATRIX = "a matrix"
    IMAGE = "an image"
    SYMMETRIC = "a symmetric matrix"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an atom: a value that the variables do not change.

    `example` is one that tests and the manual use; `per_entry` says that it may differ from entry to entry,
    `static` that it is a number which shapes depend on.
    """

    name: str
    words: str
    example: str
    per_entry: bool = False
    static: bool = False  # a number in the text


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom.

    Attributes
    ----------
    spellings
        How a page writes it, the first as the manual does; `v` is the argument.
    convex
        Whether it is; of one that is not, the proximal map is a global minimiser where `source` says so.
    gradient
        Its gradient at `v`; None where it has none everywhere.
    lipschitz
        The Lipschitz constant of the gradient, None where there is none.
    strong
        The constant of strong convexity.
    prox
        argmin over z of 1/2 * sumsq(z - v) + t * phi(z). None: there is no closed form.
    conjugate
        The proximal map of s * (w * phi)^* at `p`; None: by Moreau's identity.
    weighted
        The proximal map of t * phi(c * z) entry by entry, where c > 0 is an array; None: it follows from `prox`
        where c is a number.
    indicator
        Whether it takes the values 0 and infinity alone, so that its weight says nothing.
    separable
        Whether it is a sum over entries.
    member
        For an indicator, a point of its set in terms of any `v`, for starts and tests.
    """

    name: str
    title: str
    spellings: tuple[str, ...]
    convex: bool
    latex: str
    source: str
    parameters: tuple[Parameter, ...] = ()
    gradient: str | None = None
    lipschitz: str | None = None
    strong: str = "0"
    prox: str | None = None
    conjugate: str | None = None
    weighted: str | None = None
    indicator: bool = False
    separable: bool = False
    domain: Domain = Domain.REAL
    shape: Shape = Shape.ANY
    linear_minimiser: str | None = None  # argmin over the set of dot(g, z), in `g`: Frank-Wolfe
    where: str = ""  # in words, where it is finite, if not everywhere
    note: str = ""

    @property
    def smooth(self) -> bool:
        """Whether its gradient exists everywhere and is Lipschitz."""
        return self.gradient is not None and self.lipschitz is not None
