"""Packages of torch: a program that `torch.export.load` reads, and compiled code that AOTInductor runs."""

from __future__ import annotations

from pathlib import Path

import torch

from unroll_dsl.export.checked import BATCH, agreement
from unroll_dsl.export.programs import program
from unroll_dsl.export.refused import CannotExport, among_themselves
from unroll_dsl.export.taken import Frozen


def write_pt2(made: Frozen, path: Path) -> float:
    """Write a network as `.pt2`: `torch.export.load(path).module()` is it, with torch alone."""
    torch.export.save(program(made), path)
    loaded = torch.export.load(path).module()
    return _agreement(made, loaded, "torch.export")


def write_aoti(made: Frozen, path: Path) -> float:
    """Write a network as compiled code: `torch._inductor.aoti_load_package(path)` runs it, and C++ does without Python.

    Raises
    ------
    CannotExport
        If it cannot be compiled, for want of a compiler for instance.
    """
    from torch import _inductor

    try:
        with torch.no_grad(), among_themselves():
            _inductor.aoti_compile_and_package(program(made), package_path=str(path))
    except CannotExport:
        raise
    except Exception as error:  # of the compiler behind it
        words = str(error).strip().partition("\n")[0]
        raise CannotExport(
            f"AOTInductor does not compile `{made.name}`: {words}", "`--pt2` writes it"
        ) from error
    return _agreement(made, _inductor.aoti_load_package(str(path)), "AOTInductor")


def _agreement(made: Frozen, loaded: object, where: str) -> float:
    given = made.samples(BATCH)
    assert callable(loaded)
    with torch.no_grad():
        found = loaded(*given)
    return agreement(made, given, found if isinstance(found, tuple | list) else (found,), where)
