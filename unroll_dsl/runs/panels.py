"""What a plot shows, before it is drawn: lines over one pair of axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Points = tuple[float, ...]

_DECADES = 10.0  # positive values that span more than this are shown on a logarithmic axis


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One curve: `y` against `x`, both of the same length.

    `shade`, from 0 to 1, places a line in an ordered family, such as phases; `colour` numbers the
    members of an unordered one. `band` is a range around the line: lower and upper values.
    """

    x: Points
    y: Points
    label: str = ""
    colour: int = 0
    shade: float | None = None
    dashed: bool = False
    muted: bool = False  # in the colour of the text: what others are held against
    points: bool = False
    bare: bool = False  # points alone
    stems: bool = False  # each value as a line from 0
    band: tuple[Points, Points] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes. `marks` are places on the x axis that deserve a thin line."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[PanelLine, ...]
    log_x: bool = False
    log_y: bool = False
    whole_x: bool = False  # only whole numbers have a tick
    marks: Points = ()
    y_range: tuple[float, float] | None = None  # where what lies outside is of no interest
    caption: str = field(default="", kw_only=True)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether finite values are all positive and so far apart that a logarithm shows them better."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > _DECADES * min(finite)


def finite(x: Sequence[float], y: Sequence[float]) -> tuple[Points, Points]:
    """The points of a curve whose value is a finite number."""
    kept = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
    return tuple(a for a, _ in kept), tuple(b for _, b in kept)
