"""The page of a run: self-contained, escaped, and there whatever the folder lacks."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from unroll_dsl.runs.page import html
from unroll_dsl.runs.reading import open_run
from unroll_dsl.runs.report import report
from unroll_dsl.train.errors import TrainingError

VOID = {"meta", "link", "img", "br", "hr"}


class Checker(HTMLParser):
    """Follows the tags and keeps the addresses and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "xlink:href"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="session")
def page(trained: Path) -> str:
    return html(report(open_run(trained)))


@pytest.fixture(scope="session")
def checked(page: str) -> Checker:
    found = Checker()
    found.feed(page)
    found.close()
    return found


def test_every_tag_is_closed(checked: Checker) -> None:
    assert checked.open == []


def test_the_page_needs_nothing_from_elsewhere(page: str, checked: Checker) -> None:
    assert all(address.startswith(("#", "data:")) for address in checked.addresses)
    assert not re.search(r"url\((?!#)|@import|<script", page)


def test_no_id_is_used_twice(checked: Checker) -> None:
    assert len(set(checked.ids)) == len(checked.ids)


def test_names_and_comments_are_escaped(page: str) -> None:
    assert "A small &lt;network&gt;, for tests." in page and "<network>" not in page


def test_every_section_has_its_figures(trained: Path) -> None:
    kinds = {s.id: [b.kind for b in s.blocks] for s in report(open_run(trained)).sections}
    assert kinds == {
        "training": ["plots"],
        "constants": ["plots", "table", "plots"],
        "filters": ["plots"],
        "examples": ["plots"],
        "classical": ["plots", "table"],
        "circumstances": ["table", "listing"],
        "program": ["listing"],
    }


@pytest.mark.parametrize("name", ["metrics.csv", "learned.jsonl", "bound.safetensors", "log.txt"])
def test_a_missing_file_leaves_a_page(run: Path, name: str) -> None:
    (run / name).unlink()
    assert "Program" in html(report(open_run(run)))


def test_a_run_without_networks_says_so(run: Path) -> None:
    for path in run.glob("*.safetensors"):
        if path.stem != "bound":
            path.unlink()
    found = html(report(open_run(run)))
    assert "holds no network yet" in found and "There is no trained network" in found


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no folder of a run"):
        open_run(tmp_path)
