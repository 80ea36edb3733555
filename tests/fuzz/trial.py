"""What must hold of every program that the checker accepts.

The NumPy reference says what is right. Levels 0, 1 and 2, frozen networks, networks that were saved and
loaded, exported ones: the same outputs and states. Levels 1 and 2: the gradients of level 0, which is
autograd on the program as written; the exported one: those of its network.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

import unroll_dsl
from tests.fuzz.programs import write
from unroll_dsl.driver import check_source
from unroll_dsl.ir.verify import verify
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import parse_text, same_tree, to_text
from unroll_dsl.verify.instance import Instance, draw

LEVELS = (0, 1, 2)
# relative to the largest entry; what the program itself makes of rounding is added, see `_amplified`
_TOLERANCE = 1e-11
_GRADIENTS = 1e-9
# programs whose values leave this range are told apart from wrong ones no longer
_LARGE = 1e6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one program: `fault` is None where all holds; `note` says why less was compared."""

    seed: int
    text: str
    fault: str | None = None
    note: str | None = None


def trial(seed: int, *, export: bool = False) -> Outcome:
    """Write the program of a seed and hold all that is made of it against the reference."""
    return tried(seed, write(Random(seed)), export=export)


def tried(seed: int, text: str, *, export: bool = False) -> Outcome:
    """`trial` of a given text; the seed is that of the values."""
    try:
        return _tried(seed, text, export)
    except unroll_dsl.UnrollError as error:
        return Outcome(seed, text, note=f"refused: {error.diagnostics[0].code}")
    except Exception as error:
        return Outcome(seed, text, fault=f"{type(error).__name__}: {error}")


def _tried(seed: int, text: str, export: bool) -> Outcome:
    checked = check_source(SourceFile("made.unroll", text))
    errors = [d for d in checked.diagnostics if d.is_error]
    if errors:
        return Outcome(seed, text, fault=f"the checker refuses: {errors[0].message()}")
    printed = to_text(checked.program)
    again = parse_text(printed).program
    if again is None or not same_tree(again, checked.program):
        return Outcome(seed, text, fault="does not read back as it is printed")
    spec = unroll_dsl.Spec(checked)
    verify(spec.graph)
    instance = draw(spec.graph, seed=seed, batch=2)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        outcome = _compared(seed, text, spec, instance, export)
    if outcome.fault and any("residual" in str(warning.message) for warning in said):
        return Outcome(seed, text, note="a solution that was not reached, and said so")
    return outcome


def _compared(
    seed: int, text: str, spec: unroll_dsl.Spec, instance: Instance, export: bool
) -> Outcome:
    given = {"bind": instance.bind, "init": instance.init, "dims": instance.sizes}
    plain = _network(spec, instance, 0, seed)
    start = spec.values(plain, bind=instance.bind, dims=instance.sizes)
    reference = spec.reference(**{**given, "init": {**instance.init, **start}})
    expected = _several(reference(*instance.inputs))
    if not all(np.isfinite(a).all() and np.abs(a).max(initial=0) < _LARGE for a in expected):
        return Outcome(seed, text, note="values too large to compare")
    slack = _amplified(spec, instance, start, expected)
    if slack > 1e-6:
        return Outcome(seed, text, note="rounding decides what comes out")
    tolerance = max(_TOLERANCE, slack)
    inputs = [torch.as_tensor(a) for a in instance.inputs]
    nets = {level: _network(spec, instance, level, seed) for level in LEVELS[1:]}
    nets = {LEVELS[0]: plain, **nets}
    for level, net in nets.items():
        net.load_state_dict(plain.state_dict())
        for name, made in _variants(spec, net, instance, level, seed).items():
            gap = _gap(_several(made(*inputs)), expected)
            if not gap <= tolerance:
                return Outcome(
                    seed, text, fault=f"level {level}, {name}: outputs differ by {gap:.2g}"
                )
        fault = _states(reference, net, instance, tolerance) or _batched(net, inputs, tolerance)
        if fault:
            return Outcome(seed, text, fault=f"level {level}: {fault}")
    wanted = _gradients(plain, instance)
    for level in LEVELS[1:]:
        gap = _gap(_gradients(nets[level], instance), wanted)
        if not gap <= max(_GRADIENTS, 100 * slack):
            return Outcome(seed, text, fault=f"level {level}: gradients differ by {gap:.2g}")
    if export:
        fault = _exported(spec, nets, instance, expected, tolerance, max(_GRADIENTS, 100 * slack))
        return Outcome(seed, text, fault=fault)
    return Outcome(seed, text)


def _network(spec: unroll_dsl.Spec, instance: Instance, level: int, seed: int) -> Any:
    return spec.compile(
        bind=instance.bind,
        init=instance.init,
        dims=instance.sizes,
        dtype=torch.float64,
        seed=seed,
        optimize=level,
    )


def _variants(
    spec: unroll_dsl.Spec, net: Any, instance: Instance, level: int, seed: int
) -> dict[str, torch.nn.Module]:
    """The network itself; frozen, at one level for a program; saved and loaded, which does not depend on it."""
    found = {"as made": net}
    if level == LEVELS[seed % len(LEVELS)]:
        found["frozen"] = net.freeze()
    if level == 2:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.safetensors"
            unroll_dsl.save_network(path, spec, net, bind=instance.bind)
            found["loaded"] = unroll_dsl.load_network(
                path, bind=instance.bind, dims=instance.sizes, dtype=torch.float64
            )
    return found


def _exported(
    spec: unroll_dsl.Spec,
    nets: dict[int, Any],
    instance: Instance,
    expected: Sequence[Any],
    tolerance: float,
    of_gradients: float,
) -> str | None:
    """By torch.export as Dynamo traces it: outputs as the reference gives them, gradients of the network."""
    inputs = [torch.as_tensor(a) for a in instance.inputs]
    for level in (0, 2):
        # a hundred iterations would be traced one by one, for minutes
        if "conjugate_gradients(" in spec.source(optimize=level):
            continue
        program = torch.export.export(nets[level], tuple(inputs), strict=True).module()
        gap = _gap(_several(program(*inputs)), expected)
        if not gap <= tolerance:
            return f"level {level}, exported: outputs differ by {gap:.2g}"
        # what outputs do not depend on is no part of what is exported
        kept = dict(program.named_parameters())
        wanted = _gradients(nets[level], instance, with_loss=False, kept=kept)
        gap = _gap(_gradients(program, instance, with_loss=False), wanted)
        if not gap <= of_gradients:
            return f"level {level}, exported: gradients differ by {gap:.2g}"
    return None


def _states(reference: Any, net: Any, instance: Instance, tolerance: float) -> str | None:
    if not hasattr(net, "trajectory"):
        return None  # a program without a phase
    inputs = [torch.as_tensor(a) for a in instance.inputs]
    with torch.no_grad():
        ours = net.trajectory(*inputs)
    for k, (mine, theirs) in enumerate(
        zip(ours, reference.trajectory(*instance.inputs), strict=True), start=1
    ):
        for name, value in mine.items():
            expected = _array(theirs[name])  # a state that no input reaches has no batch axes
            gap = _gap([np.broadcast_to(_array(value), expected.shape)], [expected])
            if not gap <= tolerance:
                return f"state {name} of phase {k} differs by {gap:.2g}"
    return None


def _batched(net: Any, inputs: Sequence[torch.Tensor], tolerance: float) -> str | None:
    """One sample without a batch axis, and two batch axes, give what one batch axis gives."""
    with torch.no_grad():
        whole = _several(net(*inputs))
        single = _several(net(*(x[1] for x in inputs)))
        double = _several(net(*(x.unsqueeze(0) for x in inputs)))
    gap = _gap(single, [x[1] for x in whole])
    if not gap <= tolerance:
        return f"without a batch axis outputs differ by {gap:.2g}"
    gap = _gap(double, [x[None] for x in whole])
    return f"with two batch axes outputs differ by {gap:.2g}" if not gap <= tolerance else None


def _gradients(
    net: Any, instance: Instance, *, with_loss: bool = True, kept: Container[str] | None = None
) -> list[Any]:
    """Of the sum of squares of all outputs, and of the loss: to learnables and inputs."""
    net.zero_grad()
    inputs = [torch.as_tensor(a).clone().requires_grad_() for a in instance.inputs]
    total = sum(x.abs().square().sum() for x in _several(net(*inputs)))
    if with_loss and hasattr(net, "loss"):
        total = total + net.loss(*inputs, *(torch.as_tensor(a) for a in instance.targets))
    if not total.requires_grad:
        return []
    total.backward()
    named = sorted(net.named_parameters())
    leaves = [p for name, p in named if kept is None or name in kept] + inputs
    return [torch.zeros_like(x) if x.grad is None else x.grad for x in leaves]


def _amplified(
    spec: unroll_dsl.Spec, instance: Instance, start: Any, expected: Sequence[Any]
) -> float:
    """A hundred times what the outputs change by when the inputs do by a rounding unit, and what the
    systems that are solved may lose."""
    gaps = [_moved(spec, instance, start, expected, seed) for seed in range(3)]
    worst = max(gaps, key=lambda gap: math.inf if math.isnan(gap) else gap)
    return 100 * worst


def _moved(
    spec: unroll_dsl.Spec, instance: Instance, start: Any, expected: Sequence[Any], seed: int
) -> float:
    rng = np.random.default_rng(seed)
    unit = 2.0**-52
    moved = [a * (1 + unit * rng.uniform(-1, 1, a.shape)) for a in instance.inputs]
    bind = {
        name: value * (1 + unit * rng.uniform(-1, 1, value.shape))
        if isinstance(value, np.ndarray) and not np.isin(value, (0, 1)).all()
        else value
        for name, value in instance.bind.items()
    }
    reference = spec.reference(bind=bind, init={**instance.init, **start}, dims=instance.sizes)
    return _gap(_several(reference(*moved)), expected) + unit * float(reference.condition)


def _gap(found: Sequence[Any], expected: Sequence[Any]) -> float:
    """The largest difference, relative to the largest entry (at least 1); of other shapes infinite."""
    if len(found) != len(expected):
        return math.inf
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        a, b = _array(a), _array(b)
        if a.shape != b.shape:
            return math.inf
        if a.size:
            gap = float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))
            worst = gap if math.isnan(gap) else max(worst, gap)
        if math.isnan(worst):
            return worst
    return worst


def _array(value: Any) -> Any:
    return np.asarray(
        value.detach().resolve_conj().resolve_neg() if isinstance(value, torch.Tensor) else value
    )


def _several(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
