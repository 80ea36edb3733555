"""What a training shows in a notebook."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from unroll_dsl.train import StageBegun, StepDone, Validated
from unroll_dsl.train.notebook import in_notebook, notebook_hooks
from unroll_dsl.train.training import _shown


def step(done: int) -> StepDone:
    stage: Any = SimpleNamespace(name="all")
    return StepDone(done, 10, stage, 0.5, 1.0, 1e-3)


def test_a_bar_and_lines_of_validations() -> None:
    shown: list[str] = []
    hooks = notebook_hooks(shown.append)
    hooks.on_step(step(1))
    hooks.on_step(step(2))  # too soon after the one before
    assert len(shown) == 1 and '<progress value="1" max="10"' in shown[0]
    hooks.on_validation(Validated(5, {}, "nmse", 0.25, 0.2, False))
    hooks.say("warning: <odd>")
    assert "after 5 updates: nmse 0.25 (best 0.2)" in shown[-1]
    assert "&lt;odd&gt;" in shown[-1] and '<progress value="1"' in shown[-1]
    hooks.on_step(step(10))
    assert '<progress value="10"' in shown[-1]
    for number in range(30):
        hooks.say(f"line {number}")
    assert "line 29" in shown[-1] and "line 3\n" not in shown[-1]
    assert "lines above" in shown[-1]


def test_the_last_twenty_lines_are_shown() -> None:
    shown: list[str] = []
    hooks = notebook_hooks(shown.append)
    for number in range(1, 21):
        hooks.say(f"line {number}.")
    assert "above" not in shown[-1] and "line 1.\n" in shown[-1]
    hooks.say("line 21.")
    assert "<pre>... 1 lines above\nline 2.\n" in shown[-1]
    assert shown[-1].endswith("line 21.</pre>")


def test_a_bar_is_drawn_four_times_a_second_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("unroll_dsl.train.notebook.time", SimpleNamespace(monotonic=lambda: now[0]))
    shown: list[str] = []
    hooks = notebook_hooks(shown.append)
    for number, seconds in enumerate((0.0, 0.2, 0.05, 0.1, 0.25, 0.05), start=1):
        now[0] += seconds
        hooks.on_step(step(number))
    assert [text.split('"')[1] for text in shown] == ["1", "3", "5"]
    hooks.on_step(step(10))  # at once: it is the last
    assert shown[-1].startswith('<div><progress value="10" max="10"')
    assert "10 of 10, loss 0.5, rate 0.001" in shown[-1]


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 of 10, loss"), (2, "1 of 10, all (1 of 2), loss")]
)
def test_a_stage_is_named_where_there_are_several(count: int, told: str) -> None:
    shown: list[str] = []
    hooks = notebook_hooks(shown.append)
    stage: Any = SimpleNamespace(name="all")
    hooks.on_stage(StageBegun(1, count, stage, nn.Identity()))
    hooks.on_step(step(1))
    assert told in shown[-1]


@pytest.mark.parametrize(
    ("value", "best", "improved", "told"),
    [
        (None, None, False, None),
        (0.25, None, False, "after 5 updates: nmse 0.25</pre>"),
        (0.25, 0.25, True, "after 5 updates: nmse 0.25</pre>"),
        (0.25, 0.2, False, "after 5 updates: nmse 0.25 (best 0.2)</pre>"),
    ],
)
def test_the_best_is_told_where_a_validation_is_worse(
    value: float | None, best: float | None, improved: bool, told: str | None
) -> None:
    shown: list[str] = []
    hooks = notebook_hooks(shown.append)
    hooks.on_validation(Validated(5, {}, "nmse", value, best, improved))
    assert (not shown) if told is None else shown[-1].endswith(told)


def test_it_is_shown_in_a_notebook_alone_and_quiet_on_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not in_notebook() and _shown(None, False) is None
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert in_notebook() and _shown(None, True) is None
    monkeypatch.setattr("unroll_dsl.train.notebook._display", lambda: lambda html: None)
    assert _shown(None, False) is not None
    own = notebook_hooks(lambda html: None)
    assert _shown(own, False) is own
