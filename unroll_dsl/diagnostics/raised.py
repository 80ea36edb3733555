"""What is raised: diagnostics together, as text once they are shown; faults of the compiler."""

from collections.abc import Iterable

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.render import render_all


class UnrollError(Exception):
    """Raised with everything that is wrong with a spec or with what was bound to it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n" + render_all(self.diagnostics)


class InternalError(Exception):
    """A fault of the compiler, never of a program."""
