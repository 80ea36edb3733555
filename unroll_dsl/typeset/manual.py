"""docs/functions.md: every function, linear map and form, from the records and the prelude.

What an entry says of shapes is what the checker says: each name is called with samples of every kind in one program,
and the calls that type are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.driver import check_source, prelude
from unroll_dsl.operators.model import Function, Kind, LinearOperator, Parameter
from unroll_dsl.operators.registry import lookup, names
from unroll_dsl.semantics.forms import FORMS
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.types import UNKNOWN, Array
from unroll_dsl.typeset.letters import math_name

SAMPLES = """\
algorithm samples
dims m = 4, n = 6, c = 2, h = 8, w = 8
input x, y : vector[n]
input A, B : matrix[m, n]
input u, v : image[c, h, w]
input t : scalar
input z : complex vector[n]
input q : complex image[c, h, w]
input S : matrix[n, n]
input b : matrix[c, 4]
input g : image[4, h, w]
input p : image[1, h, h]
input d : image[1, 9, h]
input f : complex image[1, h, w]
input o : complex image[5, h, w]
input e : vector[3]
input j : image[2, h, w]
input l : vector[m * n]
input r : image[c, 2 * h, 2 * w]
fixed K : matrix[3, 3]
fixed F : tensor[4, c, 3, 3]
fixed a : vector[9]
fixed C : complex image[5, h, w]
"""
_ONE = ("x", "A", "u", "t", "z", "q", "S", "p", "e")
_TWO = (
    ("x", "t"), ("x", "y"), ("A", "t"), ("A", "B"), ("u", "t"), ("u", "v"), ("S", "2"), ("u", "b"),
    ("x", "2"),
)  # fmt: skip
_AT_ONCE = 16  # calls in a program: after many errors the checker stops
_SHOWN = 3  # shapes of an entry
_MORE = ("x", "A", "u")  # what else is given is a number
_NUMBERS = ("t", "2", "3", "4")
_OPERANDS = {"kernel": "K", "B": "F", "S": "C", "angles": "a"}
_WORDS = {"d1": "m", "d2": "n", "n": "3", "r": "2", "s": "2"}
_FIXED = {  # where samples in the order of parameters would mean nothing
    "where": ("x > 0, x, y", "u > 0, u, 0"),
    "indicator": ("min(x) >= 0",),
    "complex": ("x, y", "u, v"),
    "linspace": ("0, 1, 5",),
    "concat": ("x, y", "u, v", "A, B"),
    "stack": ("x, y", "A, B"),
    "quantile": ("x, 0.5", "u, 0.5"),
    "unpair": ("u", "j"),
    "plf": ("u, b",),
    "box": ("x, 0, 1", "u, 0, 1"),
}
_FORMS = {
    "prev": ("What a state was as the phase began; in the phase alone.", ""),
    "solve": (
        "The solution of a system, by the cheapest route that its structure allows; conjugate gradients take "
        "`tolerance=` and `iterations=`.",
        "solve(S' @ S + 2 * I, x)",
    ),
    "norm": ("The length of an array; of a matrix the largest singular value.", "norm(A)"),
    "diag": ("The product with an array as a linear map.", "diag(x) @ y"),
    "split": ("A network of real values, applied to real and imaginary parts alike.", ""),
    "size": ("How many entries a vector has, known while compiling.", "size(x) * t"),
}
_GROUPS = {
    Kind.ELEMENTWISE: "Elementwise",
    Kind.REDUCTION: "Reductions",
    Kind.WHOLE: "Of a whole array",
    Kind.JOIN: "Putting together",
    Kind.CONSTRUCTOR: "Made of numbers",
}
_HEAD = """\
# Functions and linear maps

All that a page may call, generated from the records of `unroll_dsl/operators/` and from the prelude. Shapes are what the checker finds, examples are run by the
tests, with

```
{samples}```

Elementwise functions take arguments whose shapes agree: equal, or one of them a scalar. Reductions take all entries, or with `axis=1` (several: `axis=(1, 2)`) one axis
and leave the others. Your own functions are written `def f(v) = ...`: docs/language.md. The proximal maps of all terms of objectives are in docs/atoms.md.
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A call that types: its text, the types of what it is given in words, and that of its value."""

    text: str
    given: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class ManualEntry:
    """What the page says of a name."""

    name: str
    group: str
    signature: str
    summary: str
    formula: str = ""
    tried: tuple[str, ...] = ()  # calls, of which those that type are shown
    way_back: tuple[str, ...] = ()  # of a linear map, calls of its adjoint
    facts: tuple[tuple[str, str], ...] = ()


def page() -> str:
    """The page."""
    found = entries()
    known = _typed([text for entry in found for text in (*entry.tried, *entry.way_back)])
    parts = [_HEAD.format(samples=SAMPLES.partition("\n")[2])]
    group = ""
    for entry in found:
        if entry.group != group:
            group = entry.group
            parts.append(f"## {group}\n")
        parts.append(_section(entry, known))
    return "\n".join(parts)


def examples() -> tuple[Example, ...]:
    """The first call of each entry that types, and of each linear map one of its adjoint."""
    found = entries()
    known = _typed([text for entry in found for text in (*entry.tried, *entry.way_back)])
    shown = [_first(tried, known) for entry in found for tried in (entry.tried, entry.way_back)]
    return tuple(example for example in shown if example is not None)


def _first(tried: Sequence[str], known: dict[str, Example]) -> Example | None:
    return next((known[text] for text in tried if text in known), None)


# ---- entries ------------------------------------------------------------------------------------


def entries() -> tuple[ManualEntry, ...]:
    """All names in the order of the page."""
    records = [record for name in names() if (record := lookup(name)) is not None]
    functions = [_function(r) for r in records if isinstance(r, Function)]
    order = list(_GROUPS.values())
    functions.sort(key=lambda entry: (order.index(entry.group), entry.name))
    maps = sorted((_map(r) for r in records if isinstance(r, LinearOperator)), key=lambda x: x.name)
    return (*functions, *_prelude(), *maps, *_forms())


def _function(record: Function) -> ManualEntry:
    parameters = record.parameters
    name = {"maximum": "max", "minimum": "min"}.get(record.name, record.name)
    required = [p for p in parameters if not p.optional and p.default is None]
    return ManualEntry(
        record.name,
        _GROUPS[record.kind],
        _signature(name, parameters),
        record.summary,
        _formula(record.latex, parameters),
        tuple(_calls(name, record.name, required)),
        facts=() if record.differentiable else (("derivative", "0 where there is one"),),
    )


def _map(record: LinearOperator) -> ManualEntry:
    required = [p for p in record.parameters if not p.optional and p.default is None]
    given = ", ".join(_OPERANDS.get(p.name) or _WORDS.get(p.name, "2") for p in required)
    called = f"{record.name}({given})" if required else record.name
    arguments = ("u", "q", "p", "f", "g", "d", "o", "r", "A")
    facts = [("structure", ", ".join(sorted(record.structure)))] if record.structure else []
    if record.squared_norm:
        facts.append(("squared norm, at most", f"`{record.squared_norm}`"))
    return ManualEntry(
        record.name,
        "Linear maps",
        _signature(record.name, record.parameters) if record.parameters else record.name,
        record.summary,
        _formula(record.latex, record.parameters),
        tuple(f"{called} @ {argument}" for argument in arguments),
        tuple(f"{called}' @ {argument}" for argument in ("g", "q", "v", "d", "o", "l", "p", "x")),
        tuple(facts),
    )


def _prelude() -> Iterator[ManualEntry]:
    for statement in prelude().statements:
        if not isinstance(statement, n.Definition):
            continue
        name = statement.name.text
        parameters = tuple(Parameter(p.name.text) for p in statement.parameters)
        lines = statement.span.text.split("\n")
        formula = f"`{lines[0].partition('=')[2].strip()}`" if len(lines) == 1 else ""
        yield ManualEntry(
            name,
            "Shrinkage, projections and others, written in the language",
            _signature(name, parameters),
            " ".join(statement.comment.split()),
            formula,
            tuple(_calls(name, name, parameters)),
        )


def _forms() -> Iterator[ManualEntry]:
    for form in FORMS.values():
        words, example = _FORMS[form.name]
        tried = (example,) if example else ()
        yield ManualEntry(form.name, "Forms", form.signature, words, tried=tried)


def _signature(name: str, parameters: Sequence[Parameter]) -> str:
    words = []
    for p in parameters:
        if p.many:
            words.append(f"{p.name}1, {p.name}2, ...")
        elif p.optional or p.default is not None:
            default = p.default if not isinstance(p.default, float) else f"{p.default:g}"
            words.append(f"{p.name}=..." if p.default is None else f"{p.name}={default}")
        else:
            words.append(p.name)
    return f"{name}({', '.join(words)})"


def _formula(latex: str, parameters: Sequence[Parameter]) -> str:
    if not latex:
        return ""
    letters = [math_name(p.name) for p in parameters]
    try:
        return f"${latex.format(*letters, *['x'] * 4)}$"
    except (IndexError, KeyError, ValueError):
        return ""


def _calls(name: str, key: str, parameters: Sequence[Parameter]) -> Iterator[str]:
    """Calls with samples of every kind; most do not type."""
    if key in _FIXED:
        yield from (f"{name}({given})" for given in _FIXED[key])
        return
    arrays = [p for p in parameters if not p.static]
    statics = [_WORDS.get(p.name, "2") for p in parameters if p.static]
    given: Iterator[Sequence[str]]
    match len(arrays):
        case 0:
            given = iter([()])
        case 1:
            given = ((one,) for one in _ONE)
        case 2:
            given = iter(_TWO)
        case count:
            given = ((one, *_NUMBERS[: count - 1]) for one in _MORE)
    for values in given:
        yield f"{name}({', '.join([*values, *statics])})"


# ---- what the checker says ----------------------------------------------------------------------


def _typed(calls: Sequence[str]) -> dict[str, Example]:
    """Of the calls those that type, by their text."""
    distinct = list(dict.fromkeys(calls))
    found: dict[str, Example] = {}
    for begin in range(0, len(distinct), _AT_ONCE):
        found |= _typed_together(distinct[begin : begin + _AT_ONCE])
    return found


def _typed_together(calls: Sequence[str]) -> dict[str, Example]:
    lines = [f"let e{place} = {text}" for place, text in enumerate(calls)]
    source = SourceFile("samples.unroll", SAMPLES + "\n".join(lines) + "\noutput x\n")
    checked = check_source(source)
    if checked.typed is None:
        raise InternalError("the program of the samples does not parse")
    wrong = {d.labels()[0].span.line for d in checked.diagnostics if d.is_error and d.labels()}
    types = {s.name: str(s.type) for s in checked.typed.symbols.values() if s.type is not None}
    found: dict[str, Example] = {}
    values = [s for s in checked.typed.program.statements if isinstance(s, n.Let)]
    for text, statement in zip(calls, values, strict=True):
        type_ = checked.typed.types.get(statement.value, UNKNOWN)
        if statement.span.line in wrong or not isinstance(type_, Array):
            continue
        given = [types[w] for w in dict.fromkeys(_read(statement.value)) if w in types]
        found[text] = Example(text, tuple(given), str(type_))
    return found


def _read(expr: n.Expr) -> Iterator[str]:
    """The names that an expression reads, from left to right."""
    match expr:
        case n.Name(text):
            yield text
        case n.Unary(_, operand) | n.Adjoint(operand):
            yield from _read(operand)
        case n.Binary(_, left, right):
            yield from (*_read(left), *_read(right))
        case n.Call(_, arguments):
            for argument in arguments:
                yield from _read(argument.value)


def _section(entry: ManualEntry, known: dict[str, Example]) -> str:
    rows = [("formula", entry.formula)] if entry.formula else []
    for words, tried in (("takes", entry.tried), ("adjoint", entry.way_back)):
        calls = [known[text] for text in tried if text in known]
        is_map = bool(entry.way_back)  # of which the operand is said by the signature
        shapes = dict.fromkeys(
            f"`{', '.join(call.given[-1:] if is_map else call.given)}` -> `{call.value}`"
            for call in calls
            if call.given
        )
        if shapes:
            rows.append((words, "; ".join([*shapes][:_SHOWN])))
    rows += entry.facts
    shown = [_first(tried, known) for tried in (entry.tried, entry.way_back)]
    texts = [f"`{example.text}`" for example in shown if example is not None]
    if texts:
        rows.append(("example", ", ".join(texts)))
    table = "".join(f"| {words} | {said.replace('|', chr(92) + '|')} |\n" for words, said in rows)
    table = f"\n| | |\n|---|---|\n{table}" if table else ""
    return f"### `{entry.signature}`\n\n{entry.summary}\n{table}"
