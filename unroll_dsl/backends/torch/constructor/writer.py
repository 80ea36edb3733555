"""`__init__` of a network: what is known when the network is made."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass

from unroll_dsl.backends.torch.constructor.learnables import Learnables
from unroll_dsl.backends.torch.constructor.setting import InitArgument
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import name
from unroll_dsl.backends.torch.tree import SELF, Assign, Body, Do, Function, Statement
from unroll_dsl.backends.torch.tree import Parameter as Taken
from unroll_dsl.backends.torch.tree.reading import expressions, names
from unroll_dsl.types import Array, Layer, LinearMap


@dataclass(frozen=True, slots=True)
class Constructor:
    """`__init__`: its parameters, and its statements."""

    arguments: tuple[InitArgument, ...]
    keyword_only: tuple[InitArgument, ...]
    body: Body

    def method(self) -> Function:
        whole = (Do(name("super().__init__()")), *self.body)
        given, options = (
            tuple(Taken(a.python, a.annotation, a.default) for a in arguments)
            for arguments in (self.arguments, self.keyword_only)
        )
        return Function("__init__", (SELF, *given), "None", "", whole, options)


class ConstructorWriter(Learnables):
    """Writes `__init__` of a network, whose methods read the sizes `held`."""

    def run(self, held: set[str]) -> Constructor:
        self.set_defaults()
        self.set_up()
        body = (
            *self.registered(),
            *self.held_sizes(held),
            *self.learnables(),
            *self.phases(),
        )
        maps, body = _held_at_once(self.maps(), (*self.block.body, *body))
        whole = (*self.shapes(), *maps, *body)
        arguments, keyword_only = self._signature(whole)
        return Constructor(arguments, keyword_only, whole)

    def _signature(self, body: Body) -> tuple[tuple[InitArgument, ...], tuple[InitArgument, ...]]:
        required: list[InitArgument] = []
        optional: list[InitArgument] = []
        for constant in self.constants:
            word = identifier(constant.name)
            if not isinstance(constant.type, Array):
                map_ = isinstance(constant.type, LinearMap)
                annotation = "Tensor | nn.Module" if map_ else "nn.Module"
                required.append(InitArgument(constant.name, word, annotation, None))
                continue
            scalar = constant.type.rank == 0
            if constant.default is None:
                annotation = "Tensor | float" if scalar else "Tensor"
                annotation = "float" if constant.number else annotation
                required.append(InitArgument(constant.name, word, annotation, None))
                continue
            literal = self.literal(constant)
            if literal is not None:
                optional.append(InitArgument(constant.name, word, "float", literal))
            else:
                annotation = "Tensor | float | None" if scalar else "Tensor | None"
                optional.append(InitArgument(constant.name, word, annotation, "None"))
        for parameter in self.parameters:
            type_ = parameter.type
            if isinstance(type_, Layer) and type_.from_outside is None:
                continue  # made here; what it starts at is given to its tensors
            if parameter.initial is None:
                word = identifier(parameter.name)
                annotation = "float" if parameter.number else "Tensor"
                if not isinstance(type_, Array):
                    annotation = "Callable[[], nn.Module]" if parameter.per_phase else "nn.Module"
                required.append(InitArgument(parameter.name, word, annotation, None))
        defaults = dict(self.graph.dims)
        for symbol in self.free_sizes:
            default = defaults[symbol]
            found = InitArgument(
                symbol, identifier(symbol), "int", None if default is None else str(default)
            )
            (required if default is None else optional).append(found)
        if self.graph.phases is not None and self.layout.kinds:
            optional.append(InitArgument("phases", "phases", "int", str(self.graph.phases)))
        keyword_only = [
            InitArgument(symbol, identifier(symbol), "int | None", str(defaults.get(symbol)))
            for symbol in self.open_sizes
        ]
        if "device" in names(body):
            keyword_only += [
                InitArgument("dtype", "dtype", "torch.dtype | None", "None"),
                InitArgument("device", "device", "torch.device | str | None", "None"),
            ]
        return (*required, *optional), tuple(keyword_only)


def _held_at_once(maps: Body, body: Body) -> tuple[Body, Body]:
    """`self.Phi = as_map(Phi, ...)` where nothing else reads `Phi`."""
    made = {each.targets[0]: each for each in maps if isinstance(each, Assign)}
    reads = Counter(
        node.id
        for expr in expressions(body)
        for node in ast.walk(expr)
        if isinstance(node, ast.Name)
    )
    once = {word for word in made if reads[word] == 1}
    found: list[Statement] = []
    for each in body:
        match each:
            case Assign((target,), ast.Name(word)) if word in once and target == f"self.{word}":
                found.append(Assign((target,), made[word].value))
            case _:
                found.append(each)
    held = {each.targets[0] for each in found if isinstance(each, Assign)}
    left = tuple(
        each for word, each in made.items() if f"self.{word}" not in held or word not in once
    )
    return left, tuple(found)
