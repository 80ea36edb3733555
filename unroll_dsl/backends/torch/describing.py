"""What docstrings of a generated module say of a network, its phases and their names."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.backends.torch.layout import Layout
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import PhaseKind
from unroll_dsl.backends.torch.templates import text
from unroll_dsl.ir.graph import Constant, Entry, Limits, Parameter, Slot
from unroll_dsl.types import Array
from unroll_dsl.version import VERSION


def of_module(layout: Layout) -> str:
    """The author's comment, and where the module comes from."""
    graph = layout.graph
    comment = graph.comment.strip() or graph.name
    title, _, rest = comment.partition("\n")
    generated = (
        f"Generated from {graph.file.name.rpartition('/')[2]} by unroll_dsl {VERSION}: edit that file "
        "rather than this one."
    )
    body = "\n".join(line.rstrip() for line in [title.strip(), "", *rest.strip().split("\n")])
    return f"{body.strip()}\n\n{generated}"


def of_phase(layout: Layout, kind: PhaseKind) -> str:
    """What a class of phases holds."""
    parameters = [layout.parameters[word] for word in kind.parameters]
    own = "; ".join(_parameter_words(layout, p) for p in parameters)
    what = {"Phase": "One iteration", "LastPhase": "The last iteration"}.get(
        kind.name, "The iteration before the last"
    )
    words = f"{what} and the constants that are its own: {own}." if own else f"{what}."
    if own and len(words) > 88:  # names keep their case: they begin no sentence
        words = f"{what} and the constants that are its own.\n\n{own}."
    return "\n".join([words, *descriptions(parameters)])


def of_network(layout: Layout) -> str:
    """What a network maps to what, and what it holds."""
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
    words = f"Map {inputs} to {', '.join(outputs)}." if inputs else f"Give {', '.join(outputs)}."
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
    return "\n".join(paragraphs)


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
