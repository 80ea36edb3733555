"""Inputs that were once answered wrongly, each with its right answer: `python -m tests.cases` prints them."""

import pytest

from tests.cases import Case, files, programs


@pytest.mark.parametrize("case", [*programs.CASES, *files.CASES], ids=lambda case: case.name)
def test_the_answer_is_right(case: Case) -> None:
    said, right = case.now()
    assert right, said
