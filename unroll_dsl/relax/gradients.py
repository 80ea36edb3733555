"""The matrices of a gradient step: learned, analytic, coupled or apart."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.relax import find
from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused, walk
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text, same_tree
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import binary, name, tidy
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class Residual:
    """`A' @ (A @ point - y)` within a gradient step, A a matrix."""

    step: find.GradientStep
    node: n.Binary
    matrix: n.Name
    point: n.Expr
    data: n.Expr


def residuals(page: Page) -> list[Residual]:
    found = []
    for step in find.gradient_steps(page):
        for node in walk(step.core):
            match node:
                case n.Binary(
                    "@", n.Adjoint(n.Name() as A), n.Binary("-", n.Binary("@", n.Name() as B, x), y)
                ) if same_tree(A, B):
                    found.append(Residual(step, node, A, x, y))
    if not found:
        raise Refused("it has no gradient step `A' @ (A @ x - y)`")
    return found


def _matrix(page: Page, residual: Residual) -> Array:
    type_ = page.type(residual.matrix)
    if not isinstance(type_, Array):
        raise Refused(f"`{residual.matrix.text}` is a map, not a matrix", residual.node.span)
    return type_


def _matrices(page: Page, given: Given) -> None:
    first = residuals(page)[0]
    matrix = _matrix(page, first)
    m, k = matrix.shape
    point, step = first.step.node.left, first.step
    if step.core is not first.node or not same_tree(point, first.point):
        raise Refused("its gradient step is not `x - A' @ (A @ x - y) / L` alone", step.term.span)
    if page.changes(step.weight.expr()) or step.node.operator != "-":
        raise Refused("its step is no constant", step.term.span)
    w, s = page.letter(given.word("We"), "We", "W_e"), page.letter(given.word("S"), "S", "S_e")
    complex_ = "complex " if matrix.field is matrix.field.COMPLEX else ""
    shared = " per phase" if "untied" in given.flags else ""
    weight = step.weight
    A = first.matrix
    one = expression_text(tidy(weight.times(fill("A'", A=A))))
    two = expression_text(tidy(binary("-", fill("I"), weight.times(fill("A' @ A", A=A)))))
    page.declare(f"learnable {w} : {complex_}matrix[{k}, {m}]{shared} = {one}", "filters")
    page.declare(f"learnable {s} : {complex_}matrix[{k}, {k}]{shared} = {two}", "mutual inhibition")
    page.rewrite(step.node, fill("W @ y + S @ x", W=name(w), y=first.data, S=name(s), x=point))


def _gradient(page: Page, given: Given) -> None:
    found = residuals(page)
    matrix = _matrix(page, found[0])
    m, k = matrix.shape
    A = found[0].matrix
    complex_ = "complex " if matrix.field is matrix.field.COMPLEX else ""
    letter = page.letter(given.word("letter"), "W", "W_g")
    step = found[0].step
    weight = Weight(abs(step.weight.number), step.weight.powers)
    if "analytic" in given.flags:
        text = f"fixed {letter} : {complex_}matrix[{m}, {k}] = analytic_weight({A.text})"
        if "learned" in given.flags:
            text = text.replace("fixed", "learnable", 1)
        page.declare(text, "gradient matrix, from A alone")
        page.notes.append("it does not start at the classical value: W' @ A has a diagonal of ones")
        weight = ONE
    else:
        shared = "" if "shared" in given.flags else " per phase"
        classical = expression_text(tidy(weight.times(A)))
        page.declare(
            f"learnable {letter} : {complex_}matrix[{m}, {k}]{shared} = {classical}",
            "gradient matrix",
        )
    for residual in found:
        if not same_tree(residual.matrix, A):
            continue
        W = fill("W' @ (A @ x - y)", W=name(letter), A=A, x=residual.point, y=residual.data)
        from unroll_dsl.relax.page import swapped

        core = swapped(residual.step.core, residual.node, W)
        signed = Weight.of(-1) if residual.step.weight.number < 0 else ONE
        page.rewrite(residual.step.term, signed.times(core))


RELAXATIONS = (
    Relaxation(
        "matrices",
        "Learned matrices",
        "K. Gregor, Y. LeCun: Learning fast approximations of sparse coding (LISTA), ICML, 2010",
        "x - A' @ (A @ x - y) / L",
        "We @ y + S @ x",
        True,
        _matrices,
        ("untied",),
        ("We", "S"),
    ),
    Relaxation(
        "gradient",
        "A learned or analytic weight for the residual",
        "X. Chen, J. Liu, Z. Wang, W. Yin: LISTA-CP, NeurIPS, 2018; J. Liu et al.: ALISTA, ICLR, 2019",
        "x - A' @ (A @ x - y) / L",
        "x - W' @ (A @ x - y)",
        True,
        _gradient,
        ("analytic", "learned", "shared"),
        ("letter",),
    ),
)
