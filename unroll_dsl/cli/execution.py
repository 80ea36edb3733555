"""Running a compiled algorithm on arrays, a part of the batch at a time, for `unroll run`."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.backends.numpy.samples import arrays as check_arrays
from unroll_dsl.backends.resting import FIXED_POINT, Phases
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.backends.values import as_array
from unroll_dsl.cli.options import Values
from unroll_dsl.cli.progress import progress
from unroll_dsl.cli.usage import UsageError
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.nodes import Final
from unroll_dsl.types import Dim

if TYPE_CHECKING:
    from unroll_dsl import Spec

Array = NDArray[Any]
Network = Callable[[list[Array]], list[Array]]  # inputs with one batch axis to outputs with one

_PART = 256  # samples that are run at a time


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave: the outputs by name, and the objective's mean over the batch."""

    name: str
    backend: str
    phases: Phases | None
    outputs: dict[str, Array]
    objective: float | None
    seconds: float

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "backend": self.backend,
            "phases": self.phases,
            "objective": self.objective,
            "seconds": self.seconds,
            "outputs": {
                name: {"shape": list(array.shape), "dtype": str(array.dtype)}
                for name, array in self.outputs.items()
            },
        }

    def to_text(self) -> str:
        count = "" if self.phases is None else f", {self.phases} phases"
        if self.phases == FIXED_POINT:
            count = ", at rest"
        lines = [f"{self.name} ({self.backend}{count}): {self.seconds:.3g} s"]
        if self.objective is not None:
            lines.append(f"objective: {self.objective:.10g}")
        for name, array in self.outputs.items():
            shape = "x".join(map(str, array.shape)) or "scalar"
            lines.append(f"{name}: {shape} {array.dtype}, norm {np.linalg.norm(array):.6g}")
        return "\n".join(lines)


def execute(
    spec: "Spec",
    inputs: Mapping[str, Array],
    *,
    backend: str,
    phases: Phases | None,
    quiet: bool,
    values: Values,
) -> Outcome:
    """Run `spec` on `inputs`, with or without a batch axis; `values` are bind, init and dims."""
    batch = _batch(spec, inputs)
    values = {**values, "dims": _sizes(spec, phases, values, inputs)}
    network = (_torch if backend == "torch" else _numpy)(spec, phases, values)
    arrays = [a if batch else a[np.newaxis] for a in inputs.values()]
    check_arrays(spec.graph, spec.graph.inputs, arrays)
    begin = time.perf_counter()
    total = arrays[0].shape[0] if arrays else 1
    parts: list[list[Array]] = []
    with progress(spec.name, quiet=quiet) as advance:
        for start in range(0, total, _PART):
            advance(start, total, f"{start} of {total} samples")
            parts.append(network([a[start : start + _PART] for a in arrays]))
    seconds = time.perf_counter() - begin
    outputs = [np.concatenate(column) for column in zip(*parts, strict=True)]
    objective = _objective(spec, phases, values, arrays, outputs)
    if not batch:
        outputs = [output[0] for output in outputs]
    names = _output_names(spec)
    count = spec.graph.phases if phases is None else phases
    by_name = dict(zip(names, outputs, strict=True))
    return Outcome(spec.name, backend, count, by_name, objective, seconds)


def _batch(spec: "Spec", inputs: Mapping[str, Array]) -> bool:
    """Whether the inputs have a batch axis; all or none of them, and one of the same length."""
    counts: dict[str, int | None] = {}
    for entry in spec.graph.inputs:
        array = inputs[entry.name]
        axes = array.ndim - entry.type.rank
        if axes not in (0, 1):
            raise UsageError(
                f"`{entry.name}` is {entry.type}, found an array of shape {array.shape}",
                "one sample, or a batch of samples along the first axis",
            )
        counts[entry.name] = array.shape[0] if axes else None
    if len(set(counts.values())) > 1:
        words = ", ".join(
            f"`{name}` {'is one sample' if count is None else f'has {count} samples'}"
            for name, count in counts.items()
        )
        raise UsageError(f"the inputs do not belong together: {words}")
    return any(count is not None for count in counts.values())


def _sizes(
    spec: "Spec", phases: Phases | None, values: Values, inputs: Mapping[str, Array]
) -> dict[str, int]:
    """The sizes by what is bound and by the shapes of the inputs, which must agree."""
    bound = spec.reference(phases=phases, **values).sizes
    equations = [
        Equation(Dim.of(name), size, "the values that are bound") for name, size in bound.items()
    ]
    for entry in spec.graph.inputs:
        shape = inputs[entry.name].shape[inputs[entry.name].ndim - entry.type.rank :]
        source = f"the input `{entry.name}`"
        equations += [
            Equation(dim, size, source, entry.origin)
            for dim, size in zip(entry.type.shape, shape, strict=True)
        ]
    sizes, contradictions = solve(equations, {}, dict(spec.graph.dims))
    if contradictions:
        raise UnrollError(contradictions)
    return sizes


def _torch(spec: "Spec", phases: Phases | None, values: Values) -> Network:
    import torch

    module = spec.compile(phases=phases, dtype=torch.float64, **values)
    module.eval()

    def run(arrays: list[Array]) -> list[Array]:
        with torch.no_grad():
            found = module(*(torch.from_numpy(array) for array in arrays))
        return [as_array(tensor) for tensor in (found if isinstance(found, tuple) else (found,))]

    return run


def _numpy(spec: "Spec", phases: Phases | None, values: Values) -> Network:
    reference = spec.reference(phases=phases, **values)

    def run(arrays: list[Array]) -> list[Array]:
        found = reference(*arrays)
        return list(found) if isinstance(found, tuple) else [found]

    return run


def _output_names(spec: "Spec") -> list[str]:
    """The state that each output is, or its number where it is a formula."""
    names: list[str] = []
    for number, index in enumerate(spec.graph.outputs, start=1):
        match spec.graph.nodes[index].op:
            case Final(name):
                names.append(name)
            case _:
                names.append(f"output{number if len(spec.graph.outputs) > 1 else ''}")
    return names


def _objective(
    spec: "Spec",
    phases: Phases | None,
    values: Values,
    inputs: list[Array],
    outputs: list[Array],
) -> float | None:
    """The objective at the outputs, if there is one and the outputs are its variables."""
    found = dict(zip(_output_names(spec), outputs, strict=True))
    wanted = [name for name, _ in spec.graph.variables]
    if spec.graph.objective is None or not set(wanted) <= set(found):
        return None
    reference = spec.reference(phases=phases, **values)
    return float(np.mean(reference.objective({name: found[name] for name in wanted}, *inputs)))
