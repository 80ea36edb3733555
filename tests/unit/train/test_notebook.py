"""What a training shows in a notebook."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from unroll_dsl.train import StepDone, Validated
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
