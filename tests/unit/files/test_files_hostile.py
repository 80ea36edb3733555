"""Small files whose headers claim what no memory holds, or that are nested without end: told as what they are."""

import io
import json
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from unroll_dsl.files import CannotRead
from unroll_dsl.files.arrays import read_arrays
from unroll_dsl.files.tensors import read_tensors
from unroll_dsl.files.toml import BadToml, parse_toml, read_toml
from unroll_dsl.reproduce.protocol import BadProtocol, read_protocol
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.tables import read_file, setting
from unroll_dsl.weights.held import from_file
from unroll_dsl.weights.names import BadMap, read_map


def npy(shape: tuple[int, ...], data: bytes = b"\0" * 64) -> bytes:
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


def npz(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", npy(shape))
    return stream.getvalue()


def zeros_in_npz(count: int) -> bytes:
    """Zeros are packed a thousand to one, again in a member that claims the right size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy((count,)))
    return stream.getvalue()


def safetensors(header: Any, length: int | None = None) -> bytes:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * 64


def mat(rows: int) -> bytes:
    """A matrix of 2 x 2 whose dimensions are written over, little-endian int32."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"a": np.ones((2, 2))}, do_compression=False)
    data = bytearray(stream.getvalue())
    place = data.index(struct.pack("<IIii", 5, 8, 2, 2)) + 8
    data[place : place + 8] = struct.pack("<ii", rows, rows)
    return bytes(data)


def hdf5(folder: Path) -> bytes:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "made.h5", "w") as file:
        file.create_dataset("a", shape=(10**7, 10**7), dtype="f8", chunks=(100, 100))
    return (folder / "made.h5").read_bytes()


BOMBS: dict[str, Callable[[], bytes]] = {
    "a.npy": lambda: npy((10**6, 10**6)),
    "b.npy": lambda: npy((2**62, 2**62)),
    "c.npy": lambda: npy((-5,)),
    "d.npy": lambda: b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{" * 64,
    "a.npz": lambda: npz((10**6, 10**6)),
    "b.npz": lambda: zeros_in_npz(10**13),
    "a.safetensors": lambda: safetensors({}, 2**62),
    "b.safetensors": lambda: safetensors(
        {"a": {"dtype": "F64", "shape": [10**6, 10**6], "data_offsets": [0, 8 * 10**12]}}
    ),
    "c.safetensors": lambda: safetensors(b'{"a":' + b"[" * 50_000),
    "a.mat": lambda: mat(2**30),
    "b.mat": lambda: mat(-1),
    "a.csv": lambda: b"1," * 30_000 + b"\n1\n",
}


def told(function: Callable[[], object], error: type[Exception], *words: str) -> None:
    begin = time.process_time()
    with pytest.raises(error) as caught:
        function()
    assert time.process_time() - begin < 2
    assert str(caught.value) and not isinstance(caught.value, MemoryError | RecursionError)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("name", BOMBS)
def test_arrays(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    assert path.stat().st_size < 2**16
    told(lambda: read_arrays(path), CannotRead, name)


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "a.csv"])
def test_weights(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    told(lambda: read_tensors(path), CannotRead, name)


def test_an_array_of_hdf5_that_was_never_written(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(hdf5(tmp_path))
    told(lambda: read_arrays(path), CannotRead, "a.h5", "memory")


@pytest.mark.parametrize("name", ["a.safetensors", "b.safetensors", "c.safetensors"])
def test_networks(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    told(lambda: from_file(path), CannotRead, name)


TOML = {
    "deep arrays": "a = " + "[" * 20_000 + "]" * 20_000,
    "deep tables": "a = " + "{b = " * 10_000 + "1" + "}" * 10_000,
    "deep names": "a = 1\n" + ".".join("b" * 5_000) + " = 1",
    "deep headers": "a = 1\n[" + ".".join("b" * 5_000) + "]",
    "a long number": "a = " + "9" * 10_000,
    "no end": "a = " + "[" * 20_000,
    "binary": "\0\1\2",
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML.keys())
def test_settings(text: str, tmp_path: Path) -> None:
    told(lambda: parse_toml(text), BadToml)
    path = tmp_path / "x.protocol.toml"
    path.write_text(text)
    told(lambda: read_toml(path), BadToml)
    told(lambda: read_map(path), BadMap, "x.protocol.toml")
    told(lambda: read_protocol(path), BadProtocol, "x.protocol.toml")
    told(lambda: read_file(path), TrainingError, "x.protocol.toml")
    assert isinstance(setting("a=" + text[4:]), dict)  # a word then


def test_settings_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes("a = 'ä'".encode("utf-16"))
    told(lambda: read_map(path), BadMap, "UTF-8")
    told(lambda: read_protocol(path), BadProtocol, "UTF-8")
