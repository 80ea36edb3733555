"""Plots that commands write."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.files import refuse_to_overwrite, write_file
from unroll_dsl.cli.usage import UsageError

if TYPE_CHECKING:
    from unroll_dsl.runs.panels import Panel

_FORMATS = (".svg", ".png", ".pdf")


def check_plot(path: Path) -> None:
    """Raise `UsageError` if no plot can be written there; called before any long work."""
    if path.suffix not in _FORMATS:
        raise UsageError(f"{path}: plots are {', '.join(_FORMATS)}")
    refuse_to_overwrite(path, force=True)


def write_plot(panels: "Sequence[Panel]", path: Path) -> None:
    """Panels side by side, in the format of the suffix."""
    from unroll_dsl.runs.drawing import save

    stream = io.BytesIO()
    save(panels, stream, path.suffix[1:])
    write_file(path, lambda temporary: temporary.write_bytes(stream.getvalue()), force=True)
