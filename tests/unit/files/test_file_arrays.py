"""Arrays as people have them: every format gives the same numbers, and what cannot be read is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch
from safetensors.torch import save_file as save_tensors

from unroll_dsl.files import ARRAYS, TABLES, WEIGHTS, CannotRead, array_formats
from unroll_dsl.files.arrays import at_rank, read_array, read_arrays

A = np.arange(12.0).reshape(3, 4) + np.eye(3, 4)
Write = Callable[[Path, Any], object]


def matlab(path: Path, array: Any) -> None:
    scipy.io.savemat(path, {"A": array})


def matlab_73(path: Path, array: Any) -> None:
    """As MATLAB writes version 7.3: HDF5 behind a header of 512 bytes, axes from the last to the first."""
    with h5py.File(path, "w", userblock_size=512) as file:
        value = np.asarray(array)
        words = {"float64": "double", "bool": "logical"}
        kind = words.get(value.dtype.name, value.dtype.name)
        stored = np.atleast_2d(value).T
        if stored.dtype.kind == "c":
            pairs = np.empty(stored.shape, [("real", "f8"), ("imag", "f8")])
            pairs["real"], pairs["imag"] = stored.real, stored.imag
            stored, kind = pairs, "double"
        file["A"] = stored.astype("u1") if kind == "logical" else stored
        file["A"].attrs["MATLAB_class"] = np.bytes_(kind)


def hdf5(path: Path, array: Any) -> None:
    with h5py.File(path, "w") as file:
        file["A"] = array


WRITERS: dict[str, Write] = {
    ".npy": lambda path, a: np.save(path, a),
    ".npz": lambda path, a: np.savez(path, A=a),
    ".mat": matlab,
    "-v73.mat": matlab_73,
    ".h5": hdf5,
    ".safetensors": lambda path, a: save_tensors({"A": torch.tensor(a).contiguous()}, path),
    ".pt": lambda path, a: torch.save({"A": torch.tensor(a)}, path),
    ".pth": lambda path, a: torch.save(torch.tensor(a), path),
}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "array",
    [
        A,
        A.astype(np.float32),
        np.asfortranarray(A),
        A[::-1, ::-1].copy(),
        (A * (1 + 2j)).astype(np.complex64),
        A > 4,
        (A > 4).astype(np.uint8),
        -A.astype(np.int8),
        A.astype(np.int64),
        A[:1],
        A[:, :1],
    ],
    ids=["double", "single", "fortran", "turned", "complex", "logical", "u8", "i8", "i64", "row", "column"],
)  # fmt: skip
def test_every_format_gives_the_same_numbers(suffix: str, array: Any, tmp_path: Path) -> None:
    path = tmp_path / f"A{suffix}"
    WRITERS[suffix](path, array)
    found = read_array(path)
    assert found.shape == array.shape
    assert found.dtype.kind == ("c" if array.dtype.kind == "c" else "f")
    assert found.dtype.isnative and found.flags.c_contiguous
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("kind", [">f8", ">f4", ">u2", ">i4", ">c16", "<f8"])
def test_any_byte_order_is_taken(kind: str, tmp_path: Path) -> None:
    np.save(tmp_path / "A.npy", A.astype(kind))
    np.savez(tmp_path / "A.npz", A=A.astype(kind))
    hdf5(tmp_path / "A.h5", A.astype(kind))
    for name in ("A.npy", "A.npz", "A.h5"):
        found = read_array(tmp_path / name)
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, A)
        torch.from_numpy(found)


def test_big_endian_matlab_files(tmp_path: Path) -> None:
    """Version 4 as a big-endian machine writes it: type 1000, rows, columns, no imaginary part, name."""
    header = np.array([1000, 3, 4, 0, 2], ">i4").tobytes()
    (tmp_path / "old.mat").write_bytes(header + b"A\0" + A.T.astype(">f8").tobytes())
    np.testing.assert_array_equal(read_array(tmp_path / "old.mat"), A)


@pytest.mark.parametrize("write", [matlab, matlab_73])
def test_a_number_of_matlab(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "lambda.mat", 0.05)
    assert read_array(tmp_path / "lambda.mat").shape == (1, 1)
    assert read_array(tmp_path / "lambda.mat", rank=0) == 0.05


def test_numbers_without_axes(tmp_path: Path) -> None:
    for suffix in (".npy", ".npz", ".safetensors", ".h5"):
        WRITERS[suffix](tmp_path / f"a{suffix}", np.float64(0.5))
        assert read_array(tmp_path / f"a{suffix}").shape == ()


def test_sparse_matrices_are_made_dense(tmp_path: Path) -> None:
    sparse = scipy.sparse.csc_matrix(A * (A > 5))
    matlab(tmp_path / "s.mat", sparse)
    scipy.sparse.save_npz(tmp_path / "s.npz", sparse)
    with h5py.File(tmp_path / "s73.mat", "w", userblock_size=512) as file:
        group = file.create_group("A")
        group.attrs["MATLAB_sparse"], group.attrs["MATLAB_class"] = (
            np.uint64(3),
            np.bytes_("double"),
        )
        group["data"], group["ir"], group["jc"] = sparse.data, sparse.indices, sparse.indptr
    for name in ("s.mat", "s.npz", "s73.mat"):
        np.testing.assert_array_equal(read_array(tmp_path / name), A * (A > 5))


def test_low_precision_becomes_single(tmp_path: Path) -> None:
    np.save(tmp_path / "half.npy", A.astype(np.float16))
    save_tensors({"A": torch.tensor(A).bfloat16()}, tmp_path / "brain.safetensors")
    torch.save(torch.tensor(A).bfloat16(), tmp_path / "brain.pt")
    np.save(tmp_path / "long.npy", A.astype(np.longdouble))
    for name, kind in (("half.npy", "f4"), ("brain.safetensors", "f4"), ("brain.pt", "f4"), ("long.npy", "f8")):  # fmt: skip
        found = read_array(tmp_path / name)
        assert found.dtype == kind
        np.testing.assert_array_equal(found, A)


def test_integers_that_are_no_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.array([2**60 + 1]))
    with pytest.raises(CannotRead, match="more than 53 bits"):
        read_array(tmp_path / "large.npy")


def test_structures_and_cells_become_names(tmp_path: Path) -> None:
    cells = np.empty(2, object)
    cells[:] = [{"w": A}, {"w": A[:2]}]
    scipy.io.savemat(tmp_path / "net.mat", {"net": {"layers": cells, "name": "x", "rate": 0.1}})
    found = read_arrays(tmp_path / "net.mat")
    assert {name: a.shape for name, a in found.items()} == {
        "net.layers.0.w": (3, 4), "net.layers.1.w": (2, 4), "net.rate": (1, 1),
    }  # fmt: skip
    np.testing.assert_array_equal(read_array(tmp_path / "net.mat:net.layers.1.w"), A[:2])


def test_cells_of_matlab_73(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.mat", "w", userblock_size=512) as file:
        parts = [file.create_dataset(f"#refs#/{k}", data=A.T * k) for k in range(2)]
        for part in parts:
            part.attrs["MATLAB_class"] = np.bytes_("double")
        cells = file.create_dataset("layers", (2, 1), dtype=h5py.ref_dtype)
        cells[:, 0] = [part.ref for part in parts]
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        file["name"] = np.array([[104], [105]], np.uint16)
        file["name"].attrs["MATLAB_class"] = np.bytes_("char")
    found = read_arrays(tmp_path / "net.mat")
    assert list(found) == ["layers.0", "layers.1"]
    np.testing.assert_array_equal(found["layers.1"], A)


def test_tables_of_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeff# a comment\n1, 2\n3, 4\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("1 2\n3 4\n")
    (tmp_path / "c.csv").write_text("1+2j, 3\n")
    for name in ("a.csv", "b.txt"):
        np.testing.assert_array_equal(read_array(tmp_path / name), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(read_array(tmp_path / "c.csv"), [1 + 2j, 3])


@pytest.mark.parametrize(
    ("shape", "rank", "expected"),
    [
        ((1, 4), 1, (4,)), ((4, 1), 1, (4,)), ((1, 1), 1, (1,)), ((1, 1), 0, ()), ((1, 4), 2, (1, 4)),
        ((2, 1, 3), 2, (2, 3)), ((2, 3), 1, (2, 3)), ((1, 4), None, (1, 4)), ((4,), 2, (4,)),
    ],
)  # fmt: skip
def test_axes_of_length_one_go_where_the_rank_says(
    shape: tuple[int, ...], rank: int | None, expected: tuple[int, ...]
) -> None:
    assert at_rank(np.zeros(shape), rank).shape == expected


def test_of_several_arrays_the_one_that_is_called_so(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", A=A, B=A + 1)
    np.testing.assert_array_equal(read_array(tmp_path / "two.npz", name="B"), A + 1)
    np.testing.assert_array_equal(read_array(tmp_path / "two.npz:A", name="B"), A)
    with pytest.raises(CannotRead, match=r"two.npz holds `A` \(3 x 4\), `B` \(3 x 4\): which"):
        read_array(tmp_path / "two.npz", name="C")
    with pytest.raises(CannotRead, match=r"holds no `AA`; did you mean `.*two.npz:A`"):
        read_array(tmp_path / "two.npz:AA")


class Evil:
    """What would make a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.npy", r"none\.npy: there is no such file"),
        ("Phj.npy", r"Phj\.npy: there is no such file; did you mean `.*Phi\.npy`"),
        ("folder.npy", r"folder\.npy is a folder; give a file in it"),
        ("x.dat", r"`.dat` is no format of arrays; the formats are \.npy, .*"),
        ("nosuffix", "a name without a suffix is no format"),
        ("text.npy", r"text\.npy cannot be read as arrays of NumPy: "),
        ("text.npz", r"text\.npz cannot be read as an archive of NumPy \(it is no zip file\)"),
        ("text.mat", r"text\.mat cannot be read as a file of MATLAB: "),
        ("text.h5", r"text\.h5 cannot be read as a \.h5 file"),
        ("text.safetensors", r"text\.safetensors is no \.safetensors file, or damaged"),
        ("text.csv", r"cannot be read as a table of numbers: could not convert string 'no'.*commas"),
        ("blank.csv", r"blank\.csv is empty"),
        ("empty.npz", r"empty\.npz holds no array of numbers"),
        ("words.npy", "words.npy holds <U2, which are no numbers"),
        ("words.npz", "words.npz holds a, which are no numbers"),
        ("words.mat", "words.mat holds no array of numbers"),
        ("record.npy", "record.npy is a table with the columns u, v"),
        ("objects.npy", "objects.npy holds objects, which are not read"),
        ("objects.npz", "objects.npz holds a, which are no numbers"),
        ("bomb.npy", "bomb.npy (does not fit into memory|cannot be read)"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("Phi.npy", A)
    Path("folder.npy").mkdir()
    for text in ("npy", "npz", "mat", "h5", "safetensors", "csv"):
        Path(f"text.{text}").write_text("no, numbers\n")
    for plain in ("x.dat", "nosuffix", "blank.csv"):
        Path(plain).write_text("")
    np.savez("empty.npz")
    np.save("words.npy", np.array(["a", "bc"]))
    np.savez("words.npz", a=np.array(["a", "bc"]))
    scipy.io.savemat("words.mat", {"a": "some text"})
    np.save("record.npy", np.zeros(2, [("u", "f8"), ("v", "f8")]))
    np.save("objects.npy", np.array([Evil()], object))
    np.savez("objects.npz", a=np.array([Evil()], object))
    with Path("bomb.npy").open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**14,)}
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(CannotRead, match=words):
        read_array(tmp_path / name)
    assert not Path("touched").exists()


def test_all_formats_are_named() -> None:
    assert set(WRITERS) - {"-v73.mat"} <= {*ARRAYS, *TABLES, *WEIGHTS}
    assert all(suffix in array_formats() for suffix in (*ARRAYS, *TABLES))
