"""The rows on the method of a page: whether its steps are those for which it is proved to converge."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.oracle.couplings import squared_norm_of
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.methods import GradientMethod, PrimalDual
from unroll_dsl.relax.page import Page, walk
from unroll_dsl.relax.page import Refused as NoPhase
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.verify.method import Condition, Followed
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.settling import End

GROUP = "method"
_SAME = 1e-9
_ENDS = {
    End.RESTS: "this run comes to rest",
    End.MOVES: "this run moves ever less",
    End.WANDERS: "this run does not come to rest",
    End.DIVERGES: "this run diverges",
}


def step_row(spec: Spec, known: Followed, found: Condition, end: End) -> Row:
    """The condition on the steps: ok where it holds, else a note, since what is proved is sufficient alone."""
    verdict = Verdict.PASSED if found.holds else Verdict.NOTE
    words = _formula(spec, known, found) or _numbers(known, found)
    if found.other:
        words = found.other
    if not found.holds:
        where = f" in phase {', '.join(map(str, found.phases))}" if found.phases else ""
        words = f"{words}{where}: beyond what is proved; {_ENDS[end]}"
    return Row(GROUP, found.name, verdict, found.figure, found.limit, words)


def _numbers(known: Followed, found: Condition) -> str:
    """The condition by the numbers of the instance."""
    sign = "<" if found.strict else "<="
    if found.formula == "relaxation":
        return f"relaxation {_number(found.figure)}, within 0 and {_number(found.limit)}"
    words = f"{found.formula} {sign} {_number(found.limit)} on this instance"
    letters = []
    if known.lipschitz:
        letters.append(f"L = {known.lipschitz:.3g}")
    if known.norms:
        letters.append(f"|K|^2 = {' + '.join(f'{norm:.3g}' for norm in known.norms)}")
    return f"{words}, {', '.join(letters)}" if letters else words


# ---- in symbols ---------------------------------------------------------------------------------


def _formula(spec: Spec, known: Followed, found: Condition) -> str:
    """The condition whatever the values, where the step is a multiple of what bounds it: `1 / L < 2 / L`."""
    writer = _Symbols(spec.typed, known)
    sign = ("<" if found.strict else "<=") if found.holds else "against"
    match known.method:
        case GradientMethod() if found.limit in (1.0, 2.0):
            constant = writer.lipschitz()
            if constant is None:
                return ""
            step = writer.step(constant, found.figure)
            if step is None:
                return ""
            limit = Weight(Fraction(str(round(found.limit, 6)))) / constant
            return f"step {writer.text(step)} {sign} {writer.short(limit)}"
        case PrimalDual(gradient=False) if len(known.dual) == 1:
            norm = writer.norm()
            pair = None if norm is None else writer.pair(norm, found.figure)
            if norm is None or pair is None:
                return ""
            tau, sigma = map(writer.text, pair)
            return f"tau * sigma * |K|^2 {sign} 1 for tau = {tau}, sigma = {sigma}, |K|^2 = {_text(norm)}"
    return ""


class _Symbols:
    """Steps of a page as numbers times powers of what is declared."""

    def __init__(self, typed: TypedProgram, known: Followed) -> None:
        self.typed, self.known = typed, known
        self.facts = Facts(known.form)
        self.page = Page(typed)

    def lipschitz(self) -> Weight | None:
        """L of the gradient of the smooth terms; of a single one, since a sum is no monomial."""
        if len(self.known.smooth) != 1:
            return None
        return self.facts.lipschitz(self.known.smooth[0], self.known.form.variables[0].name)

    def norm(self) -> Weight | None:
        try:
            return squared_norm_of(self.facts, self.known.dual[0], self.known.form.variables[0])
        except Refused:
            return None

    def step(self, constant: Weight, figure: float) -> Weight | None:
        """The step of a gradient whose product with the constant is that number, whatever the values."""
        whole = self.opened(constant)
        return next((w for w in self._weights() if _is(self.opened(w) * whole, figure)), None)

    def pair(self, norm: Weight, figure: float) -> tuple[Weight, Weight] | None:
        """The steps of the unknown and of the dual variable whose product with the norm is that number."""
        weights, whole = list(self._weights()), self.opened(norm)
        for i, first in enumerate(weights):
            for second in weights[i + 1 :]:
                if _is(self.opened(first) * self.opened(second) * whole, figure):
                    return second, first
        return None

    def _weights(self) -> Iterator[Weight]:
        """The numbers that stand before what is added or subtracted in the phase."""
        seen = set()
        try:
            lines = self.page.lines
        except NoPhase:
            return
        for line in lines:
            for node in walk(line.value):
                match node:
                    case n.Binary("+" | "-", _, right):
                        weight, _ = self.page.weighed(right)
                        positive = Weight(abs(weight.number), weight.powers)
                        if _text(positive) not in seen:
                            seen.add(_text(positive))
                            yield positive

    def opened(self, weight: Weight) -> Weight:
        """The weight with `let`s and defaults written out."""
        found = Weight(weight.number)
        for power in weight.powers:
            value = self._value(power.expr)
            inner = Weight.of(power.expr) if value is None else self.opened(Weight.of(value))
            found = found * inner**power.exponent
        return found

    def _value(self, expr: n.Expr) -> n.Expr | None:
        if not isinstance(expr, n.Name):
            return None
        let = self.facts.let(expr.text)
        if let is not None:
            return let
        declared = self.page.fixed(expr.text) or self.page.learnable(expr.text)
        if declared is None or declared.value is None:
            return None
        return None if isinstance(declared.value, n.RandomInit) else declared.value

    def text(self, weight: Weight) -> str:
        """`1 / L`, `tau = 1 / L`."""
        words = _text(weight)
        match weight.powers:
            case (power,) if weight.number == 1 and power.exponent == 1:
                value = self._value(power.expr)
                return words if value is None else expression_text(value)
        return words

    def short(self, limit: Weight) -> str:
        """A multiple of 1 / L with the page's name for L, where it has one."""
        for statement in self.typed.program.statements:
            if isinstance(statement, n.Let):
                value = Weight.of(statement.value)
                ratio = self.opened(value) * self.opened(limit)
                if value.powers and not ratio.powers:
                    return _text(Weight(ratio.number) / Weight.of(statement.name.text))
        return _text(limit)


def _is(weight: Weight, figure: float) -> bool:
    if weight.powers:
        return False
    return abs(float(weight.number) - figure) <= _SAME * abs(figure)


def _text(weight: Weight) -> str:
    """As a person writes it: `1 / L`, `1.5 / L`, `sigma`."""
    number = weight.number
    if not weight.powers or number.numerator == 1 or number.denominator == 1:
        return expression_text(weight.expr())
    rest = expression_text(Weight(Fraction(1), weight.powers).expr())
    factor = f"{float(number):.6g}"
    return factor + rest[1:] if rest.startswith("1 / ") else f"{factor} * {rest}"


def _number(value: float) -> str:
    return f"{value:.4g}"


__all__ = ["GROUP", "step_row"]
