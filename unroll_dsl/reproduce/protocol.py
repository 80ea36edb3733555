"""How a paper tests its network: `algorithms/NAME.protocol.toml`, data and no code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BadProtocol(ValueError):
    """A protocol that does not say what it should, or data that is not there."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """`kind` is "blocks" (cut, measure, reconstruct, join) or "k-space" (sample the transform).

    `data` has for each thing (`images`, `weights`, and the names to bind) its path under the data
    folder, with holes such as `{set}` and `{ratio}` that `defaults` fill; without `weights` the
    network is run as the program has it. Figures in dB stand under the choices joined by "/":
    `published` in the paper, `measured` by the authors' code on the weights they released.
    """

    kind: str
    input: str
    side: int | None = None  # of blocks
    operator: str | None = None  # the name of the matrix that measures blocks
    start: str | None = None  # the name of the matrix that a block is first reconstructed with
    mask: str | None = None
    centred: bool = False  # masks are stored with the zero frequency in the middle
    clip: bool = True  # reconstructions are clipped to [0, 1]
    defaults: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)

    def choices(self, given: Mapping[str, str]) -> dict[str, str]:
        """The defaults, with what was chosen instead.

        Raises
        ------
        BadProtocol
            For a choice that this protocol does not have.
        """
        for name in given:
            if name not in self.defaults:
                known = ", ".join(f"--{key}" for key in self.defaults)
                raise BadProtocol(f"this test has no --{name}; it has {known}")
        return {**self.defaults, **given}

    def place(self, what: str, folder: Path | None, choices: Mapping[str, str]) -> Path:
        """Where a thing lies."""
        if folder is None:
            option = f"--{what}" if what in ("images", "weights") else f"--bind {what}=FILE"
            raise BadProtocol(f"where is `{what}`? Give --data DIR, or {option}")
        return folder / self.data[what].format(**choices)


_NEEDS = {"blocks": ("side", "operator"), "k-space": ("mask",)}


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
    if kind not in _NEEDS:
        raise BadProtocol(f"{path}: `kind` is one of {', '.join(_NEEDS)}, found {kind!r}")
    missing = [key for key in ("input", "data", "defaults", *_NEEDS[kind]) if key not in data]
    if missing:
        raise BadProtocol(f"{path}: missing {', '.join(missing)}")
    known = set(Protocol.__dataclass_fields__)
    surplus = sorted(set(data) - known)
    if surplus:
        raise BadProtocol(f"{path}: `{surplus[0]}` is none of {', '.join(sorted(known))}")
    return Protocol(**data)
