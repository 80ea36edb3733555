"""`unroll compile --emit STAGE`: what a program looks like after each stage of the compiler.

    tokens      the text in words                     line:column  kind  text
    tree        the syntax tree                       one node a line
    types       the type of every expression          line:column  expression : type
    ir          the graph as built
    ir:PASS     the graph after a pass
    numpy       what the reference computes: the states of each phase on a random instance
    torch       the generated module

What a stage cannot be shown for, because the one before it found errors, is answered with those.
"""

import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from unroll_dsl.cli.usage import UsageError, did_you_mean
from unroll_dsl.source import SourceFile, Span

if TYPE_CHECKING:
    from unroll_dsl import Spec
    from unroll_dsl.backends.resting import Phases
    from unroll_dsl.ir.graph import Graph
    from unroll_dsl.semantics.model import TypedProgram
    from unroll_dsl.syntax.nodes import Program

STAGES = ("tokens", "tree", "types", "ir", "ir:PASS", "numpy", "torch")


def known_stage(stage: str) -> str:
    """The stage itself, if there is such a one."""
    if stage in STAGES and stage != "ir:PASS":
        return stage
    names = list(STAGES)
    if stage.startswith("ir:"):
        from unroll_dsl.passes.pipeline import STEPS

        names = [f"ir:{step.name}" for step in STEPS]
        if stage in names:
            return stage
    mend = did_you_mean(stage, names) or f"one of {', '.join(names)}"
    raise UsageError(f"`--emit` does not know `{stage}`", mend)


def tokens(file: SourceFile) -> str:
    """Every token of a file at its place."""
    from unroll_dsl.syntax.lexer import Lexer
    from unroll_dsl.syntax.parse_tables import load_tables

    lines = Lexer(file, load_tables()).lines()
    found = [token for line in lines.lines for token in line.tokens]
    return _table((_place(t.span), t.kind, t.text.rstrip("\n")) for t in found)


def tree(program: "Program") -> str:
    """The syntax tree, each node under the one that holds it."""
    return "\n".join(_node("", program, 0)) + "\n"


def types(typed: "TypedProgram") -> str:
    """Every expression in the order of its place, the outer before the inner, with its type."""
    from unroll_dsl.syntax.printer import expression_text

    found = [
        (node.span, expression_text(node), str(type_))
        for node, type_ in typed.types.items()
        if node.span.file is typed.program.file
    ]
    found.sort(key=lambda row: (row[0].start, -row[0].end))
    return _table((_place(span), text, f": {type_}") for span, text, type_ in found)


def ir(graph: "Graph", stage: str) -> str:
    """The graph as built (`ir`), or after one of the passes (`ir:PASS`)."""
    from unroll_dsl.ir.text import to_text
    from unroll_dsl.passes.pipeline import trace

    if stage == "ir":
        return to_text(graph)
    wanted = stage.removeprefix("ir:")
    return next(to_text(after) for name, after in trace(graph) if name == wanted)


def _place(span: Span) -> str:
    line, column = span.file.position(span.start)
    return f"{line}:{column}"


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    """Rows of words with their first two columns aligned."""
    words = list(rows)
    first = max((len(row[0]) for row in words), default=0)
    second = max((len(row[1]) for row in words), default=0)
    lines = (f"{a:>{first}}  {b:<{second}}  {c}".rstrip() for a, b, c in words)
    return "\n".join(lines) + "\n"


def _node(label: str, value: object, depth: int) -> Iterator[str]:
    """Lines of one value: nodes and sequences open a level, everything else is one line."""
    indent = "  " * depth + label
    match value:
        case SourceFile():
            return
        case Span():
            yield f"{indent}{_place(value)}"
        case Enum():
            yield f"{indent}{value.value}"
        case tuple():
            yield f"{indent}{'' if value else 'none'}".rstrip()
            for item in value:
                yield from _node("- ", item, depth + 1)
        case _ if dataclasses.is_dataclass(value):
            inline, nested = _parts(value)
            yield f"{indent}{type(value).__name__} {inline}".rstrip()
            for name, part in nested:
                yield from _node(f"{name}: ", part, depth + 1)
        case _:
            yield f"{indent}{value!r}"


def _parts(node: object) -> tuple[str, list[tuple[str, object]]]:
    """The fields of a node that fit on its line, and those that open a level."""
    inline: list[str] = []
    nested: list[tuple[str, object]] = []
    for field in dataclasses.fields(node):  # type: ignore[arg-type]  # the caller made sure
        value: object = getattr(node, field.name)
        match value:
            case SourceFile() | frozenset():
                pass
            case Span():
                inline.append(f"@{_place(value)}")
            case None | False | "":
                pass
            case True:
                inline.append(field.name)
            case Enum():
                inline.append(str(value.value))
            case str() | int() | float():
                inline.append(repr(value))
            case _ if value != ():
                nested.append((field.name, value))
    return " ".join(inline), nested


def numpy(spec: "Spec", phases: "Phases | None") -> str:
    """The states after each phase, as the reference computes them for one random sample."""
    import numpy as np

    from unroll_dsl.verify.instance import draw

    instance = draw(spec.graph, seed=0, batch=1)
    reference = spec.reference(
        phases=phases, bind=instance.bind, init=instance.init, dims=instance.sizes
    )
    sample = [array[0] for array in instance.inputs]
    sizes = ", ".join(f"{name} = {size}" for name, size in instance.sizes.items())
    lines = [f"# {spec.name} on a random instance (seed 0): {sizes}"]
    with np.printoptions(precision=6, suppress=True, threshold=20, linewidth=100):
        for number, states in enumerate(reference.trajectory(*sample), start=1):
            lines.append(f"phase {number}")
            lines += [f"    {name} = {_indented(str(value))}" for name, value in states.items()]
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n        ")
