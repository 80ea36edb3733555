"""Learnables per phase as schedules: two numbers in place of one a phase."""

from __future__ import annotations

from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n

# The slopes and offsets that the authors of FISTA-Net start from.
_STARTS = {"step": ("-0.2", "0.1"), "threshold": ("-0.5", "-2"), "momentum": ("0.5", "0")}
_WORDS = {
    "step": "steps fall with k",
    "threshold": "thresholds fall with k",
    "momentum": "momentum grows with k",
}


def _role(page: Page, word: str) -> str:
    """What a learnable is to the iteration."""
    if any(word in _names(m.weight.expr()) for m in find.momenta(page)):
        return "momentum"
    if any(word in _names(s.threshold) for s in find.shrinkages(page)):
        return "threshold"
    if any(word in _names(s.weight.expr()) for s in find.gradient_steps(page)):
        return "step"
    return "threshold"


def _names(expr: n.Expr) -> set[str]:
    return {w.text for w in names_in(expr)}


def _schedule(page: Page, given: Given) -> None:
    words = given.words or tuple(_scalars(page))
    if not words:
        raise Refused("it has no learnable numbers per phase: relax `step` or `threshold` first")
    for word in words:
        declared = page.learnable(word)
        if declared is None:
            raise Refused(f"`{word}` is no learnable of it")
        role = _role(page, word)
        slope, offset = _STARTS[role]
        w, c = page.letter(None, f"w_{word}"), page.letter(None, f"c_{word}")
        rest = tuple(x for x in declared.names if x.text != word)
        page.replace(declared, None if not rest else _with(declared, rest))
        sign = "" if "signs" not in given.flags else (" > 0" if role == "momentum" else " < 0")
        page.declare(f"learnable {w} : scalar{sign} = {slope}", _WORDS[role])
        page.declare(f"learnable {c} : scalar = {offset}")
        curve = f"softplus({w} * (k - 1) + {c})"
        value = f"({curve} - softplus({c})) / {curve}" if role == "momentum" else curve
        page.declare(f"let {word} = {value}")


def _with(declared: n.Declaration, names: tuple[n.Name, ...]) -> n.Declaration:
    import dataclasses

    return dataclasses.replace(declared, names=names)


def _scalars(page: Page) -> list[str]:
    return [
        w.text
        for s in page.statements
        if isinstance(s, n.Declaration)
        and s.role is n.Role.LEARNABLE
        and s.sharing is n.Sharing.PER_PHASE
        and isinstance(s.type, n.SpaceType)
        and s.type.kind.text == "scalar"
        for w in s.names
    ]


RELAXATIONS = (
    Relaxation(
        "schedule",
        "Schedules",
        "J. Xiang, Y. Dong, Y. Yang: FISTA-Net, IEEE Transactions on Medical Imaging, 2021",
        "learnable theta : scalar per phase",
        "let theta = softplus(w_theta * (k - 1) + c_theta)",
        False,
        _schedule,
        ("signs",),
        (),
        words=True,
    ),
)
