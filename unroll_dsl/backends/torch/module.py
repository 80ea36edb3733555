"""Graph -> the text of a Python module."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.backends.torch.backward import UNROLL, Backward
from unroll_dsl.backends.torch.blocks import Line
from unroll_dsl.backends.torch.constructor import Argument, Constructor, ConstructorWriter
from unroll_dsl.backends.torch.functions import docstring
from unroll_dsl.backends.torch.layout import Layout, place
from unroll_dsl.backends.torch.methods import Methods, method_name
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import Body, Kind
from unroll_dsl.backends.torch.templates import text
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.graph import Constant, Entry, Graph, Limits, Parameter, Slot
from unroll_dsl.types import Array
from unroll_dsl.version import VERSION

_WIDTH = 100
_FIRST = "The first iteration, in which the states are zero."


@dataclass(frozen=True, slots=True)
class Emitted:
    """A generated module: its text, the name of its network class, and how that is called."""

    source: str
    class_name: str
    arguments: tuple[Argument, ...]  # of __init__
    needs_dtype: bool  # whether __init__ takes dtype and device
    buffers: Mapping[int, str]  # attributes that hold values known at set-up, by node


def emit(graph: Graph, *, phases: int | None = None, backward: Backward = UNROLL) -> Emitted:
    """Write the module of a graph that the passes have prepared.

    `phases` is the default of the constructor's argument; the text does not grow with it. `backward`
    says how derivatives are computed.
    """
    if backward.alike:  # the phase of the fixed point is one of many
        graph = replace(graph, states=tuple(replace(slot, first=None) for slot in graph.states))
    layout = Layout(graph, alike=backward.alike)
    methods = Methods(layout, backward)
    constructor = ConstructorWriter(layout, methods).run()
    if phases is not None:
        constructor = _with_phases(constructor, phases)
    network = _network_class(layout, methods, constructor)
    helpers = [
        definition.strip("\n") + "\n"
        for _, source in sorted(layout.functions.helpers.items())
        for definition in source.split("\n\n\n")  # operators may share some of them
    ]
    imports = "import torch\nfrom torch import Tensor, nn\n"
    abstract = [
        w
        for w in ("Callable", "Sequence")
        if any(f"{w}[" in source for source in (*helpers, network))
    ]
    if abstract:
        imports = f"from collections.abc import {', '.join(abstract)}\n\n{imports}"
    if any("warnings." in source for source in helpers):
        imports = f"import warnings\n{imports}"
    if backward.checkpoint and layout.kinds:
        imports += "from torch.utils.checkpoint import checkpoint\n"
    parts = [_head(layout), imports]
    parts += dict.fromkeys(helpers)
    parts += list(layout.definitions.sources.values())
    if layout.has_phase_class:
        parts += [
            _phase_class(layout, kind, body, traced, methods.first)
            for kind, body, traced in zip(layout.kinds, methods.bodies, methods.traced, strict=True)
        ]
    parts.append(network)
    source = formatted("\n\n".join(parts))
    needs_dtype = bool(constructor.keyword_only)
    return Emitted(
        source, layout.class_name, constructor.arguments, needs_dtype, dict(layout.buffers)
    )


def formatted(source: str) -> str:
    """The text as ruff writes it (in a tenth of the time that black takes for the same)."""
    from ruff.__main__ import find_ruff_bin

    width = ("--line-length", str(_WIDTH), "--target-version", "py311")
    command = (find_ruff_bin(), "format", "--isolated", "--no-cache", *width, "-")
    found = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if found.returncode:
        raise InternalError(f"the generated text is not Python: {found.stderr.decode()}")
    return found.stdout.decode()


def _with_phases(constructor: Constructor, phases: int) -> Constructor:
    arguments = tuple(
        Argument(a.name, a.python, a.annotation, str(phases)) if a.python == "phases" else a
        for a in constructor.arguments
    )
    return Constructor(arguments, constructor.keyword_only, constructor.lines)


# ---- texts ----------------------------------------------------------------------------------------


def _head(layout: Layout) -> str:
    graph = layout.graph
    comment = graph.comment.strip() or graph.name
    title, _, rest = comment.partition("\n")
    generated = (
        f"Generated from {graph.file.name.rpartition(chr(47))[2]} by unroll_dsl {VERSION}: edit that file rather than "
        "this one."
    )
    body = "\n".join(line.rstrip() for line in [title.strip(), "", *rest.strip().split("\n")])
    body = body.strip().replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{body}\n\n{generated}\n"""\n'


def _line(line: Line, indent: int) -> str:
    comment = f"  # {line.comment}" if line.comment else ""
    return textwrap.indent(f"{line.text}{comment}", " " * indent)


def _method(head: str, words: str, lines: Sequence[Line], indent: int = 4) -> list[str]:
    found = [f"{' ' * indent}{head}"]
    if words:
        found.append(docstring(words, indent + 4))
    return [*found, *(_line(line, indent + 4) for line in lines), ""]


def _shape(type_: Array) -> str:
    return f"[{', '.join(map(str, type_.shape))}]" if type_.rank else ""


def _bounds(layout: Layout, limits: Limits | None) -> str:
    if limits is None:
        return ""
    words = []
    for bound, sign, strict in (
        (limits.lower, ">", limits.lower_strict),
        (limits.upper, "<", limits.upper_strict),
    ):
        if bound is None:
            continue
        literal = layout.literal(bound)
        span = layout.nodes[bound].origin
        value = text(literal) if literal is not None else (span.text if span else "...")
        words.append(f"{sign}{'' if strict else '='} {value}")
    return " " + " and ".join(words)


def _parameter_words(layout: Layout, parameter: Parameter) -> str:
    if not isinstance(parameter.type, Array):
        return f"{identifier(parameter.name)} = {parameter.type}"
    shape = _shape(parameter.type)
    return f"{identifier(parameter.name)}{' ' + shape if shape else ''}" + _bounds(
        layout, parameter.limits
    )


def _annotation(parameter: Parameter) -> str:
    if parameter.number:
        return "float"
    return "Tensor" if isinstance(parameter.type, Array) else "nn.Module"


def _phase_class(layout: Layout, kind: Kind, body: Body, traced: Body, first: Body | None) -> str:
    parameters = [layout.parameters[word] for word in kind.parameters]
    own = "; ".join(_parameter_words(layout, p) for p in parameters)
    what = {"Phase": "One iteration", "LastPhase": "The last iteration"}.get(
        kind.name, "The iteration before the last"
    )
    words = f"{what} and the constants that are its own: {own}." if own else f"{what}."
    if own and len(words) > 88:  # names keep their case: they begin no sentence
        words = f"{what} and the constants that are its own.\n\n{own}."
    words = "\n".join([words, *descriptions(parameters)])
    lines = [f"class {kind.name}(nn.Module):", docstring(words, 4), ""]
    if parameters:
        names = ", ".join(f"{identifier(p.name)}: {_annotation(p)}" for p in parameters)
        init = [Line("super().__init__()")]
        for parameter in parameters:
            word = identifier(parameter.name)
            origin = place(parameter.origin)
            if parameter.number or not isinstance(parameter.type, Array):
                init.append(Line(f"self.{word} = {word}", origin))
            elif parameter.trainable:
                init.append(Line(f"self.{word} = nn.Parameter({word})", origin))
            else:
                init.append(Line(f'self.register_buffer("{word}", {word})', origin))
        lines += _method(f"def __init__(self, {names}) -> None:", "", init)
    if body.results:
        lines += _phase_method("forward", body)
    if first is not None:
        lines += _phase_method("begin", first, _FIRST)
    if traced is not body and traced.results:
        lines += _phase_method("traced", traced)
    return "\n".join(lines)


def _phase_method(word: str, body: Body, words: str = "") -> list[str]:
    arguments = [
        f"{argument}: {body.kinds.get(argument, 'Tensor')}"
        for argument in (*map(identifier, body.states_in), *body.arguments)
    ]
    arguments += [f"{size}: int" for size in body.sizes]
    if body.needs_k:
        arguments.append("k: int")
    lines, results = list(body.lines), list(body.results)
    returned = [text(result) for result in results]
    annotation = _annotations((*map(identifier, body.states_out), *body.traces_out), body.kinds)
    head = f"def {word}({', '.join(['self', *arguments])}) -> {annotation}:"
    if body.traced and word.endswith("traced"):
        words = f"The same, and what the loss reads of it: {', '.join(body.traces_out)}."
    lines = [*lines, Line(f"return {', '.join(returned)}")]
    return _method(head, words, _joined(lines))


def _annotations(words: Sequence[str], kinds: Mapping[str, str]) -> str:
    """The annotation of a function that returns these, of which some are no tensors."""
    found = [kinds.get(word, "Tensor") for word in words]
    return found[0] if len(found) == 1 else f"tuple[{', '.join(found)}]"


def _joined(lines: list[Line]) -> list[Line]:
    """`x = e` before `return x` is `return e`."""
    if len(lines) >= 2 and lines[-1].text.startswith("return "):
        result = lines[-1].text.removeprefix("return ")
        before = lines[-2]
        if before.text.startswith(f"{result} = ") and result.isidentifier():
            value = before.text.removeprefix(f"{result} = ")
            return [*lines[:-2], Line(f"return {value}", before.comment)]
    return lines


def _network_class(layout: Layout, methods: Methods, constructor: Constructor) -> str:
    lines = [f"class {layout.class_name}(nn.Module):", _class_docstring(layout), ""]
    arguments = [_argument(a) for a in constructor.arguments]
    if constructor.keyword_only:
        arguments += ["*", *(_argument(a) for a in constructor.keyword_only)]
    head = f"def __init__({', '.join(['self', *arguments])}) -> None:"
    lines += _method(head, "", [Line("super().__init__()"), *constructor.lines])
    inputs = [f"{word}: Tensor" for word in methods.inputs]
    if methods.start_targets:
        count = len(methods.start_targets)
        kinds = {identifier(word): "float" for word in layout.facts.counters}
        annotation = _annotations(methods.start_targets, kinds)
        returned = Line(f"return {', '.join(methods.start_targets)}")
        values = len(layout.call_values)
        words = "The states at the start." if not values else "What all phases share"
        if values:
            words += ", and the states at the start." if count > values else "."
        lines += _method(
            f"def start({', '.join(['self', *inputs])}) -> {annotation}:",
            words,
            _joined([*methods.refused(), *methods.start, returned]),
        )
    if not layout.has_phase_class:
        for kind, body, traced in zip(layout.kinds, methods.bodies, methods.traced, strict=True):
            if body.results:
                lines += _phase_method(method_name(kind.name), body)
            if methods.first is not None:
                lines += _phase_method("first_phase", methods.first, _FIRST)
            if traced is not body and traced.results:
                lines += _phase_method(f"{method_name(kind.name)}_traced", traced)
    count = len(layout.graph.outputs)
    annotation = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
    lines += _method(
        f"def forward({', '.join(['self', *inputs])}) -> {annotation}:",
        "",
        _joined(methods.forward()),
    )
    if layout.kinds:
        lines += _method(
            f"def trajectory({', '.join(['self', *inputs])}) -> list[dict[str, Tensor]]:",
            "The states after each phase.",
            methods.trajectory(),
        )
    loss = methods.loss_lines()
    if loss is not None:
        targets = [f"{identifier(t.name)}: Tensor" for t in layout.graph.targets]
        head = f"def loss({', '.join(['self', *inputs, *targets])}) -> Tensor:"
        lines += _method(head, "The training loss, averaged over the batch.", loss)
    return "\n".join(lines)


def _argument(argument: Argument) -> str:
    default = f" = {argument.default}" if argument.default is not None else ""
    return f"{argument.python}: {argument.annotation}{default}"


def _class_docstring(layout: Layout) -> str:
    graph = layout.graph
    inputs = ", ".join(
        _batched(e.name, e.type) + (f" {e.domain}" if e.domain else "") for e in graph.inputs
    )
    outputs = []
    for index in graph.outputs:
        node = layout.nodes[index]
        assert isinstance(node.type, Array)
        label = node.label or "output"
        outputs.append(_batched(label, node.type))
    words = f"Map {inputs} to {', '.join(outputs)}."
    needed = {*layout.training.constants, *layout.inference.constants}
    fixed = []
    for constant in graph.constants:
        if constant.name not in needed:
            continue
        if not isinstance(constant.type, Array):
            fixed.append(f"{identifier(constant.name)}, {constant.type}")
        else:
            shape = _shape(constant.type)
            fixed.append(f"{identifier(constant.name)}{' ' + shape if shape else ''}")
    shared: list[str] = []
    own: list[str] = []
    for parameter in graph.parameters:
        if parameter.name in layout.training.parameters and parameter.trainable:
            found = _parameter_words(layout, parameter)
            (own if parameter.per_phase else shared).append(found)
    details = []
    if fixed:
        details.append(f"Fixed: {', '.join(fixed)}.")
    learnt = []
    if shared:
        learnt.append(", ".join(shared) + (", shared" if layout.kinds else ""))
    if own:
        learnt.append(", ".join(own) + ", per phase")
    if learnt:
        details.append(f"Learnable: {'; '.join(learnt)}.")
    described = descriptions([*graph.inputs, *_needed(layout), *graph.states, *graph.targets])
    paragraphs = [words, "", " ".join(details), *described] if details else [words, *described]
    return docstring("\n".join(paragraphs), 4)


def _needed(layout: Layout) -> list[Constant | Parameter]:
    """The declarations that the network class holds; those of a phase are described there."""
    graph = layout.graph
    needed = {*layout.training.constants, *layout.inference.constants}
    shared = {name for name in layout.training.parameters if not layout.parameters[name].per_phase}
    constants = [c for c in graph.constants if c.name in needed]
    return [*constants, *(p for p in graph.parameters if p.name in shared)]


def descriptions(declared: Sequence[Entry | Constant | Parameter | Slot]) -> list[str]:
    """A paragraph of the author's comments, each with the names that it is of."""
    found: dict[str, list[str]] = {}
    for each in declared:
        comment = " ".join(each.comment.split())
        if comment:
            found.setdefault(comment, []).append(identifier(each.name))
    lines = [f"{', '.join(words)}: {comment}" for comment, words in found.items()]
    return ["", *lines] if lines else []


def _batched(word: str, type_: Array) -> str:
    return f"{identifier(word)} [{', '.join(['batch', *map(str, type_.shape)])}]"


__all__ = ["Emitted", "emit", "formatted"]
