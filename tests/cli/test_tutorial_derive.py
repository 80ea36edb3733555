"""docs/tutorial-derive.md is walked in an empty folder, command by command, with a few updates in place of hundreds."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl

ROOT = Path(unroll_dsl.__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "tutorial-derive.md").read_text(encoding="utf-8")
FEWER = {"--steps": "2", "--batch": "4"}


def blocks(kind: str) -> list[str]:
    """The texts of the code blocks of a kind, in order."""
    every = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [text for found, text in every if found == kind]


def commands() -> list[list[str]]:
    """What stands after `$ `, with lines that end in a backslash joined."""
    text = "".join(blocks("console")).replace("\\\n", " ")
    return [shlex.split(line[2:]) for line in text.splitlines() if line.startswith("$ ")]


def saved(folder: Path) -> None:
    """The problems and the scripts, under the names that the page gives them."""
    for text in blocks("unroll"):
        (name,) = re.findall(r"^problem (\w+)$", text, re.MULTILINE)
        (folder / f"{name}.unroll").write_text(text, encoding="utf-8")
    names = [words[1] for words in commands() if words[0] == "python"]
    for name, text in zip(names, blocks("python"), strict=True):
        (folder / name).write_text(text, encoding="utf-8")


def test_every_page_is_derived_as_it_is_shown(unroll: Any, tmp_path: Path) -> None:
    saved(tmp_path)
    pages = ""
    for words in commands():
        if words[:2] == ["unroll", "derive"]:
            done = unroll(*words[1:])
            assert done.status == 0, done.err
            path = Path(words[words.index("-o") + 1])
            pages += (tmp_path / path).read_text("utf-8")
    excerpts = blocks("")
    assert len(excerpts) == 3 and all(text in pages for text in excerpts)
    refused = unroll("derive", "trend.unroll").out
    assert "ista                no: its proximal map does not go through `D`" in refused


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_command_works(unroll: Any, tmp_path: Path) -> None:
    saved(tmp_path)
    trained = 0
    for words in commands():
        program, *arguments = words
        if program == "python":
            runpy.run_path(arguments[0])
            continue
        for i, word in enumerate(arguments):
            if word in FEWER:
                arguments[i + 1] = FEWER[word]
        done = unroll(*arguments)
        assert done.status == 0, f"{' '.join(words)}\n{done.err}"
        trained += arguments[0] == "train"
    assert trained == 3
