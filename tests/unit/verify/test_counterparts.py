"""Which constants, starts and states of two pages are the same, one rule at a time."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.verify import against
from unroll_dsl.verify.against import _hints, _outputs, _scalars, _states, check_against
from unroll_dsl.verify.counterpart import _constants, _in_each_phase, counterpart
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.report import Verdict


def graph(declared: str) -> Any:
    text = f"algorithm p\ndims m, n\ninput y : vector[n]\n{declared}output y\n"
    return unroll_dsl.loads(text).graph


def matched(ours: str, theirs: str) -> dict[str, str]:
    return {name: c.name for name, c in _constants(graph(ours), graph(theirs)).items()}


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("fixed a, b : scalar\n", "fixed b, a : scalar\n", {"b": "b", "a": "a"}),
        ("fixed a, b : scalar\n", "fixed c, d : scalar\n", {"c": "a", "d": "b"}),
        ("fixed a, b : scalar\n", "fixed c, a : scalar\n", {"c": "b", "a": "a"}),
        ("fixed a : scalar\n", "fixed c, d : scalar\n", {"c": "a"}),
        ("fixed a : matrix[m, n]\n", "fixed a : vector[n]\n", {}),
        ("fixed a : matrix[m, n]\n", "fixed a : matrix[n, n]\n", {"a": "a"}),  # as many axes
        ("fixed a : vector[n]\nfixed b : matrix[m, n]\n", "fixed c : matrix[m, n]\n", {"c": "b"}),
        ("fixed a : scalar = 1\n", "fixed c : scalar = 2\n", {"c": "a"}),
        ("fixed a : scalar\n", "fixed c : scalar = 2\n", {"c": "a"}),
        ("fixed a : scalar = 1\n", "fixed c : scalar\n", {"c": "a"}),
        # what both derive is not taken over
        (
            "fixed q : scalar\nfixed a : scalar = q\n",
            "fixed q : scalar\nfixed c : scalar = 2 * q\n",
            {"q": "q"},
        ),
        (
            "fixed q : scalar\nfixed a : scalar\n",
            "fixed q : scalar\nfixed c : scalar = 2 * q\n",
            {"q": "q", "c": "a"},
        ),
        (
            "fixed P : linear vector[n] -> vector[n]\n",
            "fixed Q : linear vector[n] -> vector[n]\n",
            {"Q": "P"},
        ),
        (
            "fixed P : linear vector[n] -> vector[n]\n",
            "fixed Q : linear vector[n] -> matrix[n, n]\n",
            {},
        ),
        (
            "fixed P : linear matrix[n, n] -> vector[n]\n",
            "fixed Q : linear vector[n] -> vector[n]\n",
            {},
        ),
        ("fixed P : linear vector[n] -> vector[n]\n", "fixed P : matrix[n, n]\n", {}),
        (
            "fixed N : network vector[n] -> vector[n]\n",
            "fixed N : network vector[n] -> vector[n]\n",
            {"N": "N"},
        ),
        (
            "fixed N : network vector[n] -> vector[n]\n",
            "fixed M : network vector[n] -> vector[n]\n",
            {},
        ),
    ],
)
def test_constants(ours: str, theirs: str, found: dict[str, str]) -> None:
    assert matched(ours, theirs) == found


def given(ours: str, theirs: str, phases: int = 3) -> Any:
    text = "algorithm p\ndims n\ninput y : vector[n]\n{}output {}\n"
    one, other = (unroll_dsl.loads(text.format(d, "y")) for d in (ours, theirs))
    instance = draw(one.graph, dims={"n": 4})
    for count, p in enumerate(one.graph.parameters, 1):
        if p.initial is None or not isinstance(p.initial, int):
            shape = (4, 4) if p.type.rank == 2 else (4,) if p.type.rank else ()
            value = np.full(shape, float(count))
            instance.init[p.name] = np.stack([value] * phases) if p.per_phase else value
    return counterpart(one, other, instance, phases)


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("learnable s, t : scalar\n", "learnable t, s : scalar\n", {"t": 2, "s": 1}),
        ("learnable s, t : scalar\n", "learnable u, v : scalar\n", {"u": 1, "v": 2}),
        ("learnable s, t : scalar\n", "learnable u, s : scalar\n", {"u": 2, "s": 1}),
        ("learnable s : vector[n]\nlearnable t : scalar\n", "learnable u : scalar\n", {"u": 2}),
        ("learnable s : scalar\n", "learnable u, v : scalar\n", {"u": 1}),
        ("learnable s : scalar = 1\n", "learnable s : scalar\n", {}),
        ("learnable s : scalar\n", "learnable s : scalar = 1\n", {}),
        ("learnable s : scalar ~ normal(0, 1)\n", "learnable s : scalar\n", {"s": 1}),
        ("learnable s : scalar\n", "learnable s : scalar per phase\n", {"s": 1}),
        (
            "learnable s : scalar per phase ~ normal(0, 1)\n",
            "learnable s : scalar ~ normal(0, 1)\n",
            {},
        ),
    ],
)
def test_starts(ours: str, theirs: str, found: dict[str, float]) -> None:
    made, _ = given(ours, theirs)
    assert {name: np.unique(value).tolist() for name, value in made.init.items()} == {
        name: [value] for name, value in found.items()
    }


def test_tensors_of_one_layer_stand_in_each_phase() -> None:
    one, each = SimpleNamespace(per_phase=False), SimpleNamespace(per_phase=True)
    value = {"weight": np.arange(6.0).reshape(2, 3)}
    found = _in_each_phase(value, one, each, 4)  # type: ignore[arg-type]
    assert found["weight"].shape == (4, 2, 3) and (found["weight"] == value["weight"]).all()
    for mine, wanted in ((one, one), (each, each), (each, one)):
        assert _in_each_phase(value, mine, wanted, 4) is value  # type: ignore[arg-type]
    number = np.ones(3)
    assert _in_each_phase(number, one, each, 4) is number  # type: ignore[arg-type]


def test_constants_have_the_values_of_ours_and_are_told() -> None:
    made, words = given(
        "fixed a : scalar = 3\nfixed N : network vector[n] -> vector[n]\n",
        "fixed c : scalar = 5\nfixed N : network vector[n] -> vector[n]\n",
    )
    assert float(made.bind["c"]) == 3 and words == ["c = a"]
    assert callable(made.bind["N"]) and made.targets == ()


# ---- states and outputs -------------------------------------------------------------------------


def states(*declared: str) -> Any:
    lines = "".join(f"state {d} = 0\n" for d in declared)
    names = [d.split(" ")[0] for d in declared]
    body = "".join(f"    {name} <- 2 * {name}\n" for name in names)
    return unroll_dsl.loads(
        f"algorithm p\ndims m, n\ninput y : vector[n]\n{lines}phase (2):\n{body}output {names[0]}, y\n"
    ).graph


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (("x : vector[n]", "z : scalar"), ("z : scalar", "x : vector[n]"), {"x": "x", "z": "z"}),
        (("x : vector[n]", "z : scalar"), ("x : vector[n]", "u : scalar"), {"x": "x"}),
        (("x : vector[n]", "z : scalar"), ("u : vector[n]", "v : scalar"), {"x": "u", "z": "v"}),
        (("x : vector[n]", "z : scalar"), ("u : scalar", "v : scalar"), {"z": "v"}),
        (("x : vector[n]",), ("u : vector[n]", "v : scalar"), {"x": "u"}),
    ],
)
def test_states(ours: Any, theirs: Any, found: dict[str, str]) -> None:
    assert _states(states(*ours), states(*theirs)) == found


def test_outputs_that_do_not_correspond_or_differ() -> None:
    one, two = np.ones(2), np.full((2, 2), 2.0)
    row = _outputs("g", "", (one, two), (one, two))
    assert (row.name, row.verdict, row.detail) == (
        "outputs",
        Verdict.PASSED,
        "largest for output 1",
    )
    row = _outputs("g", ", other", (one, two), (one, 2 * two))
    assert (row.name, row.verdict, row.detail) == (
        "outputs, other",
        Verdict.FAILED,
        "largest for output 2",
    )
    assert row.value == 0.5 and row.tolerance == 1e-12
    assert _outputs("g", "", (one,), (one,)).detail == ""
    for theirs, count in (((one,), 1), ((two, one), 2)):
        row = _outputs("g", "", (one, two), theirs)
        assert row.verdict is Verdict.FAILED and f"2 here, {count} there" in row.detail


PAGE = """algorithm {name}
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed c : scalar = 2
let L = {let}
let M = 3 * c
let v = c * y[1]
state x : vector[n] = 0
phase (3):
    x <- x - {step} / L
output x
"""


def page(
    let: str = "norm(A)^2", step: str = "A' @ (A @ x - y)", name: str = "p"
) -> unroll_dsl.Spec:
    return unroll_dsl.loads(PAGE.format(let=let, step=step, name=name), f"{name}.unroll")


def test_derived_scalars_and_their_lines() -> None:
    spec = page()
    instance = draw(spec.graph)
    found = _scalars(spec, instance, 3)
    assert found == {
        "L": (pytest.approx(np.linalg.norm(instance.bind["A"], 2) ** 2), 6),
        "M": (pytest.approx(6.0), 7),
    }


@pytest.mark.parametrize(
    ("let", "told"),
    [("norm(A)^2 * (1 + 2e-9)", True), ("norm(A)^2 * (1 + 1e-10)", False), ("-norm(A)^2", True)],
)
def test_values_that_differ_are_hinted_at(let: str, told: bool) -> None:
    spec, classical = page(let), page(name="q")
    instance = draw(spec.graph)
    hints = _hints(spec, classical, instance, instance, 3)
    assert bool(hints) is told
    if told:
        assert hints.startswith("; `L` (line 6) is ") and "`M`" not in hints


def test_the_row_names_the_state_the_phase_and_what_was_matched() -> None:
    rows = check_against(page("2 * norm(A)^2"), page(name="q"), draw(page().graph), 3)
    states_row, outputs_row = rows
    assert (states_row.group, states_row.name) == ("against q", "states at every phase")
    assert states_row.detail.startswith(
        "largest for `x` in phase 1; with A = A, c = c, y = y, x = x; `L` (line 6)"
    )
    assert outputs_row.verdict is Verdict.FAILED
    same = check_against(page(), page(name="q"), draw(page().graph), 3, drawn=True)
    assert [row.name for row in same] == [
        "states at every phase, other constants",
        "outputs, other constants",
    ]
    assert same[0].detail == "with A = A, c = c, y = y, x = x"


def test_inputs_that_do_not_correspond() -> None:
    other = unroll_dsl.loads(
        PAGE.format(let="norm(A)^2", step="A' @ (A @ x - y)", name="q").replace(
            "input y : vector[m]", "input y : vector[m]\ninput z : scalar"
        )
    )
    (row,) = check_against(page(), other, draw(page().graph), 3)
    assert (row.name, row.verdict) == ("inputs", Verdict.FAILED)


def test_the_worst_of_all_phases_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gaps = iter([0.0, 0.25, 0.5, 0.125])  # of the output, then of each phase
    monkeypatch.setattr(against, "difference", lambda *arguments: next(gaps))
    row = check_against(page(), page(name="q"), draw(page().graph), 3)[0]
    assert row.value == 0.5 and row.detail.startswith("largest for `x` in phase 2; ")
