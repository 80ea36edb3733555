"""Functions in place of bound networks have the declared spaces."""

import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import check
from unroll_dsl.verify.instance import draw

HEAD = "algorithm q\ndims h, w, m\n"
PROGRAMS = {
    "fewer channels": "input y : image[4, h, w]\nfixed N : network image[4, h, w] -> image[3, h, w]\noutput N(y)\n",
    "an image from measurements": (
        "input y : vector[m]\nfixed N : network vector[m] -> image[1, h, w]\n"
        "state x : image[1, h, w] = N(y)\nphase (2):\n    x <- 0.5 * x + N(y)\noutput x\n"
    ),
    "a number from an image": (
        "input y : image[1, h, w]\nfixed N : network image[1, h, w] -> scalar\noutput N(y) * y\n"
    ),
    "a complex image from a real one": (
        "input y : image[1, h, w]\nfixed N : network image[1, h, w] -> complex image[2, h, w]\noutput fft2 @ N(y)\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_check_runs_with_them(text: str) -> None:
    report = check(unroll_dsl.loads(HEAD + text))
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]
    assert {row.verdict.value for row in report.rows if row.group == "torch against NumPy"} == {
        "passed"
    }


def test_they_are_no_constants() -> None:
    spec = unroll_dsl.loads(HEAD + PROGRAMS["fewer channels"])
    network = draw(spec.graph).bind["N"]
    first, second = torch.rand(2, 1, 4, 6, 9, dtype=torch.float64)
    assert (network(first) - network(second)).abs().max() > 1e-2
