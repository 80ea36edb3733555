"""What a method is, and what comes of one: a derived page with the way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unroll_dsl.derive.model import Options, Refusal, Scheme, Step
from unroll_dsl.derive.setting import Setting
from unroll_dsl.objectives.model import NormalForm
from unroll_dsl.syntax import nodes as n


@dataclass(frozen=True, slots=True)
class Method:
    """A method: one module of `methods/`, which binds `METHODS`.

    `needs` is what it asks of the terms, `condition` that of its steps, `rate` how fast it is, in words.
    """

    name: str
    title: str
    needs: str
    condition: str
    rate: str
    source: str
    run: Callable[[Setting, Options], Scheme | Refusal]
    splits: tuple[str, ...] = ()  # the splittings that it knows, by an example


@dataclass(frozen=True, slots=True)
class Derivation:
    """A derived page and the way to it.

    Attributes
    ----------
    method : Method
    form : NormalForm
        Of the problem.
    program : Program
        The page, checked.
    text : str
        The page as a file.
    way : tuple of Step
        How it came about, from the objective on.
    """

    method: Method
    form: NormalForm
    program: n.Program
    text: str
    way: tuple[Step, ...]
