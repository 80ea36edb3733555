"""The rules of the IR. A graph that breaks one is a fault of the compiler, never of a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.graph import FunctionBody, Graph, Limits
from unroll_dsl.ir.nodes import (
    Argument,
    BlockLayer,
    Final,
    Fixed,
    Input,
    Learnable,
    Named,
    Node,
    Op,
    PhaseNumber,
    PhaseSum,
    Stage,
    State,
    Target,
    Traced,
    Variable,
)
from unroll_dsl.ir.stages import own_stage, stages
from unroll_dsl.ir.typing import result_type
from unroll_dsl.types import SCALAR, Array, Type

# What each role may be computed from, besides constants, fixed values and library operators.
_MAKING = (Fixed, Learnable)  # initial values of learnables; and of those per phase:
_MAKING_PER_PHASE = (Fixed, Learnable, PhaseNumber)
_SETUP = (Fixed,)  # defaults, limits
_START = (Fixed, Learnable, Input)  # first values of states; learnables shared over phases
_PHASE = (Fixed, Learnable, Input, State, PhaseNumber)
_OUTPUT = (Fixed, Learnable, Input, Final)
_LOSS = (Fixed, Learnable, Input, Final, Target, PhaseSum)
_PHASE_SUM = (*_LOSS, Traced, PhaseNumber)
_OBJECTIVE = (Fixed, Learnable, Input, Variable, PhaseNumber)
_LEAVES = (
    Fixed, Learnable, Input, State, Final, PhaseNumber, PhaseSum, Target, Traced, Variable,
)  # fmt: skip


def verify(graph: Graph) -> None:
    """Raise `InternalError`, naming the node, unless `graph` keeps the rules:

    - arguments precede their users, and each node has the type that its operation gives it;
    - leaves are declared, with their types; `Argument` is found in functions alone;
    - a function calls only functions before it;
    - limits and defaults are known at set-up; outputs read no value of a single phase; a phase
      reads no final state; traces are read under a `PhaseSum` alone.
    """
    functions: dict[str, FunctionBody] = {}
    for body in graph.functions:
        where = f"function `{body.name}`"
        if body.name in functions:
            raise InternalError(f"{where} is defined twice")
        _nodes(body.nodes, functions, where)
        _arguments(body, where)
        if not 0 <= body.result < len(body.nodes):
            raise InternalError(f"{where}: its result %{body.result} does not exist")
        functions[body.name] = body
    _nodes(graph.nodes, functions, f"graph `{graph.name}`")
    _Roles(graph).check()


def _fail(where: str, index: int, node: Node, why: str) -> InternalError:
    place = f" ({node.origin})" if node.origin is not None else ""
    return InternalError(f"{where}: %{index} = {type(node.op).__name__}{place}: {why}")


def _nodes(nodes: tuple[Node, ...], functions: Mapping[str, FunctionBody], where: str) -> None:
    for index, node in enumerate(nodes):
        if any(not 0 <= argument < index for argument in node.args):
            raise _fail(where, index, node, f"arguments {node.args} do not precede it")
        types = tuple(nodes[argument].type for argument in node.args)
        found = result_type(node.op, types, node.type, functions)
        match found:
            case None:
                continue
            case str():
                shown = ", ".join(map(str, types))
                raise _fail(where, index, node, f"{found}; it is given ({shown})")
            case _ if not _same(found, node.type):
                raise _fail(where, index, node, f"its type is {found}, not {node.type}")


def _same(found: Type, claimed: Type) -> bool:
    """Equal up to the spelling of an array's shape (image or tensor)."""
    match found, claimed:
        case Array(), Array():
            return found.shape == claimed.shape and found.field == claimed.field
        case _:
            return type(found) is type(claimed)


def _arguments(body: FunctionBody, where: str) -> None:
    for index, node in enumerate(body.nodes):
        match node.op:
            case Argument(position) if not position < len(body.parameters):
                raise _fail(where, index, node, f"there is no argument {position}")
            case Argument():
                pass
            case BlockLayer(name):
                parts = {} if body.block is None else dict(body.block.parts)
                if parts.get(name) != node.type:
                    raise _fail(where, index, node, f"`{name}` is no layer of it of that type")
            case op if isinstance(op, _LEAVES):
                raise _fail(where, index, node, "a function sees its arguments alone")


class _Roles:
    """What may be read where, found in one sweep: for each node the kinds of leaves below it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.where = f"graph `{graph.name}`"
        self.per_phase = graph.per_phase
        self.kinds: list[int] = []
        for node in graph.nodes:
            kinds = 0
            if isinstance(node.op, PhaseSum):  # what it sums over is checked on its own
                kinds = self._kind(node.op)
            else:
                for argument in node.args:
                    kinds |= self.kinds[argument]
                kinds |= self._kind(node.op)
            self.kinds.append(kinds)

    def _kind(self, op: Op) -> int:
        if isinstance(op, Learnable) and own_stage(op, self.per_phase) is Stage.PHASE:
            return 1 << len(_LEAVES)
        for position, leaf in enumerate(_LEAVES):
            if isinstance(op, leaf):
                return 1 << position
        return 0

    def check(self) -> None:
        graph = self.graph
        self._declared()
        found = stages(graph)
        for constant in graph.constants:
            self._limits(constant.limits, constant.name)
            self._only(constant.default, _SETUP, f"the default of `{constant.name}`")
            self._typed(constant.default, constant.type, f"the default of `{constant.name}`")
        for parameter in graph.parameters:
            self._limits(parameter.limits, parameter.name)
            if isinstance(parameter.initial, int):
                role = f"the initial value of `{parameter.name}`"
                allowed = _MAKING_PER_PHASE if parameter.per_phase else _MAKING
                self._only(parameter.initial, allowed, role, per_phase=parameter.per_phase)
                self._typed(parameter.initial, parameter.type, role)
        for slot in graph.states:
            role = f"the first value of `{slot.name}`"
            self._only(slot.initial, _START, role)
            self._typed(slot.initial, slot.type, role)
            role = f"the update of `{slot.name}`"
            self._only(slot.update, _PHASE, role, per_phase=True)
            self._typed(slot.update, slot.type, role)
            role = f"the first update of `{slot.name}`"
            self._only(slot.first, _PHASE, role, per_phase=True)
            self._typed(slot.first, slot.type, role)
        for trace in graph.traces:
            self._only(trace.node, _PHASE, f"trace `{trace.name}`", per_phase=True)
        for output in graph.outputs:
            self._only(output, _OUTPUT, "an output")
        self._only(graph.loss, _LOSS, "the loss")
        self._typed(graph.loss, SCALAR, "the loss")
        for index, node in enumerate(graph.nodes):
            if isinstance(node.op, PhaseSum):
                self._only(node.args[0], _PHASE_SUM, "a sum over phases", per_phase=True)
                if found[index] is not Stage.OUTPUT:
                    raise _fail(self.where, index, node, "a sum over phases is known after them")
        self._only(graph.objective, _OBJECTIVE, "the objective", per_phase=True)
        self._typed(graph.objective, SCALAR, "the objective")

    def _declared(self) -> None:
        graph = self.graph
        traces = [(t.name, graph.nodes[t.node].type) for t in graph.traces if self._exists(t.node)]
        tables: dict[type, dict[str, Type]] = {
            Input: {entry.name: entry.type for entry in graph.inputs},
            Fixed: {constant.name: constant.type for constant in graph.constants},
            Learnable: {parameter.name: parameter.type for parameter in graph.parameters},
            State: {slot.name: slot.type for slot in graph.states},
            Final: {slot.name: slot.type for slot in graph.states},
            Target: {entry.name: entry.type for entry in graph.targets},
            Traced: dict(traces),
            Variable: dict(graph.variables),
        }
        for index, node in enumerate(graph.nodes):
            if isinstance(node.op, Argument | BlockLayer):
                raise _fail(self.where, index, node, "an argument outside of a function")
            if not isinstance(node.op, Named):
                continue
            name = node.op.name
            declared = tables[type(node.op)].get(name)
            if declared is None:
                raise _fail(self.where, index, node, f"`{name}` is not declared")
            if not _same(declared, node.type):
                words = f"`{name}` is declared as {declared}, not {node.type}"
                raise _fail(self.where, index, node, words)

    def _exists(self, index: int) -> bool:
        if 0 <= index < len(self.graph.nodes):
            return True
        raise InternalError(f"{self.where}: a declaration refers to %{index}, which does not exist")

    def _limits(self, limits: Limits | None, name: str) -> None:
        if limits is not None:
            for bound in (limits.lower, limits.upper):
                self._only(bound, _SETUP, f"a limit of `{name}`")
                self._typed(bound, SCALAR, f"a limit of `{name}`")

    def _typed(self, index: int | None, declared: Type, role: str) -> None:
        if index is None:
            return
        type_ = self.graph.nodes[index].type
        match type_, declared:
            case Array(), Array():
                fits = type_.shape == declared.shape and type_.field.value <= declared.field.value
            case _:
                fits = type(type_) is type(declared)
        if not fits:
            node = self.graph.nodes[index]
            raise _fail(self.where, index, node, f"is {role} and should be {declared}, not {type_}")

    def _only(
        self, index: int | None, allowed: Iterable[type], role: str, *, per_phase: bool = False
    ) -> None:
        if index is None:
            return
        self._exists(index)
        kinds = tuple(allowed)
        permitted = sum(1 << position for position, leaf in enumerate(_LEAVES) if leaf in kinds)
        if per_phase:
            permitted |= 1 << len(_LEAVES)
        bad = self.kinds[index] & ~permitted
        if bad:
            position = bad.bit_length() - 1
            word = _LEAVES[position].__name__ if position < len(_LEAVES) else "Learnable per phase"
            node = self.graph.nodes[index]
            raise _fail(self.where, index, node, f"{role} depends on a {word}")
