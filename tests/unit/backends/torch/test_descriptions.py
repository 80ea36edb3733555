"""What the author says of a declaration is said in the generated code."""

import inspect
import sys
from typing import Any

import unroll_dsl

TEXT = '''\
algorithm q
dims n
input y : vector[n]                 # what a "sensor" sees, in \\mu V
# The matrix of the sensor,
# column by column.
fixed A : matrix[n, n]
learnable K, M : scalar = 0.5       # gains
learnable t : scalar >= 0 per phase = 0.1  # ends in a quote: """
state x : vector[n] = 0             # estimate
phase (3):
    x <- soft(K * x + M * (A' @ y), t)
output x
loss (target : vector[n]):
    sumsq(x - target)
'''


def test_comments_are_lines_of_docstrings() -> None:
    net: Any = unroll_dsl.loads(TEXT).compile(dims={"n": 3}, bind={"A": [[1.0, 0, 0]] * 3})
    words = inspect.getdoc(net)
    assert words is not None
    assert words.split("\n\n")[2].splitlines() == [
        'y: what a "sensor" sees, in \\mu V',
        "A: The matrix of the sensor, column by column.",
        "K, M: gains",
        "x: estimate",
    ]
    assert inspect.getdoc(net.phases[0]) == (
        "One iteration and the constants that are its own: t >= 0.\n\nt: ends in a quote: '''"
    )
    assert "Generated from" in str(sys.modules[type(net).__module__].__doc__)


def test_a_program_without_comments_has_none() -> None:
    bare = "\n".join(line.partition("#")[0].rstrip() for line in TEXT.splitlines())
    assert "Learnable: K, M, shared; t >= 0, per phase." in unroll_dsl.loads(bare).source()
    assert "gains" not in unroll_dsl.loads(bare).source()
