"""U05: weights that are not those of a network."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic

_SHOWN = 8  # names of a kind


@dataclass(frozen=True)
class WeightsMisfit(Diagnostic):
    """A file of weights does not fit the network: all that is missing, surplus or misshapen is named.

    Nothing of it is used. Either the weights belong to another network, another number of phases or
    another matrix, or the map of names (`NAME.weights.toml`) does not describe them.
    """

    code = "U0521"
    title = "weights do not fit"
    source: str
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    misshapen: tuple[str, ...]

    def message(self) -> str:
        parts = [f"the weights in {self.source} do not fit"]
        for word, names in (
            ("missing", self.missing),
            ("surplus", self.surplus),
            ("misshapen", self.misshapen),
        ):
            if names:
                more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                parts.append(f"{word}: {', '.join(names[:_SHOWN])}{more}")
        return "; ".join(parts)

    def help(self) -> str | None:
        return "are they of this network, with as many phases?"
