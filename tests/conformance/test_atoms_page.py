"""docs/atoms.md says what the records of the atoms say."""

from collections.abc import Callable
from pathlib import Path

from unroll_dsl.atoms.manual import page

PAGE = Path(__file__).parents[2] / "docs" / "atoms.md"


def test_the_page_of_the_atoms(golden: Callable[[Path, str], None]) -> None:
    golden(PAGE, page())
