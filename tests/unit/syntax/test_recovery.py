"""Many errors in one file: all reported, the rest read, the names in them remembered."""

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import parse_text, to_text

BROKEN = """\
algorithm a
dims m n
input y : vector[m
fixed A : matrix[m, n]
state x : vector[n] = 0
phase 7:
    r = A x - y
    x <- x - A' @ (A @ x - y)
    trace s = r +
output x
loss (t : vector[n]):
    sumsq(x - ) + norm1(t)
def f(v):
    w = v v
    return w
let L = norm(A)^2
"""


def test_all_errors_in_one_go() -> None:
    result = parse_text(BROKEN)
    found = [(d.labels()[0].span.line, d.code) for d in result.diagnostics]
    assert found == [
        (2, "U0141"),
        (3, "U0110"),
        (6, "U0118"),
        (7, "U0136"),
        (9, "U0133"),
        (12, "U0133"),
        (14, "U0136"),
    ]


def test_what_is_right_is_kept() -> None:
    program = parse_text(BROKEN).program
    assert program is not None
    assert to_text(program) == (
        "algorithm a\n"
        "fixed A : matrix[m, n]\n"
        "state x : vector[n] = 0\n"
        "\n"
        "phase:\n"
        "    x <- x - A' @ (A @ x - y)\n"
        "\n"
        "output x\n"
        "let L = norm(A)^2\n"
    )


def test_names_of_broken_lines_are_remembered() -> None:
    program = parse_text(BROKEN).program
    assert program is not None
    assert program.poisoned >= {"m", "n", "y", "r", "s", "f", "w", "loss", "phase"}
    assert "L" not in program.poisoned


def test_no_stand_in_is_left_in_the_tree() -> None:
    program = parse_text("algorithm a\nphase:\n    x <-\n    y <-\n").program
    assert program is not None
    (phase,) = program.statements
    assert isinstance(phase, n.Phase) and phase.body == ()


def test_a_missing_colon_loses_nothing() -> None:
    result = parse_text("algorithm a\nphase (7)\n    x <- x\n")
    assert len(result.diagnostics) == 1 and result.program is not None
    assert not result.program.poisoned
    assert "phase (7):\n    x <- x\n" in to_text(result.program)


def test_a_statement_over_two_lines_loses_nothing() -> None:
    result = parse_text("algorithm a\nloss:\n    a\n    + b\n    - c\noutput a\n")
    assert {d.code for d in result.diagnostics} == {"U0126"} and result.program is not None
    assert "a + b - c" in to_text(result.program)


def test_lines_that_are_not_indented_are_read_as_the_block() -> None:
    result = parse_text("algorithm a\nphase:\nx <- x\nr = x\noutput x\n")
    assert result.program is not None
    assert "phase:\n    x <- x\n    r = x\n\noutput x\n" in to_text(result.program)


def test_an_unclosed_bracket_ends_with_its_statement() -> None:
    result = parse_text(
        "algorithm a\nlet x = f(a,\n  b\nlet y = 3\nphase:\n"
        "    r = A' @ (A @ x - y\n    d = D(r)\n    x <- f(a,\n          b=3)\n"
    )
    assert [d.code for d in result.diagnostics] == ["U0110", "U0110"]
    assert result.program is not None
    text = to_text(result.program)
    assert "let y = 3" in text and "d = D(r)" in text and "x <- f(a, b=3)" in text


def test_it_stops_after_twenty_errors() -> None:
    for line in ("let x = = 3", "let y = ×", "output"):
        result = parse_text("algorithm a\n" + f"{line}\n" * 50 + "let late = 3\n")
        assert [d.code for d in result.diagnostics].count("U0142") == 1
        assert len(result.diagnostics) == 21
        assert result.program is not None and "late" in result.program.poisoned


def test_a_broken_header_is_not_reported_as_missing() -> None:
    for header in ("algoritm foo", "algorithm", "algorithm a-b", "problem 7"):
        result = parse_text(f"{header}\ndims m\n")
        assert len(result.diagnostics) == 1, header
        assert result.program is not None and len(result.program.statements) == 1
