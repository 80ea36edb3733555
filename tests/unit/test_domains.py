"""`input V : matrix[m, n] >= 0`: what data a program is for."""

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.read import from_text
from unroll_dsl.ir.text import to_text
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import parse, printer
from unroll_dsl.verify.instance import draw

PROGRAM = """algorithm root
dims n
input y : vector[n] {domain}
output y_root = sqrt(y)
"""


def program(domain: str) -> unroll_dsl.Spec:
    return unroll_dsl.loads(PROGRAM.format(domain=domain))


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (">= 0", 0.0, -1e-9),
        ("> 0", 1e-9, 0.0),
        ("in [0, 1]", 1.0, 1.5),
        ("in [-2, 1)", -2.0, 1.0),
        ("<= 3", 3.0, 3.1),
    ],
)
def test_other_data_are_refused_with_what_was_found(
    domain: str, inside: float, outside: float
) -> None:
    reference = program(domain).reference()
    with np.errstate(invalid="ignore"):
        assert reference(np.array([0.5, inside])).shape == (2,)
    with pytest.raises(UnrollError) as raised:
        reference(np.array([0.5, outside]))
    (found,) = raised.value.diagnostics
    assert (found.code, found.message()) == ("U0506", f"`y` must be {domain}, found {outside:g}")


def test_drawn_data_are_inside() -> None:
    for domain, low, high in ((">= 0", 0, np.inf), ("in [2, 3]", 2, 3), ("< -1", -np.inf, -1)):
        (y,) = draw(program(domain).graph, batch=50).inputs
        assert low <= y.min() and y.max() <= high


def test_the_class_says_it_and_computes_without_it() -> None:
    spec = program("in [0, 1]")
    assert '"""Map y [batch, n] in [0, 1] to y_root [batch, n]."""' in spec.source()
    assert spec.compile()(torch.tensor([4.0])) == 2  # asking would make a GPU wait


def test_it_survives_printing_and_the_text_of_the_graph() -> None:
    spec = program("in (-0.5, 4]")
    printed = printer.to_text(spec.program)
    assert "input y : vector[n] in (-0.5, 4]" in printed
    assert parse(SourceFile("again", printed)).diagnostics == ()
    graph = spec.graph
    again = from_text(to_text(graph)).inputs[0].domain
    assert again == graph.inputs[0].domain
    assert str(again) == "in (-0.5, 4]"
