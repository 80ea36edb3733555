"""How runs end, from paths written out: one state along the phases, [phases, batch, entries]."""

import numpy as np
import pytest

from unroll_dsl.verify.settling import End, _end

K = np.arange(1, 301)[:, None, None]
PATHS = {
    "it halves its distance": (1 + 0.5**K, End.RESTS),
    "it comes nearer as 1 / k": (1 + 1.0 / K, End.MOVES),
    "it goes round": (np.concatenate([np.cos(K), np.sin(K)], axis=2), End.WANDERS),
    "it goes on by the same along a kink": (100 - 0.1 * K, End.MOVES),
    "it doubles": (1e-3 * 1.2**K, End.DIVERGES),
    "it was large early and is smaller now": (1e4 / K, End.MOVES),
}


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e4], ids=["1", "small", "large"])
@pytest.mark.parametrize("name", PATHS)
def test_an_end_does_not_depend_on_the_unit(name: str, scale: float) -> None:
    path, end = PATHS[name]
    found, moved, _ = _end(scale * path)
    assert found is end
    assert moved == pytest.approx(_end(path)[1], rel=1e-6, abs=1e-12)


def test_what_is_said_of_an_end() -> None:
    broken = np.ones((300, 1, 2))
    broken[41, 0, 1] = np.nan
    assert _end(broken) == (End.DIVERGES, np.inf, "not finite from phase 42 on")
    grown = np.ones((300, 1, 1))
    grown[-1] = 5e4
    assert _end(grown)[::2] == (End.DIVERGES, "grows 5e+04-fold in 300 phases")
    assert _end(np.ones((300, 1, 1))) == (End.RESTS, 0.0, "relative change in phase 300")
    words = "moves by 1.0e+00 a phase after 300 phases, no less than before"
    assert _end(np.concatenate([np.cos(np.pi * K / 2), np.sin(np.pi * K / 2)], axis=2))[2] == words
    assert _end(100 - 0.1 * K)[2] == "still moving by 1.4e-03 a phase after 300 phases, ever less"


def test_all_samples_and_all_entries_count() -> None:
    path = np.ones((300, 2, 2))
    path[:, 1, 1] = 1 + 1.0 / K[:, 0, 0]
    assert _end(path)[0] is End.MOVES
