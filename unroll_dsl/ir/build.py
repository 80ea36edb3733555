"""TypedProgram -> Graph: the program as written, one node an operation."""

from __future__ import annotations

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.ir.expressions import Expressions
from unroll_dsl.ir.functions import Functions
from unroll_dsl.ir.graph import (
    Constant,
    Domain,
    Entry,
    Graph,
    Limits,
    Parameter,
    Random,
    Slot,
    Trace,
)
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.model import Sort, TypedProgram
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as syntax
from unroll_dsl.types import SCALAR, Array, Dim, Field, Layer, LinearMap


def build(typed: TypedProgram) -> Graph:
    """Build the graph of a program that has been checked."""
    return _Builder(typed).run()


class _Builder:
    def __init__(self, typed: TypedProgram) -> None:
        self.typed = typed
        self.program = typed.program
        self.list = NodeList()
        self.functions = Functions()
        self.expressions = Expressions(self.list, typed.types, typed.calls, self.functions)
        self.names: dict[str, int] = {}  # declarations and lets, seen everywhere
        self.local: dict[str, int] = {}  # what this place sees besides
        self.step: int | None = None  # of an inner loop, from 0
        self.outputs: dict[str, int] = {}  # those with a name, for the loss
        self.expressions.resolve = self._resolve

    def _resolve(self, name: syntax.Name) -> int | None:
        if name.text in self.local:
            return self.local[name.text]
        if name.text in self.names:
            return self._in_step(name, self.names[name.text])
        symbol = self.typed.symbols.get(name.text)
        if symbol is not None and symbol.sort is Sort.DIMENSION:
            return self.list.add(ops.Size(Dim.of(name.text)), (), SCALAR, name.span)
        return None

    def _in_step(self, name: syntax.Name, index: int) -> int:
        """What has a value in each step of an inner loop: that of this step."""
        symbol = self.typed.symbols.get(name.text)
        if self.step is None or symbol is None or not symbol.per_step:
            return index
        assert isinstance(symbol.type, Array)
        type_ = Array(symbol.type.shape[1:], symbol.type.field)
        statics = (("at1", self.step + 1),)
        return self.list.add(ops.Builtin("entries", statics), (index,), type_, name.span)

    # ---- the whole ------------------------------------------------------------------------------

    def run(self) -> Graph:
        statements = self.program.statements
        declarations = [s for s in statements if isinstance(s, syntax.Declaration)]
        self._leaves(declarations)
        for let in self.typed.lets:
            self.names[let.name.text] = self.expressions.value(let.value)
            self.list.relabel(self.names[let.name.text], let.name.text)
        inputs, constants, parameters = self._declarations(declarations)
        slots, traces = self._phase()
        outputs = self._outputs()
        targets, loss = self._loss()
        variables, objective = self._objective()
        return Graph(
            name=self.program.name.text,
            comment=self.program.comment,
            file=self.program.file,
            dims=self.typed.dims,
            inputs=inputs,
            constants=constants,
            parameters=parameters,
            states=slots,
            traces=traces,
            outputs=outputs,
            targets=targets,
            loss=loss,
            variables=variables,
            objective=objective,
            phases=self.typed.phases,
            functions=tuple(self.functions.bodies),
            templates=self.typed.templates,
            nodes=tuple(self.list.nodes),
        )

    def _leaves(self, declarations: list[syntax.Declaration]) -> None:
        for declaration in declarations:
            for name in declaration.names:
                type_ = self.typed.symbols[name.text].type
                assert type_ is not None
                op: ops.Op
                if declaration.role is syntax.Role.INPUT:
                    op = ops.Input(name.text)
                elif self._is_parameter(declaration):
                    op = ops.Learnable(name.text)
                else:
                    op = ops.Fixed(name.text)
                self.names[name.text] = self.list.add(op, (), type_, name.span, name.text)

    def _is_parameter(self, declaration: syntax.Declaration) -> bool:
        """Learnables, and fixed values that a phase has of its own."""
        return declaration.role is syntax.Role.LEARNABLE or (
            declaration.role is syntax.Role.FIXED
            and declaration.sharing is syntax.Sharing.PER_PHASE
        )

    def _declarations(
        self, declarations: list[syntax.Declaration]
    ) -> tuple[tuple[Entry, ...], tuple[Constant, ...], tuple[Parameter, ...]]:
        inputs: list[Entry] = []
        constants: list[Constant] = []
        parameters: list[Parameter] = []
        for declaration in declarations:
            for name in declaration.names:
                type_ = self.typed.symbols[name.text].type
                comment = declaration.comment
                if declaration.role is syntax.Role.INPUT:
                    assert isinstance(type_, Array)
                    domain = self._domain(declaration.bounds)
                    inputs.append(Entry(name.text, type_, comment, name.span, domain))
                    continue
                limits = self._limits(declaration.bounds)
                initial = self._initial(declaration.value, type_)
                if self._is_parameter(declaration):
                    assert isinstance(type_, Array | Layer)
                    per_phase = declaration.sharing is syntax.Sharing.PER_PHASE
                    trainable = declaration.role is syntax.Role.LEARNABLE
                    parameters.append(
                        Parameter(
                            name.text,
                            type_,
                            limits,
                            per_phase,
                            initial,
                            comment,
                            name.span,
                            trainable,
                        )
                    )
                else:
                    assert isinstance(type_, Array | LinearMap | Layer)
                    assert not isinstance(initial, Random)
                    constants.append(
                        Constant(name.text, type_, limits, initial, comment, name.span)
                    )
        return tuple(inputs), tuple(constants), tuple(parameters)

    def _initial(
        self, value: syntax.Expr | syntax.RandomInit | None, type_: object
    ) -> int | Random | None:
        if value is None:
            return None
        if isinstance(value, syntax.RandomInit):
            numbers = (as_number(a.value, self._literal) for a in value.arguments)
            return Random(value.name.text, tuple(n for n in numbers if n is not None))
        index = self.expressions.value(value, type_ if isinstance(type_, Array) else None)
        return self._held(index, type_) if isinstance(type_, Array) else index

    def _literal(self, name: str) -> syntax.Expr | None:
        definer = self.typed.symbols[name].definer if name in self.typed.symbols else None
        match definer:
            case syntax.Let(_, value):
                return value
            case syntax.Declaration(value=value) if not isinstance(value, syntax.RandomInit):
                return value
            case _:
                return None

    def _domain(self, bounds: syntax.Bounds | None) -> Domain | None:
        if bounds is None:
            return None
        lower, upper = (
            None if bound is None else as_number(bound, lambda _: None)
            for bound in (bounds.lower, bounds.upper)
        )
        return Domain(lower, bounds.lower_strict, upper, bounds.upper_strict)

    def _limits(self, bounds: syntax.Bounds | None) -> Limits | None:
        if bounds is None:
            return None
        lower = None if bounds.lower is None else self.expressions.value(bounds.lower)
        upper = None if bounds.upper is None else self.expressions.value(bounds.upper)
        return Limits(lower, bounds.lower_strict, upper, bounds.upper_strict)

    # ---- the blocks -----------------------------------------------------------------------------

    def _states(self) -> list[tuple[syntax.Name, syntax.State, Array]]:
        found = []
        for statement in self.program.statements:
            if isinstance(statement, syntax.State):
                for name in statement.names:
                    type_ = self.typed.symbols[name.text].type
                    assert isinstance(type_, Array)
                    found.append((name, statement, type_))
        return found

    def _phase(self) -> tuple[tuple[Slot, ...], tuple[Trace, ...]]:
        states = self._states()
        initial = {}
        for name, statement, type_ in states:
            assert statement.value is not None
            initial[name.text] = self._held(self.expressions.value(statement.value, type_), type_)
        begin = {
            name.text: self.list.add(ops.State(name.text), (), type_, name.span, name.text)
            for name, _, type_ in states
        }

        def previous(state: str, span: Span) -> int:
            return begin[state]

        traces: list[Trace] = []
        self.local = dict(begin)
        self.expressions.previous = previous
        for block in self.program.statements:
            if isinstance(block, syntax.Phase):
                for line in block.body:
                    if isinstance(line, syntax.Repeat):
                        self._repeat(line)
                    else:
                        self._line(line, traces)
        slots = tuple(
            Slot(
                name.text,
                type_,
                initial[name.text],
                self.local[name.text],
                statement.comment,
                name.span,
            )
            for name, statement, type_ in states
        )
        self.local = {}
        self.expressions.previous = None
        return slots, tuple(traces)

    def _repeat(self, repeat: syntax.Repeat) -> None:
        """An inner loop, its steps one after the other. `prev` is what a step begins with."""
        outside, inner = self.expressions.previous, set[str]()
        for line in repeat.body:
            if isinstance(line, syntax.State):
                for name in line.names:
                    type_ = self.typed.symbols[name.text].type
                    assert isinstance(type_, Array) and line.value is not None
                    start = self._held(self.expressions.value(line.value, type_), type_)
                    self.local[name.text] = start
                    inner.add(name.text)
        kept = {*self.local}
        for step in range(self.typed.steps[repeat]):
            begin = dict(self.local)
            self.expressions.previous = lambda state, _, begin=begin: begin[state]
            self.expressions.returned.clear()
            self.step = step
            for line in repeat.body:
                if not isinstance(line, syntax.State):
                    self._line(line, [])
        self.step = None
        self.expressions.previous = outside
        self.local = {word: index for word, index in self.local.items() if word in kept}

    def _line(self, line: syntax.Update | syntax.Local | syntax.Trace, traces: list[Trace]) -> None:
        match line:
            case syntax.Update(target, value):
                type_ = self.typed.symbols[target.text].type
                assert isinstance(type_, Array)
                index = self._held(self.expressions.value(value, type_), type_)
                self.list.relabel(index, target.text)
                self.local[target.text] = index
            case syntax.Local(name, value):
                index = self.expressions.value(value)
                self.list.relabel(index, name.text)
                self.local[name.text] = index
            case syntax.Trace(name, value):
                index = self.expressions.value(value)
                self.list.relabel(index, name.text)
                traces.append(Trace(name.text, index, name.span))

    def _held(self, index: int, declared: Array) -> int:
        """A value as what it is declared to be holds it: a condition as a number, a real value among
        complex ones as one of them."""
        index = self._number(index)
        node = self.list.nodes[index]
        if not isinstance(node.type, Array) or node.type.field is declared.field:
            return index
        if isinstance(node.op, ops.Constant):
            return self.list.add(ops.Expand(), (index,), declared, node.origin)
        if isinstance(node.op, ops.Expand):
            return self.list.add(ops.Expand(), node.args, declared, node.origin)
        type_ = Array(node.type.shape, Field.COMPLEX, node.type.form)
        return self.list.add(ops.Elementwise("as_complex"), (index,), type_, node.origin)

    def _number(self, index: int) -> int:
        """A condition as 1 and 0, where it leaves the formula that it stands in."""
        node = self.list.nodes[index]
        if not isinstance(node.type, Array) or node.type.field is not Field.BOOL:
            return index
        one, zero = (self.list.add(ops.Constant(v), (), SCALAR, node.origin) for v in (1, 0))
        real = Array(node.type.shape, Field.REAL, node.type.form)
        return self.list.add(ops.Elementwise("where"), (index, one, zero), real, node.origin)

    def _finals(self) -> dict[str, int]:
        return {
            name.text: self.list.add(ops.Final(name.text), (), type_, name.span, name.text)
            for name, _, type_ in self._states()
        }

    def _outputs(self) -> tuple[int, ...]:
        for statement in self.program.statements:
            if isinstance(statement, syntax.Output):
                self.local = self._finals()
                found = tuple(
                    self._number(self.expressions.value(value)) for value in statement.values
                )
                for name, index in zip(statement.names, found, strict=True):
                    if name is not None:
                        self.list.relabel(index, name.text)
                        self.outputs[name.text] = index
                self.local = {}
                return found
        return ()

    def _loss(self) -> tuple[tuple[Entry, ...], int | None]:
        for statement in self.program.statements:
            # the loss of a problem is of what a derived algorithm gives: there is nothing to compute yet
            if isinstance(statement, syntax.Loss) and self.program.kind != "problem":
                self.local = self._finals() | self.outputs
                targets: list[Entry] = []
                for target in statement.targets:
                    type_ = self._target_type(target)
                    name = target.name.text
                    targets.append(Entry(name, type_, "", target.span))
                    self.local[name] = self.list.add(ops.Target(name), (), type_, target.span, name)
                for symbol in self.typed.symbols.values():
                    if symbol.sort is Sort.TRACE:
                        assert isinstance(symbol.type, Array)
                        self.local[symbol.name] = self.list.add(
                            ops.Traced(symbol.name), (), symbol.type, symbol.span, symbol.name
                        )
                loss = self.expressions.value(statement.body)
                self.local = {}
                return tuple(targets), loss
        return (), None

    def _target_type(self, target: syntax.Parameter) -> Array:
        assert target.type is not None
        found = self.typed.spaces[target.type]
        return found

    def _objective(self) -> tuple[tuple[tuple[str, Array], ...], int | None]:
        for statement in self.program.statements:
            if isinstance(statement, syntax.Minimize):
                variables: list[tuple[str, Array]] = []
                for variable in statement.variables:
                    name = variable.name.text
                    if variable.type is not None:
                        type_ = self.typed.spaces[variable.type]
                    else:
                        declared = self.typed.symbols[name].type
                        assert isinstance(declared, Array)
                        type_ = declared
                    variables.append((name, type_))
                    self.local[name] = self.list.add(
                        ops.Variable(name), (), type_, variable.span, name
                    )
                objective = self.expressions.value(statement.body)
                self.local = {}
                return tuple(variables), objective
        return (), None
