"""Whatever a file holds, checking it ends in diagnostics with a place in the file, never in a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll_dsl.backends.torch import emit
from unroll_dsl.diagnostics import render_all
from unroll_dsl.driver import Checked, check_path, check_source
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.resources import algorithm_names, algorithm_path
from unroll_dsl.source import SourceFile

TEXTS = [algorithm_path(name).read_text(encoding="utf-8") for name in sorted(algorithm_names())]
# Pieces that mean something somewhere: put in wrong places they reach beyond the parser.
PIECES = [
    "x", "y", "A", "A'", "k", "theta", "lambda", "norm(A)", "I", "0", "1", "-1", "1e400", "'", "@", "*",
    "^", "/", "(", ")", "[", "]", "{", ",", ":", "=", "<-", "<", ">=", "~", ">>", "->", "\n", "    ", "\t",
    "#", "state", "fixed", "learnable", "let", "input", "phase", "phase (3):\n", "output", "loss",
    "minimize over x:", "per phase", "vector[n]", "matrix[n, n]", "scalar", "complex", "image[1, h, w]",
    "solve(A, x)", "soft(x, 1)", "prev(x)", "sum over phases x", "def f(a) = a", "fft2", "conv[1 -> 1, 3]",
    "if", "dims q", "measure y = noise", "measure", "noise", "λ", "\u2028", "\x00",
]  # fmt: skip


def assert_answered(checked: Checked) -> None:
    """The diagnostics render, and their places are in the file."""
    assert isinstance(render_all(checked.diagnostics), str)
    for diagnostic in checked.diagnostics:
        for label in diagnostic.labels():
            assert 0 <= label.span.start <= label.span.end <= len(label.span.file.text) + 1
    if not checked.has_errors and checked.graph is not None:
        optimize(checked.graph)


@given(st.data())
@settings(max_examples=300)
def test_pieces_put_in_taken_out_and_moved(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(start + data.draw(st.integers(0, 12)), len(text))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    assert_answered(check_source(SourceFile("mutated.unroll", text)))


@given(st.data())
@settings(max_examples=200)
def test_lines_taken_out_doubled_and_swapped(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        here, there = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["out", "twice", "swap"])):
            case "out" if len(lines) > 1:
                del lines[here]
            case "twice":
                lines.insert(there, lines[here])
            case _:
                lines[here], lines[there] = lines[there], lines[here]
    assert_answered(check_source(SourceFile("shuffled.unroll", "\n".join(lines) + "\n")))


@pytest.mark.parametrize("text", TEXTS[::4], ids=lambda text: text.split("\n", 1)[0][2:20])
def test_cut_off_anywhere(text: str) -> None:
    for end in range(0, len(text), 7):
        assert_answered(check_source(SourceFile("cut.unroll", text[:end])))


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.unroll"
    path.write_bytes(content)
    checked = check_path(path)
    assert isinstance(render_all(checked.diagnostics), str)
    assert checked.has_errors


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_checks_without_errors_becomes_a_module(data: st.DataObject) -> None:
    """Names exchanged within a program: most are refused; what is not, compiles."""
    text = data.draw(st.sampled_from(TEXTS))
    words = sorted({w for w in text.split() if w.isidentifier()})
    first, second = (data.draw(st.sampled_from(words)) for _ in range(2))
    lines = text.splitlines()
    where = data.draw(st.integers(0, len(lines) - 1))
    lines[where] = lines[where].replace(first, second)
    checked = check_source(SourceFile("renamed.unroll", "\n".join(lines) + "\n"))
    if checked.graph is not None and checked.graph.outputs and not checked.has_errors:
        compile(emit(optimize(checked.graph)).source, "renamed.py", "exec")
