"""`__init__` of a network: what is known when the network is made."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.torch.constructor.learnables import Learnables
from unroll_dsl.backends.torch.constructor.setting import Argument
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import name
from unroll_dsl.backends.torch.tree import SELF, Body, Do, Function
from unroll_dsl.backends.torch.tree import Parameter as Taken
from unroll_dsl.backends.torch.tree.reading import names
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class Constructor:
    """`__init__`: its parameters, and its statements."""

    arguments: tuple[Argument, ...]
    keyword_only: tuple[Argument, ...]
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
        whole = (*self.shapes(), *self.block.body, *body)
        arguments, keyword_only = self._signature(whole)
        return Constructor(arguments, keyword_only, whole)

    def _signature(self, body: Body) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
        required: list[Argument] = []
        optional: list[Argument] = []
        for constant in self.constants:
            word = identifier(constant.name)
            if not isinstance(constant.type, Array):
                required.append(Argument(constant.name, word, "nn.Module", None))
                continue
            scalar = constant.type.rank == 0
            if constant.default is None:
                annotation = "Tensor | float" if scalar else "Tensor"
                annotation = "float" if constant.number else annotation
                required.append(Argument(constant.name, word, annotation, None))
                continue
            literal = self.literal(constant)
            if literal is not None:
                optional.append(Argument(constant.name, word, "float", literal))
            else:
                annotation = "Tensor | float | None" if scalar else "Tensor | None"
                optional.append(Argument(constant.name, word, annotation, "None"))
        for parameter in self.parameters:
            if parameter.initial is None:
                word = identifier(parameter.name)
                annotation = "float" if parameter.number else "Tensor"
                if not isinstance(parameter.type, Array):
                    annotation = "Callable[[], nn.Module]" if parameter.per_phase else "nn.Module"
                required.append(Argument(parameter.name, word, annotation, None))
        defaults = dict(self.graph.dims)
        for symbol in self.free_sizes:
            default = defaults[symbol]
            found = Argument(
                symbol, identifier(symbol), "int", None if default is None else str(default)
            )
            (required if default is None else optional).append(found)
        if self.graph.phases is not None and self.layout.kinds:
            optional.append(Argument("phases", "phases", "int", str(self.graph.phases)))
        keyword_only: list[Argument] = []
        if "device" in names(body):
            keyword_only = [
                Argument("dtype", "dtype", "torch.dtype | None", "None"),
                Argument("device", "device", "torch.device | str | None", "None"),
            ]
        return (*required, *optional), tuple(keyword_only)
