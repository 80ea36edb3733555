"""What gradients are asked for along which directions, and the network at rest held against plain phases."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import equilibrium, gradients
from unroll_dsl.verify.equilibrium import check_rest
from unroll_dsl.verify.gradients import check_gradients
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.report import Verdict

PAGE = """algorithm p
dims n
input y : vector[n]
learnable t : {type}{each} = {start}
state x : vector[n] = 0
phase (3):
    x <- 0.5 * x + {step}
output {output}
{loss}"""


def page(
    type_: str = "vector[n]",
    *,
    each: str = "",
    start: str = "0.5",
    step: str = "t * y",
    output: str = "x",
    loss: str = "",
) -> unroll_dsl.Spec:
    text = PAGE.format(type=type_, each=each, start=start, step=step, output=output, loss=loss)
    return unroll_dsl.loads(text, "p.unroll")


def asked(
    monkeypatch: pytest.MonkeyPatch, spec: unroll_dsl.Spec, seed: int = 3, size: int = 4
) -> list[Any]:
    """What each learnable's gap is computed from; the values as they are then."""
    calls: list[Any] = []

    def gap(
        moved: Any, directions: Any, value: Any, slope: float, floor: float, limit: float
    ) -> Any:
        calls.append(([p.detach().clone() for p in moved], directions, value, slope, floor, limit))
        return 0.0, limit

    monkeypatch.setattr(gradients, "_gap", gap)
    check_gradients(spec, draw(spec.graph, dims={"n": size}), 3, seed)
    return calls


def test_values_are_moved_off_the_classical_ones_by_their_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a hundredth of the mean modulus and a tenth, at random."""
    for start in ("0.5", "-0.5", "0"):
        ((values, *_),) = asked(monkeypatch, page(start=start), size=4000)
        moved = values[0] - float(start)
        scale = 0.01 * (abs(float(start)) + 0.1)
        assert float(moved.std()) == pytest.approx(scale, rel=0.05)
        assert abs(float(moved.mean())) < 0.1 * scale


@pytest.mark.parametrize(("size", "length"), [(4, None), (4000, 10.0)])
def test_directions_do_not_go_far(
    monkeypatch: pytest.MonkeyPatch, size: int, length: float | None
) -> None:
    ((_, directions, *_),) = asked(monkeypatch, page(), size=size)
    (direction,) = directions
    norm = float(direction.norm())
    if length is None:
        assert 0.5 < norm < 4.5  # as it was drawn
    else:
        assert norm == pytest.approx(length)


def test_all_phases_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    ((values, directions, *_),) = asked(monkeypatch, page(each=" per phase"), size=1000)
    assert len(values) == len(directions) == 3
    whole = math.sqrt(sum(float(d.norm()) ** 2 for d in directions))
    assert whole == pytest.approx(10.0)


@pytest.mark.parametrize("loss", ["", "loss (z : vector[n]):\n    1e3 * sumsq(x - z)\n"])
@pytest.mark.parametrize("output", ["x", "x, sumsq(x)"])
def test_the_slope_is_that_along_the_direction(
    monkeypatch: pytest.MonkeyPatch, loss: str, output: str
) -> None:
    for values, directions, value, slope, floor, limit in asked(
        monkeypatch, page(each=" per phase", loss=loss, output=output)
    ):
        at = float(value().detach())
        assert floor == pytest.approx(max(1e-4 * abs(at), 1e-6)) and limit == 1e-5
        assert slope != 0 and len(values) == len(directions)
    monkeypatch.undo()
    spec = page(loss=loss, output=output)
    (row,) = check_gradients(spec, draw(spec.graph), 3, 0)
    assert row.verdict is Verdict.PASSED


def test_the_loss_is_what_is_differentiated_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = page(loss="loss (z : vector[n]):\n    sumsq(x - z)\n")
    instance = draw(spec.graph, dims={"n": 4})
    ((values, _, value, *_),) = asked(monkeypatch, spec)
    y, z = torch.from_numpy(instance.inputs[0]), torch.from_numpy(instance.targets[0])
    x = (1 + 0.5 + 0.25) * values[0] * y
    assert float(value().detach()) == pytest.approx(float(((x - z) ** 2).sum(1).mean()))


def test_complex_outputs_are_weighed_in_both_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "algorithm p\ndims n\ninput y : complex vector[n]\nlearnable t : complex vector[n] = 1\noutput t * y\n"
    spec = unroll_dsl.loads(text)
    ((values, directions, value, slope, *_),) = asked(monkeypatch, spec)
    (t,), (d,) = values, directions
    y = torch.from_numpy(draw(spec.graph, dims={"n": 4}).inputs[0])
    generator = torch.Generator().manual_seed(3)
    w = torch.randn((3, 4), generator=generator, dtype=torch.float64)
    assert float(value().detach()) == pytest.approx(float((w * (t * y)).sum().real))
    assert slope == pytest.approx(float((w * (d * y)).sum().real))


@pytest.mark.parametrize("sign", [1, -1])
def test_gaps_and_what_they_may_be_are_relative_to_the_larger_modulus(
    monkeypatch: pytest.MonkeyPatch, sign: int
) -> None:
    """A slope of 1 and differences of 4 and more, or of the other sign; the floor is below."""
    order = sorted(gradients._STEPS)
    found = [sign * (4 + 1e-3 * k**2) for k in range(6)]
    monkeypatch.setattr(gradients, "_difference", lambda m, d, v, step: found[order.index(step)])
    gap, limit = gradients._gap([], [], None, 1.0, 1e-9, 1e-5)
    best = min(found, key=lambda d: abs(1 - d) / abs(d))
    assert gap == pytest.approx(abs(1 - best) / abs(best))
    assert limit == pytest.approx(5 * 1e-3 / abs(best))
    gap, limit = gradients._gap([], [], None, 1.0, 8.0, 1e-5)  # below the floor it is rounding
    assert gap == pytest.approx(min(abs(1 - d) for d in found) / 8)
    assert limit == pytest.approx(5 * 1e-3 / 8)


# ---- at rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gaps", "verdicts"),
    [
        ([1e-8, 1e-6], [Verdict.PASSED, Verdict.PASSED]),
        ([2e-8, 0.0], [Verdict.FAILED, Verdict.PASSED]),
        ([0.0, 2e-6], [Verdict.PASSED, Verdict.NOTE]),  # plain phases may lead elsewhere
    ],
)
def test_rest_is_held_against_the_reference_and_plain_phases(
    monkeypatch: pytest.MonkeyPatch, gaps: list[float], verdicts: list[Verdict]
) -> None:
    spec, left = page(), iter(gaps)
    monkeypatch.setattr(equilibrium, "difference", lambda *arguments: next(left))
    rows = check_rest(spec, draw(spec.graph), 0)
    assert [row.verdict for row in rows[:3]] == [Verdict.PASSED, *verdicts]
    if verdicts[1] is Verdict.NOTE:
        assert rows[2].detail == "plain phases are not there: they are slower, or lead elsewhere"
    assert [row.value for row in rows[1:3]] == gaps


def test_the_worst_output_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([1e-9, 3e-9, 1e-9, 5e-9])
    monkeypatch.setattr(equilibrium, "difference", lambda *arguments: next(left))
    rows = check_rest(page(output="x, sum(x)"), draw(page().graph), 0)
    assert [row.value for row in rows[1:3]] == [3e-9, 5e-9]
    assert np.isfinite(rows[1].tolerance or 0)
