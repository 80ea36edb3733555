"""Two hundred random programs through all that is made of a program; `make fuzz` tries ten thousand.

With them go the programs whose answers were once wrong (`tests/cases/results`), as far as `check` accepts them.
"""

from pathlib import Path

import pytest
import torch

from tests.fuzz.trial import trial, tried
from unroll_dsl.driver import check_path

torch.set_num_threads(1)


@pytest.mark.parametrize("group", range(20))
def test_random_programs(group: int) -> None:
    for seed in range(10 * group, 10 * group + 10):
        outcome = trial(seed, export=seed % 50 == 0)
        assert outcome.fault is None, f"seed {seed}: {outcome.fault}\n{outcome.text}"


CASES = sorted((Path(__file__).parents[1] / "cases" / "results").glob("*.unroll"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_programs_whose_answers_were_once_wrong(path: Path) -> None:
    if not check_path(path).has_errors:
        outcome = tried(1, path.read_text(encoding="utf-8"), export=False)
        assert outcome.fault is None, outcome.fault


def test_most_programs_are_compared() -> None:
    """A generator that wrote nothing but what cannot be compared would prove nothing."""
    outcomes = [trial(seed) for seed in range(10_000, 10_020)]
    assert sum(outcome.note is None for outcome in outcomes) >= 15
