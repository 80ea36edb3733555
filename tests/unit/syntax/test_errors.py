"""What each mistake is called, where the caret stands, and how it is mended."""

import inspect
import re

import pytest

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import errors, parse_text

ALL = sorted(
    (c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, Diagnostic)),
    key=lambda c: c.code,
)
# Pages whose wrong program is a file that cannot be shown as text.
WITHOUT_PROGRAM = {"U0101", "U0102", "U0103", "U0104", "U0106", "U0107", "U0113", "U0142"}


def reported(text: str) -> tuple[Diagnostic, ...]:
    return parse_text(text).diagnostics


def one(line: str) -> Diagnostic:
    """The only error of a line at the margin, in a program that has a line before and after."""
    result = parse_text(f"algorithm a\n{line}\ndims after\n")
    (diagnostic,) = result.diagnostics
    assert result.program is not None
    assert len(result.program.statements) >= 1, "what follows must be read"
    return diagnostic


@pytest.mark.parametrize(
    ("line", "code", "marked", "help_"),
    [
        ("let r = x − y", "U0105", "−", "write `-`"),
        ("let r = a × b", "U0105", "×", "write `*`"),
        ("let r = a · b", "U0105", "·", "write `*`, or `@` where a map is applied"),
        ("let r = A’ @ x", "U0105", "’", "write `'`"),
        ("let r = x²", "U0105", "²", "write `^2`"),
        ("let r = x⁻¹⁰", "U0105", "⁻", "write `^-10`"),
        ("let r = a;", "U0105", ";", "one statement a line: start a new line instead of `;`"),
        ("let r = (a + b", "U0110", "(", "add the missing `)`"),
        ("let r = a + b)", "U0111", ")", "remove this `)`"),
        ("fixed A : matrix[m, n)", "U0112", ")", "write `]`"),
        ("algorithm b", "U0115", "algorithm", "move it to the top, or into a file of its own"),
        ("learnabel t : scalar", "U0116", "learnabel", "did you mean `learnable`?"),
        ("Input y : scalar", "U0116", "Input", "did you mean `input`?"),
        ("f(x) = x^2", "U0116", "f", "write `def f(x) = x^2`"),
        ("fixed t = 0.1", "U0117", "=", "for instance `fixed t : scalar = 0.1`"),
        ("input y vector[m]", "U0117", "vector", "for instance `input y : vector[m]`"),
        ("input y", "U0117", "", "for instance `input y : scalar`"),
        ("loss (t): x", "U0117", ")", "for instance `loss (t : vector[n]): x`"),
        ("x <- x", "U0119", "x <-", "indent it below a line `phase (7):`"),
        ("trace r = x", "U0119", "trace", "indent it below a line `phase (7):`"),
        (
            "return x",
            "U0119",
            "return",
            "what the network gives is written `output x`; the result of a `def` is indented below it",
        ),
        ("L = norm(A)^2", "U0120", "L", "write `let L = norm(A)^2`"),
        ("L := norm(A)^2", "U0120", "L", "write `let L = norm(A)^2`"),
        ("L : scalar = 3", "U0120", "L", "write `fixed L : scalar = 3`"),
        ("let t := 3", "U0121", ":=", "write `let t = 3`"),
        ("state x := 0", "U0121", ":=", "write `state x = 0`"),
        ("fixed a : scalar := 0", "U0121", ":=", "write `fixed a : scalar = 0`"),
        ("let t <- 3", "U0121", "<-", "write `let t = 3`"),
        ("let a = b = c", "U0122", "=", None),
        (
            "learnable t : scalar = 0.1 per phase",
            "U0123",
            "per phase",
            "write `learnable t : scalar per phase = 0.1`",
        ),
        ("learnable t : scalar per phase > 0", "U0123", ">", None),
        ("phase (7)", "U0125", "", "write `phase (7):`"),
        ("minimize over x", "U0125", "", "write `minimize over x:`"),
        ("phase (7): x <- y", "U0131", "x <- y", None),
        ("let r = 1e999", "U0132", "1e999", None),
        (f"let r = 1{'0' * 400}", "U0132", f"1{'0' * 400}", None),
        ("let r =", "U0133", "", "write what the value is after `=`"),
        ("let r = a +", "U0133", "", "write the missing operand, or remove the `+`"),
        ("let r = a + * b", "U0133", "*", "write the missing operand, or remove the `+`"),
        ("output", "U0133", "", "write an expression after `output`"),
        ("let r = A**2", "U0134", "**", "write `let r = A^2`"),
        ("let r = A.T @ A", "U0135", ".T", "write `A'`"),
        ("let r = A^T @ A", "U0135", "^T", "write `A'`"),
        (
            "let r = 2 x",
            "U0136",
            "x",
            "write `let r = 2 * x`",
        ),
        ("let r = 2(x + y)", "U0136", "(x + y)", None),
        ("let r = a < b < c", "U0137", "<", "write `... < b and b < ...`"),
        ("let r = t[]", "U0138", "[]", "places count from 1: `x[1]`, `x[1:3]`, `x[:, 2]`"),
        (
            "let r = t[1:9:2]",
            "U0138",
            ":",
            "every second row and column of an image is `downsample(2) @ x`",
        ),
        ("let r = 3 // three", "U0139", "//", None),
        ("// three", "U0139", "//", None),
        ("let in = 3", "U0140", "in", "choose another name, for instance `in_`"),
        ("dims m n", "U0141", "n", "write `dims m, n`"),
        ("let r : scalar = 3", "U0141", ":", "a `let` has the type of its value: `let r = ...`"),
        (
            "measure y : scalar = 3",
            "U0141",
            ":",
            "`y` has the type of its `input` line: `measure y = ...`",
        ),
        ("measure y <- 3", "U0141", "<-", "write `measure y = 3`"),
        ("measure y =", "U0133", "", "write what the value is after `=`"),
        ("state x : vector(n)", "U0141", "(", "sizes stand in square brackets: `vector[...]`"),
        ("minimize x: norm1(x)", "U0141", "x", "write `minimize over x: norm1(x)`"),
        ("let r = x if y else z", "U0141", "if", None),
        ("let r = [1, 2]", "U0141", "[", None),
        ("let r = + 4", "U0141", "+", "leave the sign out: `let r = 4`"),
        (
            "let r = where(a <-1, b, c)",
            "U0141",
            "<-",
            "to compare with a negative number, write `let r = where(a < -1, b, c)`",
        ),
    ],
)
def test_a_line(line: str, code: str, marked: str, help_: str | None) -> None:
    diagnostic = one(line)
    assert (diagnostic.code, diagnostic.labels()[0].span.text) == (code, marked)
    if help_ is not None:
        assert diagnostic.help() == help_


@pytest.mark.parametrize("line", ["let r = n^T", "let r = T + A^T", "let r = A^T(x)"])
def test_powers_that_are_no_transposes(line: str) -> None:
    assert not reported(f"algorithm a\ndims T\n{line}\n")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["U0104"]),
        ("# only a comment\n\n", ["U0104"]),
        ("dims m\n", ["U0114"]),
        ("algorithm a\nlet x = 3\n    let y = 4\n", ["U0108"]),
        ("algorithm a\nphase:\n    x <- x\n      y <- x\n", ["U0108"]),
        ("algorithm a\nphase:\n    x <- x\n  y <- x\n", ["U0109"]),
        ("algorithm a\nphase:\n\tx <- x\n\ty <- y\n", ["U0107"]),
        ("algorithm a\nphase 7:\n    x <- x\n", ["U0118"]),
        ("algorithm a\nphase:\nx <- x\noutput x\n", ["U0124"]),
        ("algorithm a\nphase:\noutput x\n", ["U0124"]),
        ("algorithm a\nloss:\n", ["U0124"]),
        ("algorithm a\ndef f(a):\nreturn a\n", ["U0124"]),
        ("algorithm a\nphase (7)\n    x <- x\n", ["U0125"]),
        ("algorithm a\ndef f(a)\n    return a\n", ["U0125"]),
        ("algorithm a\nminimize over x : vector[n]\n    norm1(x)\n", ["U0125"]),
        ("algorithm a\nloss:\n    a\n    + b\n", ["U0126"]),
        ("algorithm a\nlet a =\n    b\n", ["U0126"]),
        ("algorithm a\ndims m,\n    n\n", ["U0126"]),
        ("algorithm a\ndef f(a):\n    b = a\n", ["U0127"]),
        ("algorithm a\ndef f(a):\n    return a\n    b = a\n", ["U0128"]),
        ("algorithm a\nloss:\n    a\n    b\n", ["U0129"]),
        ("algorithm a\nloss:\n    let b = a\n", ["U0130"]),
        ("algorithm a\nphase:\n    let b = a\n", ["U0130"]),
        ("algorithm a\nphase:\n    x := a\n", ["U0121"]),
        ("algorithm a\nphase:\n    x += a\n", ["U0121"]),
        ("algorithm a\nphase:\n    soft(x)\n", ["U0141"]),
    ],
)
def test_a_file(text: str, codes: list[str]) -> None:
    assert [diagnostic.code for diagnostic in reported(text)] == codes


def sections(page: type[Diagnostic]) -> dict[str, str]:
    """The programs of a page: what is indented after `Wrong` and after `Right`."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in inspect.cleandoc(page.__doc__ or "").splitlines():
        words = re.findall(r"\b(Wrong|Right)\b", line) if not line.startswith("    ") else []
        heading = words[-1] if words else heading
        if line.startswith("    ") and heading:
            found.setdefault(heading, []).append(line.removeprefix("    "))
        elif not line and heading in found:
            found[heading].append("")
    return {name: "\n".join(lines) + "\n" for name, lines in found.items()}


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.code)
def test_manual_page(page: type[Diagnostic]) -> None:
    """Every page has a right program that parses, and a wrong one with the error it is about."""
    assert page.title
    assert "Wrong" in (page.__doc__ or "") and "Right" in (page.__doc__ or "")
    programs = sections(page)
    if page.code in WITHOUT_PROGRAM:
        return
    assert page.code in [d.code for d in reported(with_header(programs["Wrong"], page))]
    assert not reported(with_header(programs["Right"], page))


def with_header(text: str, page: type[Diagnostic]) -> str:
    about_headers = page.code in ("U0114", "U0115")
    return text if about_headers else f"algorithm a\n{text}"


def test_codes_are_numbered_without_gaps() -> None:
    assert [page.code for page in ALL] == [f"U01{i:02d}" for i in range(1, len(ALL) + 1)]
