"""Which files there are by their suffixes, and `FILE:NAME`. Imports nothing: `--help` names them all."""

from __future__ import annotations

from pathlib import Path

from unroll_dsl.files.errors import CannotRead
from unroll_dsl.near import near

ARRAYS = (".npy", ".npz", ".mat", ".h5", ".hdf5", ".safetensors")
TABLES = (".csv", ".txt")  # arrays too, but in a folder of images they are none
WEIGHTS = (".pt", ".pth", ".ckpt", ".tar", ".pkl", ".bin")  # as torch.save writes them
PICTURES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".pgm")
_WORDS = {".csv": ".csv (commas)", ".txt": ".txt (blanks)"}


def array_formats() -> str:
    """The formats of arrays, in words."""
    return ", ".join(_WORDS.get(suffix, suffix) for suffix in (*ARRAYS, *TABLES, *WEIGHTS[:2]))


def weight_formats() -> str:
    """The formats of weights, in words."""
    return ", ".join((*WEIGHTS, *ARRAYS))


def file_and_member(path: Path) -> tuple[Path, str]:
    """`FILE:NAME` taken apart; a path without a name, or a file that is called so, has no member."""
    file, _, member = path.name.rpartition(":")
    return (path, "") if path.is_file() or not file else (path.with_name(file), member)


def check_there(path: Path) -> None:
    """Raise `CannotRead` for what is no file, with names in its folder that are near."""
    if path.is_file():
        return
    if path.is_dir():
        raise CannotRead(f"{path} is a folder", "give a file in it")
    if path.exists():
        return  # a pipe, or a device
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = near(path.name, beside, most=2)
    mend = " or ".join(f"`{path.with_name(name)}`" for name in close)
    raise CannotRead(
        f"{path}: there is no such file",
        f"did you mean {mend}?" if close else None,
    )
