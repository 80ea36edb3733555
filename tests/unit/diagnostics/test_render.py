"""The rendered form of diagnostics, character by character."""

import json
import re
import unicodedata
from dataclasses import dataclass
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unroll_dsl.diagnostics import Diagnostic, Label, UnrollError, render, render_all, render_json
from unroll_dsl.source import SourceFile, Span


@dataclass(frozen=True)
class Example(Diagnostic):
    """What a test wants to be said."""

    code = "U0301"
    title = "operator applied to the wrong space"
    places: tuple[Label, ...] = ()
    mend: str | None = None
    words: tuple[str, ...] = ()
    text: str = "something is wrong"

    def message(self) -> str:
        return self.text

    def labels(self) -> tuple[Label, ...]:
        return self.places

    def help(self) -> str | None:
        return self.mend

    def notes(self) -> tuple[str, ...]:
        return self.words


@dataclass(frozen=True)
class Warned(Example):
    """The same as a warning."""

    code = "W0401"


def at(file: SourceFile, text: str, nth: int = 0) -> Span:
    """The place of the `nth` occurrence of `text`."""
    start = -1
    for _ in range(nth + 1):
        start = file.text.index(text, start + 1)
    return Span(file, start, start + len(text))


def body(diagnostic: Diagnostic) -> str:
    """The rendered lines between the heading and the last note."""
    return "\n".join(render(diagnostic).splitlines()[1:-1]) + "\n"


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def test_the_example_of_the_house_style() -> None:
    lines = [""] * 8 + ["    r = A @ x - y", "", "", "    x <- x - t * A @ r"]
    file = SourceFile("lista.unroll", "\n".join(lines) + "\n")
    argument = Span(file, len(file.text) - 2, len(file.text) - 1)
    diagnostic = Example(
        (
            Label(argument, "expected vector[n], found vector[m]"),
            Label(at(file, "A @ x - y"), "this lies in vector[m]"),
        ),
        mend="use the adjoint: `A' @ r`",
        text="operator `A` is applied to the wrong space",
    )
    assert render(diagnostic) + "\n" == golden(
        """
        error[U0301]: operator `A` is applied to the wrong space
          --> lista.unroll:12:22
           |
         9 |     r = A @ x - y
           |         --------- this lies in vector[m]
        12 |     x <- x - t * A @ r
           |                      ^ expected vector[n], found vector[m]
           |
        help: use the adjoint: `A' @ r`
        note: `unroll explain U0301`
        """
    )


def test_several_labels_on_one_line_hang_below_it() -> None:
    file = SourceFile("a.unroll", "    r = A @ x - y\n")
    places = (
        Label(at(file, "-"), "these do not agree"),
        Label(at(file, "A @ x"), "vector[m]"),
        Label(at(file, "y"), "vector[n]"),
    )
    assert body(Example(places)) == golden(
        """
         --> a.unroll:1:15
          |
        1 |     r = A @ x - y
          |         ----- ^ - vector[n]
          |         |     |
          |         |     these do not agree
          |         vector[m]
          |
        """
    )


def test_labels_inside_others_and_on_the_same_place() -> None:
    file = SourceFile("a.unroll", "    r = A @ x - y\n")
    places = (
        Label(at(file, "x"), "a state"),
        Label(at(file, "A @ x - y"), "all of this"),
        Label(at(file, "x"), "in vector[n]"),
        Label(at(file, "x"), "a state"),
    )
    assert body(Example(places)) == golden(
        """
         --> a.unroll:1:13
          |
        1 |     r = A @ x - y
          |         ----^---- all of this
          |             |
          |             a state; in vector[n]
          |
        """
    )


def test_a_span_over_several_lines_is_marked_on_each() -> None:
    text = "    x <- soft(x,\n        theta\n\n    )  # end\noutput x\n"
    file = SourceFile("a.unroll", text)
    span = Span(file, text.index("soft"), text.index(")") + 1)
    assert body(Example((Label(span, "this call"),))) == golden(
        """
         --> a.unroll:1:10
          |
        1 |     x <- soft(x,
          |          ^^^^^^^
        2 |         theta
          |         ^^^^^
        4 |     )  # end
          |     ^ this call
          |
        """
    )


def test_of_a_long_span_the_first_and_last_line_are_shown() -> None:
    text = "phase (3):\n" + "    x <- x\n" * 9 + "output x\n"
    file = SourceFile("a.unroll", text)
    span = Span(file, 0, text.index("output"))
    assert body(Example((Label(span, "this phase"),))) == golden(
        """
          --> a.unroll:1:1
           |
         1 | phase (3):
           | ^^^^^^^^^^
        ...
        10 |     x <- x
           |     ^^^^^^ this phase
           |
        """
    )


def test_distant_lines_are_set_apart() -> None:
    file = SourceFile("a.unroll", "let a = b\n" + "\n" * 6 + "let b = a\n")
    places = (Label(at(file, "a", 1), "needs `a`"), Label(at(file, "b"), "needs `b`"))
    assert body(Example(places)) == golden(
        """
         --> a.unroll:8:9
          |
        1 | let a = b
          |         - needs `b`
        ...
        8 | let b = a
          |         ^ needs `a`
          |
        """
    )


def test_labels_in_two_files() -> None:
    file = SourceFile("a.unroll", "\n" * 11 + "    x <- soft(x, u)\n")
    prelude = SourceFile("prelude.unroll", "\ndef soft(v, t) = sign(v) * relu(abs(v) - t)\n")
    places = (
        Label(at(file, "soft(x, u)"), "cannot be computed"),
        Label(at(prelude, "abs(v) - t"), "here"),
    )
    assert body(Example(places)) == golden(
        """
          --> a.unroll:12:10
           |
        12 |     x <- soft(x, u)
           |          ^^^^^^^^^^ cannot be computed
           |
          ::: prelude.unroll:2:33
           |
         2 | def soft(v, t) = sign(v) * relu(abs(v) - t)
           |                                 ---------- here
           |
        """
    )


@pytest.mark.parametrize(
    ("line", "marked", "source", "underline"),
    [
        ("let 変数 = x", "x", "let 変数 = x", "           ^"),
        ("let 変数 = x", "変数", "let 変数 = x", "    ^^^^"),
        ("\tx = y", "y", "    x = y", "        ^"),
        ("let x\u0302 = y", "y", "let x\u0302 = y", "        ^"),
        ("let x\u0302 = y", "\u0302", "let x\u0302 = y", "    ^"),
        ("let λ = ρ", "ρ", "let λ = ρ", "        ^"),
        ("a\x00b\x1b[31m = c", "c", "a␀b␛[31m = c", "           ^"),
        ("a\u202eb = c", "c", "a\ufffdb = c", "      ^"),
        ("a\ud800 = c", "c", "a\ufffd = c", "     ^"),
    ],
)
def test_carets_align(line: str, marked: str, source: str, underline: str) -> None:
    file = SourceFile("a.unroll", f"{line}\n")
    rendered = body(Example((Label(at(file, marked)),))).splitlines()
    assert rendered[2:4] == [f"1 | {source}", f"  | {underline}"]


def test_places_without_characters() -> None:
    empty = SourceFile("a.unroll", "")
    assert body(Example((Label(Span(empty, 0, 0), "nothing here"),))) == golden(
        """
         --> a.unroll:1:1
          |
        1 |
          | ^ nothing here
          |
        """
    )
    file = SourceFile("b.unroll", "let x =\r\n")
    assert body(Example((Label(Span(file, 8, 9), "a value is missing"),))) == golden(
        """
         --> b.unroll:1:9
          |
        1 | let x =
          |        ^ a value is missing
          |
        """
    )
    stray = SourceFile("c.unroll", "x\n\t y\n")
    assert body(Example((Label(Span(stray, 2, 3), "a tab"),))) == golden(
        """
         --> c.unroll:2:1
          |
        2 |      y
          | ^^^^ a tab
          |
        """
    )


def test_long_lines_are_clipped_around_their_marks() -> None:
    line = "a" * 5_000_000 + " bad " + "c" * 1000 + " worse"
    file = SourceFile("a.unroll", line)
    places = (Label(at(file, "bad"), "one"), Label(at(file, "worse"), "two"))
    rows = body(Example(places)).splitlines()
    assert max(map(len, rows)) <= 120
    first = rows.index(next(row for row in rows if " bad " in row))
    assert rows[first + 1].index("^") == rows[first].index("bad")
    assert rows[first].startswith("1 | …a") and rows[first].endswith("c…")
    second = rows.index(next(row for row in rows if " worse" in row))
    assert rows[second + 1].index("-") == rows[second].index("worse")
    assert not rows[second].endswith("…")


def test_a_huge_span_and_a_huge_name() -> None:
    file = SourceFile("a.unroll", "x" * 1_000_000)
    whole = Label(Span(file, 0, len(file.text)), "y" * 1_000_000)
    text = render(Example((whole,), text=f"unknown name `{file.text}`", mend="z" * 1_000_000))
    assert len(text) < 5000
    assert text.splitlines()[0].endswith("x`")


def test_without_a_place_and_with_several_words() -> None:
    diagnostic = Example(mend="one\ntwo", words=("first", "second"), text="it does not fit")
    assert render(diagnostic) + "\n" == golden(
        """
        error[U0301]: it does not fit
        help: one
              two
        note: first
        note: second
        note: `unroll explain U0301`
        """
    )


def test_all_are_closed_by_their_number() -> None:
    assert render_all([]) == ""
    text = render_all([Example(), Warned(), Example()])
    assert text.endswith("note: `unroll explain U0301`\n\n2 errors, 1 warning")
    assert "\n\nwarning[W0401]: " in text
    assert render_all([Warned(), Warned()]).endswith("\n\n2 warnings")
    assert str(UnrollError([Example()])) == "\n" + render_all([Example()])


def test_colours_add_nothing_but_colour() -> None:
    file = SourceFile("a.unroll", "    r = A @ x - y\n")
    places = (Label(at(file, "-"), "one"), Label(at(file, "A"), "two"))
    diagnostic = Example(places, mend="mend it", words=("a note",))
    coloured = render(diagnostic, colour=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render(diagnostic)
    assert "\x1b[1;31merror[U0301]\x1b[0m" in coloured
    assert "\x1b[1;31m^\x1b[0m" in coloured


def test_json() -> None:
    file = SourceFile("a.unroll", "x\n  変 = y\n")
    places = (Label(at(file, "y"), "here"), Label(Span(file, 0, 4)))
    (found,) = render_json([Example(places, mend="mend it", words=("a note",))])
    assert json.loads(json.dumps(found)) == {
        "code": "U0301",
        "severity": "error",
        "title": "operator applied to the wrong space",
        "message": "something is wrong",
        "labels": [
            {
                "file": "a.unroll",
                "start": {"offset": 8, "line": 2, "column": 7},
                "end": {"offset": 9, "line": 2, "column": 8},
                "primary": True,
                "text": "here",
            },
            {
                "file": "a.unroll",
                "start": {"offset": 0, "line": 1, "column": 1},
                "end": {"offset": 4, "line": 2, "column": 3},
                "primary": False,
                "text": "",
            },
        ],
        "help": "mend it",
        "notes": ["a note"],
    }
    assert render_json([Warned()])[0]["severity"] == "warning"


texts = st.text(
    st.one_of(st.characters(), st.sampled_from("ab \t\r\n\u0301変\x1b\u202e")), max_size=300
)


@given(text=texts, offsets=st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=5))
def test_any_place_in_any_text_is_rendered(text: str, offsets: list[tuple[int, int]]) -> None:
    file = SourceFile("a.unroll", text)
    spans = [sorted((a % (len(text) + 1), b % (len(text) + 1))) for a, b in offsets]
    places = tuple(Label(Span(file, a, b), text[:50]) for a, b in spans)
    rendered = render(Example(places, text=text or "-", mend=text))
    for line in rendered.split("\n"):
        assert line.isprintable() or not any(unicodedata.category(c) == "Cc" for c in line)
    if places and text[spans[0][0] : spans[0][1]].strip():
        assert "^" in rendered
    assert rendered.encode("utf-8")
    assert render_json([Example(places)])
