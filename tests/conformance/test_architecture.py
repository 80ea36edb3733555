"""docs/architecture.md tells one statement's journey: line for line what the compiler shows of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unroll_dsl.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
STEPS = {"semantics": "types", "ir": "ir", "passes": "ir:dead", "torch": "torch"}


def _told(stage: str) -> list[str]:
    """The lines of a stage in the page, without the words at their ends."""
    journey = PAGE[: PAGE.index("See each step:")]
    block = re.search(rf"^    {stage} +(.*\n(?:               .*\n)*)", journey, re.M)
    assert block is not None
    lines = [line.strip() for line in block[1].splitlines()]
    return [
        re.split(r"  {4,}(?=[a-z])", line)[0]
        for line in lines
        if "lista.unroll:21" in line or "21:" in line
    ]


@pytest.mark.parametrize("stage", list(STEPS))
def test_one_statement(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "lista", "--emit", STEPS[stage]]) == 0
    shown = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    told = _told(stage)
    assert told
    for line in told:
        assert " ".join(line.split()) in shown, line


def test_every_room_that_the_page_names_is_there() -> None:
    for word in set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", PAGE)):
        here = (ROOT / word).exists() or any((ROOT / "unroll_dsl").glob(f"**/{word}"))
        assert here or word == "lsp/", word
