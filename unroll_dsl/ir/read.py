"""Reads the text of the IR (text.py) back into a graph.

Places survive as file and line: the text does not hold the source, so a span covers a line of a
file of blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import (
    Constant,
    Domain,
    Entry,
    FunctionBody,
    Graph,
    Limits,
    Parameter,
    Random,
    Slot,
    Trace,
)
from unroll_dsl.ir.nodes import Node, Op
from unroll_dsl.ir.read_types import TypeReader, read_dim
from unroll_dsl.ir.typing import result_type
from unroll_dsl.operators.model import Static
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.types import Array, Block, Layer, LinearMap, Type
from unroll_dsl.types.blocks import Template

_PLAIN: Mapping[str, Op] = {
    "phase_number": ops.PhaseNumber(), "expand": ops.Expand(), "eye": ops.Eye(),
    "transpose": ops.Transpose(), "contract": ops.Contract(), "apply": ops.Apply(),
    "apply_layer": ops.ApplyLayer(), "convolve_pair": ops.ConvolvePair(),
    "convolve_few": ops.ConvolveFew(), "pair_kernel": ops.PairKernel(),
    "phase_sum": ops.PhaseSum(),
    "identity_map": ops.IdentityMap(), "diagonal_map": ops.DiagonalMap(),
    "adjoint_map": ops.AdjointMap(), "compose_map": ops.ComposeMap(), "add_map": ops.AddMap(1),
    "sub_map": ops.AddMap(-1), "scale_map": ops.ScaleMap(), "split_layer": ops.SplitLayer(),
}  # fmt: skip
_NAMED: Mapping[str, Callable[[str], Op]] = {
    "input": ops.Input, "fixed": ops.Fixed, "learnable": ops.Learnable, "state": ops.State,
    "final": ops.Final, "target": ops.Target, "traced": ops.Traced, "variable": ops.Variable,
    "part": ops.BlockLayer,
}  # fmt: skip

_NODE = re.compile(r"%(\d+) = ([a-z_0-9]+(?:\[[^\]]*\])?)(.*?) : (.*?)(?: \[[a-z-]+\])?$")
_DEF = re.compile(r"def (\w+(?:\[[^\]]*\])?)\((.*)\) = %(\d+)$")
_BLOCK = re.compile(r"(\w+)\[(.*)\]\((\d+)\)$")
_LIMIT = re.compile(r" (>=|>|<=|<) %(\d+)")
_DOMAIN = re.compile(r" ([<>]=?) (-?[\d.e+-]+)")


def from_text(text: str) -> Graph:
    """The graph that `to_text` wrote. Text that is none raises `InternalError` with its line."""
    reader = _Reader(_Files(text))
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.line(line)
        except (ValueError, KeyError, IndexError, StopIteration) as problem:
            raise InternalError(f"IR text, line {number}: {line!r}: {problem}") from problem
    return reader.graph()


class _Files:
    """Files of blank lines that stand for the sources."""

    def __init__(self, text: str) -> None:
        lines: dict[str, int] = {}
        for name, line in re.findall(r" ; (\S+):(\d+)(?= |$)", text, re.MULTILINE):
            lines[name] = max(lines.get(name, 0), int(line))
        self._files = {name: SourceFile(name, "\n" * count) for name, count in lines.items()}

    def file(self, name: str) -> SourceFile:
        return self._files.setdefault(name, SourceFile(name, ""))

    def span(self, place: str) -> Span | None:
        if place in ("", "-"):
            return None
        name, line = place.rsplit(":", 1)
        return Span(self.file(name), int(line) - 1, int(line) - 1)


@dataclass(slots=True)
class _Body:
    """A function being read."""

    name: str
    parameters: tuple[tuple[str, Array], ...]
    result: int
    comment: str
    origin: Span
    block: Block | None
    nodes: list[Node] = field(default_factory=list)

    def finish(self) -> FunctionBody:
        nodes = tuple(self.nodes)
        return FunctionBody(
            self.name,
            self.parameters,
            nodes,
            self.result,
            self.comment,
            self.origin,
            self.block,
        )


class _Reader:
    def __init__(self, files: _Files) -> None:
        self.files = files
        self.types = TypeReader()
        self.name = ""
        self.file = files.file("")
        self.comment: list[str] = []
        self.heading = ""
        self.dims: tuple[tuple[str, int | None], ...] = ()
        self.inputs: list[Entry] = []
        self.constants: list[Constant] = []
        self.parameters: list[Parameter] = []
        self.states: list[Slot] = []
        self.traces: list[Trace] = []
        self.outputs: tuple[int, ...] = ()
        self.targets: list[Entry] = []
        self.variables: list[tuple[str, Array]] = []
        self.numbers: dict[str, int] = {}  # loss, objective, phases
        self.functions: dict[str, FunctionBody] = {}
        self.body: _Body | None = None
        self.template: Template | None = None  # the block being read
        self.nodes: list[Node] = []

    def graph(self) -> Graph:
        self._close()
        return Graph(
            name=self.name,
            comment=self.heading,
            file=self.file,
            dims=self.dims,
            inputs=tuple(self.inputs),
            constants=tuple(self.constants),
            parameters=tuple(self.parameters),
            states=tuple(self.states),
            traces=tuple(self.traces),
            outputs=self.outputs,
            targets=tuple(self.targets),
            loss=self.numbers.get("loss"),
            variables=tuple(self.variables),
            objective=self.numbers.get("objective"),
            phases=self.numbers.get("phases"),
            functions=tuple(self.functions.values()),
            templates=tuple(self.types.templates.values()),
            nodes=tuple(self.nodes),
        )

    def line(self, line: str) -> None:
        if line.startswith("#"):
            self.comment.append(line[1:].removeprefix(" "))
            return
        words, _, tail = line.partition(" ; ")
        place, _, note = tail.partition(" ")
        note = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], note)
        origin = self.files.span(place)
        if line.startswith("    %") and self.body is not None:
            self.body.nodes.append(self._node(words.strip(), self.body.nodes, origin, note))
            return
        if line.startswith(("    part ", "    at ")) and self.template is not None:
            self._of_block(words.strip())
            return
        self._close()
        words = words.strip()
        if words.startswith("%"):
            self.nodes.append(self._node(words, self.nodes, origin, note))
        elif words:
            head, _, rest = words.partition(" ")
            self._declaration(head, rest, origin or Span(self.file, 0, 0), note)
        self.comment = [] if words else self.comment

    def _close(self) -> None:
        if self.body is not None:
            self.functions[self.body.name] = self.body.finish()
            self.body = None
        self.template = None

    # ---- declarations ---------------------------------------------------------------------------

    def _declaration(self, head: str, rest: str, origin: Span, note: str) -> None:
        match head:
            case "algorithm":
                self.name, _, file = rest.partition(" ")
                self.file = self.files.file(file.strip('"'))
                self.heading = "\n".join(self.comment)
            case "dims":
                pairs = [part.partition(" = ") for part in rest.split(", ")]
                self.dims = tuple((name, int(size) if size else None) for name, _, size in pairs)
            case "input" | "target":
                name, _, rest = rest.partition(" : ")
                type_ = _DOMAIN.sub("", rest)
                entries = self.inputs if head == "input" else self.targets
                domain = _domain(rest)
                entries.append(Entry(name, self.types.array(type_), note, origin, domain))
            case "fixed" | "learnable" | "frozen":
                self._constant_or_parameter(head, rest, origin, note)
            case "state":
                name, _, rest = rest.partition(" : ")
                type_, start, update = re.split(r" = %| then %", rest)
                initial, _, first = start.partition(" first %")
                ids = int(initial), int(update)
                found = int(first) if first else None
                self.states.append(Slot(name, self.types.array(type_), *ids, note, origin, found))
            case "trace":
                name, _, index = rest.partition(" = %")
                self.traces.append(Trace(name, int(index), origin))
            case "output":
                self.outputs = _ids(rest)
            case "variable":
                name, _, type_ = rest.partition(" : ")
                self.variables.append((name, self.types.array(type_)))
            case "loss" | "objective" | "phases":
                self.numbers[head] = int(rest.removeprefix("%"))
            case "block":
                match = _BLOCK.match(rest)
                if match is None:
                    raise ValueError("not a block")
                sizes = tuple(filter(None, match[2].split(", ")))
                self.template = Template(match[1], sizes, (), int(match[3]))
                self.types.templates[match[1]] = self.template
            case "def":
                self._function(f"{head} {rest}", origin)
            case _:
                raise ValueError(f"`{head}` begins no line")

    def _of_block(self, words: str) -> None:
        """A layer of a block, or the sizes of one of its uses."""
        template = self.template
        assert template is not None
        head, _, rest = words.partition(" ")
        if head == "part":
            name, _, type_ = rest.partition(" : ")
            layer = self.types.read(type_)
            if not isinstance(layer, Layer):
                raise ValueError(f"not a layer: {type_}")
            template = replace(template, parts=(*template.parts, (name, layer)))
            self.template = self.types.templates[template.name] = template
        else:
            sizes, _, ends = rest.partition(" : ")
            block = self.types.block(template.name, sizes)
            begin, _, end = ends.partition(" -> ")
            channels = (read_dim(begin), read_dim(end)) if end else None
            self.types.blocks[block.key] = replace(block, channels=channels)

    def _constant_or_parameter(self, head: str, rest: str, origin: Span, note: str) -> None:
        name, _, rest = rest.partition(" : ")
        rest, _, start = rest.partition(" = %")
        rest, _, random = rest.partition(" ~ ")
        per_phase = rest.endswith(" per phase")
        rest = rest.removesuffix(" per phase")
        limits = self._limits(rest)
        type_ = self.types.read(_LIMIT.sub("", rest))
        initial: int | Random | None = int(start) if start else None
        if random:
            word, _, numbers = random.rstrip(")").partition("(")
            arguments = tuple(float(n) for n in numbers.split(", ") if n)
            initial = Random(word, arguments)
        if head == "fixed":
            if isinstance(initial, Random):
                raise ValueError("a fixed value is not random")
            self.constants.append(Constant(name, type_, limits, initial, note, origin))
        elif isinstance(type_, LinearMap):
            raise ValueError("a map is not learnable")
        else:
            self.parameters.append(
                Parameter(
                    name, type_, limits, per_phase, initial, note, origin, head == "learnable"
                )
            )

    def _limits(self, text: str) -> Limits | None:
        found = {word[0]: (int(index), len(word) == 1) for word, index in _LIMIT.findall(text)}
        if not found:
            return None
        lower, lower_strict = found.get(">", (None, False))
        upper, upper_strict = found.get("<", (None, False))
        return Limits(lower, lower_strict, upper, upper_strict)

    def _function(self, words: str, origin: Span) -> None:
        match = _DEF.match(words)
        if match is None:
            raise ValueError("not a function")
        parameters = []
        for part in re.split(r", (?=\w+ : )", match[2]) if match[2] else []:
            name, _, type_ = part.partition(" : ")
            parameters.append((name, self.types.array(type_)))
        comment = "\n".join(self.comment)
        block = self.types.named(match[1]) if "[" in match[1] else None
        self.body = _Body(match[1], tuple(parameters), int(match[3]), comment, origin, block)

    # ---- nodes ----------------------------------------------------------------------------------

    def _node(self, words: str, nodes: list[Node], origin: Span | None, label: str) -> Node:
        match = _NODE.match(words)
        if match is None or int(match[1]) != len(nodes):
            raise ValueError(f"expected node %{len(nodes)}")
        op, args = self._op(match[2], match[3].strip())
        types = tuple(nodes[index].type for index in args)
        type_: Type
        if match[4] == "map":
            found = result_type(op, types, None, self.functions)
            if not isinstance(found, LinearMap):
                raise ValueError(f"not a map: {found}")
            type_ = found
        else:
            type_ = self.types.read(match[4])
        return Node(op, args, type_, origin, label or None)

    def _op(self, head: str, rest: str) -> tuple[Op, tuple[int, ...]]:
        name, _, inside = head.rstrip("]").partition("[")
        if name in _NAMED:
            return _NAMED[name](rest), ()
        match name:
            case "constant":
                return ops.Constant(float(rest) if _is_float(rest) else int(rest)), ()
            case "size":
                return ops.Size(read_dim(rest)), ()
            case "argument":
                return ops.Argument(int(rest)), ()
            case "builtin" | "operator":
                function, *pairs = inside.split(", ")
                statics = tuple(_static(pair) for pair in pairs)
                kind = ops.Builtin if name == "builtin" else ops.Operator
                return kind(function, statics), _ids(rest)
            case "invoke":
                return ops.Invoke(inside), _ids(rest)
            case "layer_steps":
                start, _, stop = inside.partition(":")
                return ops.LayerSteps(int(start), int(stop)), _ids(rest)
            case "solve":
                given = dict(pair.split("=") for pair in inside.split(", ") if pair)
                tolerance = float(given["tolerance"]) if "tolerance" in given else None
                count = int(given["iterations"]) if "iterations" in given else None
                return ops.Solve(tolerance, count), _ids(rest)
            case _:
                return _PLAIN.get(name, ops.Elementwise(name)), _ids(rest)


def _is_float(text: str) -> bool:
    return not text.lstrip("-").isdigit()


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(part.strip().removeprefix("%")) for part in text.split(",")) if text else ()


def _static(pair: str) -> tuple[str, Static]:
    key, _, text = pair.partition("=")
    value: Static
    if text.startswith("{"):
        value = read_dim(text[1:-1])
    elif text.startswith('"'):
        value = text[1:-1]
    elif text.startswith("("):
        value = tuple(map(int, text[1:-1].split()))
    else:
        value = int(text)
    return key, value


def _domain(text: str) -> Domain | None:
    found = {word[0]: (float(number), len(word) == 1) for word, number in _DOMAIN.findall(text)}
    if not found:
        return None
    lower, lower_strict = found.get(">", (None, False))
    upper, upper_strict = found.get("<", (None, False))
    return Domain(lower, lower_strict, upper, upper_strict)
