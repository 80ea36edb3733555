"""What is tried: each relaxation by itself, and the recipes of published networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from unroll_dsl.derive.deck import deck, options_of
from unroll_dsl.derive.method import Method
from unroll_dsl.family.model import Choice
from unroll_dsl.objectives.problem import declared_names
from unroll_dsl.relax import relaxation_names
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import template


def single(method: Method, own: tuple[str, ...]) -> Iterator[Choice]:
    """A choice for each relaxation; `learn` takes the constants that are the method's own."""
    for name in relaxation_names():
        asked = f"learn({', '.join(own)})" if name == "learn" and own else name
        yield Choice(name, method, (asked,))


def own_constants(problem: n.Program, page: n.Program) -> tuple[str, ...]:
    """The fixed values that a method declares, and the problem does not: penalties, steps."""
    known = {word for s in problem.statements for word in declared_names(s)}
    fixed = (s for s in page.statements if isinstance(s, n.Declaration) and s.role is n.Role.FIXED)
    return tuple(
        w.text for s in fixed if s.value is not None for w in s.names if w.text not in known
    )


def published(method: Method, problem: n.Program) -> Iterator[Choice]:
    """The recipes of shipped networks by a method. Of another problem than theirs, what a recipe says of its
    own is left out: statements, starts, outputs, values, splittings by maps that this problem does not have. What
    differs from another recipe in these alone, is left out then as a whole."""
    known = {word for s in problem.statements for word in declared_names(s)}
    known |= {
        v.name.text for s in problem.statements if isinstance(s, n.Minimize) for v in s.variables
    }
    here = problem.name.text
    recipes = {k: e for k, e in deck().items() if e["method"] == method.name and e.get("relax")}
    told = [entry["relax"] for entry in recipes.values() if entry["problem"] == here]
    for name, entry in recipes.items():
        options = options_of(entry)
        if entry["problem"] != here:
            if entry["relax"] in told:
                continue
            told.append(entry["relax"])
            split = tuple(text for text in options.split if _words(text) <= known)
            options = dataclasses.replace(
                options, statements=(), start=None, output=None, values={}, split=split
            )
        yield Choice(name, method, tuple(entry["relax"]), options, published=True)


def _words(split: str) -> set[str]:
    """The names on the right of a splitting."""
    return {word.text for word in names_in(template(split.partition("=")[2].strip()))}
