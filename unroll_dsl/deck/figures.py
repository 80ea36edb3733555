"""The authors' figures by derived pages: their weights, through the map of the shipped page, and their test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unroll_dsl.data.given import at_ranks
from unroll_dsl.deck.pages import Slide
from unroll_dsl.files.arrays import read_array
from unroll_dsl.reproduce import reproduce
from unroll_dsl.reproduce.protocol import BadProtocol, read_protocol
from unroll_dsl.resources import beside

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class AuthorsFigure:
    """Mean PSNR in dB of a derived page with the authors' weights, and of their own code on these weights."""

    name: str
    choices: Mapping[str, str]
    found: float
    authors: float
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a figure is not there."""

    name: str
    choices: Mapping[str, str]
    reason: str


def figure(
    slide: Slide, asked: Mapping[str, str], data: Path, progress: Progress | None = None
) -> AuthorsFigure | Skipped:
    """The test of the shipped page's paper, run by the derived one.

    Parameters
    ----------
    asked
        What the protocol leaves open, where it is not its default.
    data
        A folder laid out as the protocol says.
    """
    protocol = read_protocol(beside(slide.name, "protocol.toml"))
    choices = protocol.choices(asked)
    try:
        places = {name: protocol.place(name, data, choices) for name in protocol.data}
    except BadProtocol as error:
        return Skipped(slide.name, choices, str(error))
    fixed = {constant.name for constant in slide.spec.graph.constants}
    given = {name: read_array(at, name=name) for name, at in places.items() if name in fixed}
    result = reproduce(
        slide.spec,
        protocol,
        images=places["images"],
        weights=places["weights"],
        names=beside(slide.name, "weights.toml"),
        bind=at_ranks(slide.spec, given),
        choices=choices,
        progress=progress,
    )
    authors = result.measured
    if authors is None:
        return Skipped(slide.name, choices, "the protocol has no figure of the authors for this")
    return AuthorsFigure(
        slide.name, choices, result.mean.psnr, authors, len(result.rows), result.seconds
    )
