"""Whatever is written reads back as the same tree; whatever the text, there is an answer."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import parse_text, read_source, same_tree, to_text

PROGRAMS = [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[1] / "unit/syntax/programs").glob("*.unroll"))
]
NOWHERE = Span(SourceFile("<made>", ""), 0, 0)

# ---- trees --------------------------------------------------------------------------------------

names = st.sampled_from(
    ["x", "y", "A", "Phi", "λ", "x̂", "ρ_1", "x₁", "lambda", "loss", "phase", "sum", "per", "T", "k"]
).map(lambda text: n.Name(text, NOWHERE))
numbers = (st.integers(0, 10**20) | st.floats(0, 1e300, allow_nan=False, allow_infinity=False)).map(
    lambda value: n.Number(abs(value), NOWHERE)
)
comments = st.lists(
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8).map(str.rstrip), max_size=3
).map("\n".join)


def list_of(items: st.SearchStrategy, least: int = 0) -> st.SearchStrategy:
    return st.lists(items, min_size=least, max_size=3).map(tuple)


def arguments(values: st.SearchStrategy) -> st.SearchStrategy:
    return list_of(st.builds(n.Argument, st.none() | names, values, st.just(NOWHERE)))


def binary(children: st.SearchStrategy) -> st.SearchStrategy:
    signs = st.sampled_from([*"+-*/@^<>", "==", "!=", "<=", ">=", "and", "or"])
    return st.builds(n.Binary, signs, children, children, st.just(NOWHERE), st.just(NOWHERE))


def called(children: st.SearchStrategy) -> st.SearchStrategy:
    call = st.builds(n.Call, names, arguments(children), st.just(NOWHERE))
    return call | st.builds(n.Call, call, arguments(children), st.just(NOWHERE))


expressions = st.recursive(
    names | numbers,
    lambda children: (
        st.builds(n.Unary, st.sampled_from(["-", "not"]), children, st.just(NOWHERE))
        | binary(children)
        | binary(children)
        | st.builds(n.Adjoint, children, st.just(NOWHERE))
        | called(children)
        | st.builds(n.PhaseSum, children, st.just(NOWHERE))
    ),
    max_leaves=8,
)

spaces = st.builds(n.SpaceType, names, list_of(expressions), st.booleans(), st.just(NOWHERE))
networks = st.builds(n.NetworkType, list_of(spaces, 1), spaces, st.just(NOWHERE))
options = st.builds(n.Argument, names, expressions, st.just(NOWHERE))
convs = st.builds(
    n.ConvType,
    expressions,
    expressions,
    expressions,
    list_of(names),
    list_of(options),
    st.just(NOWHERE),
)
types = (
    spaces
    | networks
    | convs
    | st.builds(n.LinearType, spaces, spaces, st.just(NOWHERE))
    | st.lists(names | convs | networks, min_size=2, max_size=3)
    .map(tuple)
    .map(lambda steps: n.ComposedType(steps, NOWHERE))
)


@st.composite
def bounds(draw: st.DrawFn) -> n.Bounds:
    lower, upper = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    return n.Bounds(
        draw(expressions) if lower else None,
        draw(st.booleans()) if lower else False,
        draw(expressions) if upper else None,
        draw(st.booleans()) if upper else False,
        NOWHERE,
    )


optional = st.none() | expressions
here = (comments, st.just(NOWHERE))
updates = st.builds(n.Update, names, expressions, *here)
local_values = st.builds(n.Local, names, expressions, *here)
traces = st.builds(n.Trace, names, expressions, *here)
randoms = st.builds(n.RandomInit, names, arguments(expressions), st.just(NOWHERE))
untyped = st.builds(n.Parameter, names, st.none(), st.just(NOWHERE))
typed = st.builds(n.Parameter, names, spaces, st.just(NOWHERE))
definitions = st.builds(
    n.Definition, names, list_of(untyped), list_of(local_values), expressions, *here
)
statements = (
    st.builds(n.Dims, list_of(st.builds(n.Dimension, names, optional, st.just(NOWHERE)), 1), *here)
    | st.builds(
        n.Declaration,
        st.sampled_from(n.Role),
        list_of(names, 1),
        types,
        st.none() | bounds(),
        st.sampled_from(n.Sharing),
        optional | randoms,
        *here,
    )
    | st.builds(n.Let, names, expressions, *here)
    | st.builds(n.State, list_of(names, 1), spaces, optional, *here)
    | st.builds(n.Phase, optional, list_of(updates | local_values | traces, 1), *here)
    | st.lists(st.tuples(expressions, st.none() | names), min_size=1, max_size=3).map(
        lambda parts: n.Output(
            tuple(value for value, _ in parts), tuple(name for _, name in parts), "", NOWHERE
        )
    )
    | st.builds(n.Minimize, list_of(untyped | typed, 1), expressions, *here)
    | st.builds(n.Loss, list_of(typed), expressions, *here)
    | st.builds(n.Measure, names, expressions, *here)
    | definitions
)


def program(kind: st.SearchStrategy, parts: st.SearchStrategy) -> st.SearchStrategy:
    file = NOWHERE.file
    name = names.filter(lambda name: name.text.isidentifier())
    return st.builds(n.Program, kind, name, parts, comments, st.just(file), st.just(NOWHERE))


programs = program(st.sampled_from(["algorithm", "problem"]), list_of(statements))
preludes = program(st.just("prelude"), list_of(definitions, 1))


@settings(max_examples=150, deadline=None)
@given(programs | preludes)
def test_programs_read_back(tree: n.Program) -> None:
    text = to_text(tree)
    result = parse_text(text, f"{tree.name.text}.unroll")
    transposes = [d for d in result.diagnostics if d.code == "U0135"]  # `x^T` is a power to it
    assert list(result.diagnostics) == transposes, text
    assert result.program is not None
    assert same_tree(tree.statements, result.program.statements), text
    assert (tree.kind, tree.comment) == (result.program.kind, result.program.comment)
    assert same_tree(tree.name, result.program.name)
    assert to_text(result.program) == text


# ---- texts --------------------------------------------------------------------------------------

WORDS = [
    *("algorithm", "problem", "dims", "input", "fixed", "learnable", "let", "state", "phase"),
    *(
        "output",
        "minimize",
        "over",
        "loss",
        "measure",
        "noise",
        "def",
        "trace",
        "return",
        "per",
        "shared",
        "phases",
    ),
    *("and", "or", "not", "in", "sum", "linear", "network", "conv", "complex", "scalar", "vector"),
    *("x", "y", "1", "2.5", "=", "<-", ":", ",", "(", ")", "[", "]", "+", "-", "*", "/", "@", "^"),
    *("'", "==", "<", ">=", "~", "->", ">>", "#", ".", "×", ";", ":=", "**", "//", "\t", "\r"),
]
fragments = st.lists(st.sampled_from([*WORDS, "\n", "\n    ", "\n  ", "  "]), max_size=60).map(
    " ".join
)


def answered(text: str) -> None:
    """Parse, and see that every word of the answer can be shown."""
    result = parse_text(text)
    assert result.program is not None or result.diagnostics
    for diagnostic in result.diagnostics:
        assert_shown(diagnostic, text)
    if result.program is not None and not result.diagnostics:
        again = parse_text(to_text(result.program)).program
        assert again is not None and same_tree(result.program, again)


def assert_shown(diagnostic: Diagnostic, text: str) -> None:
    words = [diagnostic.message(), diagnostic.help() or "", *diagnostic.notes()]
    words += [label.text for label in diagnostic.labels()]
    assert diagnostic.message() and "\n" not in diagnostic.message()
    for word in ("_NL", "_INDENT", "_DEDENT", "$END", "ANON", "NAME'", "LPAR"):
        assert word not in " ".join(words).replace(text, "")
    for label in diagnostic.labels():
        assert 0 <= label.span.start <= label.span.end <= len(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_answered(text: str) -> None:
    answered(text)


@settings(max_examples=250, deadline=None)
@given(fragments, st.booleans())
def test_any_words_are_answered(text: str, headed: bool) -> None:
    answered(f"algorithm a\n{text}" if headed else text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PROGRAMS), st.data())
def test_cut_off_programs_are_answered(text: str, data: st.DataObject) -> None:
    answered(text[: data.draw(st.integers(0, len(text)))])


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(PROGRAMS), st.data())
def test_mutated_programs_are_answered(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        middle = data.draw(st.sampled_from([*WORDS, "", "\n", "    "]) | st.text(max_size=3))
        text = text[:start] + middle + text[end:]
    answered(text)


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=100))
def test_any_bytes_are_answered(data: bytes, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.unroll"
    path.write_bytes(data)
    match read_source(path):
        case SourceFile(text=text):
            answered(text)
        case diagnostic:
            assert diagnostic.message()
