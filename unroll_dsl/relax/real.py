"""What is known to be real: an image whose Fourier data are measured."""

from __future__ import annotations

import dataclasses

from unroll_dsl.relax.model import Given, Relaxation
from unroll_dsl.relax.page import Page, Refused, walk
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import fill, substitute
from unroll_dsl.syntax.tidy import name
from unroll_dsl.types import Array, Field, Form


def _real(page: Page, given: Given) -> None:
    complex_states = {w for w, s in page.states().items() if s.type.is_complex}
    if not complex_states:
        raise Refused("its states are real")
    for state in dict.fromkeys(page.states().values()):
        page.replace(
            state,
            dataclasses.replace(state, type=dataclasses.replace(state.type, is_complex=False)),
        )
    for line in page.lines:
        if isinstance(line, n.Update) and _measured(page, line.value):
            page.rewrite(line.value, fill("real(v)", v=line.value))
    page.notes.append("the real part of a system's solution is exact where the data are symmetric")


def _measured(page: Page, expr: n.Expr) -> bool:
    """Whether a value is complex because of a map or of data, not of a state alone."""
    for node in walk(expr):
        match node:
            case n.Name(text) if text not in page.states():
                type_ = page.type(node)
                if isinstance(type_, Array) and type_.field is Field.COMPLEX:
                    return True
    return False


def _consistent(page: Page, given: Given) -> None:
    """The output with the sampled frequencies as they were measured."""
    mask, transform = _sampling(page)
    data = next(
        w.text
        for s in page.statements
        if isinstance(s, n.Declaration) and s.role is n.Role.INPUT
        for w in s.names
    )
    output = next((s for s in page.statements if isinstance(s, n.Output)), None)
    if output is None or len(output.values) != 1 or not isinstance(output.values[0], n.Name):
        raise Refused("its output is not one state")
    state = output.values[0]
    word = page.letter(given.word("letter"), f"{state.text}_hat")
    value = fill("F' @ (y + (1 - P) * (F @ x))", F=transform, y=name(data), P=mask, x=state)
    comment = "sampled frequencies as they were measured"
    page.replace(
        output, dataclasses.replace(output, values=(value,), names=(name(word),), comment=comment)
    )
    for s in list(page.statements):
        if isinstance(s, n.Loss):
            page.replace(
                s, dataclasses.replace(s, body=substitute(s.body, {state.text: name(word)}))
            )


def _sampling(page: Page) -> tuple[n.Expr, n.Expr]:
    """P and F of `let A = P * F`, P a mask."""
    for s in page.statements:
        match s:
            case n.Let(_, n.Binary("*", n.Name() as mask, transform)):
                type_ = page.type(mask)
                if isinstance(type_, Array) and type_.form is Form.MASK:
                    return mask, transform
    raise Refused("it has no sampling `let A = P * fft2`, P a mask")


RELAXATIONS = (
    Relaxation(
        "consistent",
        "Data consistency of the output",
        "Y. Yang, J. Sun, H. Li, Z. Xu: ADMM-CSNet, TPAMI, 2020, in the authors' code",
        "output x",
        "output x_hat = fft2' @ (y + (1 - P) * (fft2 @ x))",
        False,
        _consistent,
        (),
        ("letter",),
    ),
    Relaxation(
        "real",
        "A real image",
        "Y. Yang, J. Sun, H. Li, Z. Xu: Deep ADMM-Net, NeurIPS, 2016, in the authors' code",
        "solve(A' @ A + rho * I, b)",
        "real(solve(A' @ A + rho * I, b))",
        False,
        _real,
    ),
)
