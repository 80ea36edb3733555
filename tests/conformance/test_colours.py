"""The colours of every page: each token of the compiler's lexer is coloured as what it is, by Pygments and by the grammar for editors.

The grammar is generated: `pytest tests/conformance --update-goldens` writes it anew.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.fuzz.programs import write
from unroll_dsl.colours.pygments import UnrollLexer, pieces
from unroll_dsl.colours.table import Colour, any_of, functions
from unroll_dsl.colours.textmate import grammar_text
from unroll_dsl.editor import OpenPage, open_page
from unroll_dsl.editor.names import LIBRARY, Referent
from unroll_dsl.resources import algorithm_path, grammar_path
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.syntax.tokens import Token

ROOT = Path(__file__).resolve().parents[2]
GRAMMAR = ROOT / "editors" / "vscode" / "syntaxes" / "unroll.tmLanguage.json"
PAGES = sorted(algorithm_path("lista").parent.rglob("*.unroll"))
PAGES += sorted((Path(__file__).parent / "good").rglob("*.unroll"))
PAGES.append(grammar_path("prelude.unroll"))
Piece = tuple[int, Colour | None, str]


def test_the_grammar_is_up_to_date(golden: Callable[[Path, str], None]) -> None:
    golden(GRAMMAR, grammar_text())


# ---- a grammar of TextMate, as far as this one goes ---------------------------------------------


def coloured(text: str) -> Iterator[Piece]:
    """A text in pieces by the file that editors read: line by line, patterns in their order, blocks in a stack."""
    stack: list[dict[str, Any]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        yield from _line(line, start, stack)
        start += len(line)


def _line(line: str, start: int, stack: list[dict[str, Any]]) -> Iterator[Piece]:
    at = 0
    known: dict[str, re.Match[str] | None] = {}  # where each pattern is found next
    while at < len(line):
        best: tuple[re.Match[str], dict[str, Any], str] | None = None
        for rule, key in _rules(bool(stack)):
            before = known.get(rule[key])
            if rule[key] not in known or (before is not None and before.start() < at):
                known[rule[key]] = _compiled(rule[key]).search(line, at)
            found = known[rule[key]]
            is_new = found is not None and found.end() > found.start()
            if found is not None and is_new and (best is None or found.start() < best[0].start()):
                best = found, rule, key
        if best is None:
            return
        found, rule, key = best
        names = rule.get({"begin": "beginCaptures", "end": "endCaptures"}.get(key, "captures"), {})
        if "name" in rule and key == "match":
            names = {"0": {"name": rule["name"]}}
        for group, scope in names.items():
            if found.group(int(group)):
                yield start + found.start(int(group)), _part(scope["name"]), found.group(int(group))
        if key == "begin":
            stack.append(rule)
        elif key == "end":
            stack.pop()
        at = found.end()


@cache
def _rules(bracketed: bool) -> tuple[tuple[dict[str, Any], str], ...]:
    """What is tried: the end of the brackets first, of which all are alike, then their patterns."""
    if not bracketed:
        return tuple(_included(_grammar()["patterns"]))
    (brackets,) = (p for p in _grammar()["repository"]["parts"]["patterns"] if "begin" in p)
    return ((brackets, "end"), *_included(brackets["patterns"]))


def _included(patterns: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    for pattern in patterns:
        if "include" in pattern:
            inner = _grammar()["repository"][pattern["include"].removeprefix("#")]
            yield from _included(inner["patterns"])
        else:
            yield pattern, "match" if "match" in pattern else "begin"


@cache
def _grammar() -> dict[str, Any]:
    return dict(json.loads(GRAMMAR.read_text("utf-8")))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _part(scope: str) -> Colour:
    assert scope.endswith(".unroll")
    return Colour(scope.removesuffix(".unroll"))


# ---- what each token is -------------------------------------------------------------------------

_PUNCTUATION = set(",:()[]")
_SEVERAL = {"PER_PHASE", "PER_STEP", "SUM_OVER_PHASES"}
_NUMBERS = {"NUMBER", "IMAGINARY"}
_TYPES = {"complex", "linear", "network"}
_WORDS = set(load_tables().words)


def expected(page: OpenPage, token: Token, names: dict[int, Referent]) -> set[Colour]:
    """What a token may be coloured as."""
    if token.kind in _SEVERAL:
        return {Colour.MODIFIER}
    if token.kind in _NUMBERS:
        return {Colour.NUMBER}
    if token.kind != "NAME":
        return {Colour.PUNCTUATION} if token.text in _PUNCTUATION else {Colour.OPERATOR}
    referent = names.get(token.span.start)
    if referent is not None:
        return _of_name(page, referent, token)
    if token.text in ("and", "or", "not", "in"):
        return {Colour.WORD_OPERATOR}
    if token.text in _TYPES:
        return {Colour.TYPE}
    if token.text in ("shared", "over"):
        return {Colour.MODIFIER}
    if token.text == "conv":
        return {Colour.LAYER}
    if token.text in _WORDS or token.text == "block":
        return {Colour.STATEMENT}
    assert page.program is not None
    if token.span == page.program.name.span:
        return {Colour.TITLE}
    return {Colour.OPTION, Colour.NAME, Colour.CALLED}  # `axis=1`, `circular`, `bias`


def _of_name(page: OpenPage, referent: Referent, token: Token) -> set[Colour]:
    called = page.text[token.span.end :].lstrip(" ").startswith("(")
    match referent.sort:
        case "space":
            return {Colour.TYPE}
        case "layer":
            return {Colour.LAYER}
        case "constant":
            return {Colour.CONSTANT}
        case "random start":
            return {Colour.FUNCTION}
        case sort if sort == LIBRARY:
            return {Colour.FUNCTION, Colour.LAYER}
        case _:
            own = {Colour.CALLED} if called else {Colour.NAME}
            if token.text in functions():  # of the library too, which colours do not tell apart
                own |= {Colour.FUNCTION}
            return own | ({Colour.CALLED} if referent.sort in ("function", "block") else set())


@pytest.mark.parametrize("by", [pieces, coloured], ids=["pygments", "editors"])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_token_is_coloured_as_what_it_is(
    path: Path, by: Callable[[str], Iterator[Piece]]
) -> None:
    page = open_page(path.read_text("utf-8"))
    names = {o.span.start: o.referent for o in page.names}
    found = {start: (part, text) for start, part, text in by(page.text) if part is not None}
    for line in page.lines:
        for token in line.tokens[:-1]:
            part, text = found[token.span.start]
            assert text == token.span.text, f"line {token.span.line}"
            wanted = expected(page, token, names)
            assert part in wanted, f"line {token.span.line}: `{text}` is coloured as {part}"
    for comment in re.finditer(r"#.*", page.text):
        assert found[comment.start()] == (Colour.COMMENT, comment.group())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_both_colour_alike(path: Path) -> None:
    text = path.read_text("utf-8")
    first = [piece for piece in pieces(text) if piece[1] is not None]
    assert first == sorted(coloured(text))


def test_pages_that_nobody_has_written() -> None:
    for seed in range(30):
        text = write(Random(seed))
        first = [piece for piece in pieces(text) if piece[1] is not None]
        assert first == sorted(coloured(text))
        assert "".join(piece for _, _, piece in pieces(text)) == text


def test_words_of_statements_are_names_elsewhere() -> None:
    text = "algorithm a\nlet input = 2\nphase (2):\n    state = input * loss\n    x <- state'\n"
    found = [
        (part, piece) for _, part, piece in coloured(text) if piece in ("input", "state", "loss")
    ]
    assert found == [(Colour.NAME, word) for word in ("input", "state", "input", "loss", "state")]
    assert [p for _, p, piece in coloured("state x : scalar") if piece == "state"] == [
        Colour.STATEMENT
    ]


def test_pygments_finds_the_language() -> None:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter

    text = "algorithm a\n\tlet x̂ = soft(µ, 1e-3i) ? $\n"
    html = highlight(text, UnrollLexer(), HtmlFormatter())
    assert '<span class="nb">soft</span>' in html and '<span class="k">let</span>' in html
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    registered = settings["project"]["entry-points"]["pygments.lexers"]
    assert registered == {"unroll": f"{UnrollLexer.__module__}:{UnrollLexer.__name__}"}
    assert "".join(value for _, _, value in UnrollLexer().get_tokens_unprocessed(text)) == text


@pytest.mark.parametrize(
    "text", ["", "\n\n", "(" * 2000, "[0, 1)\nlet a = b(x, c=1)\n", "\0\ud800"]
)
def test_any_text_is_coloured_whole(text: str) -> None:
    assert "".join(piece for _, _, piece in pieces(text)) == text
    list(coloured(text))


def test_longer_words_come_first() -> None:
    assert any_of(["max", "max_pool", "a"]) == "(?:max_pool|max|a)"
