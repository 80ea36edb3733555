"""Memory that is not there: told before anything is computed, or how numpy, torch and accelerators say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from unroll_dsl.cli.usage import UsageError

if TYPE_CHECKING:
    from unroll_dsl.ir.graph import Constant, Entry, Graph, Parameter, Slot

_MOST = 2**40  # bytes of one array: more than any machine gives
_WORDS = ("can't allocate memory", "out of memory", "not enough memory", "array is too big")


def is_no_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out; torch has no class of its own for it on a CPU."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError | ValueError) and any(word in words for word in _WORDS)
    )


def asked_for(error: BaseException) -> str:
    """What an error says of how much was asked for."""
    words = " ".join(str(error).partition("\n")[0].split())
    asked = re.search(r"allocate (\d+) bytes", words)  # of torch, amid places in its source
    return words if asked is None else f"{int(asked[1]) / 2**30:,.1f} GiB were asked for at once"


def refuse_huge(graph: Graph, dims: Mapping[str, int]) -> None:
    """Raise `UsageError` if the sizes that are known make an array that no memory holds."""
    from unroll_dsl.types import Array

    sizes = {name: dims.get(name, default) for name, default in graph.dims}
    known = {name: size for name, size in sizes.items() if size is not None}
    entries: tuple[Entry | Constant | Parameter | Slot, ...] = graph.inputs
    for declared in (*entries, *graph.constants, *graph.parameters, *graph.states):
        if not isinstance(declared.type, Array):
            continue
        count = 1
        for dim in declared.type.shape:
            count *= max(dim.substitute(known).value or 1, 1)
        if 8 * count > _MOST:
            names = {symbol for dim in declared.type.shape for symbol in dim.symbols}
            smaller = ",".join(f"{name}=100" for name, _ in graph.dims if name in names)
            raise UsageError(
                f"`{declared.name}` is {declared.type} of {8 * count / 1e12:,.0f} terabytes: there is "
                "not enough memory to compute with it",
                f"check it at smaller sizes: `--dims {smaller}`" if smaller else None,
            )
