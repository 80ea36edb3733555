"""Values that torch conjugates or negates when they are read are compared as what they are."""

import unroll_dsl
from unroll_dsl.verify import check

TEXT = """\
algorithm lazy
dims n
input y : complex vector[n]
learnable t : scalar > 0 = 0.5
state x : vector[n] = 0
state z : complex vector[n] = 0
phase (2):
    x <- imag(conj(y))
    z <- conj(t * y)
output x, z
"""


def test_states_and_outputs() -> None:
    report = check(unroll_dsl.loads(TEXT))
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]
    assert {row.group for row in report.rows} >= {"torch against NumPy", "values of the network"}
