"""Taking apart and putting together, against indexing and concatenation of NumPy, with any batch."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError

HEAD = """algorithm parts
dims n, h, w
input v : vector[n]
input x : image[3, h, w]
input z : complex image[1, h, w]
fixed c : vector[2]
fixed P : mask[h, w]
output {}
"""


def both(output: str, batch: tuple[int, ...] = (2,), n: int = 5) -> tuple[Any, Any, Any]:
    """The output of the network, that of the reference, and a function from NumPy's formula to values."""
    spec = unroll_dsl.loads(HEAD.format(output))
    rng = np.random.default_rng(1)
    v, x = rng.normal(size=(*batch, n)), rng.normal(size=(*batch, 3, 4, 6))
    z = rng.normal(size=(*batch, 1, 4, 6)) + 1j * rng.normal(size=(*batch, 1, 4, 6))
    bind = {"c": torch.tensor([7.0, 8.0], dtype=torch.float64), "P": torch.eye(4, 6).double()}
    network = spec.compile(bind=bind, dims={"n": n})
    found = network(*map(torch.as_tensor, (v, x, z)))
    reference = spec.reference(bind=bind, dims={"n": n})(v, x, z)
    return found.resolve_conj().numpy(), reference, {"v": v, "x": x, "z": z}


CASES = {
    "v[2]": lambda d: d["v"][..., 1],
    "v[2:4]": lambda d: d["v"][..., 1:4],
    "v[n]": lambda d: d["v"][..., -1],
    "v[1:n - 1] - v[2:n]": lambda d: d["v"][..., :-1] - d["v"][..., 1:],
    "x[2]": lambda d: d["x"][..., 1, :, :],
    "x[2] * x": lambda d: d["x"][..., 1:2, :, :] * d["x"],
    "x[2:3, :, 4]": lambda d: d["x"][..., 1:3, :, 3],
    "x[:, 2:h]": lambda d: d["x"][..., 1:, :],
    "concat(c, v, c)": lambda d: np.concatenate(
        [np.broadcast_to(c, (*d["v"].shape[:-1], 2)) for c in ([7, 8],)] * 1
        + [d["v"], np.broadcast_to([7, 8], (*d["v"].shape[:-1], 2))],
        -1,
    ),
    "concat(x, z)": lambda d: np.concatenate([d["x"] + 0j, d["z"]], -3),
    "concat(x, x[:, :, 1:2], axis=3)": lambda d: np.concatenate([d["x"], d["x"][..., :2]], -1),
    "concat(x, stack(P))": lambda d: np.concatenate(
        [d["x"], np.broadcast_to(np.eye(4, 6), (*d["x"].shape[:-3], 1, 4, 6))], -3
    ),
    "stack(v[1], 2, norm1(v))": lambda d: np.stack(
        [d["v"][..., 0], 2 + 0 * d["v"][..., 0], np.abs(d["v"]).sum(-1)], -1
    ),
    "stack(v, 2 * v, axis=2)": lambda d: np.stack([d["v"], 2 * d["v"]], -1),
    "pair(z)": lambda d: np.concatenate([d["z"].real, d["z"].imag], -3),
    "unpair(pair(2i * z))": lambda d: 2j * d["z"],
    "complex(x, 1) * exp(1i * pi / 3)": lambda d: (d["x"] + 1j) * np.exp(1j * np.pi / 3),
    "complex(0, x[1])": lambda d: 1j * d["x"][..., 0, :, :],
    "mean(x, axis=(2, 3))": lambda d: d["x"].mean((-2, -1)),
    "norm2(x, axis=(1, 3))": lambda d: np.sqrt((d["x"] ** 2).sum((-3, -1))),
    "(1 + 2i) * v": lambda d: (1 + 2j) * d["v"],
}


@pytest.mark.parametrize("output", CASES)
def test_both_backends_are_numpy(output: str) -> None:
    for batch in ((), (2,)):
        found, reference, data = both(output, batch)
        expected = CASES[output](data)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(reference, expected, rtol=1e-12, atol=1e-13)


def test_entries_that_sizes_alone_tell_are_refused_in_words() -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims n\nfixed c : vector[n]\ninput y : scalar\noutput c[4] * y\n"
    )
    with pytest.raises(UnrollError, match="there are no entries 4 along axis 1, which has n = 3"):
        spec.compile(bind={"c": torch.ones(3)})
    assert spec.compile(bind={"c": torch.arange(4.0)})(torch.tensor(2.0)) == 6


def test_a_range_of_an_input_that_is_too_short_is_no_shorter_range() -> None:
    """A slice of torch would give what there is."""
    spec = unroll_dsl.loads("algorithm a\ndims n\ninput y : vector[n]\noutput y[2:3]\n")
    network = spec.compile()
    assert network(torch.arange(3.0)).tolist() == [1, 2]
    with pytest.raises(RuntimeError):
        network(torch.arange(2.0))


def test_batch_axes_broadcast_as_everywhere() -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims n\ninput y : vector[n]\ninput z : vector[n]\noutput concat(y, z)\n"
    )
    y, z = torch.randn(5, 1, 3), torch.randn(4, 3)
    found = spec.compile()(y, z)
    assert found.shape == (5, 4, 6)
    assert torch.equal(found[2, 3], torch.cat((y[2, 0], z[3])))


def test_what_is_written_is_written_again() -> None:
    from unroll_dsl.source import SourceFile
    from unroll_dsl.syntax.parser import parse
    from unroll_dsl.syntax.printer import same_tree, to_text

    text = "algorithm a\noutput x[2, 1:3, :], (a + b)[n]', mean(x, axis=(2, 3)), 1i * 0.5i, x[2:]\n"
    program = parse(SourceFile("a", text)).program
    assert program is not None
    again = parse(SourceFile("a", to_text(program))).program
    assert "x[2, 1:3, :], (a + b)[n]', mean(x, axis=(2, 3)), 1i * 0.5i, x[2:]" in to_text(program)
    assert to_text(again) == to_text(program)  # type: ignore[arg-type]
    assert same_tree(program.statements[0].values[0], again.statements[0].values[0])  # type: ignore[union-attr]
