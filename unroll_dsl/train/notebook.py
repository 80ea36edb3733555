"""How a training goes, shown in a notebook: a bar, and a line for each validation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any

from unroll_dsl.train.events import Hooks, StageBegun, StepDone, Validated

_EVERY = 0.25  # seconds between two pictures of the bar
_LINES = 20  # that are shown at once

Show = Callable[[str], object]


def in_notebook() -> bool:
    """Whether this is a notebook's kernel: IPython runs, and with a kernel behind it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def notebook_hooks(show: Show | None = None) -> Hooks:
    """Hooks that draw into one place of the cell's output.

    Parameters
    ----------
    show
        Takes the HTML in place of what it took before; by default a display of IPython.
    """
    watched = _Watched(show or _display())
    return Hooks(watched.step, watched.validation, watched.stage, watched.say)


def _display() -> Show:
    from IPython.display import HTML, display

    handle: Any = display(HTML(""), display_id=True)  # type: ignore[no-untyped-call]
    return lambda html: handle.update(HTML(html))  # type: ignore[no-untyped-call]


class _Watched:
    """What is known of a run, drawn anew when it changes."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._lines: list[str] = []
        self._bar = ""
        self._shown = 0.0
        self._stage = ""

    def step(self, event: StepDone) -> None:
        now = time.monotonic()
        if now - self._shown < _EVERY and event.step < event.total:
            return
        self._shown = now
        self._bar = (
            f'<progress value="{event.step}" max="{event.total}" style="width:20em"></progress> '
            f"{event.step} of {event.total}{escape(self._stage)}, loss {event.loss:.4g}, "
            f"rate {event.rate:.2g}"
        )
        self._draw()

    def validation(self, event: Validated) -> None:
        if event.value is None:
            return
        best = "" if event.improved or event.best is None else f" (best {event.best:.4g})"
        self.say(f"after {event.step} updates: {event.metric} {event.value:.4g}{best}")

    def stage(self, event: StageBegun) -> None:
        if event.count > 1:
            self._stage = f", {event.stage.name} ({event.number} of {event.count})"

    def say(self, words: str) -> None:
        self._lines.append(words)
        self._draw()

    def _draw(self) -> None:
        left_out = len(self._lines) - _LINES
        lines = [f"... {left_out} lines above"] if left_out > 0 else []
        lines += self._lines[-_LINES:]
        self._show(f"<div>{self._bar}</div><pre>{escape(chr(10).join(lines))}</pre>")
