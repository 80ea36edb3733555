"""What the form of a matrix or map tells of its definiteness, and that it tells nothing else."""

from typing import Any

import numpy as np
import pytest

from tests.unit.passes.pages import prepared
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.passes.analysis.signs import Sign
from unroll_dsl.passes.plans import Planner
from unroll_dsl.passes.structure import terms

POSITIVE, NONNEGATIVE, UNKNOWN = Sign.POSITIVE, Sign.NONNEGATIVE, Sign.UNKNOWN
CONSTANTS = """algorithm p
dims m, n, h, w
fixed a, b : scalar > 0
fixed q : scalar >= 0
fixed s : scalar
"""
MATRICES = CONSTANTS + (
    "input y : {field}vector[n]\nfixed A : {field}matrix[m, n]\nfixed B : {field}matrix[m, n]\n"
    "fixed W : matrix[n, n]\nfixed d : vector[n] > 0\nfixed e : vector[n] >= 0\nfixed f : vector[n]\n"
    "fixed u : vector[m] > 0\nfixed v : vector[m]\noutput solve({system}, y)\n"
)
MAPS = CONSTANTS + (
    "input y : {field}image[1, h, w]\nfixed T : linear {field}image[1, h, w] -> {field}vector[m]\n"
    "fixed P : linear image[1, h, w] -> image[1, h, w]\nfixed g : mask[h, w] > 0\n"
    "fixed o : mask[h, w] >= 0\nfixed r : mask[h, w]\noutput solve({system}, y)\n"
)


def sign(text: str) -> Sign:
    graph = prepared(text)
    (index,) = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Solve))
    planner = Planner(graph, {})
    matrix = graph.nodes[index].args[0]
    found = planner.forms.sign(terms(graph.nodes, matrix))
    assert planner.is_definite(index) == (found is POSITIVE)
    return found


OF_MATRICES = {
    "A' @ A": NONNEGATIVE,
    "A' @ A + I": POSITIVE,
    "A' @ A - I": UNKNOWN,
    "I - A' @ A": UNKNOWN,
    "-(A' @ A) + 0 * I": UNKNOWN,
    "I + A' @ A": POSITIVE,
    "A' @ A + q * I": NONNEGATIVE,
    "A' @ A + s * I": UNKNOWN,
    "s * A' @ A + I": UNKNOWN,
    "q * A' @ A + I": POSITIVE,
    "A' @ A / a + I": POSITIVE,
    "A' @ A + I / q": POSITIVE,  # what may vanish has no finite quotient
    "A' @ A + I / s": UNKNOWN,
    "A' @ A + b * I / a": POSITIVE,
    "A' @ A + q * I / a": NONNEGATIVE,
    "A' @ A + diag(d)": POSITIVE,
    "A' @ A + diag(e)": NONNEGATIVE,
    "A' @ A + diag(f)": UNKNOWN,
    "A' @ A + q * diag(d)": NONNEGATIVE,
    "A' @ A + W": UNKNOWN,
    "A' @ B + I": UNKNOWN,
    "A' @ A + B' @ B": NONNEGATIVE,
    "A' @ A + B' @ B + a * I": POSITIVE,
    "A' @ diag(u) @ A + I": POSITIVE,
    "A' @ diag(v) @ A + I": UNKNOWN,
    "A' @ diag(u) @ A": NONNEGATIVE,
    "A' @ diag(u) @ A - q * I": UNKNOWN,
    "W @ W' + I": POSITIVE,
    "W @ W + I": UNKNOWN,
    "W' @ W' + I": UNKNOWN,
    "2 * A' @ A + 3 * I": POSITIVE,
    "-2 * A' @ A + 3 * I": UNKNOWN,
    "A' @ A - (-1) * I": POSITIVE,
    "A' @ A - (-a) * I": POSITIVE,
}


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("system", OF_MATRICES)
def test_matrices(system: str, field: str) -> None:
    assert sign(MATRICES.format(system=system, field=field)) is OF_MATRICES[system]


OF_MAPS = {
    "T' @ T": NONNEGATIVE,
    "T' @ T + I": POSITIVE,
    "T' @ T - I": UNKNOWN,
    "P + I": UNKNOWN,
    "P @ P + I": UNKNOWN,
    "P' @ P + I": POSITIVE,
    "P @ P' + I": POSITIVE,
    "P' @ P' + I": UNKNOWN,
    "P' @ T' @ T @ P + I": POSITIVE,
    "P @ T' @ T @ P + I": UNKNOWN,
    "P' @ T' @ T @ P' + I": UNKNOWN,
    "T' @ T + q * P' @ P": NONNEGATIVE,
    "T' @ T + s * P' @ P": UNKNOWN,
    "T' @ T + diag(g)": POSITIVE,
    "T' @ T + diag(o)": NONNEGATIVE,
    "T' @ T + diag(r)": UNKNOWN,
    "P' @ diag(g) @ P + I": POSITIVE,
    "P' @ diag(g) @ P": NONNEGATIVE,
    "P' @ diag(o) @ P + I": POSITIVE,
    "P' @ diag(r) @ P + I": UNKNOWN,
    "P' @ (T' @ T) @ P + I": POSITIVE,
    "P' @ (T' @ T + I) @ P + I": POSITIVE,
    "P' @ (T' @ T + q * I) @ P": NONNEGATIVE,
    "P' @ (T' @ T - I) @ P + I": UNKNOWN,
    "P' @ (T' @ T + s * I) @ P + I": UNKNOWN,
    "P' @ P @ P + I": UNKNOWN,
    "diag(r) @ diag(r) + T' @ T": NONNEGATIVE,
    "diag(r) @ T' @ T @ diag(r) + I": POSITIVE,
    "diag(r) @ T' @ T @ diag(g) + I": UNKNOWN,
    "(a * P)' @ P + I": POSITIVE,
    "(s * P)' @ P + I": UNKNOWN,
    "(s * P)' @ (q * P) + I": UNKNOWN,
    "(q * P)' @ (q * P)": NONNEGATIVE,
    "P' @ (2 * P) + I": POSITIVE,
    "P' @ (-2 * P) + I": UNKNOWN,
}


@pytest.mark.parametrize("system", OF_MAPS)
def test_maps(system: str) -> None:
    assert sign(MAPS.format(system=system, field="")) is OF_MAPS[system]


@pytest.mark.parametrize(
    ("system", "found"),
    [
        ("ifft2 @ diag(g) @ fft2 + T' @ T", NONNEGATIVE),
        ("ifft2 @ diag(o) @ fft2 + T' @ T + I", POSITIVE),
        ("fft2' @ diag(g) @ fft2 + T' @ T", NONNEGATIVE),
        ("fft2 @ diag(g) @ ifft2 + T' @ T", NONNEGATIVE),
        ("fft2 @ diag(g) @ fft2' + T' @ T", NONNEGATIVE),
        ("ifft2' @ diag(g) @ ifft2 + T' @ T", NONNEGATIVE),
        ("fft2 @ diag(g) @ fft2 + T' @ T", UNKNOWN),
        ("fft2' @ diag(g) @ ifft2 + T' @ T", UNKNOWN),
        ("ifft2' @ diag(g) @ fft2 + T' @ T", UNKNOWN),
        ("ifft2 @ diag(r) @ fft2 + T' @ T", UNKNOWN),
    ],
)
def test_the_transform_and_its_inverse_are_adjoints(system: str, found: Sign) -> None:
    assert sign(MAPS.format(system=system, field="complex ")) is found


def test_what_is_said_to_be_definite_is() -> None:
    """The least eigenvalue of each matrix, for constants of their declared signs drawn at random."""
    names: dict[str, Any] = {"I": np.eye(4), "diag": np.diag}
    rng = np.random.default_rng(0)
    for system, known in OF_MATRICES.items():
        if known is UNKNOWN:
            continue
        for _ in range(3):
            names |= {name: rng.standard_normal((3, 4)) for name in "AB"}
            names |= {name: np.abs(rng.standard_normal(4)) + 0.01 for name in "de"}
            names |= {"W": rng.standard_normal((4, 4)), "u": np.abs(rng.standard_normal(3)) + 0.01}
            names |= {name: abs(rng.standard_normal()) + 0.01 for name in "ab"} | {
                "q": rng.random()
            }
            text = system
            for name in "ABW":
                text = text.replace(f"{name}'", f"{name}.T")
            least = np.linalg.eigvalsh(eval(text, names)).min()
            assert least > (0 if known is POSITIVE else -1e-9), system
