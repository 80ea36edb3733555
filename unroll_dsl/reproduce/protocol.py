"""How a paper tests its network: `algorithms/NAME.protocol.toml`, data and no code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BadProtocol(ValueError):
    """A protocol that does not say what it should, or data that is not there."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """`kind` is "blocks" (cut, measure, reconstruct, join) or "k-space" (sample the transform).

    `data` has for each thing (`images`, `weights`, and the names to bind) its path under the data
    folder, with holes `{set}` and `{ratio}` that `defaults` fill.
    """

    kind: str
    side: int | None
    input: str
    operator: str | None
    mask: str | None
    defaults: Mapping[str, str]
    data: Mapping[str, str]
    published: Mapping[str, float]

    def place(self, what: str, folder: Path | None, choices: Mapping[str, str]) -> Path:
        """Where a thing lies."""
        if folder is None:
            raise BadProtocol(
                f"where is `{what}`? Give --data, or --bind and --weights and --images"
            )
        return folder / self.data[what].format(**choices)

    def published_psnr(self, choices: Mapping[str, str]) -> float | None:
        return self.published.get(f"{choices['set']}/{choices['ratio']}")


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Raises
    ------
    BadProtocol
        With the file and what is wrong in it.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadProtocol(f"{path.stem.partition('.')[0]} has no protocol ({path.name})") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadProtocol(f"{path}: {error}") from error
    kind = data.get("kind")
    needs = {"blocks": ("side", "operator"), "k-space": ("mask",)}
    if kind not in needs:
        raise BadProtocol(f"{path}: `kind` is one of {', '.join(needs)}, found {kind!r}")
    missing = [key for key in ("input", "data", "defaults", *needs[kind]) if key not in data]
    if missing:
        raise BadProtocol(f"{path}: missing {', '.join(missing)}")
    return Protocol(
        kind,
        data.get("side"),
        data["input"],
        data.get("operator"),
        data.get("mask"),
        data["defaults"],
        data["data"],
        data.get("published", {}),
    )
