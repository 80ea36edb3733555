"""A page of sections as one HTML file that needs no other: style, plots and pictures are inside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from unroll_dsl.runs.drawing import svg
from unroll_dsl.runs.panels import Panel
from unroll_dsl.runs.pictures import Picture
from unroll_dsl.shown import framed
from unroll_dsl.version import VERSION


@dataclass(frozen=True, slots=True)
class Plots:
    """Plots side by side, as many in a row as there is room for."""

    panels: tuple[Panel, ...]
    kind: ClassVar[str] = "plots"

    def drawn(self) -> list[tuple[Markup, str]]:
        """Each as an `<svg>` element, with its caption."""
        return [(Markup(svg(panel)), panel.caption) for panel in self.panels]


@dataclass(frozen=True, slots=True)
class PictureRow:
    """Pictures in a row: what belongs together, such as a target and its reconstruction."""

    items: tuple[Picture, ...]
    title: str = ""
    wide: bool = False  # one that takes the whole width
    kind: ClassVar[str] = "pictures"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns after the first are figures."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: bool = False  # columns after the first are words
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, slots=True)
class Listing:
    """A text in a fixed pitch, behind its title where that is given."""

    text: str
    title: str = ""
    program: bool = False
    kind: ClassVar[str] = "listing"

    def marked(self) -> Markup:
        """The text for HTML, with comments and keywords marked if it is a program."""
        return _marked(self.text) if self.program else escape(self.text)


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence, such as why something is missing."""

    text: str
    kind: ClassVar[str] = "note"


Block = Plots | PictureRow | Table | Listing | Note


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    blocks: tuple[Block, ...]
    intro: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`cards` are the few figures that matter most, `facts` what else a header says."""

    title: str
    subtitle: str
    about: tuple[str, ...]  # paragraphs
    cards: tuple[tuple[str, str, str], ...]  # figure, what it is, a word more
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        return framed(html(self))

    def save(self, path: Path | str) -> None:
        """Write the page as one file of HTML."""
        Path(path).write_text(html(self), encoding="utf-8")


def html(page: Page) -> str:
    """The whole file. Everything that comes from a run is escaped."""
    return _template().render(page=page, version=VERSION)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("unroll_dsl.runs", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    return environment.get_template("page.html")


def _code(text: str) -> Markup:
    """A sentence whose `quoted` words are set as code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # a quote that is not closed
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


_WORDS = re.compile(
    r"(?P<comment>#[^\n]*)|\b(?P<word>algorithm|problem|dims|input|fixed|learnable|let|state|phase|"
    r"output|loss|measure|minimize|over|trace|def|return|per|sum|phases|linear|prev)\b"
)


def _marked(text: str) -> Markup:
    parts: list[Markup] = []
    place = 0
    for match in _WORDS.finditer(text):
        kind = "c" if match["comment"] is not None else "k"
        parts.append(escape(text[place : match.start()]))
        parts.append(Markup('<span class="{}">{}</span>').format(kind, match[0]))
        place = match.end()
    return Markup("").join([*parts, escape(text[place:])])
