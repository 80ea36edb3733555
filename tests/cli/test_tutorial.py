"""docs/tutorial.md is walked in an empty folder, command by command, with a few updates in place of hundreds."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl

ROOT = Path(unroll_dsl.__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
FEWER = {"--steps": "4", "validate.every": "2", "--batch": "2", "--phases": "2"}


def blocks(kind: str) -> list[str]:
    """The texts of the code blocks of a kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """What stands after `$ `, with lines that end in a backslash joined."""
    text = "".join(blocks("console")).replace("\\\n", " ")
    return [line[2:].split() for line in text.splitlines() if line.startswith("$ ")]


def fewer(words: list[str]) -> list[str]:
    """The same command with less to do."""
    found = list(words)
    for i, word in enumerate(words):
        if word in FEWER:
            found[i + 1] = FEWER[word]
        name = word.partition("=")[0]
        if "=" in word and name in FEWER:
            found[i] = f"{name}={FEWER[name]}"
    return found


def edited(path: Path, change: str) -> None:
    """Apply a diff of single lines."""
    old, new = (re.findall(rf"^\{sign}(.*)$", change, re.MULTILINE) for sign in "-+")
    text = path.read_text(encoding="utf-8")
    for before, after in zip(old, new, strict=True):
        assert text.count(before) == 1, f"the program has no line `{before}`"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def test_the_edit_is_one_of_a_line_that_is_there(unroll: Any, tmp_path: Path) -> None:
    first, *_ = commands()
    assert unroll(*first[1:]).status == 0
    (change,) = blocks("diff")
    edited(tmp_path / "my_net.unroll", change)
    done = unroll("check", "--static", "my_net.unroll")
    assert done.status == 0, done.err


def test_figures_are_there_and_small() -> None:
    figures = [ROOT / "docs" / name for name in re.findall(r"\]\((figures/[^)]+)\)", PAGE)]
    assert figures
    assert sum(path.stat().st_size for path in figures) < 150_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_command_works(unroll: Any, tmp_path: Path) -> None:
    made = 0
    for words in commands():
        program, *arguments = words
        if program == "python":
            (tmp_path / arguments[0]).write_text(blocks("python")[0], encoding="utf-8")
            runpy.run_path(arguments[0])
            continue
        done = unroll(*fewer(arguments))
        assert done.status == 0, f"{' '.join(words)}\n{done.err}"
        if arguments[0] == "new":
            edited(tmp_path / "my_net.unroll", blocks("diff")[0])
        made += 1
    assert made >= 6
    assert (tmp_path / "run" / "report.html").stat().st_size > 20_000
    assert (tmp_path / "compare.svg").is_file()
