"""The table of a problem's family: `unroll family PROBLEM`."""

from collections.abc import Callable
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.family import members
from unroll_dsl.family.table import to_text

TABLES = Path(__file__).parent / "families"


@pytest.mark.parametrize("problem", ["lasso", "block_cs"])
def test_the_table(problem: str, golden: Callable[[Path, str], None]) -> None:
    golden(TABLES / f"{problem}.txt", to_text(members(unroll_dsl.load(problem).typed)))
