"""Graph -> the tree of a Python module -> its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.backends.torch import describing
from unroll_dsl.backends.torch.backward import UNROLL, Backward
from unroll_dsl.backends.torch.constructor import Constructor, ConstructorWriter, InitArgument
from unroll_dsl.backends.torch.helpers import needed
from unroll_dsl.backends.torch.layout import Layout, place
from unroll_dsl.backends.torch.methods import Methods
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import PhaseKind
from unroll_dsl.backends.torch.styles import Style
from unroll_dsl.backends.torch.templates import call, fill, name
from unroll_dsl.backends.torch.tree import (
    SELF,
    Assign,
    Class,
    Do,
    Function,
    Helper,
    Module,
    Statement,
)
from unroll_dsl.backends.torch.tree import Parameter as Taken
from unroll_dsl.backends.torch.tree.printing import printed
from unroll_dsl.backends.torch.tree.reading import attributes, expressions, of_class, of_function
from unroll_dsl.backends.torch.tree.trimming import calls_in, trimmed
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class Emitted:
    """A generated module: its text, the name of its network class, and how that is called."""

    source: str
    class_name: str
    arguments: tuple[InitArgument, ...]  # of __init__
    needs_dtype: bool  # whether __init__ takes dtype and device
    buffers: Mapping[int, str]  # attributes that hold values known at set-up, by node


def emit(
    graph: Graph,
    *,
    phases: int | None = None,
    backward: Backward = UNROLL,
    style: Style = "fast",
) -> Emitted:
    """Write the module of a graph that the passes have prepared.

    `phases` is the default of the constructor's argument; the text does not grow with it. `backward`
    says how derivatives are computed. What is to be read has one body for all phases that have the same
    learnables, also where the last ones have less to do; for the rest the graph has its `style` already.
    """
    if backward.alike:  # the phase of the fixed point is one of many
        graph = replace(graph, states=tuple(replace(slot, first=None) for slot in graph.states))
    shared = not any(parameter.per_phase for parameter in graph.parameters)
    layout = Layout(graph, alike=backward.alike or (style == "readable" and shared))
    methods = Methods(layout, backward)
    written = methods.methods()
    held = {word for method in written for word in attributes(method.body)}
    constructor = ConstructorWriter(layout).run(held)
    if phases is not None:
        constructor = _with_phases(constructor, phases)
    module = _module(layout, methods, constructor, written, backward)
    return Emitted(
        printed(module),
        layout.class_name,
        constructor.arguments,
        any(each.python == "dtype" for each in constructor.keyword_only),
        dict(layout.buffers),
    )


def _with_phases(constructor: Constructor, phases: int) -> Constructor:
    arguments = tuple(
        replace(a, default=str(phases)) if a.python == "phases" else a
        for a in constructor.arguments
    )
    return replace(constructor, arguments=arguments)


def _module(
    layout: Layout,
    methods: Methods,
    constructor: Constructor,
    written: tuple[Function, ...],
    backward: Backward,
) -> Module:
    network = Class(
        layout.class_name, describing.of_network(layout), (constructor.method(), *written)
    )
    phases = tuple(_phase_classes(layout, methods)) if layout.has_phase_class else ()
    functions = tuple(layout.definitions.functions.values())
    blocks = tuple(layout.blocks.classes.values())
    words = [word for each in (network, *phases, *blocks) for word in of_class(each)]
    words += [word for each in functions for word in of_function(each)]
    bodies = [method.body for each in (network, *phases, *blocks) for method in each.methods]
    bodies += [each.body for each in functions]
    called = (call for body in bodies for expr in expressions(body) for call in calls_in(expr))
    helpers = trimmed(needed(words), words, called)
    return Module(
        describing.of_module(layout),
        _imports(helpers, constructor, checkpoint=backward.checkpoint and bool(layout.kinds)),
        network,
        phases,
        blocks[::-1],  # those that others are made of come last
        functions[::-1],  # callers first
        helpers,
    )


def _imports(
    helpers: Sequence[Helper], constructor: Constructor, *, checkpoint: bool
) -> tuple[str, ...]:
    texts = [*(each.text for each in helpers), *(a.annotation for a in constructor.arguments)]
    abstract = [w for w in ("Callable", "Sequence") if any(f"{w}[" in text for text in texts)]
    found = ["import warnings"] if any("warnings." in text for text in texts) else []
    if abstract:
        found.append(f"from collections.abc import {', '.join(abstract)}")
    found += [""] if found else []
    found += ["import torch", "from torch import Tensor, nn"]
    if checkpoint:
        found.append("from torch.utils.checkpoint import checkpoint")
    return tuple(found)


def _phase_classes(layout: Layout, methods: Methods) -> Iterator[Class]:
    """A class for each kind of phase, with the first one's work where that has less to do."""
    written = methods.phases()
    for kind in layout.kinds:
        own = [method for body, method in written if body.work.kind is kind]
        made = [_phase_constructor(layout, kind)] if kind.parameters else []
        yield Class(kind.name, describing.of_phase(layout, kind), (*made, *own))


def _phase_constructor(layout: Layout, kind: PhaseKind) -> Function:
    parameters = [layout.parameters[word] for word in kind.parameters]
    body: list[Statement] = [Do(name("super().__init__()"))]
    for parameter in parameters:
        word, origin = identifier(parameter.name), place(parameter.origin)
        value = name(word)
        if parameter.number or not isinstance(parameter.type, Array):
            body.append(Assign((f"self.{word}",), value, origin))
        elif parameter.trainable:
            body.append(Assign((f"self.{word}",), call("nn.Parameter", value), origin))
        else:
            body.append(Do(fill(f'self.register_buffer("{word}", v)', v=value), origin))
    taken = (Taken(identifier(p.name), _annotation(p)) for p in parameters)
    return Function("__init__", (SELF, *taken), "None", "", tuple(body))


def _annotation(parameter: Parameter) -> str:
    if parameter.number:
        return "float"
    return "Tensor" if isinstance(parameter.type, Array) else "nn.Module"


__all__ = ["Emitted", "emit"]
