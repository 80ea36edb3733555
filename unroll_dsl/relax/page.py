"""A page while it is rewritten: its statements, the types of its expressions, free names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import assert_never

from unroll_dsl.objectives.affine import AffineReader
from unroll_dsl.objectives.problem import declared_names, expressions
from unroll_dsl.objectives.weights import ONE, Weight
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.semantics.scopes import RESERVED, names_in
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import one_statement, substitute
from unroll_dsl.syntax.tidy import tidy
from unroll_dsl.types import Array, Field, Type

Line = n.Update | n.Local | n.Trace


class Refused(Exception):
    """A relaxation does not fit a page: why, and which place of it says so."""

    def __init__(self, reason: str, span: Span | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span


class Page:
    """The working copy of one relaxation; what it leaves is checked as any program."""

    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.program = typed.program
        self.statements: list[n.Statement] = list(typed.program.statements)
        self.reader = AffineReader(typed, ())
        self.taken = {*RESERVED}
        for statement in self.statements:
            self.taken |= set(declared_names(statement))
            self.taken |= {w.text for e in expressions(statement) for w in names_in(e)}
        self.notes: list[str] = []

    # ---- reading ----------------------------------------------------------------------------------

    @property
    def phase(self) -> n.Phase:
        for statement in self.statements:
            if isinstance(statement, n.Phase):
                return statement
        raise Refused("it has no phase")

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the phase; raises `Refused` where it has an inner loop, which no relaxation follows."""
        for line in self.phase.body:
            if isinstance(line, n.Repeat):
                raise Refused("its phase has an inner loop", line.span)
        return tuple(line for line in self.phase.body if not isinstance(line, n.Repeat))

    def states(self) -> dict[str, n.State]:
        return {w.text: s for s in self.statements if isinstance(s, n.State) for w in s.names}

    def fixed(self, name: str) -> n.Declaration | None:
        """The declaration of a fixed value."""
        return self._declared(name, n.Role.FIXED)

    def learnable(self, name: str) -> n.Declaration | None:
        """The declaration of a learnable."""
        return self._declared(name, n.Role.LEARNABLE)

    def _declared(self, name: str, role: n.Role) -> n.Declaration | None:
        declarations = (s for s in self.statements if isinstance(s, n.Declaration))
        own = (s for s in declarations if s.role is role and any(w.text == name for w in s.names))
        return next(own, None)

    def type(self, expr: n.Expr) -> Type:
        if isinstance(expr, n.Name):
            state = self.states().get(expr.text)
            if state is not None:
                return self.typed.symbols[expr.text].type or Array()
            local = next(
                (x for x in self.lines if isinstance(x, n.Local) and x.name.text == expr.text),
                None,
            )
            if local is not None:
                return self.type(local.value)
        return self.reader.type(expr)

    def array(self, expr: n.Expr) -> Array:
        found = self.type(expr)
        if not isinstance(found, Array):
            raise Refused(f"`{expression_text(expr)}` is no array", expr.span)
        return found

    def is_scalar(self, expr: n.Expr) -> bool:
        found = self.type(expr)
        return isinstance(found, Array) and found.rank == 0 and found.field is not Field.COMPLEX

    def changes(self, expr: n.Expr) -> bool:
        """Whether a value changes with the states."""
        moving = {*self.states()}
        moving |= {x.name.text for x in self.lines if isinstance(x, n.Local)}
        return any(w.text in moving for w in names_in(expr))

    def input_in(self, expr: n.Expr) -> str | None:
        """An input that a value is made of, be it through `let`s."""
        inputs = {
            w.text
            for s in self.statements
            if isinstance(s, n.Declaration) and s.role is n.Role.INPUT
            for w in s.names
        }
        lets = {s.name.text: s.value for s in self.statements if isinstance(s, n.Let)}
        todo, seen = [expr], set[str]()
        while todo:
            for word in names_in(todo.pop()):
                if word.text in inputs:
                    return word.text
                if word.text in lets and word.text not in seen:
                    seen.add(word.text)
                    todo.append(lets[word.text])
        return None

    def weighed(self, expr: n.Expr) -> tuple[Weight, n.Expr]:
        """A product as the numbers in it, and the rest."""
        match expr:
            case n.Binary("*", left, right) if self.is_scalar(left):
                weight, core = self.weighed(right)
                return Weight.of(left) * weight, core
            case n.Binary("*", left, right) if self.is_scalar(right):
                weight, core = self.weighed(left)
                return weight * Weight.of(right), core
            case n.Binary("/", left, right) if self.is_scalar(right):
                weight, core = self.weighed(left)
                return weight / Weight.of(right), core
            case n.Binary("@", left, right):
                weight, core = self.weighed(left)
                return weight, dataclasses.replace(expr, left=core) if core is not left else expr
            case n.Unary("-", operand):
                weight, core = self.weighed(operand)
                return weight * Weight.of(-1), core
        return ONE, expr

    # ---- writing ----------------------------------------------------------------------------------

    def letter(self, asked: str | None, *wanted: str) -> str:
        """The name that was asked for, or the first free one."""
        if asked is not None:
            if asked in self.taken:
                raise Refused(f"the page has a `{asked}` already")
            self.taken.add(asked)
            return asked
        for word in (*wanted, *(f"{wanted[0]}_{i}" for i in range(2, 99))):
            if word not in self.taken:
                self.taken.add(word)
                return word
        raise AssertionError("there is always a free name")

    def declare(self, text: str, comment: str = "") -> None:
        """Add a statement, after the last of its kind or before the states."""
        new = dataclasses.replace(one_statement(text), comment=comment)
        alike = [i for i, s in enumerate(self.statements) if _kind(s) == _kind(new)]
        if isinstance(new, n.Let):
            alike = [
                i for i, s in enumerate(self.statements) if isinstance(s, n.Declaration | n.Let)
            ]
        if alike:
            self.statements.insert(alike[-1] + 1, new)
            return
        place = next(
            (i for i, s in enumerate(self.statements) if isinstance(s, n.Minimize | n.State)),
            len(self.statements),
        )
        self.statements.insert(0 if isinstance(new, n.Dims) else place, new)

    def learn(
        self, name: str, sharing: n.Sharing, value: n.Expr | None = None, *, free: bool = False
    ) -> None:
        """A fixed value becomes learnable, without its constraint if `free`."""
        declared = self.fixed(name)
        assert declared is not None
        i = next(i for i, s in enumerate(self.statements) if s is declared)
        rest = tuple(w for w in declared.names if w.text != name)
        own = tuple(w for w in declared.names if w.text == name)
        new = dataclasses.replace(
            declared,
            names=own,
            role=n.Role.LEARNABLE,
            sharing=sharing,
            value=value or declared.value,
            bounds=None if free else declared.bounds,
        )
        kept = [dataclasses.replace(declared, names=rest)] if rest else []
        self.statements[i : i + 1] = [*kept, new]
        self._detach(name, value or declared.value)

    def _detach(self, name: str, value: n.Expr | n.RandomInit | None) -> None:
        """Constants that come of one which is learnt now keep its classical value."""
        for i, s in enumerate(self.statements):
            if not isinstance(s, n.Declaration) or s.role is n.Role.INPUT:
                continue
            if s.value is None or isinstance(s.value, n.RandomInit):
                continue
            if any(w.text == name for w in names_in(s.value)):
                if value is None or isinstance(value, n.RandomInit):
                    raise Refused(
                        f"`{s.names[0].text}` is made of `{name}`, which has no classical value"
                    )
                classical = tidy(substitute(s.value, {name: value}))
                self.statements[i] = dataclasses.replace(s, value=classical)

    def replace(self, old: n.Statement, new: n.Statement | None) -> None:
        i = next(i for i, s in enumerate(self.statements) if s is old)
        self.statements[i : i + 1] = [] if new is None else [new]

    def set_lines(self, lines: tuple[Line, ...]) -> None:
        self.replace(self.phase, dataclasses.replace(self.phase, body=lines))

    def rewrite(self, old: n.Expr, new: n.Expr) -> None:
        """Put an expression in the place of an occurrence in the phase."""
        self.set_lines(
            tuple(dataclasses.replace(x, value=swapped(x.value, old, new)) for x in self.lines)
        )

    def insert_before(self, line: Line, *new: Line) -> None:
        body = list(self.lines)
        i = next(i for i, x in enumerate(body) if x is line)
        body[i:i] = new
        self.set_lines(tuple(body))

    def append_lines(self, *new: Line) -> None:
        self.set_lines((*self.lines, *new))

    def add_to_loss(self, text: str) -> None:
        """A summand of the loss; a page without one stays without."""
        for s in self.statements:
            if isinstance(s, n.Loss):
                extra = one_statement(f"loss:\n    {text}")
                assert isinstance(extra, n.Loss)
                body = n.Binary("+", s.body, extra.body, s.body.span, s.body.span)
                self.replace(s, dataclasses.replace(s, body=body))
                return

    def rename(self, old: str, new: str) -> None:
        """A name becomes another one wherever it is read."""
        values = {old: n.Name(new, self.program.span)}
        self.statements = [_renamed(s, values) for s in self.statements]

    def give_up(self, expr: n.Expr, times: int) -> None:
        """Names of `let`s that stand in this expression alone, which the phase has so many times, are free again.

        For relaxations that put something else in its place, and leave no objective.
        """
        for s in list(self.statements):
            if not isinstance(s, n.Let):
                continue
            own = sum(w.text == s.name.text for w in names_in(expr))
            others = (x for x in self.statements if not isinstance(x, n.Minimize))
            read = [w.text for x in others for e in expressions(x) for w in names_in(e)]
            if own and read.count(s.name.text) == times * own:
                self.drop_objective()
                self.replace(s, None)
                self.taken.discard(s.name.text)

    def drop_objective(self) -> None:
        self.statements = [s for s in self.statements if not isinstance(s, n.Minimize)]

    def result(self, comment: str) -> n.Program:
        return dataclasses.replace(
            self.program, statements=tuple(self.statements), comment=comment, kind="algorithm"
        )


def _renamed(statement: n.Statement, values: Mapping[str, n.Expr]) -> n.Statement:
    """A statement that reads names under others; what it declares stays."""
    match statement:
        case n.Declaration(value=value, bounds=bounds):
            if value is not None and not isinstance(value, n.RandomInit):
                value = substitute(value, values)
            if bounds is not None:
                lower, upper = (e and substitute(e, values) for e in (bounds.lower, bounds.upper))
                bounds = dataclasses.replace(bounds, lower=lower, upper=upper)
            return dataclasses.replace(statement, value=value, bounds=bounds)
        case n.Let(_, value) | n.Measure(_, value):
            return dataclasses.replace(statement, value=substitute(value, values))
        case n.State(_, _, value):
            start = value and substitute(value, values)
            return dataclasses.replace(statement, value=start)
        case n.Phase(_, body):
            return dataclasses.replace(statement, body=tuple(_line(x, values) for x in body))
        case n.Output(given):
            return dataclasses.replace(
                statement, values=tuple(substitute(e, values) for e in given)
            )
        case n.Minimize(_, body) | n.Loss(_, body):
            return dataclasses.replace(statement, body=substitute(body, values))
        case (
            n.Dims() | n.Definition() | n.BlockDefinition()
        ):  # a function sees its parameters alone
            return statement
        case _:
            assert_never(statement)


def _line(line: n.PhaseStatement, values: Mapping[str, n.Expr]) -> n.PhaseStatement:
    if isinstance(line, n.Repeat):
        return line  # `lines` has refused it
    return dataclasses.replace(line, value=substitute(line.value, values))


def swapped(expr: n.Expr, old: n.Expr, new: n.Expr) -> n.Expr:
    """The expression with one node replaced; what does not hold it is the same node as before."""
    if expr is old:
        return new
    match expr:
        case n.Unary(_, operand) | n.Adjoint(operand):
            inner = swapped(operand, old, new)
            return expr if inner is operand else dataclasses.replace(expr, operand=inner)
        case n.Binary(_, left, right):
            first, second = swapped(left, old, new), swapped(right, old, new)
            if first is left and second is right:
                return expr
            return dataclasses.replace(expr, left=first, right=second)
        case n.Call(_, arguments):
            values = [swapped(a.value, old, new) for a in arguments]
            if all(v is a.value for v, a in zip(values, arguments)):
                return expr
            given = tuple(dataclasses.replace(a, value=v) for v, a in zip(values, arguments))
            return dataclasses.replace(expr, arguments=given)
        case n.PhaseSum(body):
            inner = swapped(body, old, new)
            return expr if inner is body else dataclasses.replace(expr, body=inner)
        case _:
            return expr


def walk(expr: n.Expr) -> Iterator[n.Expr]:
    """An expression and all in it, the outer before the inner."""
    yield expr
    match expr:
        case n.Unary(_, operand) | n.Adjoint(operand):
            yield from walk(operand)
        case n.Binary(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case n.Call(_, arguments):
            for a in arguments:
                yield from walk(a.value)
        case n.PhaseSum(body):
            yield from walk(body)
        case _:
            return


def _kind(statement: n.Statement) -> str:
    if isinstance(statement, n.Declaration):
        return statement.role.value
    return type(statement).__name__
