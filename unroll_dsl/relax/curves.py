"""Shrinkage of Deep ADMM-Net: curves on knots, which start as the classical one.

A curve is linear between the knots linspace(-1, 1, N) of its argument, with slope 1 beyond. So is soft thresholding,
wherever a knot lies at the threshold t: the argument is taken in units of t / r, r one of the knots. With other
curves, or with a number that is given for t, the knots are those of the paper, from -1 to 1.
"""

from __future__ import annotations

import math
from fractions import Fraction

from unroll_dsl.objectives.weights import Weight
from unroll_dsl.relax import find
from unroll_dsl.relax.constants import known
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import name
from unroll_dsl.types import Field

_CURVES = ("soft", "hard", "garrote", "log_shrink", "half_shrink")
_THRESHOLDS = 25  # as many as the knots reach, or fewer where knots are few
_YANG = "Y. Yang, J. Sun, H. Li, Z. Xu: Deep ADMM-Net, NeurIPS, 2016"


def _shrinkage(page: Page, given: Given) -> None:
    found = [s for s in find.shrinkages(page) if s.name in _CURVES]
    if not found:
        raise Refused("it shrinks no entry by itself: soft, hard, ...")
    knots = page.letter(None, "Nc", "N_c")
    count = given.number("knots", 101)
    page.declare(f"dims {knots} = {count}")
    for i, shrinkage in enumerate(found):
        threshold = _threshold(page, shrinkage, given)
        letter = page.letter(given.word("letter") if i == 0 else None, "q", "curve")
        if _on_threshold(page, shrinkage, threshold, given, count):
            _scaled(page, shrinkage, threshold, (knots, count, letter), given)
            continue
        if count > 1 and not (shrinkage.name == "soft" and _is_knot(threshold, count)):
            page.notes.append(_words(shrinkage.name, count))
        _declare(page, shrinkage, (knots, letter), threshold, given)
        curve = fill("plf(v, q)", v=shrinkage.argument, q=name(letter))
        page.rewrite(shrinkage.call, curve)


def _threshold(page: Page, shrinkage: find.Shrinkage, given: Given) -> n.Expr:
    """The number that a curve starts with."""
    if page.array(shrinkage.argument).field is Field.COMPLEX:
        raise Refused("its curves are of real values: relax `real` first", shrinkage.call.span)
    threshold = given.values.get("value", shrinkage.threshold)
    if not page.is_scalar(threshold):
        raise Refused(
            "its threshold is no number: give one, `shrinkage(value=0.05)`", threshold.span
        )
    known(page, threshold, "threshold", given, "shrinkage")
    return threshold


def _on_threshold(
    page: Page, shrinkage: find.Shrinkage, threshold: n.Expr, given: Given, count: int
) -> bool:
    """Whether knots are to be laid on the threshold: that of soft thresholding, where it is never 0."""
    if shrinkage.name != "soft" or "value" in given.values or count < 2:
        return False
    weight = Weight.of(threshold)
    known_positive = weight.number > 0 and all(
        power.exponent < 0 or _is_positive(page, power.expr) for power in weight.powers
    )
    return known_positive and not _is_knot(threshold, count)


def _is_positive(page: Page, factor: n.Expr) -> bool:
    """Whether a page declares a name to be above 0."""
    if not isinstance(factor, n.Name):
        return False
    declared = page.fixed(factor.text) or page.learnable(factor.text)
    if declared is None or declared.bounds is None:
        return False
    match declared.bounds.lower:
        case n.Number(value):
            return value > 0 or (value == 0 and declared.bounds.lower_strict)
    return False


def _is_knot(threshold: n.Expr, count: int) -> bool:
    """Whether a threshold is a number at which there is one of the knots from -1 to 1."""
    match threshold:
        case n.Number(value) if value <= 1:
            place = (value + 1) * (count - 1) / 2
            return math.isclose(place, round(place), abs_tol=1e-9)
    return False


def _scaled(
    page: Page,
    shrinkage: find.Shrinkage,
    threshold: n.Expr,
    names: tuple[str, int, str],
    given: Given,
) -> None:
    """The curve of the argument in units in which the threshold is a knot."""
    knots, count, letter = names
    knot = min(
        (Fraction(2 * i, count - 1) - 1 for i in range(count // 2, count)),
        key=lambda r: abs(r - Fraction(1, _THRESHOLDS)) if r > 0 else Fraction(2),
    )
    unit = page.letter(None, "w", "unit")
    size = Weight(1 / knot) * Weight.of(threshold)
    page.declare(f"let {unit} = {expression_text(size.expr())}", "where the knots of the curve end")
    start = Weight(knot).expr()
    _declare(page, shrinkage, (knots, letter), start, given)
    curve = fill("w * plf(v / w, q)", v=shrinkage.argument, q=name(letter), w=name(unit))
    page.rewrite(shrinkage.call, curve)


def _declare(
    page: Page, shrinkage: find.Shrinkage, names: tuple[str, str], at: n.Expr, given: Given
) -> None:
    """The learnable curve, which starts as the classical one with the threshold `at`."""
    knots, letter = names
    space = page.array(shrinkage.argument)
    share = "" if "shared" in given.flags else " per phase"
    type_ = f"tensor[{space.shape[0]}, {knots}]" if space.rank > 1 else f"vector[{knots}]"
    start = fill(f"{shrinkage.name}(linspace(-1, 1, N), t)", N=name(knots), t=at)
    text = f"learnable {letter} : {type_}{share} = {expression_text(start)}"
    page.declare(text, "curves on knots")


def _words(called: str, count: int) -> str:
    """How far a curve on the knots from -1 to 1 is from the classical one."""
    words = f"it starts as the classical curve on its knots, {2 / (count - 1):.3g} apart"
    if called == "soft":
        off = 0.5 / (count - 1)
        return f"{words}; where the threshold is none of them, by up to {off:.2g} off between two"
    return f"{words}, and linear between two of them, which `{called}` is not"


RELAXATIONS = (
    Relaxation(
        "shrinkage", "Learned shrinkage", _YANG, "soft(D @ x + u, lambda / rho)",
        "w * plf((D @ x + u) / w, q)", True, _shrinkage, ("shared",), ("knots", "letter", "value"),
    ),
)  # fmt: skip
