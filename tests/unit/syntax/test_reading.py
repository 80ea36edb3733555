"""Files that can be read, and those that cannot."""

from pathlib import Path

import pytest

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import read_source


def test_utf8_with_and_without_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.unroll"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + "let λ = 3\r\n".encode())
        source = read_source(path)
        assert isinstance(source, SourceFile)
        assert (source.name, source.text) == (str(path), "let λ = 3\r\n")


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"a\nb\xff\n", "U0102", "line 2 has the byte 0xff"),
        (b"a\0b", "U0102", "line 1 has a null byte"),
        ("a".encode("utf-16"), "U0102", "UTF-16"),
        (b"x" * 1_000_001, "U0103", "1,000,001 bytes"),
    ],
)
def test_what_is_no_program(tmp_path: Path, data: bytes, code: str, words: str) -> None:
    path = tmp_path / "a.unroll"
    path.write_bytes(data)
    found = read_source(path)
    assert isinstance(found, Diagnostic)
    assert found.code == code and words in found.message()


def test_missing_file(tmp_path: Path) -> None:
    (tmp_path / "ista.unroll").write_text("")
    found = read_source(tmp_path / "isat.unroll")
    assert isinstance(found, Diagnostic)
    assert found.code == "U0101" and "no such file" in found.message()
    assert found.help() == f"did you mean `{tmp_path / 'ista.unroll'}`?"


@pytest.mark.parametrize("name", [".", "missing/deep.unroll", "a\0b", "x" * 5000])
def test_paths_that_are_no_files(tmp_path: Path, name: str) -> None:
    found = read_source(tmp_path / name)
    assert isinstance(found, Diagnostic) and found.code == "U0101"
