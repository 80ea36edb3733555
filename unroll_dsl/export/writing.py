"""A network written in a format, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import nn

from unroll_dsl.export.refused import CannotExport
from unroll_dsl.export.taken import Frozen, frozen

Write = Callable[[Frozen, Path], float]


def formats() -> Mapping[str, Write]:
    """What writes each format."""
    from unroll_dsl.export.folder import write_folder
    from unroll_dsl.export.onnx import write_onnx
    from unroll_dsl.export.packages import write_aoti, write_pt2

    return {"onnx": write_onnx, "pt2": write_pt2, "aoti": write_aoti, "py": write_folder}


def export(
    network: nn.Module,
    path: Path | str,
    *,
    format: str | None = None,
    dims: Mapping[str, int] | None = None,
) -> float:
    """Write a network for another runtime, frozen, with any batch: `unroll export`. See docs/export.md.

    Parameters
    ----------
    network
        Of `Spec.compile`, `load_network` or `Run.network`.
    path
        A file, for `py` a folder; what is there is written over.
    format
        "onnx", "pt2", "aoti" or "py"; by default what the ending of `path` says.
    dims
        Sizes of the inputs that nothing bound determines.

    Returns
    -------
    float
        How far what was written is from the network, run with another batch, relative to what it gives.

    Raises
    ------
    CannotExport
        If the format has an operation of the network not, by its name; or what was written gives something else.
    """
    known = formats()
    target = Path(path)
    word = format or target.suffix.removeprefix(".") or "py"
    if word not in known:
        raise CannotExport(
            f"no format `{word}`", f"give one of {', '.join(known)}, as `format=` or as the ending"
        )
    return known[word](frozen(network, dims), target)
