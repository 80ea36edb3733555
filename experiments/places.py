"""Where the data of papers lie under `--data DIR`: as their protocols say, `algorithms/NAME.protocol.toml`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def places(data: Path | None, wanted: Mapping[str, str]) -> dict[str, Path] | None:
    """The files and folders of an experiment by name; None, with a word, where some are not there."""
    if data is None:
        print("skipped: no data; give their folder, --data DIR", file=sys.stderr)
        return None
    found = {name: data / path for name, path in wanted.items()}
    missing = [str(path) for path in found.values() if not path.exists()]
    if missing:
        print(f"skipped: there is no {', no '.join(missing)}", file=sys.stderr)
        return None
    return found
