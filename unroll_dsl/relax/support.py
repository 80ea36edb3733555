"""Support selection: the largest entries pass the shrinkage as they are."""

from __future__ import annotations

from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill, template
from unroll_dsl.syntax.tidy import name


def _support(page: Page, given: Given) -> None:
    found = [s for s in find.shrinkages(page) if s.name == "soft"]
    if not found:
        raise Refused("it has no soft thresholding")
    p, top = page.letter(None, "p"), page.letter(None, "p_max")
    part = page.letter(None, "p_k")
    growth = expression_text(given.values.get("growth", template("0.012")))
    end = expression_text(given.values.get("end", template("0.12")))
    page.declare(
        f"fixed {p} : scalar in [0, 1] = {growth}", "growth of the trusted fraction a phase"
    )
    page.declare(f"fixed {top} : scalar in [0, 1] = {end}", "its end")
    page.declare(f"let {part} = min({p} * k, {top})", "trusted fraction in phase k")
    for s in found:
        new = fill("support_soft(v, t, q)", v=s.argument, t=s.threshold, q=name(part))
        page.rewrite(s.call, new)


RELAXATIONS = (
    Relaxation(
        "support",
        "Support selection",
        "X. Chen, J. Liu, Z. Wang, W. Yin: LISTA-CPSS, NeurIPS, 2018",
        "soft(r, theta)",
        "support_soft(r, theta, p_k)",
        False,
        _support,
        (),
        ("growth", "end"),
    ),
)
