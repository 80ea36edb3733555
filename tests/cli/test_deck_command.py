"""`deck`: pages in a folder, the walk as HTML, figures that are skipped with a reason."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl
from unroll_dsl.deck import Skipped, slides, walk
from unroll_dsl.derive.deck import deck

Unroll = Callable[..., Any]  # the fixture `unroll`


class Anchors(HTMLParser):
    """Where links lead, and what can be led to; elements that are open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [(given["href"] or "").lstrip("#")] if "href" in given else []
        self.places += [given["id"] or ""] if "id" in given else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_and_the_walk(unroll: Unroll, tmp_path: Path) -> None:
    pytest.importorskip("latex2mathml")
    result = unroll("deck", "--out", "made", "--data", "nowhere")
    assert result.status == 0
    assert f"wrote {len(deck())} pages and index.html into made" in result.err
    assert "admm_net, stages 15        skipped: there is no folder nowhere" in result.out
    for name in deck():
        assert unroll_dsl.load(tmp_path / "made" / f"{name}.unroll").name == name
    text = (tmp_path / "made" / "index.html").read_text(encoding="utf-8")
    anchors = Anchors(text)
    assert anchors.open == [] and len(set(anchors.places)) == len(anchors.places)
    assert {*anchors.links} == {*anchors.places} >= {*deck()}
    maths = "".join(re.findall(r"<math.*?</math>", text, re.S))
    assert "argmin" in re.sub(r"<.*?>|\s", "", maths)
    assert "\\" not in maths and "<mo>*</mo>" not in maths  # no command was left as it was
    again = unroll("deck", "--out", "made")
    assert again.status == 2 and "`--force` writes over it" in again.err


def test_a_network_stands_below_its_iteration() -> None:
    """ISTA is derived once, and LISTA follows from it: matrices, then thresholds."""
    pytest.importorskip("latex2mathml")
    found = list(slides({"ista", "lista", "fista"}))
    text = walk(found, [Skipped("lista", {"set": "a<b"}, "no & weights")])
    headings = [h for _, h in re.findall(r"<h([35])>(.*?)</h\1>", text)]
    assert headings == [
        "lasso by proximal gradient (ISTA)",
        "The iteration ista",
        "The network lista",
        "Learned matrices",
        "Learned thresholds",
        "lasso by accelerated proximal gradient (FISTA)",
        "The iteration fista",
    ]
    lista = text.split('<section class=network id="lista">')[1].split("</section>")[0]
    assert lista.index("class=before") < lista.index("class=after")
    assert "<p>7 phases; learnt:</p>" in lista and "vector[n] per phase" in lista
    assert "Not run (set a&lt;b): no &amp; weights." in lista


def test_names_without_figures(unroll: Unroll) -> None:
    result = unroll("deck", "--out", "made", "--data", ".", "--figure", "admm_nett")
    assert result.status == 2 and "admm_net" in result.err
    assert unroll("deck", "--out", "made", "--figure", "admm_net").status == 2
