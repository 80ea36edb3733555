"""Values for `bind`: numbers, files, what is made, and how sizes go from one to the next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.data import DataError, Source, bindings, default_bindings, open_source

ISTA_NET = unroll_dsl.load("ista_net")
LISTA_CP = unroll_dsl.load("lista_cp")
PHI = {"make": "orthonormal_rows", "ratio": 0.25}


@pytest.fixture(scope="module")
def blocks() -> Source:
    table = {"kind": "samples", "patch": 8, "stride": 5}
    return open_source(table, ISTA_NET, measured=("y",))[0]


@pytest.fixture(scope="module")
def vectors() -> Source:
    return open_source({"kind": "sparse"}, LISTA_CP, measured=("y",), dims={"n": 40})[0]


def tensor(value: Any) -> torch.Tensor:
    assert isinstance(value, torch.Tensor)
    return value


def test_rows_are_orthonormal_and_as_many_as_the_ratio_says(blocks: Source) -> None:
    phi = tensor(bindings({"Phi": PHI}, ISTA_NET, blocks, dtype=torch.float64)["Phi"])
    assert phi.shape == (16, 64)
    torch.testing.assert_close(phi @ phi.mT, torch.eye(16, dtype=torch.float64))


def test_columns_have_norm_1(vectors: Source) -> None:
    table = {"A": {"make": "gaussian"}}
    A = tensor(bindings(table, LISTA_CP, vectors, dims={"m": 30})["A"])
    assert A.shape == (30, 40)
    torch.testing.assert_close(A.norm(dim=0), torch.ones(40))


def test_what_is_made_repeats_with_the_seed_and_its_name_alone(blocks: Source) -> None:
    both = {"Phi": PHI, "Q": {"make": "least_squares"}}
    first, again = bindings(both, ISTA_NET, blocks), bindings(both, ISTA_NET, blocks)
    alone = bindings({"Phi": PHI}, ISTA_NET, blocks)
    other = bindings({"Phi": PHI}, ISTA_NET, blocks, seed=1)
    assert all(torch.equal(tensor(first[name]), tensor(again[name])) for name in both)
    assert torch.equal(tensor(first["Phi"]), tensor(alone["Phi"]))
    assert not torch.equal(tensor(first["Phi"]), tensor(other["Phi"]))


def test_the_least_squares_start_is_undone_by_the_matrix(blocks: Source) -> None:
    table = {"Q": {"make": "least_squares"}, "Phi": PHI}  # whatever the order
    found = bindings(table, ISTA_NET, blocks, dtype=torch.float64)
    product = tensor(found["Phi"]) @ tensor(found["Q"])
    torch.testing.assert_close(product, torch.eye(16, dtype=torch.float64), atol=1e-7, rtol=0)


def test_the_least_squares_start_is_that_of_numpy_for_the_measurements_of_the_program(
    blocks: Source,
) -> None:
    weights = torch.linspace(1, 2, 16)

    def measuring(bound: Mapping[str, Any]) -> Any:
        phi = bound["Phi"].float()
        return lambda targets: {"y": targets["target"].flatten(1) @ phi.mT * weights}

    table = {"Phi": PHI, "Q": {"make": "least_squares"}}
    found = bindings(table, ISTA_NET, blocks, measuring=measuring, dtype=torch.float64)
    targets = blocks.draw(range(blocks.size), np.random.default_rng(0))
    Y = measuring(found)(targets)["y"].double()
    X = targets["target"].flatten(1).double()
    expected = np.linalg.lstsq(Y.numpy(), X.numpy(), rcond=None)[0].T
    np.testing.assert_allclose(tensor(found["Q"]).numpy(), expected, atol=1e-5)


def test_numbers_and_files(vectors: Source, tmp_path: Path) -> None:
    A = np.random.default_rng(0).standard_normal((30, 40))
    np.save(tmp_path / "A.npy", A)
    np.savez(tmp_path / "many.npz", A=A, B=2 * A)
    for text, factor in (("A.npy", 1), ("many.npz", 1), ("many.npz:B", 2)):
        found = bindings({"A": text, "lambda": 0.2}, LISTA_CP, vectors, base=tmp_path)
        np.testing.assert_array_equal(tensor(found["A"]).numpy(), (factor * A).astype(np.float32))
        assert found["lambda"] == 0.2


def test_masks_have_the_size_of_the_images() -> None:
    spec = unroll_dsl.load("admm_net")
    source, _ = open_source({"patch": 20}, spec, measured=("y",))
    for make in ("random_mask", "cartesian_mask", "radial_mask"):
        mask = tensor(bindings({"P": {"make": make, "ratio": 0.3}}, spec, source)["P"])
        assert mask.shape == (20, 20)
        assert float(mask.mean()) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("ista_net", "samples", {"Phi": "orthonormal_rows", "Q": "least_squares"}),
        ("admm_net", "samples", {"P": "random_mask"}),
        ("lista_cp", "sparse", {"A": "gaussian"}),
        ("lista", "codes", {"Wd": "dictionary"}),
    ],
)
def test_what_is_made_where_nothing_is_said(name: str, kind: str, made: dict[str, str]) -> None:
    found = default_bindings(unroll_dsl.load(name), {}, kind)
    assert {key: table["make"] for key, table in found.items()} == made
    assert not default_bindings(unroll_dsl.load(name), dict.fromkeys(made, "x.npy"), kind)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"B": 1.0}, r"\[bind\]: `lista_cp` has no `B` to bind; there is `A`"),
        ({"A": True}, r"\[bind\] A: found True, expected a number, a file or a table"),
        ({"A": "gaussian"}, r"gaussian: there is no such file; to have it made"),
        ({"A": "no.npy"}, r"\[bind\] A: no\.npy: there is no such file"),
        ({"A": {}}, "what is to be made"),
        ({"A": {"make": "gausian"}}, r"'gausian' cannot be made; did you mean `gaussian`"),
        ({"A": {"make": ["gaussian"]}}, "cannot be made"),
        ({"A": {"make": "gaussian", "rato": 1}}, r"no key `rato` here; did you mean `ratio`"),
        ({"A": {"make": "gaussian", "ratio": 2.0}}, "ratio: found 2.0, expected above 0"),
        ({"lambda": {"make": "gaussian"}}, '"gaussian" is a matrix; `lambda` .* is scalar'),
        ({"A": {"make": "least_squares"}}, 'name the matrix: operator = "Phi"'),
        (
            {"A": {"make": "dictionary"}},
            r"\[bind\] A: the size of `A`, matrix\[m, n\], is not known",
        ),
    ],
)
def test_what_a_table_says_wrong(table: dict[str, Any], message: str, vectors: Source) -> None:
    with pytest.raises(DataError, match=message):
        bindings(table, LISTA_CP, vectors)


def test_a_matrix_that_does_not_fit_the_data(vectors: Source, tmp_path: Path) -> None:
    np.save(tmp_path / "A.npy", np.ones((30, 41)))
    with pytest.raises(
        DataError, match=r"\[bind\] A: it is 30 x 41; .* A : matrix\[m, n\].* n = 40"
    ):
        bindings({"A": "A.npy"}, LISTA_CP, vectors, base=tmp_path)


def test_a_ratio_that_contradicts_the_dims(vectors: Source) -> None:
    with pytest.raises(DataError, match=r"a ratio of 0.5 is 20 rows of 40; .* give 30"):
        bindings({"A": {"make": "gaussian", "ratio": 0.5}}, LISTA_CP, vectors, dims={"m": 30})


def test_too_few_samples_for_a_start(blocks: Source) -> None:
    table = {"Phi": PHI, "Q": {"make": "least_squares", "samples": 10}}
    with pytest.raises(DataError, match=r"\[bind\] Q: 10 samples do not determine"):
        bindings(table, ISTA_NET, blocks)
