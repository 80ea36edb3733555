"""Small inputs that were once answered wrongly: what the answer was, what it is, and whether it is right.

`python -m tests.cases` prints the table; `tests/unit/test_cases.py` holds each row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A name, the answer as it was, and what gives the answer of today with whether it is right."""

    name: str
    before: str
    now: Callable[[], tuple[str, bool]]
