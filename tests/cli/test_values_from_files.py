"""What `--bind`, `--init` and `--input` make of files as people have them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse

import unroll_dsl
from tests.cli.conftest import Unroll

RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 4))
Y = RNG.standard_normal(3)
EXPECTED = unroll_dsl.load("ista").reference(5, bind={"A": A, "lambda": 0.25})(Y)
ISTA = ("run", "ista", "--phases", "5", "-o", "x.npy", "--force")


def written(folder: Path) -> None:
    """The same problem in every format, and an image beside its k-space."""
    np.save(folder / "A.npy", A)
    np.save(folder / "A_be.npy", A.astype(">f8"))
    np.save(folder / "A_f.npy", np.asfortranarray(A))
    scipy.io.savemat(folder / "A.mat", {"A": A})
    scipy.io.savemat(folder / "all.mat", {"A": scipy.sparse.csc_matrix(A), "y": Y, "lambda": 0.25})
    np.savetxt(folder / "A.csv", A, delimiter=",", fmt="%.17g")
    np.save(folder / "y_be.npy", Y.astype(">f8"))
    np.save(folder / "y.npy", Y)
    np.save(folder / "y_column.npy", Y[:, None])
    for name, y in (("row", Y[None]), ("column", Y[:, None])):
        scipy.io.savemat(folder / f"{name}.mat", {"y": y})
    scipy.io.savemat(folder / "lambda.mat", {"lambda": 0.25})


@pytest.mark.parametrize(
    ("matrix", "weight", "measured"),
    [
        ("A.npy", "0.25", "y.npy"),
        ("A_be.npy", "lambda.mat", "y_be.npy"),
        ("A_f.npy", "0.25", "row.mat"),
        ("A.mat", "0.25", "column.mat"),
        ("all.mat", "all.mat", "all.mat"),
        ("A.csv", "0.25", "y.npy"),
    ],
)
def test_the_same_problem_in_any_format(
    matrix: str, weight: str, measured: str, unroll: Unroll, tmp_path: Path
) -> None:
    written(tmp_path)
    bind = ("--bind", f"A={matrix}", "--bind", f"lambda={weight}")
    result = unroll(*ISTA, *bind, "--input", f"y={measured}")
    assert result.status == 0, result.err
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), EXPECTED, rtol=1e-12)


def test_a_matrix_of_one_row_stays_one(unroll: Unroll, tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "row.mat", {"A": A[:1]})
    np.save(tmp_path / "y.npy", Y[:1])
    result = unroll(*ISTA, "--bind", "A=row.mat", "--bind", "lambda=0.25", "--input", "y=y.npy")
    assert result.status == 0, result.err
    expected = unroll_dsl.load("ista").reference(5, bind={"A": A[:1], "lambda": 0.25})(Y[:1])
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=1e-12)


def masked(folder: Path, mask: Any, name: str = "mask.npy") -> None:
    """A mask, and an image that it has sampled."""
    image = np.zeros((32, 32))
    image[10:20, 12:24] = 1
    zero_first = np.asarray(mask, float)
    np.save(folder / "y.npy", (zero_first * np.fft.fft2(image, norm="ortho"))[None])
    np.save(folder / name, mask)


def low_frequencies() -> Any:
    mask = RNG.random((32, 32)) < 0.2
    mask[np.ix_([0, 1, 2, -1, -2], [0, 1, 2, -1, -2])] = True
    return mask


@pytest.mark.parametrize("kind", ["bool", "u1", "i8", ">i4", "f4"])
def test_masks_of_integers_and_logical_values_are_taken(
    kind: str, unroll: Unroll, tmp_path: Path
) -> None:
    mask = low_frequencies()
    masked(tmp_path, mask.astype(kind))
    command = ("run", "zero_filling", "--input", "y=y.npy", "-o", "x.npy")
    result = unroll(*command, "--bind", "P=mask.npy")
    assert result.status == 0, result.err
    assert "warning" not in result.err
    y = np.load(tmp_path / "y.npy")
    expected = np.fft.ifft2(mask * y, norm="ortho").real
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, atol=1e-12)


def test_a_mask_with_its_middle_in_the_middle_is_warned_of(unroll: Unroll, tmp_path: Path) -> None:
    mask = low_frequencies()
    masked(tmp_path, mask)
    np.save(tmp_path / "centred.npy", np.fft.fftshift(mask))
    result = unroll("run", "zero_filling", "--input", "y=y.npy", "--bind", "P=centred.npy")
    assert result.status == 0
    assert "warning: the mask `P` samples low frequencies in its middle" in result.err
    assert "numpy.fft.ifftshift(P)" in result.err


def test_a_mask_of_a_program_without_transforms_is_nobodys_business(
    unroll: Unroll, tmp_path: Path
) -> None:
    (tmp_path / "fill.unroll").write_text(
        "algorithm fill\ndims h, w\ninput y : image[1, h, w]\nfixed P : mask[h, w]\noutput P * y\n"
    )
    np.save(tmp_path / "y.npy", np.ones((1, 32, 32)))
    np.save(tmp_path / "P.npy", np.fft.fftshift(low_frequencies()))
    result = unroll("run", "fill.unroll", "--input", "y=y.npy", "--bind", "P=P.npy")
    assert (result.status, result.err) == (0, "")


def test_help_names_every_format(unroll: Unroll, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "train", "eval", "compile"):
        with pytest.raises(SystemExit):
            unroll(command, "--help")
        words = capsys.readouterr().out
        for suffix in (".npy", ".npz", ".mat", ".h5", ".safetensors", ".csv", ".txt", ".pt"):
            assert suffix in words, (command, suffix)
