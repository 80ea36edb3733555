"""The values of options: `NAME=VALUE` pairs and sizes.

Each function is a `type=` of argparse: it raises `ArgumentTypeError`, which becomes a usage error
that names the option.
"""

from argparse import ArgumentTypeError
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from unroll_dsl.cli.usage import UsageError

if TYPE_CHECKING:
    from unroll_dsl.backends.resting import Phases

Value = TypeVar("Value")


def pair(text: str) -> tuple[str, str]:
    """`A=A.npy` -> `("A", "A.npy")`."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise ArgumentTypeError(f"`{text}` is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def learn(text: str) -> tuple[str, str]:
    """`alpha=per-phase` -> `("alpha", "per phase")`; `alpha` alone is shared."""
    name, _, sharing = text.partition("=")
    words = sharing.strip().replace("-", " ").replace("_", " ") or "shared"
    if words not in ("shared", "per phase"):
        raise ArgumentTypeError(f"`{sharing}` is neither `shared` nor `per-phase`")
    return name.strip(), words


def sizes(text: str) -> tuple[tuple[str, int], ...]:
    """`n=100,m=50` -> `(("n", 100), ("m", 50))`."""
    found = []
    for part in text.split(","):
        name, value = pair(part)
        if not value.isdecimal() or int(value) < 1:
            raise ArgumentTypeError(f"`{value}` is not a size: a whole number of at least 1")
        found.append((name, int(value)))
    return tuple(found)


def count(text: str) -> int:
    """A number of phases."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return int(text)


def level(text: str) -> int:
    """A level of optimisation."""
    if text not in ("0", "1", "2"):
        raise ArgumentTypeError(f"`{text}` is not a level of optimisation: 0, 1 or 2")
    return int(text)


def phases(text: str) -> "Phases":
    """A number of phases, or "fixed_point"."""
    return "fixed_point" if text == "fixed_point" else count(text)


def by_name(pairs: Iterable[tuple[str, Value]], option: str) -> dict[str, Value]:
    """Pairs as a dictionary; the same name twice is a wrong call, not a choice of the last."""
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise UsageError(f"`{option}` gives `{name}` twice")
        found[name] = value
    return found
