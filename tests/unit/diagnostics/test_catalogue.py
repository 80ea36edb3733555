"""The catalogue of codes and the pages made from it."""

import re
from pathlib import Path

import pytest

from unroll_dsl.diagnostics.catalogue import (
    FAMILIES,
    UnknownCode,
    body,
    catalogue,
    explain,
    family,
    find,
)
from unroll_dsl.diagnostics.pages import markdown_pages

PAGES = Path(__file__).parents[3] / "docs" / "errors"


def test_codes_are_of_the_families() -> None:
    assert catalogue()
    assert list(catalogue()) == sorted(catalogue())
    for code, diagnostic in catalogue().items():
        assert code == diagnostic.code
        assert re.fullmatch(r"[UW]0[1-6]\d\d", code)
        assert family(code) in FAMILIES.values()


@pytest.mark.parametrize("code", catalogue())
def test_every_code_has_a_page(code: str) -> None:
    """A title, a sentence, and for what files can show a program that is right."""
    diagnostic = catalogue()[code]
    assert diagnostic.title and not diagnostic.title.endswith(".")
    text = body(diagnostic)
    assert not text.startswith(f"{diagnostic.__name__}("), "the class has no docstring"
    assert text.split("\n")[0].endswith((".", ":")) or "." in text
    if code < "U05":
        assert re.search(r"\bRight\b", text), "the page shows nothing that is right"
        assert re.search(r"^    \S", text, re.M), "the page has no example"


def test_explain() -> None:
    page = explain("u0301")
    assert page.startswith("U0301: operator applied to the wrong space\n\nA linear map is applied")
    assert "\n    x <- x - t * A' @ r\n" in page


def test_unknown_codes_name_near_ones() -> None:
    with pytest.raises(UnknownCode) as caught:
        find("U0301x")
    assert "U0301" in caught.value.near
    with pytest.raises(UnknownCode) as caught:
        find("soft")
    assert caught.value.near == ()


def test_the_pages_in_docs_are_current() -> None:
    """If this fails: `unroll explain --all --write docs/errors`."""
    committed = {path.name: path.read_bytes().decode("utf-8") for path in PAGES.glob("*.md")}
    assert committed == markdown_pages()


def test_pages_show_programs_as_code() -> None:
    page = markdown_pages()["U0301.md"]
    assert page.startswith("# U0301: operator applied to the wrong space\n")
    assert "Right:\n\n```unroll\nx <- x - t * A' @ r\n```\n" in page
    assert "- [U0301](U0301.md): operator applied" in markdown_pages()["index.md"]
