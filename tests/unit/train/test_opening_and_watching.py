"""How a run sees its inputs before it begins, what TensorBoard gets, and the loss that a page is shown."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sparse_problem import CP, Sparse

import unroll_dsl
from unroll_dsl.measure import measurement
from unroll_dsl.spec import Spec
from unroll_dsl.train import Hooks, TrainingError, Validated
from unroll_dsl.train import opening as opened
from unroll_dsl.train import training as runs
from unroll_dsl.train.opening import filled, open_data
from unroll_dsl.train.tables import config
from unroll_dsl.train.task import check_loss
from unroll_dsl.train.tensorboard import watching

SPEC = unroll_dsl.loads(CP, "small.unroll")
A = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
MORE = (
    ("input     y     : vector[m]", "input     y     : vector[m]\ninput     b     : vector[n]"),
    ("+ 0.01 * noise\n", "+ 0.01 * noise\nmeasure   b     = 2 * x_star\n"),
    ("scale * A @ x)", "scale * A @ x) + 0 * b"),
)


def measured(spec: Spec, **tables: Any) -> Any:
    made = measurement(spec)
    assert made is not None
    return opened._measuring(spec, made, config(tables), {"A": A}, Sparse())


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_inputs_are_measured_as_the_page_says(precision: str) -> None:
    measure = measured(SPEC, train={"precision": precision})({"scale": 1.0})
    x = torch.randn(200, 16, dtype=torch.float64)
    found = measure({"x_star": x})
    assert set(found) == {"y"} and found["y"].dtype == getattr(torch, precision)
    noise = found["y"].double() - x @ A.double().mT
    assert noise.std().item() == pytest.approx(0.01, rel=0.1)


def test_several_inputs_are_told_by_their_names() -> None:
    text = CP
    for old, new in MORE:
        assert old in text
        text = text.replace(old, new)
    found = measured(unroll_dsl.loads(text))({})({"x_star": torch.ones(3, 16)})
    assert set(found) == {"y", "b"} and torch.equal(found["b"], torch.full((3, 16), 2.0))
    torch.testing.assert_close(found["y"], torch.ones(3, 16) @ A.mT, atol=0.1, rtol=0)


def test_noise_goes_on_from_the_seed() -> None:
    x = {"x_star": torch.zeros(2, 16)}
    first, again = measured(SPEC)({}), measured(SPEC)({})
    one, two = first(x)["y"], first(x)["y"]
    assert torch.equal(again(x)["y"], one) and not torch.equal(one, two)
    assert not torch.equal(measured(SPEC, seed=1)({})(x)["y"], one)


@pytest.mark.parametrize(
    "page", [CP, CP.replace("measure   y     = A @ x_star + 0.01 * noise\n", "")]
)
def test_what_is_made_sees_the_measurement_where_there_is_one(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def bindings(wanted: Any, *_: Any, **options: Any) -> dict[str, Any]:
        seen.update(options, wanted=wanted)
        return {"scale": 3.0}

    monkeypatch.setattr(opened, "bindings", bindings)
    made = config({"bind": {"scale": 1.0, "A": {"make": "gaussian"}}, "dims": {"m": 8}, "seed": 4})
    found = open_data(unroll_dsl.loads(page), made, {"A": A}, Sparse())
    assert (seen["measuring"] is None) == ("measure" not in page)
    assert seen["wanted"] == {"scale": 1.0} and seen["seed"] == 4
    assert seen["dims"] == {"m": 8, "n": 16}
    assert found.bind["scale"] == 3.0 and found.validation is None


def test_what_is_configured_goes_before_what_a_program_would_choose() -> None:
    made = filled(SPEC, config({"data": {"kind": "own", "x": 1}}), {})
    assert made.data == {"kind": "own", "x": 1}
    assert filled(SPEC, config({"bind": {"A": 3.0}}), {}, given=True).bind["A"] == 3.0


# ---- TensorBoard --------------------------------------------------------------------------------


class Writer:
    """In place of that of TensorBoard."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Any] = []
        WRITERS.append(self)

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        self.rows.append((tag, value, step))

    def flush(self) -> None:
        self.rows.append("flushed")


WRITERS: list[Writer] = []


def test_numbers_of_a_row_are_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer)
    )
    seen: list[Validated] = []
    hooks = watching(tmp_path, Hooks(on_validation=seen.append, stop=lambda: True))
    row = {"step": 5, "val.loss": 0.5, "loss.sum(x - y) ^2": 2.0, "rate": None, "val.a.b": 1.0}
    event = Validated(5, row, "loss", 0.5, 0.5, True)
    hooks.on_validation(event)
    writer = WRITERS.pop()
    assert writer.path == str(tmp_path / "tensorboard")
    assert writer.rows == [
        ("val/loss", 0.5, 5),
        ("loss/sum_x_-_y_2", 2.0, 5),
        ("val/a.b", 1.0, 5),
        "flushed",
    ]
    assert seen == [event] and hooks.stop()


def test_what_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="events for TensorBoard need it installed"):
        watching(tmp_path, Hooks())


@pytest.mark.parametrize(
    ("wanted", "first", "watched"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_the_first_process_writes_events_where_they_are_wanted(
    wanted: bool, first: bool, watched: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(
        sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer)
    )
    setup: Any = SimpleNamespace(config=config({"log": {"tensorboard": wanted}}))
    accelerator: Any = SimpleNamespace(is_main_process=first)
    hooks = Hooks()
    found = runs._with_tensorboard(setup, tmp_path, hooks, accelerator)
    assert (found is not hooks) == watched


def test_a_configuration_is_a_file_tables_or_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("phases = 3\n")
    made = config({"phases": 3})
    assert runs._config(made) is made and runs._config({"phases": 3}) == made
    assert runs._config(None) == config({})
    for name in (path, str(path)):
        assert runs._config(name).phases == 3 and runs._config(name).base == str(tmp_path.resolve())


# ---- a page without a loss ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("let x = W @ y\noutput x", "loss (x_star : vector[n]):\n        sumsq(x - x_star)"),
        ("output 2 * (W @ y)", "loss (target : vector[n]):\n        sumsq((2 * (W @ y)) - target)"),
        ("output z, W @ y", "loss (z_star : image[1, m, n]):\n        mean((z - z_star)^2)"),
        ("output -z", "loss (target : image[1, m, n]):\n        mean(((-z) - target)^2)"),
    ],
)
def test_a_page_is_shown_the_loss_that_it_lacks(body: str, lines: str) -> None:
    head = "algorithm p\ndims m, n\ninput y : vector[m]\ninput z : image[1, m, n]\n"
    spec = unroll_dsl.loads(f"{head}learnable W : matrix[n, m]\n{body}\n", "a/p.unroll")
    with pytest.raises(TrainingError, match="`p` has no `loss`") as caught:
        check_loss(spec)
    assert str(caught.value.mend).endswith(f"\n\n    {lines}")
    check_loss(SPEC)
