"""Values that a user gives to a program's names: how many axes they have, and what is suspicious about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from unroll_dsl.data.masks import looks_centred
from unroll_dsl.files.arrays import at_rank
from unroll_dsl.ir.graph import Constant, Graph, Parameter
from unroll_dsl.ir.nodes import Operator
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Declared, Form, LinearMap


def rank_of(spec: Spec, name: str) -> int | None:
    """How many axes a value of a name has; None of maps and networks, and of names that there are not."""
    several: tuple[Constant | Parameter, ...] = (*spec.graph.constants, *spec.graph.parameters)
    for declared in several:
        if declared.name == name:
            match declared.type:
                case Array() as array:
                    return array.rank
                case LinearMap(Declared()):
                    return 2
    return None


def at_ranks(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays with the axes that the program says, as far as dropping axes of length one can do it."""
    return {
        name: at_rank(value, rank_of(spec, name)) if isinstance(value, np.ndarray) else value
        for name, value in given.items()
    }


def suspicions(spec: Spec, given: Mapping[str, Any]) -> Iterator[str]:
    """What is probably not meant, in words: a mask of k-space with its middle where `fft2` has corners."""
    if not _transforms(spec.graph):
        return
    for declared in spec.graph.constants:
        value = given.get(declared.name)
        is_mask = isinstance(declared.type, Array) and declared.type.form is Form.MASK
        if is_mask and value is not None and hasattr(value, "shape"):
            array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
            if looks_centred(array):
                yield (
                    f"the mask `{declared.name}` samples low frequencies in its middle, and `fft2` has them in the "
                    f"corners, the zero frequency first: numpy.fft.ifftshift({declared.name}) brings them there"
                )


def _transforms(graph: Graph) -> bool:
    nodes = (*graph.nodes, *(node for body in graph.functions for node in body.nodes))
    return any(
        isinstance(node.op, Operator) and node.op.operator in ("fft2", "ifft2") for node in nodes
    )
