"""How a paper tests its network: `algorithms/NAME.protocol.toml`, data and no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from unroll_dsl.files.toml import BadToml, read_toml


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
        path = folder / self.data[what].format(**choices)
        if path.exists():
            return path
        if not folder.is_dir():
            raise BadProtocol(f"there is no folder {folder} for the data of this test")
        return _found(folder, self.data[what], choices)

    def chooses(self, what: str) -> set[str]:
        """The choices that the path of a thing depends on."""
        return {name for _, name, _, _ in Formatter().parse(self.data[what]) if name}

    def figure(self, figures: Mapping[str, float], choices: Mapping[str, str]) -> float | None:
        """What a table says under these choices; "01" is "1"."""
        wanted = [_plain(choices[name]) for name in self.defaults]
        for key, value in figures.items():
            if [_plain(part) for part in key.split("/")] == wanted:
                return value
        return None


def _plain(choice: str) -> str:
    return choice.lstrip("0") or "0" if choice.isdecimal() else choice


def _found(folder: Path, template: str, choices: Mapping[str, str]) -> Path:
    """The path where numbers among the choices are written with zeros before them: `--ratio 1` is `ratio01`.

    Raises
    ------
    BadProtocol
        If there is none, with the first folder or file on the way that is not there, and what is.
    """
    numbers = {key: value for key, value in choices.items() if value.isdecimal()}
    for width in (2, 3):
        path = folder / template.format(
            **{**choices, **{key: _plain(value).zfill(width) for key, value in numbers.items()}}
        )
        if path.exists():
            return path
    path = folder / template.format(**choices)
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    there = sorted(p.name for p in missing.parent.iterdir() if not p.name.startswith("."))
    raise BadProtocol(
        f"{path} is not there: {missing.parent} holds {', '.join(there[:12]) or 'nothing'}"
    )


_NEEDS = {"blocks": ("side", "operator"), "k-space": ("mask",)}


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Raises
    ------
    BadProtocol
        With the file and what is wrong in it.
    """
    try:
        data = read_toml(path)
    except FileNotFoundError as error:
        others = sorted(p.name.partition(".")[0] for p in path.parent.glob("*.protocol.toml"))
        raise BadProtocol(
            f"{path.stem.partition('.')[0]} has no protocol ({path.name}); {', '.join(others) or 'nothing'} has"
        ) from error
    except (OSError, BadToml) as error:
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
