"""Each statement, its parts, its place and its comment."""

from pathlib import Path

import pytest

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import parse_text, to_text, type_text

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.unroll"))


def program(text: str, header: str = "algorithm a\n") -> n.Program:
    result = parse_text(header + text)
    assert result.program is not None
    assert not result.diagnostics, [(str(d), d.labels()) for d in result.diagnostics]
    return result.program


def statement(text: str) -> n.Statement:
    (only,) = program(text).statements
    return only


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_target_programs_parse(path: Path) -> None:
    result = parse_text(path.read_text(encoding="utf-8"), path.name)
    assert result.diagnostics == ()
    assert result.program is not None
    assert result.program.name.text == path.stem
    assert not result.program.poisoned


def test_dims() -> None:
    dims = statement("dims m, n, L = 8")
    assert isinstance(dims, n.Dims)
    assert [d.name.text for d in dims.dimensions] == ["m", "n", "L"]
    assert dims.dimensions[1].default is None
    assert isinstance(dims.dimensions[2].default, n.Number)
    assert dims.dimensions[2].span.text == "L = 8"
    assert dims.span.text == "dims m, n, L = 8"


def test_declaration() -> None:
    text = "learnable H, Ht : complex image[1, h + 1, w] >= 0 per phase = 2 * H0'"
    declared = statement(text)
    assert isinstance(declared, n.Declaration)
    assert declared.role is n.Role.LEARNABLE
    assert [name.text for name in declared.names] == ["H", "Ht"]
    assert isinstance(declared.type, n.SpaceType)
    assert declared.type.is_complex
    assert declared.type.span.text == "complex image[1, h + 1, w]"
    assert declared.type.kind.span.text == "image"
    assert declared.bounds is not None and declared.bounds.span.text == ">= 0"
    assert declared.sharing is n.Sharing.PER_PHASE
    assert isinstance(declared.value, n.Binary)
    assert declared.span.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> 0", (True, False, "> 0")),
        (">= 0", (True, False, ">= 0")),
        ("< 2 * a", (False, True, "< 2 * a")),
        ("<= -1", (False, True, "<= -1")),
        ("in [0, 1]", (True, True, "in [0, 1]")),
        ("in (0, 1]", (True, True, "in (0, 1]")),
        ("in [0, 1)", (True, True, "in [0, 1)")),
        ("in (0, f(1))", (True, True, "in (0, f(1))")),
    ],
)
def test_bounds(text: str, expected: tuple[bool, bool, str]) -> None:
    declared = statement(f"fixed a : scalar {text} = 1")
    assert isinstance(declared, n.Declaration)
    bounds = declared.bounds
    assert bounds is not None
    assert (bounds.lower is not None, bounds.upper is not None, bounds.span.text) == expected
    assert to_text(program(f"fixed a : scalar {text} = 1")).endswith(f"scalar {text} = 1\n")


def test_strict_bounds() -> None:
    declared = statement("fixed a : scalar in (0, 1]")
    assert isinstance(declared, n.Declaration) and declared.bounds is not None
    assert (declared.bounds.lower_strict, declared.bounds.upper_strict) == (True, False)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("scalar", n.SpaceType),
        ("complex tensor[8, 3, 3]", n.SpaceType),
        ("linear image[1, h, w] -> vector[m]", n.LinearType),
        ("network complex vector[n] -> scalar", n.NetworkType),
        ("conv[1 -> 32, 3]", n.ConvType),
        ("conv[2 * c -> 32, 3, bias, padding=circular, groups=2]", n.ConvType),
        ("conv[1 -> 2, 3] >> relu >> conv[2 -> 1, 3]", n.ComposedType),
        ("relu >> network vector[n] -> vector[n] >> plf", n.ComposedType),
    ],
)
def test_types(text: str, kind: type) -> None:
    declared = statement(f"learnable D : {text} per phase ~ normal(0, std=0.1)")
    assert isinstance(declared, n.Declaration)
    assert isinstance(declared.type, kind)
    assert declared.type.span.text == text
    assert type_text(declared.type) == text
    assert isinstance(declared.value, n.RandomInit)
    assert declared.value.span.text == "normal(0, std=0.1)"


def test_conv_keeps_flags_and_options_apart() -> None:
    declared = statement("learnable D : conv[1 -> 2, 3, bias, padding=circular]")
    assert isinstance(declared, n.Declaration) and isinstance(declared.type, n.ConvType)
    assert [flag.text for flag in declared.type.flags] == ["bias"]
    (option,) = declared.type.options
    assert option.keyword is not None and option.keyword.text == "padding"


def test_let_and_state() -> None:
    let, state = program("let mu = softplus(w * k)\nstate x, v : vector[n]").statements
    assert isinstance(let, n.Let) and let.name.text == "mu"
    assert isinstance(state, n.State) and state.value is None
    assert [name.text for name in state.names] == ["x", "v"]


def test_phase() -> None:
    phase = statement("phase (2 * K):\n    r = x\n    x <- r\n    trace s = x - r\n")
    assert isinstance(phase, n.Phase)
    assert phase.span.text == "phase (2 * K):"
    local, update, trace = phase.body
    assert isinstance(local, n.Local) and local.span.text == "r = x"
    assert isinstance(update, n.Update) and update.span.text == "x <- r"
    assert isinstance(trace, n.Trace) and trace.span.text == "trace s = x - r"


def test_phase_without_count() -> None:
    phase = statement("phase:\n  x <- x\n")
    assert isinstance(phase, n.Phase) and phase.count is None


def test_output() -> None:
    output = statement("output x, fft2' @ y")
    assert isinstance(output, n.Output) and len(output.values) == 2


@pytest.mark.parametrize("body", [" norm1(x)\n", "\n    norm1(x)\n"])
@pytest.mark.parametrize(
    ("head", "variables"),
    [
        ("minimize over x:", [("x", "")]),
        ("minimize over x : vector[n]:", [("x", "vector[n]")]),
        ("minimize over x : vector[n], z:", [("x", "vector[n]"), ("z", "")]),
        ("minimize over x, z : complex scalar:", [("x", ""), ("z", "complex scalar")]),
    ],
)
def test_minimize(head: str, variables: list[tuple[str, str]], body: str) -> None:
    found = statement(head + body)
    assert isinstance(found, n.Minimize)
    pairs = [(v.name.text, type_text(v.type) if v.type else "") for v in found.variables]
    assert pairs == variables
    assert found.body.span.text == "norm1(x)"
    assert found.span.text == (head + body.rstrip() if body[0] == " " else head)


@pytest.mark.parametrize("body", [" sumsq(x)\n", "\n    sumsq(x)\n"])
@pytest.mark.parametrize(
    "head", ["loss:", "loss (t : vector[n]):", "loss(t : scalar, m : mask[n]):"]
)
def test_loss(head: str, body: str) -> None:
    found = statement(head + body)
    assert isinstance(found, n.Loss)
    assert len(found.targets) == head.count(" : ")
    assert all(target.type is not None for target in found.targets)


def test_measure() -> None:
    found = statement("measure y = P * (A @ x + noise)  # data")
    assert isinstance(found, n.Measure)
    assert (found.name.text, found.value.span.text) == ("y", "P * (A @ x + noise)")
    assert found.comment == "data"


def test_definitions() -> None:
    short, long, none = program(
        "def eta(v, t) = sign(v) * relu(abs(v) - t)\n"
        "def f(v):\n    a = v\n    b = a\n    return a + b\n"
        "def g() = 1\n"
    ).statements
    assert isinstance(short, n.Definition) and short.locals == ()
    assert [p.name.text for p in short.parameters] == ["v", "t"]
    assert isinstance(long, n.Definition) and [a.name.text for a in long.locals] == ["a", "b"]
    assert long.span.text == "def f(v):"
    assert isinstance(none, n.Definition) and none.parameters == ()


def test_header() -> None:
    found = program("dims n", "problem lasso\n")
    assert (found.kind, found.name.text, found.span.text) == ("problem", "lasso", "problem lasso")


def test_prelude() -> None:
    result = parse_text("# Shrinkage.\n\n# Soft.\ndef f(v) = v\n", "lib/prelude.unroll")
    found = result.program
    assert found is not None and not result.diagnostics
    assert (found.kind, found.name.text, found.comment) == ("prelude", "prelude", "Shrinkage.")
    assert found.statements[0].comment == "Soft."


def test_words_of_statements_are_names_elsewhere() -> None:
    text = (
        "let loss = 3\nlet measure = noise\nstate trace, return, input : scalar = 0\nphase:\n"
        "    trace <- trace\n    return = 3\n    let = 3\n    phase <- phase + over\n"
        "    trace trace = 3\noutput output\n"
    )
    assert len(program(text).statements) == 5


def test_comments() -> None:
    found = program(
        "\n"
        "# About m,\n"
        "#  and n.\n"
        "dims m, n  # not this\n"
        "\n"
        "# Lost: a blank line below.\n"
        "\n"
        "let a = f(m,  # first\n"
        "          n)  # second\n"
        "phase:  # seven\n"
        "    x <- a  # an update\n"
        "    # A local.\n"
        "    r = x\n"
        "    # About the phase, not about the output.\n"
        "output x\n"
        "loss:\n"
        "    a  # the formula\n",
        "# The paper.\n\n# More.\nalgorithm a  # not this\n",
    )
    dims, let, phase, output, loss = found.statements
    assert found.comment == "The paper.\n\nMore."
    assert dims.comment == "About m,\n and n."
    assert let.comment == "first\nsecond"
    assert phase.comment == "seven"
    assert isinstance(phase, n.Phase)
    assert [line.comment for line in phase.body] == ["an update", "A local."]
    assert output.comment == ""
    assert loss.comment == "the formula"


def test_comment_at_the_end_of_the_header() -> None:
    assert program("dims n", "algorithm a  # one line\n").comment == "one line"


def test_line_ends_marks_and_margins() -> None:
    plain = "algorithm a\nphase:\n    x <- y\noutput x\n"
    for text in (
        plain.replace("\n", "\r\n"),
        "\ufeff" + plain,
        plain.rstrip("\n"),
        "\n\n" + plain + "\n   \n# end",
        "".join(f"    {line}\n" for line in plain.splitlines()),
    ):
        assert to_text(program(text, "")) == to_text(program(plain, ""))
