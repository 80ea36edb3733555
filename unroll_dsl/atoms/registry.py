"""All atoms by name. A module of this package that binds `ATOMS` is found; nothing else is needed."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from unroll_dsl.atoms.model import Atom
from unroll_dsl.diagnostics.raised import InternalError


@cache
def _atoms() -> Mapping[str, Atom]:
    import unroll_dsl.atoms as package

    found: dict[str, Atom] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for atom in getattr(import_module(f"{package.__name__}.{module}"), "ATOMS", ()):
            if atom.name in found:
                raise InternalError(f"two atoms are called `{atom.name}`")
            found[atom.name] = atom
    return found


def atoms() -> tuple[Atom, ...]:
    """All there are, in the order of their modules."""
    return tuple(_atoms().values())


def atom(name: str) -> Atom:
    """The atom of that name, which must exist."""
    if name not in _atoms():
        raise InternalError(f"no atom is called `{name}`")
    return _atoms()[name]
