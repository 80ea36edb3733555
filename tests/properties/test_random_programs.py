"""Two hundred random programs through all that is made of a program; `make fuzz` tries ten thousand."""

import pytest
import torch

from tests.fuzz.trial import trial

torch.set_num_threads(1)


@pytest.mark.parametrize("group", range(20))
def test_random_programs(group: int) -> None:
    for seed in range(10 * group, 10 * group + 10):
        outcome = trial(seed, export=seed % 50 == 0)
        assert outcome.fault is None, f"seed {seed}: {outcome.fault}\n{outcome.text}"


def test_most_programs_are_compared() -> None:
    """A generator that wrote nothing but what cannot be compared would prove nothing."""
    outcomes = [trial(seed) for seed in range(10_000, 10_020)]
    assert sum(outcome.note is None for outcome in outcomes) >= 15
