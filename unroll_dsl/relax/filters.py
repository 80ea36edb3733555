"""Filters of Deep ADMM-Net: learned banks."""

from __future__ import annotations

import dataclasses

from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused, swapped, walk
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import one_statement
from unroll_dsl.syntax.tidy import name
from unroll_dsl.types import Array

_YANG = "Y. Yang, J. Sun, H. Li, Z. Xu: Deep ADMM-Net, NeurIPS, 2016"


def _filters(page: Page, given: Given) -> None:
    let = _bank(page)
    word = let.name.text
    size = given.number("size", 3)
    count = size**2 - 1
    old = _codomain(page, word)
    L, B = page.letter(None, "L", "N_f"), page.letter(None, "B", "basis")
    share = "" if "shared" in given.flags else " per phase"
    page.declare(f"dims {L} = {count}")
    page.declare(
        f"fixed {B} : tensor[{count}, {size}, {size}] = dct_basis({size})",
        "without its constant member",
    )
    classical = let.value
    starts = isinstance(classical, n.Call) and expression_text(classical).startswith(
        "filters(dct_basis("
    )
    if not starts:
        page.notes.append(f"{word} starts as a cosine basis, not as {expression_text(classical)}")
    gamma = page.letter(None, f"gamma_{word}")
    page.declare(
        f"learnable {gamma} : matrix[{count}, {L}]{share} = I", "combinations of the basis"
    )
    text = "filters({}' @ {}, padding=circular)"
    page.replace(let, dataclasses.replace(let, value=_expr(text.format(gamma, B))))
    if "untied" in given.flags:
        H = page.letter(None, "H", "D_H")
        other = page.letter(None, f"gamma_{H}")
        page.declare(f"learnable {other} : matrix[{count}, {L}]{share} = I", "of the system")
        page.declare(f"let {H} = {text.format(other, B)}")
        for system in list(find.systems(page)):
            new = system
            for node in [e for e in walk(system) if isinstance(e, n.Name) and e.text == word]:
                new = swapped(new, node, name(H))  # type: ignore[assignment]  # the same call
            page.rewrite(system, new)
    _retype(page, old, L)


def _bank(page: Page) -> n.Let:
    """The map that stands in a system and before a shrinkage."""
    lets = {s.name.text: s for s in page.statements if isinstance(s, n.Let)}
    for shrinkage in find.shrinkages(page):
        for node in walk(shrinkage.argument):
            match node:
                case n.Binary("@", n.Name(word), _) if word in lets and _in_system(page, word):
                    return lets[word]
    raise Refused(
        "no map of a `let` stands in a system and before what it shrinks: split z = D @ x"
    )


def _in_system(page: Page, word: str) -> bool:
    systems = (e for system in find.systems(page) for e in walk(system))
    return any(isinstance(e, n.Name) and e.text == word for e in systems)


def _codomain(page: Page, word: str) -> Array:
    for line in page.lines:
        for node in walk(line.value):
            match node:
                case n.Binary("@", n.Name(found), _) if found == word:
                    return page.array(node)
    raise Refused(f"`{word}` is not applied in the phase")


def _retype(page: Page, old: Array, channels: str) -> None:
    """States in the space of the old map's images get as many channels as there are filters."""
    for state in dict.fromkeys(page.states().values()):
        symbol = page.typed.symbols[state.names[0].text]
        if not isinstance(symbol.type, Array):
            continue
        named_like = symbol.type.shape == old.shape
        if not named_like:
            continue
        own = [w for w in state.names if _is_image(page, w.text)]
        rest = [w for w in state.names if w not in own]
        type_ = state.type
        dims = (name(channels), *type_.dims[1:])
        new = dataclasses.replace(
            state, names=tuple(own), type=dataclasses.replace(type_, dims=dims)
        )
        if not own:
            continue
        page.replace(state, new)
        if rest:
            place = page.statements.index(new)
            page.statements.insert(place, dataclasses.replace(state, names=tuple(rest)))


def _is_image(page: Page, word: str) -> bool:
    """Whether a state holds filtered images: it is shrunk, or is a multiplier of such."""
    for line in page.lines:
        if isinstance(line, n.Update) and line.target.text == word:
            shrinks = any(s.line is line for s in find.shrinkages(page))
            ascends = any(m.line is line for m in find.multipliers(page))
            return shrinks or ascends
    return False


def _expr(text: str) -> n.Expr:
    statement = one_statement(f"let a = {text}")
    assert isinstance(statement, n.Let)
    return statement.value


RELAXATIONS = (
    Relaxation(
        "filters", "Learned filters", _YANG, "let D = grad(padding=circular)",
        "let D = filters(gamma_D' @ B, padding=circular)", True, _filters,
        ("untied", "shared"), ("size",),
    ),
)  # fmt: skip
