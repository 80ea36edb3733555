"""Sizes are solved for from shapes, whatever the order in which these come."""

import pytest

from unroll_dsl.backends.errors import SizeContradiction
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.types import Dim

m, n, g, d = map(Dim.of, "mngd")


def equations(*pairs: tuple[Dim, int]) -> list[Equation]:
    return [Equation(dim, value, f"`{index}`") for index, (dim, value) in enumerate(pairs)]


def sizes(*pairs: tuple[Dim, int], **given: int) -> dict[str, int]:
    found, problems = solve(equations(*pairs), given, {})
    assert not problems
    return found


def test_symbols_are_read_off() -> None:
    assert sizes((m, 4), (n, 6)) == {"m": 4, "n": 6}


def test_an_equation_waits_until_one_unknown_is_left() -> None:
    assert sizes((g * d, 60), (d + 1, 4)) == {"d": 3, "g": 20}
    assert sizes((m - n + 2, 5), m=10) == {"m": 10, "n": 7}


@pytest.mark.parametrize(
    ("dim", "value", "expected"),
    [(n * n - 1, 8, 3), (n * n + n, 10**8 + 10**4, 10**4), (n * n * n, 10**15, 10**5)],
)
def test_powers_have_their_roots(dim: Dim, value: int, expected: int) -> None:
    assert sizes((dim, value)) == {"n": expected}


def test_of_several_roots_another_equation_tells() -> None:
    parabola = n * n - n * 5  # -4 at 1 and at 4
    assert sizes((parabola, -4)) == {}
    assert sizes((parabola, -4), (n + 1, 5)) == {"n": 4}


def test_defaults_give_way_to_what_was_seen() -> None:
    defaults = {"m": 8, "n": 5}
    found, problems = solve(equations((m, 9)), {}, defaults)
    assert (found, problems) == ({"m": 9, "n": 5}, [])


def test_defaults_are_enough_to_solve_for_others() -> None:
    found, problems = solve(equations((g * d, 12)), {}, {"g": 4, "d": None})
    assert (found, problems) == ({"g": 4, "d": 3}, [])


@pytest.mark.parametrize(
    ("pairs", "given", "words"),
    [
        ([(n, 4), (n, 5)], {}, "`n` is 4 by `0`, but 5 by `1`"),
        ([(n, 5)], {"n": 4}, "`n` is 4 by `dims`, but 5 by `0`"),
        ([(m, 2), (n, 3), (m * n, 7)], {}, "`m * n` is 6 by `0` and `1`, but 7 by `2`"),
        ([(n * 2, 7)], {}, "`2 * n` cannot be 7, as `0` has it"),
        ([(n + 3, 2)], {}, "`n + 3` cannot be 2, as `0` has it"),
    ],
)
def test_contradictions_name_both_sources(
    pairs: list[tuple[Dim, int]], given: dict[str, int], words: str
) -> None:
    _, (problem,) = solve(equations(*pairs), given, {})
    assert isinstance(problem, SizeContradiction)
    assert problem.message() == words
    assert problem.help()
