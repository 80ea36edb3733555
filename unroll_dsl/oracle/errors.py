"""What cannot be said in gradients and proximal maps."""

from __future__ import annotations

from unroll_dsl.source import Span


class Refused(Exception):
    """Why an iteration cannot be said in gradients, proximal maps and combinations."""

    def __init__(self, reason: str, mend: str = "", span: Span | None = None) -> None:
        super().__init__(reason)
        self.reason, self.mend, self.span = reason, mend, span
