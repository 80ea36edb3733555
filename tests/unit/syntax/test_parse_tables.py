"""The parse tables: free of conflicts, complete, kept between processes."""

import json
import logging
from pathlib import Path

import pytest
from lark import Lark, logger

from unroll_dsl.resources import grammar_path
from unroll_dsl.syntax.builder import ACTIONS
from unroll_dsl.syntax.parse_tables import build, load_tables

GRAMMAR = grammar_path("unroll.lark").read_text(encoding="utf-8")


def test_no_conflicts(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger.name):
        Lark(GRAMMAR, parser="lalr", lexer="basic", keep_all_tokens=True, debug=True)
    assert not [record for record in caplog.records if "onflict" in record.getMessage()]


def test_every_rule_has_an_action() -> None:
    rules = load_tables().rules
    needed = {
        rule.name for rule in rules if not rule.spliced and not (rule.inlined and rule.size == 1)
    }
    assert needed == set(ACTIONS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "unroll_dsl"


def test_tables_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = load_tables.__wrapped__()
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(
        "unroll_dsl.syntax.parse_tables.build", lambda _: pytest.fail("built again")
    )
    assert load_tables.__wrapped__() == built


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b"00000000\n{}"])
def test_damaged_tables_are_built_anew(folder: Path, damage: bytes) -> None:
    built = load_tables.__wrapped__()
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for data in (damage, whole[: len(whole) // 2], whole.replace(b"declaration", b"decoration")):
        file.write_bytes(data)
        assert load_tables.__wrapped__() == built
        assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load_tables.__wrapped__().states


def test_tables_survive_json() -> None:
    record = build(GRAMMAR)
    assert json.loads(json.dumps(record)) == {
        **record,
        "rules": [list(rule) for rule in record["rules"]],
        "marks": [list(mark) for mark in record["marks"]],
        "patterns": [list(pattern) for pattern in record["patterns"]],
    }
