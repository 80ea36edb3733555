"""Hover, completion, definition, references, rename, outline and hints, on pages that are right and half typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unroll_dsl.editor import (
    CannotRename,
    applied,
    completions,
    declaration,
    hints,
    hover,
    open_page,
    outline,
    references,
    rename,
    renameable,
)
from unroll_dsl.resources import algorithm_path

PAGE = """\
# Two steps.
algorithm two
dims m = 4, n = 6
input y : vector[m]     # what is measured
fixed A : matrix[m, n]
learnable t : scalar > 0 per phase = 1 / norm(A)^2
learnable D : Twice[2] ~ kaiming_normal
let L = norm(A)^2
def shrink(v, s) = soft(v, s / 2)   # half as much
def block Twice[c](x):
    u = conv[c -> c, 3](x)
    return x + u
state x : vector[n] = 0
phase (3):
    r = A @ x - y
    trace s = sumsq(r)
    x <- shrink(x - t * A' @ r, 0.1 / L)
output z = 2 * x
loss (goal : vector[n]):
    sumsq(z - goal) + sum over phases s
measure y = A @ goal
"""
SHIPPED = sorted(algorithm_path("lista").parent.rglob("*.unroll"))


def at(text: str, words: str, shift: int = 0, which: int = 0) -> int:
    """The offset of words of a text, `which` of them from 0."""
    return [m.start() for m in re.finditer(re.escape(words), text)][which] + shift


def said(text: str, words: str, shift: int = 0, which: int = 0) -> str:
    found = hover(open_page(text), at(text, words, shift, which))
    return "" if found is None else found.text


# ---- hover --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "shift", "told"),
    [
        (
            "y : vector",
            0,
            ["input y : vector[m]", "given at every call", "what is measured", "m = 4"],
        ),
        (
            "t : scalar",
            0,
            ["learnable t : scalar", "a value for each phase", "`> 0`", "1 / norm(A)^2"],
        ),
        ("L = norm", 0, ["let L : scalar", "`norm(A)^2`"]),
        ("r = A", 0, ["local value r : vector[m]", "computed anew in each phase"]),
        ("s = sumsq", 0, ["trace s : scalar"]),
        ("z = 2", 0, ["output z : vector[n]"]),
        ("goal : vec", 0, ["loss target goal : vector[n]", "what is to be found"]),
        ("m = 4", 0, ["dims m = 4"]),
        ("shrink(x", 0, ["def shrink(v, s)", "half as much", "soft(v, s / 2)"]),
        ("soft(v", 0, ["soft(v, t)", "threshold"]),
        ("norm(A)", 0, ["norm(", "largest singular value"]),
        ("sumsq(r", 0, ["sumsq(v, axis=...)", "\\left"]),
        ("Twice[2]", 0, ["def block Twice[c](x)", "conv[c -> c, 3]"]),
        ("conv[c", 0, ["conv[in -> out, size, bias"]),
        ("c -> c", 0, ["size of a block c"]),
        ("kaiming", 0, ["scaled by what enters"]),
        ("learnable t", 2, ["What is learned"]),
        ("per phase", 5, ["A value for each phase"]),
        ("vector[m]", 1, ["A vector"]),
        ("A @ x - y", 2, ["A @ x : vector[m]", "$A\\,x$"]),
        ("A @ x - y", 6, ["A @ x - y : vector[m]"]),
        ("v, s / 2", 0, ["parameter v"]),
    ],
)
def test_what_is_told_of_a_place(words: str, shift: int, told: list[str]) -> None:
    text = said(PAGE, words, shift)
    for part in told:
        assert part in text, text


@pytest.mark.parametrize("words", ["# Two", "4,", "\nloss"])
def test_of_nothing_nothing_is_told(words: str) -> None:
    assert said(PAGE, words) == ""


def test_names_keep_their_types_beside_mistakes() -> None:
    broken = PAGE.replace("r = A @ x - y", "r = A @ x -").replace("0.1 / L", "0.1 / unknown")
    assert "let L : scalar" in said(broken, "L = norm")
    assert "state x : vector[n]" in said(broken, "x <- shrink")


def test_every_place_of_every_shipped_page() -> None:
    """Whatever stands there, something is told or nothing; every name that the tree reads is known."""
    for path in SHIPPED:
        text = path.read_text("utf-8")
        page = open_page(text)
        assert page.is_whole
        for name in page.names:
            assert hover(page, name.span.start) is not None
            assert page.text[name.span.start : name.span.end]


# ---- definition, references, rename -------------------------------------------------------------


def target(text: str, words: str, shift: int = 0) -> str:
    """The line that a definition leads to."""
    span = declaration(open_page(text), at(text, words, shift))
    return "" if span is None else span.file.line(span.line).strip()


def test_definitions() -> None:
    assert target(PAGE, "t * A'").startswith("learnable t")
    assert target(PAGE, "A' @ r").startswith("fixed A")
    assert target(PAGE, "r, 0.1").startswith("r = A @ x")
    assert target(PAGE, "goal)").startswith("loss (goal")
    assert target(PAGE, "goal\n").startswith("loss (goal")
    assert target(PAGE, "z - goal").startswith("output z")
    assert target(PAGE, "s / 2").startswith("def shrink")
    assert target(PAGE, "c, 3]").startswith("def block Twice")
    assert target(PAGE, "u\nstate").startswith("u = conv")
    assert target(PAGE, "Twice[2]").startswith("def block Twice")
    assert target(PAGE, "y = A @ goal").startswith("input y")


def test_a_definition_of_the_prelude() -> None:
    span = declaration(open_page(PAGE), at(PAGE, "soft("))
    assert span is not None and span.file.name == "prelude.unroll"
    assert span.file.line(span.line).startswith("def soft(")


def test_references() -> None:
    page = open_page(PAGE)
    found = [page.file.position(s.start)[0] for s in references(page, at(PAGE, "t : scalar"))]
    assert found == [6, 17]
    assert len(references(page, at(PAGE, "t : scalar"), declared=False)) == 1
    assert len(references(page, at(PAGE, "A : matrix"))) == 6
    # `x` of the block is another one than the state
    assert len(references(page, at(PAGE, "x](x)".replace("x]", "c]"), 3))) == 3


def renamed(text: str, words: str, new: str, shift: int = 0) -> str:
    page = open_page(text)
    return applied(text, rename(page, at(text, words, shift), new))


def test_rename() -> None:
    text = renamed(PAGE, "x : vector", "xi")
    assert "state xi : vector[n]" in text and "xi <- shrink(xi - t * A' @ r" in text
    assert "def block Twice[c](x):" in text and "output z = 2 * xi" in text
    assert not open_page(text).checked.has_errors
    assert "loss (x_star : vector[n]):\n    sumsq(z - x_star)" in renamed(PAGE, "goal", "x_star")
    assert "measure y = A @ x_star" in renamed(PAGE, "goal", "x_star")
    assert "def shrink(w, s) = soft(w, s / 2)" in renamed(PAGE, "v, s) =", "w")


def test_rename_within_a_function_may_use_a_name_of_the_page() -> None:
    text = renamed(PAGE, "v, s) =", "y")
    assert "def shrink(y, s) = soft(y, s / 2)" in text
    assert not open_page(text).checked.has_errors


@pytest.mark.parametrize(
    ("words", "new", "why"),
    [
        ("t : scalar", "L", "already a let `L`, declared in line 8"),
        ("t : scalar", "goal", "already a loss target `goal`"),
        ("t : scalar", "k", "the number of the phase"),
        ("t : scalar", "in", "a word of the language"),
        ("t : scalar", "phase", "keyword"),
        ("t : scalar", "2t", "is no name"),
        ("t : scalar", "a b", "is no name"),
        ("t : scalar", "", "is no name"),
        ("t : scalar", "t # x", "is no name"),
        ("t : scalar", "soft", "already a function of the library `soft`"),
        ("v, s) =", "s", "already a parameter `s`"),
        ("soft(v", "hard", "belongs to the language"),
        ("# Two", "a", "no name stands here"),
        ("shrink(v", "relu", "function or a layer"),
    ],
)
def test_renames_that_are_refused(words: str, new: str, why: str) -> None:
    with pytest.raises(CannotRename) as error:
        renamed(PAGE, words, new)
    assert why in error.value.message
    assert error.value.mend


def test_a_page_that_cannot_be_read_is_not_renamed() -> None:
    with pytest.raises(CannotRename, match="cannot be read"):
        renamed(PAGE + "let t2 = t t\n", "t : scalar", "tau")
    page = open_page(PAGE)
    assert renameable(page, at(PAGE, "soft(v")) is None
    span = renameable(page, at(PAGE, "shrink(x", 3))
    assert span is not None and span.text == "shrink"


@pytest.mark.slow
def test_every_name_of_every_shipped_page_is_renamed_and_back() -> None:
    for path in SHIPPED:
        text = path.read_text("utf-8")
        page = open_page(text)
        before = sorted(d.code for d in page.diagnostics)
        for name in page.names:
            if not (name.declares and name.referent.is_own):
                continue
            new = applied(text, rename(page, name.span.start, "zz_9"))
            after = open_page(new)
            assert sorted(d.code for d in after.diagnostics) == before
            moved = next(o for o in after.names if o.referent.name == "zz_9")
            assert applied(new, rename(after, moved.span.start, name.referent.name)) == text


# ---- completion ---------------------------------------------------------------------------------


def offered(text: str) -> list[str]:
    """The labels at the mark `|`."""
    offset = text.index("|")
    return [c.label for c in completions(open_page(text.replace("|", "", 1)), offset)]


ABOVE = PAGE.partition("state x")[0]


@pytest.mark.parametrize(
    ("line", "there", "not_there"),
    [
        ("|", ["state", "phase", "loss"], ["trace", "soft", "algorithm"]),
        ("sta|", ["state"], ["soft"]),
        (
            "let a = |",
            ["A", "t", "L", "soft", "norm", "shrink", "I", "pi"],
            ["x", "state", "goal"],
        ),
        ("let a = norm(|", ["A", "L"], ["state"]),
        ("state v : |", ["vector", "image", "complex"], ["conv", "linear", "A"]),
        ("learnable N : |", ["conv", "vector", "linear", "relu", "Twice"], ["A"]),
        ("learnable N : conv[1 -> 1, 3] >> |", ["relu", "max_pool", "Twice"], ["vector"]),
        ("learnable N : conv[1 -> 1, |", ["bias", "stride=", "padding=", "m"], ["A", "soft"]),
        ("learnable N : conv[1 -> 1, 3, padding=|", ["circular", "zero"], ["A"]),
        ("learnable w : vector[|", ["m", "n"], ["A", "soft"]),
        ("learnable w : vector[n] |", ["per phase", "in"], ["A"]),
        ("learnable w : vector[n] ~ |", ["normal", "xavier_normal"], ["A"]),
        ("learnable w : vector[n] > |", ["L", "A"], ["per phase"]),
        ("learnable w : scalar = 2 * |", ["L", "t"], ["per phase", "x"]),
        ("output |", ["x", "A"], ["r", "k"]),
        ("minimize over |", ["x"], ["A"]),
        ("measure |", ["y"], ["A"]),
        ("measure y = A @ goal + |", ["goal", "noise"], ["x"]),
        ("def f(p, q) = p + |", ["p", "q", "soft", "shrink"], ["A", "t", "x", "k"]),
        ("def f(p, q):\n    w = p\n    return |", ["p", "q", "w"], ["A"]),
        ("def f(p, q):\n    |", ["return"], ["state"]),
        ("let a = sum(A, |", ["axis="], ["state"]),
        ("let a = blur(A, padding=|", ["circular"], []),
    ],
)
def test_completion_above_the_phase(line: str, there: list[str], not_there: list[str]) -> None:
    below = PAGE.partition("state x")[2]
    labels = offered(f"{ABOVE}{line}\nstate x{below}")
    assert set(there) <= set(labels), labels
    assert not set(not_there) & set(labels), labels


@pytest.mark.parametrize(
    ("line", "there", "not_there"),
    [
        ("    |", ["x", "trace", "repeat"], ["state", "soft"]),
        ("    x <- |", ["x", "r", "t", "k", "prev", "soft"], ["goal", "state", "z"]),
        ("    x <- soft(x - |", ["x", "r", "A"], ["z"]),
        ("    x <- (x\n        - |", ["x", "r", "A"], ["state"]),
        ("    repeat (2):\n        |", ["x", "state"], ["trace", "loss"]),
        ("    repeat (2):\n        x <- |", ["x", "r", "k"], ["goal"]),
        ("    x <- x # |", [], ["x"]),
    ],
)
def test_completion_in_the_phase(line: str, there: list[str], not_there: list[str]) -> None:
    labels = offered(PAGE.replace("    trace s", f"{line}\n    trace s"))
    assert set(there) <= set(labels), labels
    assert not set(not_there) & set(labels), labels


def test_completion_in_the_loss() -> None:
    labels = offered(PAGE.replace("    sumsq(z - goal)", "    sumsq(z - |goal)"))
    assert {"goal", "z", "x", "s", "sum over phases"} <= set(labels) and "r" not in labels


def test_completion_of_an_empty_page() -> None:
    assert offered("|") == ["algorithm", "problem"]
    assert offered("alg|") == ["algorithm", "problem"]


def test_what_is_being_typed_is_replaced() -> None:
    text = ABOVE + "let a = 2 * nor"
    found = next(c for c in completions(open_page(text), len(text)) if c.label == "norm")
    assert found.span.text == "nor" and found.insert == "norm($1)" and found.is_snippet
    assert "largest singular value" in found.about


# ---- outline and hints --------------------------------------------------------------------------


def test_outline() -> None:
    entries = outline(open_page(PAGE))
    names = [e.name for e in entries]
    assert names == [
        *("m", "n", "y", "A", "t", "D", "L", "shrink", "Twice", "x"),
        *("phase", "output", "loss", "measure y"),
    ]
    phase = entries[10]
    assert [(e.name, e.sort) for e in phase.children] == [
        ("r", "local value"),
        ("s", "trace"),
        ("x", "update"),
    ]
    for entry in (*entries, *phase.children):
        assert entry.span.start <= entry.name_span.start <= entry.name_span.end <= entry.span.end
    assert entries[2].detail == "vector[m]" and "shrink(v, s)" in entries[7].detail


def test_hints() -> None:
    found = [(PAGE[: h.offset].split()[-1], h.text) for h in hints(open_page(PAGE))]
    assert found == [
        ("L", ": scalar"),
        ("r", ": vector[m]"),
        ("s", ": scalar"),
        ("z", ": vector[n]"),
    ]
    page = open_page(PAGE)
    assert len(hints(page, at(PAGE, "phase (3)"), at(PAGE, "output"))) == 2


# ---- half-typed pages ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED[::9] or SHIPPED, ids=lambda path: path.stem)
def test_a_page_cut_off_anywhere_is_answered_for(path: Path) -> None:
    text = path.read_text("utf-8")
    for end in range(0, len(text), 97):
        page = open_page(text[:end])
        completions(page, end)
        for offset in (end, end // 2, max(0, end - 3)):
            hover(page, offset)
            declaration(page, offset)
            references(page, offset)
        outline(page), hints(page)


def test_every_word_of_the_language_has_a_meaning() -> None:
    from unroll_dsl.editor.words import RANDOM_STARTS, WORDS
    from unroll_dsl.operators.random_init import RANDOM
    from unroll_dsl.syntax.parse_tables import load_tables

    pairs = {"per phase", "per step", "sum over phases"}
    assert set(load_tables().words) | pairs == set(WORDS)
    assert set(RANDOM_STARTS) == set(RANDOM)
