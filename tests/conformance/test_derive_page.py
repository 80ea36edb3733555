"""docs/derive.md says what the records of methods and relaxations say."""

from collections.abc import Callable
from pathlib import Path

from unroll_dsl.derive.manual import page

PAGE = Path(__file__).parents[2] / "docs" / "derive.md"


def test_the_page_of_derivations(golden: Callable[[Path, str], None]) -> None:
    golden(PAGE, page())
