"""`unroll fmt`: no change on shipped pages, idempotent, the tree kept, whatever the spaces of an author."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.programs import write
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.resources import algorithm_path
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax.formatting import formatted
from unroll_dsl.syntax.lexer import Lexer
from unroll_dsl.syntax.parse_tables import load_tables

PAGES = sorted(algorithm_path("lista").parent.rglob("*.unroll"))


def form(text: str) -> str:
    return formatted(SourceFile("page.unroll", text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_shipped_pages_do_not_change(path: Path) -> None:
    text = path.read_text("utf-8")
    assert form(text) == text


def jittered(text: str, rng: Random) -> str:
    """The same tokens with other spaces between them, other indentation, comments and blank lines."""
    file = SourceFile("page.unroll", text)
    written: list[str] = []
    for line in Lexer(file, load_tables()).lines().lines:
        indent = "\t" * max(line.indent // 4, line.indent > 0)
        tokens = [token.span.text for token in line.tokens[:-1]]
        out = tokens[0]
        for before, after in pairwise(tokens):
            joins = before[-1].isalnum() or before[-1] in "_'"
            needs = joins and (after[0].isalnum() or after[0] in "_.")
            needs |= (
                before + after in ("<-", "**", "//")
                or before[-1] in "<>=*/:"
                or after[0] in "<>=*/"
            )
            out += " " * rng.choice((1, 1, 3) if needs else (0, 1, 1, 2)) + after
        comment = rng.choice(("", "", "", "  # why", " #why", "        # what for"))
        written += [""] * rng.choice((0, 0, 0, 1, 3)) if not line.indent else []
        written += [f"{indent}# above"] if rng.random() < 0.1 else []
        written.append(indent + out + comment + " " * rng.choice((0, 0, 2)))
    # lines of a block share their indentation
    unit = ""
    for i, text in enumerate(written):
        if text.startswith("\t"):
            unit = unit or " " * rng.choice((2, 4, 7))
            written[i] = text.replace("\t", unit)
        elif text:
            unit = ""
    return "\n".join(written) + "\n" * rng.choice((0, 1, 3))


@pytest.mark.parametrize("group", range(5))
def test_any_spaces_are_formatted_once(group: int) -> None:
    """The formatter itself refuses to return a page with another tree."""
    for seed in range(20 * group, 20 * group + 20):
        rng = Random(seed)
        text = write(rng) if seed % 2 else rng.choice(PAGES).read_text("utf-8")
        once = form(jittered(text, rng))
        assert form(once) == once, f"seed {seed}"


@pytest.mark.parametrize(
    ("untidy", "tidy"),
    [
        ("x<-x-t*A' @(A@x -y)", "x <- x - t * A' @ (A @ x - y)"),
        ("x <- - x ^ - 2 + relu (-x)", "x <- -x^-2 + relu(-x)"),
        ("x <- x [ 1 : n ]*1/2", "x <- x[1:n] * 1/2"),
        ("x <- sum( abs( x ) , axis = 1 )*x", "x <- sum(abs(x), axis=1) * x"),
        ("x <- where(not (x>0) and k>=2,x,-x)", "x <- where(not (x > 0) and k >= 2, x, -x)"),
        ("trace  s=A @ x#why", "trace s = A @ x     # why"),
    ],
)
def test_spaces_of_a_line(untidy: str, tidy: str) -> None:
    page = "algorithm p\nstate x : vector[n] = 0\nphase (3):\n    {}\noutput x\n"
    assert form(page.format(untidy)) == page.format(tidy)


def test_declarations_are_put_into_columns() -> None:
    page = (
        "algorithm p\ninput y:vector[m]   # measurements\nfixed lambda : scalar>0=.1\n"
        "let L=norm(A)^2\n\n\n\nlearnable D:conv [1->32,3 ,padding = circular]>>relu  per   phase\n"
    )
    assert form(page) == (
        "algorithm p\n"
        "input y      : vector[m]        # measurements\n"
        "fixed lambda : scalar > 0 = .1\n"
        "let   L      = norm(A)^2\n"
        "\n"
        "learnable D : conv[1 -> 32, 3, padding=circular] >> relu per phase\n"
    )


def test_columns_of_an_author_are_kept() -> None:
    page = (
        "algorithm p\n"
        "input     y     : vector[m]                     # all in one column\n"
        "fixed     sigma : scalar >= 0 = 0\n"
        "fixed     mu    : scalar\n"
        "fixed     angles : vector[m]                    # but for a long name\n"
        "\n"
        "learnable A     : matrix[m, n]                  # as above\n"
    )
    assert form(page) == page


def test_lines_in_brackets_move_with_their_bracket() -> None:
    page = "algorithm p\nlet a  =  f(x,  # first\n            y)\noutput a\n"
    assert form(page) == "algorithm p\nlet a = f(x,    # first\n          y)\noutput a\n"


def test_comments_belong_to_what_they_belonged_to() -> None:
    page = (
        "# the page\n\nalgorithm p\nphase (2):\n  # of the update\n  x <- x\n   # of the phase\n"
        "# of the output\noutput x\n"
    )
    assert form(page) == page.replace("   # of the ph", "    # of the ph").replace(
        "  # of the u", "    # of the u"
    ).replace("  x <- x", "    x <- x")


def test_a_page_that_does_not_parse_is_refused() -> None:
    with pytest.raises(UnrollError, match="U0141"):
        form("algorithm p\ndims m n\n")
