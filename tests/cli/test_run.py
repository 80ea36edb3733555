"""`run`: arrays in, arrays out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unroll_dsl

Unroll = Callable[..., Any]  # the fixture `unroll`
ISTA = ("run", "ista", "--phases", "30", "--bind", "A=A.npy")


@pytest.fixture
def problem(tmp_path: Path) -> tuple[Any, Any]:
    """A and a batch of y in A.npy and y.npy."""
    rng = np.random.default_rng(0)
    a, y = rng.standard_normal((6, 9)), rng.standard_normal((3, 6))
    np.save(tmp_path / "A.npy", a)
    np.save(tmp_path / "y.npy", y)
    return a, y


@pytest.mark.parametrize("backend", ["torch", "numpy"])
def test_arrays(backend: str, unroll: Unroll, problem: tuple[Any, Any], tmp_path: Path) -> None:
    a, y = problem
    expected = unroll_dsl.load("ista").reference(phases=30, bind={"A": a})(y)
    result = unroll(*ISTA, "--input", "y=y.npy", "--backend", backend, "-o", "x.npy")
    assert result.status == 0
    assert result.err == "wrote x.npy\n"
    assert result.out.startswith(f"ista ({backend}, 30 phases): ")
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("backend", ["torch", "numpy"])
def test_files_of_several_precisions(backend: str, unroll: Unroll, tmp_path: Path) -> None:
    """Everything is computed in double precision, so that no file is in another's way."""
    (tmp_path / "mixed.unroll").write_text("""algorithm mixed
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed v : vector[m]
learnable c : complex vector[m] = 1
output c * (A @ y + v)
""")
    a, v, c = np.array([[0.1, 2], [3, 0.7]], "f4"), np.array([1, 2]), np.array([1j, 0.1], "c8")
    np.savez(tmp_path / "bound.npz", A=a, v=v, c=c)
    np.save(tmp_path / "y.npy", np.array([0.3, 1.7]))
    bound = ("--bind", "A=bound.npz", "--bind", "v=bound.npz", "--init", "c=bound.npz")
    result = unroll(
        "run", "mixed.unroll", "--input", "y=y.npy", *bound, "--backend", backend, "-o", "x.npy"
    )
    assert result.status == 0, result.err
    expected = c.astype(complex) * (a.astype(float) @ np.array([0.3, 1.7]) + v)
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=1e-15)


@pytest.mark.parametrize("backend", ["torch", "numpy"])
def test_a_system_that_a_sample_makes_singular(
    backend: str, unroll: Unroll, tmp_path: Path
) -> None:
    (tmp_path / "s.unroll").write_text("""algorithm s
dims n
input y : vector[n]
input B : matrix[n, n]
output solve(B, y)
""")
    np.savez(tmp_path / "d.npz", B=np.ones((1, 2, 2)), y=np.ones((1, 2)))
    given = ("--input", "y=d.npz", "--input", "B=d.npz", "--backend", backend, "-o", "x.npy")
    result = unroll("run", "s.unroll", *given)
    assert result.status == 1
    assert "the system of `solve` is singular" in result.err
    assert "a fault" not in result.err


def test_one_sample_and_its_objective(
    unroll: Unroll, problem: tuple[Any, Any], tmp_path: Path
) -> None:
    a, y = problem
    np.savetxt(tmp_path / "one.csv", y[0], delimiter=",")
    result = unroll(*ISTA, "--input", "y=one.csv", "-o", "x.csv", "--json", "--bind", "lambda=0.2")
    assert result.status == 0
    x = np.loadtxt(tmp_path / "x.csv", delimiter=",")
    assert x.shape == (9,)
    found = json.loads(result.out)
    objective = 0.5 * np.sum((a @ x - y[0]) ** 2) + 0.2 * np.abs(x).sum()
    assert found["objective"] == pytest.approx(objective, rel=1e-12)
    assert found["outputs"] == {"x": {"shape": [9], "dtype": "float64"}}
    assert found["phases"] == 30


def test_large_batches_run_in_parts(
    unroll: Unroll, problem: tuple[Any, Any], tmp_path: Path
) -> None:
    a, y = problem
    many = np.tile(y, (200, 1)) * np.arange(1, 601)[:, None]
    np.savez(tmp_path / "many.npz", y=many, other=np.zeros(2))
    result = unroll(*ISTA, "--input", "y=many.npz:y", "-o", "x.npz")
    assert result.status == 0
    expected = unroll_dsl.load("ista").reference(phases=30, bind={"A": a})(many)
    found = np.load(tmp_path / "x.npz")
    assert found.files == ["x"]
    np.testing.assert_allclose(found["x"], expected, rtol=1e-11, atol=1e-11)


def test_several_outputs_and_formulas(unroll: Unroll, tmp_path: Path) -> None:
    spec = "algorithm two\ndims n\ninput y : vector[n]\noutput y / 2, 3 * y\n"
    (tmp_path / "two.unroll").write_text(spec)
    np.save(tmp_path / "y.npy", np.ones(4))
    assert unroll("run", "two.unroll", "--input", "y=y.npy", "-o", "x.npy").status == 2
    assert unroll("run", "two.unroll", "--input", "y=y.npy", "-o", "x.npz").status == 0
    found = np.load(tmp_path / "x.npz")
    assert found.files == ["output1", "output2"]
    np.testing.assert_array_equal(found["output2"], 3 * np.ones(4))


def test_outputs_that_torch_conjugates_or_negates_lazily(unroll: Unroll, tmp_path: Path) -> None:
    head = "algorithm lazy\ndims n\ninput y : complex vector[n]\n"
    (tmp_path / "lazy.unroll").write_text(f"{head}output imag(conj(y)), conj(y)\n")
    y = np.array([1 + 2j, -0.5j])
    np.save(tmp_path / "y.npy", y)
    assert unroll("run", "lazy.unroll", "--input", "y=y.npy", "-o", "x.npz").status == 0
    found = np.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(found["output1"], -y.imag)
    np.testing.assert_array_equal(found["output2"], y.conj())


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--input", "z=y.npy"], 2, "ista has no input `z`"),
        ([], 2, "no value for the input `y`"),
        (["--input", "y=A.npz"], 2, "A.npz: there is no such file"),
        (["--input", "y=A.npy"], 1, "`m` is 6 by the values that are bound, but 9 by the input"),
        (["--input", "y=cube.npy"], 2, "found an array of shape (2, 2, 2)"),
        (["--input", "y=bad.npy"], 2, "bad.npy cannot be read as arrays of NumPy"),
        (
            ["--input", "y=bad.csv"],
            2,
            "bad.csv cannot be read as a table of numbers: could not convert string 'no'",
        ),
        (["--input", "y=empty.csv"], 2, "empty.csv is empty"),
        (["--input", "y=objects.npy"], 2, "objects.npy holds objects"),
        (["--input", "y=two.npz"], 2, "two.npz holds `a` (2), `b` (2): which is meant?"),
        (["--input", "y=two.npz:c"], 2, "two.npz holds no `c`"),
        (["--input", "y=bad.pkl"], 2, "bad.pkl is no file of PyTorch"),
        (["--input", "y=y.npy", "-o", "x.mat"], 2, "x.mat: not a format of arrays"),
        (["--input", "y=y.npy", "-o", "A.npy"], 2, "A.npy exists"),
        (["--input", "y=y.npy", "--dims", "m=0"], 2, "`0` is not a size"),
        (["--input", "y=y.npy", "--bind", "lambda=-1"], 1, "error[U0506]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_calls(
    arguments: list[str],
    status: int,
    words: str,
    unroll: Unroll,
    problem: tuple[Any, Any],
    tmp_path: Path,
) -> None:
    for name in ("bad.npy", "bad.csv", "bad.pkl"):
        (tmp_path / name).write_text("no, numbers\n")
    (tmp_path / "empty.csv").write_text("")
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object))
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    before = sorted(path.name for path in tmp_path.iterdir())
    result = unroll(*ISTA, *arguments)
    assert result.status == status
    assert words in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
