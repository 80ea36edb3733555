"""The lines of a program as equations: what a notebook shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unroll_dsl.derive.model import Formula
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.syntax import nodes as n
from unroll_dsl.typeset.latex import Setter


def equations(typed: TypedProgram) -> str:
    r"""What a program minimises, how its states start, and its phase, as one `aligned` between `$$`.

    An update is `\leftarrow`, a value within the phase `=`; learnables and states have the letters of the page.
    """
    return aligned(_rows(typed))


def aligned(rows: Iterable[str]) -> str:
    """Rows with marks `&` as one display."""
    body = " \\\\\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def _rows(typed: TypedProgram) -> Iterator[str]:
    setter = Setter(typed)
    for statement in typed.program.statements:
        match statement:
            case n.Minimize(variables, body):
                over = ", ".join(variable.name.text for variable in variables)
                yield row(setter, Formula("", body, "", over))
            case n.Let(name, value):
                yield f"{setter.left(name.text)} &= {setter.set(value)}"
            case n.State(names, _, value) if value is not None:
                for name in names:
                    yield f"{setter.left(name.text)} &= {setter.set(value)}"
            case n.Phase(body=lines):
                yield r"&\text{in each phase}"
                yield from _phase(setter, lines)
            case n.Output(values):
                yield f"&\\text{{output}}\\ {', '.join(setter.set(value) for value in values)}"


def _phase(setter: Setter, lines: Iterable[n.PhaseStatement | n.State]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, n.Repeat):
            yield r"&\text{repeated}"
            yield from _phase(setter, line.body)
        elif isinstance(line, n.State):
            if line.value is not None:
                start = setter.set(line.value)
                yield from (f"{setter.left(name.text)} &= {start}" for name in line.names)
        else:
            yield updated(setter, line, None)


def row(setter: Setter, formula: Formula) -> str:
    """A formula with a mark `&` before its sign; with `over`, the minimum over these names."""
    right = setter.set(formula.right)
    left = setter.left(formula.left) if formula.left else ""
    sign = {"<-": r"\leftarrow", "=": "=", "": ""}[formula.relation]
    if formula.over is None:
        return f"{left} &{sign} {right}"
    over = ", ".join(setter.left(word.strip()) for word in formula.over.split(","))
    operator = r"\operatorname*{arg\,min}" if left else r"\min"
    return rf"{left} &{sign} {operator}_{{{over}}}\ {right}"


def updated(setter: Setter, line: n.Update | n.Local | n.Trace, mark: str | None) -> str:
    """A line of a phase with a mark `&` before its sign, and a word behind it."""
    match line:
        case n.Update(target, value):
            left, sign = target.text, r"\leftarrow"
        case n.Local(name, value) | n.Trace(name, value):
            left, sign = name.text, "="
    tail = rf" && \text{{{mark}}}" if mark else ""
    return f"{setter.left(left)} &{sign} {setter.set(value)}{tail}"
