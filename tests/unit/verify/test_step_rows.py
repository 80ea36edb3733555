"""How the condition of a method is told: in symbols where it holds whatever the values, else in numbers."""

from fractions import Fraction
from typing import Any

import pytest

from tests.unit.verify.test_method import changed, known, read
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.syntax.templates import template
from unroll_dsl.verify.method import Condition, condition
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.settling import End
from unroll_dsl.verify.steps import _is, _number, _numbers, _Symbols, _text, step_row


def weight(number: float | str, *powers: tuple[str, int]) -> Weight:
    found = Weight(Fraction(str(number)))
    for name, exponent in powers:
        found = found * Weight.of(template(name)) ** exponent
    return found


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (weight(1, ("L", -1)), "1 / L"),
        (weight("1.5", ("L", -1)), "1.5 / L"),
        (weight(2, ("L", -1)), "2 / L"),
        (weight("0.5", ("L", 1)), "L / 2"),
        (weight("1.9", ("L", 1)), "1.9 * L"),
        (weight("1.123456789", ("L", -1)), "1.12346 / L"),
        (weight(1, ("L", 1)), "L"),
        (weight(3), "3"),
    ],
)
def test_weights_as_a_person_writes_them(found: Weight, text: str) -> None:
    assert _text(found) == text


def test_numbers() -> None:
    assert [_number(v) for v in (1.0, 1.23456, 1e-5)] == ["1", "1.235", "1e-05"]
    assert _is(weight("1.5"), 1.5) and _is(weight("1.5"), 1.5 * (1 + 5e-10))
    assert not _is(weight("1.5"), 1.5 * (1 + 2e-9)) and not _is(weight("1.5", ("L", 1)), 1.5)
    assert _is(weight("1500000"), 1.5e6 * (1 - 5e-10))


def told(figure: float, *, formula: str = "t * L", strict: bool = True, **more: Any) -> str:
    from types import SimpleNamespace

    found = Condition("m", figure, 2.0, strict, formula)
    given = {"lipschitz": 0.0, "norms": ()} | more
    return _numbers(SimpleNamespace(**given), found)  # type: ignore[arg-type]


def test_conditions_in_numbers() -> None:
    assert told(1.0, lipschitz=2.891) == "t * L < 2 on this instance, L = 2.89"
    assert told(1.0, strict=False) == "t * L <= 2 on this instance"
    words = told(0.5, norms=(1.5, 2.25), lipschitz=4.0, formula="tau * (sigma * |K|^2 + L / 2)")
    assert words == "tau * (sigma * |K|^2 + L / 2) < 2 on this instance, L = 4, |K|^2 = 1.5 + 2.25"
    assert told(1.2, formula="relaxation") == "relaxation 1.2, within 0 and 2"


def rows(found: Condition, end: End) -> tuple[Verdict, str]:
    spec, _, followed = read(changed("gradient_descent", ("in (0, 2 / L) = 1 / L", "> 0 = 0.1")))
    assert followed is not None
    row = step_row(spec, followed, found, end)
    assert (row.group, row.name, row.value, row.tolerance) == ("method", "m", 1.0, 1.5)
    return row.verdict, row.detail


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (End.RESTS, "this run comes to rest"),
        (End.MOVES, "this run moves ever less"),
        (End.WANDERS, "this run does not come to rest"),
        (End.DIVERGES, "this run diverges"),
    ],
)
def test_what_is_beyond_what_is_proved_is_a_note(end: End, words: str) -> None:
    found = Condition("m", 1.0, 1.5, True, "t * L", "a step is not positive", (2, 5))
    assert rows(found, end) == (
        Verdict.NOTE,
        f"a step is not positive in phase 2, 5: beyond what is proved; {words}",
    )
    found = Condition("m", 1.0, 1.5, True, "t * L", "", ())
    assert rows(found, end)[0] is Verdict.PASSED and "beyond" not in rows(found, end)[1]


def symbols(*changes: tuple[str, str]) -> _Symbols:
    text = changed("ista", *changes)
    return _Symbols(read(text)[0].typed, known(text))


def test_lets_and_defaults_are_written_out() -> None:
    made = symbols()
    opened = made.opened(weight("0.5", ("L", -2)))
    assert opened == made.opened(made.opened(weight("0.5", ("L", -1))) * weight(1, ("L", -1)))
    assert (opened / weight("0.5", ("norm(A)", -4))).powers == ()
    assert made.opened(weight(3, ("y", 1))) == weight(3, ("y", 1))
    default = made.opened(weight(1, ("lambda", 2)))
    assert default.powers == () and default.number == Fraction("0.01")


def test_a_limit_is_told_by_the_name_of_the_page() -> None:
    made = symbols()
    constant = made.lipschitz()
    assert constant is not None
    assert made.short(weight(2) / constant) == "2 / L"
    assert made.short(weight("1.5") / constant) == "1.5 / L"
    assert made.short(weight(2, ("lambda", 1))) == "2 * lambda"
    assert (
        made.text(weight(1, ("L", 1))) == "norm(A)^2" and made.text(weight(2, ("L", 1))) == "2 * L"
    )
    step = made.step(constant, 1.0)
    assert step is not None and made.text(step) == "1 / L"
    assert made.step(constant, 1.1) is None


def test_of_two_smooth_terms_no_constant_is_told() -> None:
    text = changed(
        "ista",
        ("* norm1(x)", "* norm1(x) + lambda * sumsq(x)"),
        ("A' @ (A @ x - y) / L", "(A' @ (A @ x - y) + 2 * lambda * x) / L"),
    )
    found = read(text)[2]
    if found is not None:
        assert _Symbols(read(text)[0].typed, found).lipschitz() is None
        assert condition(found).figure > 1
