"""What is to be learned: where each input comes from, and which output is held against which target."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from torch import Tensor

from unroll_dsl.data.errors import DataError
from unroll_dsl.data.metrics import Metric, metric_names
from unroll_dsl.data.metrics import metric as metric_of
from unroll_dsl.measure import Measurement
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import Name, Output
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.types import Array, Declared, Form, LinearMap

LOSS = "loss"  # in place of a metric


@dataclass(frozen=True, slots=True)
class Task:
    """Names of inputs and targets in the order of `loss`, and what a metric compares.

    Where the loss names no target, `truth` is empty and the metric is the loss itself.
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    output: int  # the place among the outputs
    truth: str  # the target that it should be
    metric: str


def check_loss(spec: Spec) -> None:
    """Raise `TrainingError`, with the lines to add, if a program says no loss."""
    if spec.graph.loss is not None:
        return
    lines = _loss_lines(spec)
    raise TrainingError(
        f"`{spec.name}` has no `loss`, so that there is nothing to train for",
        f"say at the end of {spec.program.file.name} what the output should be:\n\n{lines}",
    )


def task(
    spec: Spec, given: Collection[str], measurement: Measurement | None, metric: str = ""
) -> Task:
    """The task of a program whose data give the values named `given`.

    Raises
    ------
    TrainingError
        If an input is neither given nor measured, or a target is not given.
    """
    check_loss(spec)
    made = measurement.inputs if measurement is not None else ()
    for entry in spec.graph.inputs:
        if entry.name not in (*given, *made):
            raise TrainingError(
                f"nothing says what the input `{entry.name}` of `{spec.name}` is: no `measure` line "
                f"makes it, and the data give {_list(given)}",
                f"say in {spec.program.file.name} how it comes about:\n\n"
                f"    measure {entry.name} = {_measured(spec, entry.type)}",
            )
    for entry in spec.graph.targets:
        if entry.name not in given:
            raise TrainingError(
                f"the loss of `{spec.name}` compares with `{entry.name}`, the data give {_list(given)}",
                f"name it so in the data, or call the target of the loss so: loss ({next(iter(given), 'x')} : ...)",
            )
    targets = spec.graph.targets
    inputs = tuple(e.name for e in spec.graph.inputs)
    names = tuple(t.name for t in targets)
    if not targets and (metric or LOSS) != LOSS:
        raise TrainingError(
            f"the loss of `{spec.name}` names no target, so that `{metric}` has nothing to compare with",
            f'leave out `validate.metric`, or say "{LOSS}"',
        )
    if not targets:
        return Task(inputs, names, 0, "", LOSS)
    types = [spec.graph.nodes[index].type for index in spec.graph.outputs]
    pairs = [(i, t) for t in targets for i, type_ in enumerate(types) if type_ == t.type]
    if not pairs:
        raise TrainingError(
            f"no output of `{spec.name}` is of the type of a target of its loss, so that they cannot be "
            "compared",
            f"its outputs are {_list(map(str, types))}, its targets "
            f"{_list(f'{t.name} : {t.type}' for t in targets)}",
        )
    place, target = pairs[0]
    return Task(inputs, names, place, target.name, metric or default_metric(spec))


def metric_named(name: str) -> Metric:
    """A metric of `unroll_dsl.data`, or "loss": the network is the best whose loss is the least."""
    return Metric(LOSS, "lower", "", _no_figure) if name == LOSS else metric_of(name)


def _no_figure(found: Tensor, truth: Tensor) -> Tensor:
    raise DataError(
        "the loss is no figure of outputs and truths", f"there are {', '.join(metric_names())}"
    )


def default_metric(spec: Spec) -> str:
    """psnr of images, nmse_db of all else, by the first target of the loss; without one the loss."""
    first = next(iter(spec.graph.targets), None)
    if first is None and spec.graph.loss is not None:
        return LOSS
    return "psnr" if first is not None and _is_image(first.type) else "nmse_db"


def _is_image(type_: Array) -> bool:
    return type_.form is Form.IMAGE


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _loss_lines(spec: Spec) -> str:
    statement = next((s for s in spec.program.statements if isinstance(s, Output)), None)
    if statement is None:
        return "    loss (target : ...):\n        ..."
    value = statement.values[0]
    type_ = spec.typed.types[value]
    text = expression_text(value)
    if not isinstance(value, Name):
        text = f"({text})"
    star = f"{text}_star" if isinstance(value, Name) else "target"
    measure = (
        "mean(({} - {})^2)" if isinstance(type_, Array) and _is_image(type_) else "sumsq({} - {})"
    )
    return f"    loss ({star} : {type_}):\n        {measure.format(text, star)}"


def _measured(spec: Spec, wanted: Array) -> str:
    """How an input might be made of a target: by a map of the program that fits, else as in general."""
    for target in spec.graph.targets:
        for constant in spec.graph.constants:
            if _takes(constant.type, target.type, wanted):
                return f"{constant.name} @ {target.name}"
    first = next((t.name for t in spec.graph.targets), "target")
    return f"...  # a formula of `{first}`, and of `noise` if there is any"


def _takes(type_: object, start: Array, end: Array) -> bool:
    match type_:
        case Array(shape=(rows, columns)):
            return end.shape == (rows,) and start.shape == (columns,)
        case LinearMap(Declared(domain, codomain)):
            return domain == start and codomain == end
        case _:
            return False
