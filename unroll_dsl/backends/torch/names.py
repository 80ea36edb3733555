"""Names in generated code: Python's, one scope at a time."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

from unroll_dsl.backends.torch.helpers import texts
from unroll_dsl.types.attributes import TAKEN

# what a generated module uses itself
_MODULE = frozenset(
    ["torch", "nn", "Tensor", "Callable", "checkpoint", "warnings", "self", "dtype", "device", "k"]
)
# methods and attributes of generated classes, and the locals that their loops keep
_OWN = frozenset(
    [
        "begin",
        "early",
        "first",
        "first_phase",
        "forward",
        "freeze",
        "last",
        "last_phase",
        "last_phase_traced",
        "LastPhase",
        "loss",
        "next_to_last_phase",
        "next_to_last_phase_traced",
        "NextToLastPhase",
        "Phase",
        "phase",
        "phase_traced",
        "phases",
        "start",
        "states",
        "total",
        "traced",
        "trajectory",
    ]
)
# those of them that are counted: phases.py, methods.py
_COUNTED = re.compile(r"total_\d+|phase_before_last\d+(_traced)?|PhaseBeforeLast\d+")
RESERVED = (
    _MODULE
    | _OWN
    | frozenset(texts())
    | TAKEN
    | frozenset(dir(builtins))
    | frozenset(keyword.kwlist)
)


def identifier(name: str) -> str:
    """A name of a program as a Python identifier that no name of ours is, nor another of the program.

    Most names stay as they are. What is taken, and what ends in an underscore, gets one more
    (`lambda_` is `lambda`, and `lambda__` is `lambda_`), so that two names never become one. Names that
    begin with underscores get some at their end too: `nn.Module` and Python have names of that kind.
    Letters that Python merges with others get one each (x₁ is `x1_`); if that makes two names of a
    program one, `Layout` refuses it.
    """
    # Python merges what looks alike: a letter that it changes gets an underscore, so that x₁ is not x1
    composed = unicodedata.normalize("NFC", name)
    letters = ((c, unicodedata.normalize("NFKC", c)) for c in composed)
    found = "".join(c if same == c else f"{same}_" for c, same in letters)
    if not found.isidentifier():
        found = "".join(c if f"_{c}".isidentifier() else "_" for c in found)
    if composed.startswith("__") or not composed.strip("_"):
        return f"{found}___"  # `__x` alone would be renamed within a class, `__x__` is Python's
    own = composed.endswith("_") or composed.startswith("_")
    return f"{found}_" if own or is_reserved(found) else found


def is_reserved(word: str) -> bool:
    """Whether generated modules may use an identifier themselves."""
    return word in RESERVED or _COUNTED.fullmatch(word) is not None


def class_name(name: str) -> str:
    """`ista_net_plus` becomes `IstaNetPlus`."""
    words = [word for word in unicodedata.normalize("NFKC", name).split("_") if word]
    found = "".join(word[0].upper() + word[1:] for word in words) or "Network"
    if not found.isidentifier():
        found = identifier(found)
    return f"{found}Network" if is_reserved(found) else found


def distinct(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names of a program that Python takes for one, or None."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(identifier(name), name)
        if first != name:
            return first, name
    return None


class Scope:
    """Hands out names that are not taken."""

    def __init__(self, taken: frozenset[str] | set[str] = frozenset()) -> None:
        self._taken = set(taken)

    def fresh(self, wish: str, otherwise: str | None = None) -> str:
        """`wish` as an identifier; where it is taken `otherwise`, or one with a number."""
        base = identifier(wish)
        if otherwise is not None and base in self._taken:
            return self.fresh(otherwise)
        candidate, number = base, 2
        while candidate in self._taken:
            candidate, number = f"{base.rstrip('_')}_{number}", number + 1
        self._taken.add(candidate)
        return candidate

    def take(self, name: str) -> None:
        self._taken.add(name)

    def inner(self, wish: str) -> str:
        """A name for a scope within this one, whose value no other of this one may hide."""
        return self.copy().fresh(wish)

    def copy(self) -> Scope:
        return Scope(self._taken)
