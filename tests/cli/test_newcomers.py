"""Wrong calls as newcomers make them: the path, what was found, what is wanted."""

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Unroll

RUN = "run ista --bind A=A.npy --bind lambda=0.1"


@pytest.mark.parametrize(
    ("call", "words", "mend"),
    [
        (f"{RUN} --input y=y.npi", "y.npi: there is no such file", "did you mean `y.npy`"),
        (f"{RUN} --input y=notes.md", "notes.md: `.md` is no format of arrays", "the formats are .npy"),
        (f"{RUN} --input y=folder", "folder is a folder", "give a file in it"),
        (f"{RUN} --input y=5", "`y=5`: `y` comes from a file", "such as `y=y.npy`"),
        ("run ista --input y=y.npy --bind A=A.npy --bind lambda=0,1", "neither a number nor a file", "lambda=0.1"),
        (f"{RUN} --input y=two.npz", "two.npz holds `a` (3), `b` (2): which is meant?", "choose: `two.npz:a`"),
        (f"{RUN} --input y=two.npz:c", "two.npz holds no `c`", "it holds `a` (3), `b` (2)"),
        ("train lista_cp --out r --data folder", "folder has no images (.png, ", ""),
        ("train ista_net --out r --data notes.md", "`.md` is no format of arrays", "the formats are"),
        ("eval folder", "folder is no folder of a run: it has no run.toml", "unroll train SPEC --out RUN"),
        ("eval y.npy", "y.npy is no network: not a .safetensors file", "`unroll weights import` write"),
        ("weights import ista w.pth -o o.safetensors", "there is no map from authors' names", "`--map TOML`"),
        ("weights import ista_net w.pth -o o.safetensors", "w.pth is no file of PyTorch", ""),
        ("weights import ista_net w.pth -o o.pth", "o.pth: networks are written as .safetensors", ""),
        ("weights import ista_net none.pth -o o.safetensors", "none.pth: there is no such file", ""),
        ("reproduce ista --data folder", "ista has no protocol (ista.protocol.toml)", "zero_filling has"),
        ("reproduce zero_filling --data nowhere", "there is no folder nowhere", ""),
    ],
)  # fmt: skip
def test_wrong_calls(call: str, words: str, mend: str, unroll: Unroll, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.ones(3))
    np.save(tmp_path / "A.npy", np.eye(3, 4))
    np.savez(tmp_path / "two.npz", a=np.ones(3), b=np.ones(2))
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.md").write_text("no data")
    (tmp_path / "w.pth").write_bytes(b"garbage")
    result = unroll(*call.split())
    assert result.status == 2
    assert words in result.err
    assert mend in result.err
    assert "Errno" not in result.err
