"""How runs end, from paths written out: one state along the phases, [phases, batch, entries]."""

import numpy as np
import pytest
import torch

from unroll_dsl.verify.settling import End, _Counted, _end

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


def late(moved: float, count: int = 5) -> np.ndarray:
    """A path that stands still, but for a move in the phase so many before the last."""
    path = np.ones((300, 1, 1))
    path[-count:] += moved
    return path


@pytest.mark.parametrize(
    ("path", "end"),
    [
        (late(0.9e-10), End.RESTS),
        (late(1.1e-10), End.MOVES),
        (late(1.0, 5), End.MOVES),
        (late(1.0, 6), End.RESTS),  # the last five phases are looked at
        (1 + 0.89e-5 * np.where(K < 150, 1, 0.9) * (-1.0) ** K, End.MOVES),
        (1 + 1e-5 * np.where(K < 150, 1, 0.95) * (-1.0) ** K, End.WANDERS),
        (1 + 1e-5 * np.where(K < 150, 1, 0.89) * (-1.0) ** K, End.MOVES),
        (1 + 0.45e-6 * (-1.0) ** K, End.MOVES),  # rounding goes to and fro
        (1 + 0.55e-6 * (-1.0) ** K, End.WANDERS),
    ],
)
def test_limits_of_rest_and_of_going_round(path: np.ndarray, end: End) -> None:
    assert _end(path)[0] is end


@pytest.mark.parametrize(
    ("last", "before", "end"),
    [
        (1001.0, 1.0, End.DIVERGES),
        (999.0, 1.0, End.MOVES),
        (2000.0, 2300.0, End.MOVES),  # it was larger by more than a tenth
        (2000.0, 2200.0, End.DIVERGES),
    ],
)
def test_a_thousandfold_of_its_early_size_is_out_of_bounds(
    last: float, before: float, end: End
) -> None:
    path = np.ones((300, 1, 1))
    path[-2], path[-1] = before, last
    assert _end(path)[0] is end
    path[12] = 5.0  # after the first tenth part of a third: it is not early
    assert _end(path)[0] is end
    path[9] = 5.0
    assert _end(path)[0] is End.MOVES


def test_what_is_asked_of_torch_is_counted_and_done() -> None:
    made, one = _Counted(), torch.ones(2)
    assert made.__torch_function__(torch.add, (), (one, one)).tolist() == [2.0, 2.0]
    assert made.__torch_function__(torch.sum, (), (one,), {"dim": 0}) == 2
    assert made.count == 2
