"""A program as the algorithm box of a paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from unroll_dsl.operators.model import Function
from unroll_dsl.operators.registry import lookup
from unroll_dsl.semantics.model import FunctionCall, Sort, TypedProgram
from unroll_dsl.semantics.scopes import NOISE
from unroll_dsl.syntax.expressions import expression_text, places_text
from unroll_dsl.syntax.nodes import (
    ENTRIES,
    IMAGINARY_UNIT,
    Adjoint,
    Binary,
    Call,
    Chain,
    Declaration,
    Expr,
    Let,
    Local,
    Loss,
    Measure,
    Minimize,
    Name,
    Number,
    Output,
    Phase,
    PhaseSum,
    RandomInit,
    Repeat,
    Role,
    State,
    Trace,
    Unary,
    Update,
)
from unroll_dsl.types import Array, Field, LinearMap
from unroll_dsl.typeset.letters import math_name
from unroll_dsl.typeset.words import is_complex_map, numeral, plain, space_of

_RELATIONS = {"==": "=", "!=": r"\neq", "<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq"}
_LEVEL = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "@": 6, "/": 9, "^": 8}


class Setter:
    """Sets formulas of one program, or such as are put together from its names."""

    def __init__(self, typed: TypedProgram) -> None:
        self._writer = _Writer(typed)

    def set(self, expr: Expr) -> str:
        """An expression as LaTeX."""
        return self._writer.set(expr)

    def left(self, words: str) -> str:
        """A name as a letter, words as text."""
        return (
            math_name(words)
            if words.isidentifier() and len(words) < 10
            else rf"\text{{{plain(words)}}}"
        )


def latex(typed: TypedProgram) -> str:
    """LaTeX of a checked program: an `algorithm` float for the packages algorithm and algpseudocode.

    States carry the number of the phase: x^{(k)} where the line above has updated them, x^{(k-1)}
    where it has not. Learnables of a phase carry it too.
    """
    return _Writer(typed).run()


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    level: int = 10  # how tightly it binds; 10 needs no brackets


class _Writer:
    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.updated: set[str] = set()
        self.state_index: Callable[[str], str] = lambda name: ""
        self.noise: str | None = None  # its letter, in a `measure` line
        self.prime = "(k-1)"  # the index of what `prev` stands for

    def run(self) -> str:
        program = self.typed.program
        title = program.comment.split("\n", 1)[0].strip() or program.name.text
        lines = [
            "% Needs \\usepackage{amsmath, amssymb, algorithm, algpseudocode}.",
            r"\begin{algorithm}",
            rf"  \caption{{{plain(title)}}}",
            r"  \begin{algorithmic}[1]",
        ]
        body: list[str] = []
        for role, word in ((Role.INPUT, "Require"), (Role.FIXED, "Require")):
            body += self._declared(role, word)
        learnable = self._declared(Role.LEARNABLE, "Require")
        body += learnable
        for statement in program.statements:
            if isinstance(statement, Let):
                left, right = self._name(statement.name), self.set(statement.value)
                body.append(rf"\State ${left} = {right}$")
        for statement in program.statements:
            match statement:
                case Minimize(variables, objective):
                    names = ",".join(math_name(v.name.text) for v in variables)
                    body.append(
                        rf"\State \textbf{{minimise}} over ${names}$: ${self.set(objective)}$"
                    )
                case State(names, _, value) if value is not None:
                    starts = ", ".join(f"{math_name(n.text)}^{{(0)}}" for n in names)
                    body.append(rf"\State ${starts} = {self.set(value)}$")
                case Phase():
                    body += self._phase(statement)
                case Output(values, names):
                    self.state_index = lambda name: "^{(K)}"
                    words = ", ".join(
                        (f"{math_name(name.text)} = " if name else "") + self.set(value)
                        for name, value in zip(names, values, strict=True)
                    )
                    body.append(rf"\State \Return ${words}$")
                    self.state_index = lambda name: ""
                case Loss(_, value):
                    self.state_index = lambda name: "^{(K)}"
                    body.append(rf"\State \textbf{{loss}} ${self.set(value)}$")
                    self.state_index = lambda name: ""
                case Measure(name, value):
                    self.noise = self._noise()
                    body.append(
                        rf"\State \textbf{{data}} ${math_name(name.text)} = {self.set(value)}$"
                    )
                    self.noise = None
                case _:
                    pass
        lines += [f"    {line}" for line in body]
        lines += [r"  \end{algorithmic}", r"\end{algorithm}", ""]
        return "\n".join(lines)

    def _noise(self) -> str:
        """The letter of white noise: n, unless it means something else."""
        return "n" if "n" not in self.typed.symbols else r"\varepsilon"

    def _declared(self, role: Role, word: str) -> list[str]:
        found = []
        for statement in self.typed.program.statements:
            if not isinstance(statement, Declaration) or statement.role is not role:
                continue
            names = ", ".join(self._name(name) for name in statement.names)
            kind = {Role.INPUT: "input", Role.FIXED: "fixed", Role.LEARNABLE: "learnable"}[role]
            type_ = self.typed.symbols[statement.names[0].text].type
            where = rf" \in {space_of(type_)}" if isinstance(type_, Array) else ""
            value = statement.value
            start = ""
            if value is not None and role is Role.LEARNABLE:
                if isinstance(value, RandomInit):
                    start = f", initially random ({plain(value.name.text)})"
                else:
                    start = rf", initially ${self.set(value)}$"
            found.append(rf"\{word} {kind} ${names}{where}${start}")
        return found

    def _phase(self, phase: Phase) -> list[str]:
        lines = [rf"\For{{$k = 1, \dots, {self.typed.phases}$}}"]
        self.updated = set()

        def index(name: str) -> str:
            return "^{(k)}" if name in self.updated else "^{(k-1)}"

        self.state_index = index
        for line in phase.body:
            match line:
                case Repeat():
                    lines += [f"  {text}" for text in self._repeat(line)]
                case Update(target, value):
                    text = self.set(value)
                    self.updated.add(target.text)
                    lines.append(rf"  \State ${math_name(target.text)}^{{(k)}} = {text}$")
                case Local(name, value):
                    lines.append(rf"  \State ${math_name(name.text)} = {self.set(value)}$")
                case Trace(name, value):
                    words = rf"${math_name(name.text)}^{{(k)}} = {self.set(value)}$"
                    lines.append(rf"  \State {words} \Comment{{for the loss}}")
                case _:
                    assert_never(line)
        self.state_index = lambda name: ""
        lines.append(r"\EndFor")
        return lines

    def _repeat(self, repeat: Repeat) -> list[str]:
        """An inner loop, whose states have the number of the step beside that of the phase."""
        own = {line.target.text for line in repeat.body if isinstance(line, Update)}
        starts = []
        for line in repeat.body:
            for name in line.names if isinstance(line, State) else ():
                assert isinstance(line, State) and line.value is not None
                start = self.set(line.value)
                starts.append(rf"\State ${math_name(name.text)}^{{(k,0)}} = {start}$")
        inner = {n.text for s in repeat.body if isinstance(s, State) for n in s.names}
        begun = [
            rf"{math_name(w)}^{{(k,0)}} = {math_name(w)}{self.state_index(w)}" for w in own - inner
        ]
        starts += [rf"\State ${text}$" for text in sorted(begun)]
        outside, updated, self.prime = self.state_index, set[str](), "(k,j-1)"

        def index(name: str) -> str:
            if name not in own:
                return outside(name)
            return "^{(k,j)}" if name in updated else "^{(k,j-1)}"

        self.state_index, count = index, self.typed.steps[repeat]
        lines = [rf"\For{{$j = 1, \dots, {count}$}}"]
        for line in repeat.body:
            if isinstance(line, Update):
                value = self.set(line.value)
                updated.add(line.target.text)
                lines.append(rf"  \State ${math_name(line.target.text)}^{{(k,j)}} = {value}$")
            elif isinstance(line, Local):
                lines.append(rf"  \State ${math_name(line.name.text)} = {self.set(line.value)}$")
        self.updated |= own
        self.state_index, self.prime = outside, "(k-1)"
        ends = ", ".join(
            rf"{math_name(w)}{self.state_index(w) or '^{(k)}'} = {math_name(w)}^{{(k,{count})}}"
            for w in sorted(own)
        )
        return [*starts, *lines, r"\EndFor", rf"\State ${ends}$"]

    # ---- expressions ----------------------------------------------------------------------------

    def set(self, expr: Expr) -> str:
        return self._piece(expr).text

    def _in(self, expr: Expr, level: int) -> str:
        piece = self._piece(expr)
        return piece.text if piece.level >= level else rf"\left({piece.text}\right)"

    def _piece(self, expr: Expr) -> _Piece:
        match expr:
            case Number(value):
                return _Piece(numeral(value))
            case Name():
                return _Piece(self._name(expr))
            case Unary("-", operand):
                return _Piece(f"-{self._in(operand, 6)}", 5)
            case Unary(_, operand):
                return _Piece(rf"\lnot {self._in(operand, 9)}", 3)
            case Adjoint(operand):
                mark = r"^{\mathsf{H}}" if self._is_complex(operand) else r"^{\top}"
                inner = self._in(operand, 9)
                if "^" in inner and not inner.startswith(r"\left("):
                    inner = f"{{{inner}}}"
                return _Piece(f"{inner}{mark}", 9)
            case Binary():
                return self._binary(expr)
            case Call():
                return self._call(expr)
            case PhaseSum(body):
                outer, self.state_index = self.state_index, lambda name: "^{(k)}"
                text = rf"\sum_{{k=1}}^{{K}} {self._in(body, 6)}"
                self.state_index = outer
                return _Piece(text, 6)
            case Chain():
                return _Piece(rf"\text{{{plain(expression_text(expr))}}}", 9)
            case _:
                assert_never(expr)

    def _binary(self, expr: Binary) -> _Piece:
        left, right = expr.left, expr.right
        match expr.operator:
            case "/":
                return _Piece(rf"\frac{{{self.set(left)}}}{{{self.set(right)}}}", 9)
            case "^":
                base = self._in(left, 9)
                if "^" in base and not base.startswith(r"\left("):
                    base = rf"\left({base}\right)"
                return _Piece(f"{base}^{{{self.set(right)}}}", 8)
            case "@":
                return _Piece(rf"{self._in(left, 6)}\,{self._in(right, 7)}", 6)
            case "*":
                a, b = self.typed.types.get(left), self.typed.types.get(right)
                both = isinstance(a, Array) and isinstance(b, Array) and a.rank and b.rank
                sign = r" \odot " if both else r"\,"
                if isinstance(right, Number):
                    sign = r" \cdot "
                return _Piece(f"{self._in(left, 6)}{sign}{self._in(right, 7)}", 6)
            case "+" | "-":
                return _Piece(
                    f"{self._in(left, 5)} {expr.operator} "
                    f"{self._in(right, 5 if expr.operator == '+' else 6)}",
                    5,
                )
            case "and" | "or":
                sign = r"\land" if expr.operator == "and" else r"\lor"
                level = _LEVEL[expr.operator]
                return _Piece(f"{self._in(left, level)} {sign} {self._in(right, level)}", level)
            case _:
                sign = _RELATIONS[expr.operator]
                return _Piece(f"{self._in(left, 5)} {sign} {self._in(right, 5)}", 4)

    def _call(self, call: Call) -> _Piece:
        arguments = [argument.value for argument in call.arguments]
        name = call.function.text if isinstance(call.function, Name) else None
        if name == ENTRIES:
            chosen = ", ".join(places_text(call.arguments[1:], self.set))
            return _Piece(f"{{{self._in(arguments[0], 9)}}}_{{{chosen}}}", 9)
        words = [self.set(argument) for argument in arguments]
        if name == "prev" and isinstance(arguments[0], Name):
            return _Piece(f"{math_name(arguments[0].text)}^{{{self.prime}}}", 9)
        if name == "solve":
            inverse = rf"\left({words[0]}\right)^{{-1}}"
            return _Piece(rf"{inverse} {self._in(arguments[1], 7)}", 6)
        if name == "soft" and len(words) == 2:
            small = self._in_line(arguments[1])
            return _Piece(rf"\mathcal{{S}}_{{{small}}}\!\left({words[0]}\right)", 9)
        resolved = self.typed.calls.get(call)
        record = resolved.record if isinstance(resolved, FunctionCall) else lookup(name or "")
        if isinstance(record, Function) and record.latex:
            try:
                return _Piece(record.latex.format(*words), 9)
            except (IndexError, KeyError, ValueError):
                pass  # a format for another number of arguments: set it as a plain call
        if name is None:
            head = self._in(call.function, 9)
        elif name in self.typed.symbols and self.typed.symbols[name].sort is not Sort.DEFINITION:
            head = self._name(Name(name, call.span))
        else:
            head = rf"\operatorname{{{plain(name)}}}"
        return _Piece(rf"{head}\!\left({', '.join(words)}\right)", 9)

    def _in_line(self, expr: Expr) -> str:
        """For an index, where a fraction would be too small to read."""
        match expr:
            case Binary("/", left, right):
                return f"{self._in(left, 6)} / {self._in(right, 7)}"
        return self.set(expr)

    def _name(self, name: Name) -> str:
        if name.text == NOISE and self.noise is not None:
            return self.noise
        if name.text == IMAGINARY_UNIT:
            return r"\mathrm{i}"
        symbol = self.typed.symbols.get(name.text)
        text = math_name(name.text)
        if symbol is None:
            return text
        if symbol.sort is Sort.STATE:
            return text + self.state_index(name.text)
        if symbol.sort is Sort.INNER:
            return text + self.state_index(name.text)
        if symbol.per_step and self.prime == "(k,j-1)":
            return text + ("^{(k,j)}" if symbol.per_phase else "^{(j)}")
        if symbol.per_phase or symbol.sort is Sort.TRACE:
            return f"{text}^{{(k)}}"
        return text

    def _is_complex(self, expr: Expr) -> bool:
        type_ = self.typed.types.get(expr)
        if type_ is None and isinstance(expr, Name):  # put together from the program's names
            symbol = self.typed.symbols.get(expr.text)
            if symbol is not None and isinstance(symbol.definer, Let):
                type_ = self.typed.types.get(symbol.definer.value)
            elif symbol is not None:
                type_ = symbol.type
        if isinstance(type_, LinearMap):
            return is_complex_map(type_.structure)
        return isinstance(type_, Array) and type_.field is Field.COMPLEX
