"""`a, b = f(x)`: a `def` that returns several values."""

import numpy as np
import torch

import unroll_dsl
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import parse, same_tree, to_text
from unroll_dsl.syntax.nodes import Program
from unroll_dsl.syntax.pages import page_text

PROGRAM = """# Two values.
algorithm several
dims n
input y : vector[n]
learnable t : scalar per phase = 0.5
def parts(v, w):
    # the mean, and what is left
    m = (v + w) / 2
    s = sumsq(v)
    return m, v - m, s
def mixed(v, w):
    v, w = swapped(v, w)
    return v + 10 * w
def swapped(v, w) = w, v
let a, b = swapped(y, 2 * y)
state x : vector[n] = 1
phase (2):
    # halves
    h, d, s = parts(x, a)
    x <- mixed(h, t * d) + s * b + parts(y, x)[3]
output x
"""


def tree(text: str) -> Program:
    result = parse(SourceFile("several.unroll", text))
    assert result.program is not None and not result.diagnostics
    return result.program


def by_hand(y: np.ndarray) -> np.ndarray:
    x = np.ones_like(y)
    for _ in range(2):
        h, s = (x + 2 * y) / 2, np.sum(x**2)
        d = x - h
        x = 0.5 * d + 10 * h + s * y + np.sum(y**2)
    return x


def test_each_name_has_its_value() -> None:
    y = np.array([0.3, -1.0, 2.0])
    spec = unroll_dsl.loads(PROGRAM)
    np.testing.assert_allclose(spec.reference()(y), by_hand(y), rtol=1e-13)
    net = spec.compile().double()
    found = net(torch.as_tensor(y)).detach().numpy()
    np.testing.assert_allclose(found, by_hand(y), rtol=1e-13)


def test_a_line_of_several_names_is_printed_as_one() -> None:
    program = tree(PROGRAM)
    for text in (to_text(program), page_text(program)):
        assert "    h, d, s = parts(x, a)" in text and text.count("# halves") == 1
        assert "let a, b = swapped(y, 2 * y)" in text
        assert same_tree(tree(text).statements, program.statements)


def test_what_is_not_read_of_several_values_is_not_computed() -> None:
    code = unroll_dsl.loads(PROGRAM.replace("+ s * b + parts(y, x)[3]", "")).source()
    assert "square" not in code and "sumsq" not in code
