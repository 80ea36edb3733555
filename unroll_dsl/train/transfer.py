"""What one stage has learned, carried to the network of the next.

Stored parameters are copied as they are, so that a constraint that holds by reflection gives the same
value and no bit is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

_OWN = re.compile(r"phases\.(\d+)\.(.+)")


def carry(old: Mapping[str, Tensor], network: nn.Module, start: str) -> None:
    """Write the state of the network before, `old`, into `network`.

    A shared value goes to every phase when it is untied; values of phases become their mean when they
    are tied. Phases that are new keep what the program gives them, or with `start` "previous" the
    values of the last phase that had them.
    """
    new = network.state_dict()
    with torch.no_grad():
        for name, value in new.items():
            found = _source(name, old, start)
            if found is not None and found.shape == value.shape:
                value.copy_(found)


def _source(name: str, old: Mapping[str, Tensor], start: str) -> Tensor | None:
    if name in old:
        return old[name]
    match = _OWN.fullmatch(name)
    if match is None:
        own = [old[key] for key in old if (m := _OWN.fullmatch(key)) and m[2] == name]
        return torch.stack(own).mean(0) if own else None
    phase, rest = int(match[1]), match[2]
    if rest in old:
        return old[rest]
    if start != "previous":
        return None
    before = [int(m[1]) for key in old if (m := _OWN.fullmatch(key)) and m[2] == rest]
    before = [k for k in before if k < phase]
    return old[f"phases.{max(before)}.{rest}"] if before else None
