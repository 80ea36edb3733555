"""The terms of an objective in the groups in which an iteration asks for them, and what it asks for: gradients and
proximal maps at any point, as programs of the page's own declarations, read as its phases are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from unroll_dsl.driver import check_source
from unroll_dsl.objectives.facts import Facts
from unroll_dsl.objectives.maps import scalar_of, without_scalars
from unroll_dsl.objectives.model import NormalForm, Term, Variable
from unroll_dsl.objectives.problem import without_idle
from unroll_dsl.objectives.proximal import No, prox
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.reading import Page, Reader
from unroll_dsl.oracle.values import HOLE, Point, Sum
from unroll_dsl.source import SourceFile
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text, to_text
from unroll_dsl.syntax.templates import one_statement
from unroll_dsl.syntax.tidy import name, tidy, total
from unroll_dsl.types import Field

POINT, STEP, MAP = "certified_point", "certified_step", "certified_map"
_MOST = 4  # terms whose groups are tried out


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that are asked for together: by their gradient, or by their proximal map.

    Attributes
    ----------
    lipschitz
        Of their gradient; None where it has none, or none is known.
    strong
        Constant of strong convexity that the terms show by themselves.
    """

    terms: tuple[Term, ...]
    proximal: bool
    lipschitz: float | None
    strong: float

    @property
    def indicator(self) -> bool:
        return all(term.atom.indicator for term in self.terms)

    @property
    def quadratic(self) -> bool:
        return all(term.quadratic or term.linear for term in self.terms)

    @property
    def words(self) -> str:
        return " + ".join(map(_words, self.terms))


def _words(term: Term) -> str:
    weight = "" if term.weight.is_one else f"{expression_text(term.weight.expr())} * "
    return f"{weight}{term.text}"


class Query(Enum):
    """What an iteration may ask for."""

    GRADIENT = "gradient"
    PROXIMAL = "proximal map"
    CONJUGATE = "proximal map of the conjugate"  # of a term behind a map
    SPLIT = "proximal map behind the map"
    FORTH = "map"
    BACK = "adjoint"
    SYSTEM = "minimiser of a quadratic"  # of squares, and of distances behind the maps


@dataclass(frozen=True, slots=True)
class Known:
    """A gradient or a proximal map: its value at the hole, for a step."""

    group: int
    asked: Query
    at: Callable[[float], Sum]

    @property
    def proximal(self) -> bool:
        return self.asked is Query.PROXIMAL

    @property
    def stepped(self) -> bool:
        """Whether its value depends on a step."""
        return self.asked is not Query.GRADIENT


def partitions(form: NormalForm) -> Iterator[tuple[tuple[Term, ...], tuple[tuple[Term, ...], ...]]]:
    """The ways to ask for the terms: those by their gradient, and the groups by their proximal map. What is
    smooth by its gradient and all else in one come first."""
    terms = form.terms
    if len(terms) > _MOST:
        yield (
            tuple(t for t in terms if t.smooth),
            (tuple(t for t in terms if not t.smooth),) if any(not t.smooth for t in terms) else (),
        )
        return
    found = []
    for groups in _groups(terms):
        for place in (None, *range(len(groups))):
            if place is not None and not all(t.smooth for t in groups[place]):
                continue
            smooth = groups[place] if place is not None else ()
            rest = tuple(g for i, g in enumerate(groups) if i != place)
            found.append((smooth, rest))
    found.sort(key=lambda p: (-len(p[0]), len(p[1])))
    yield from found


def _groups(terms: Sequence[Term]) -> Iterator[tuple[tuple[Term, ...], ...]]:
    """All partitions of terms, the order of which stays."""
    if not terms:
        yield ()
        return
    first, *rest = terms
    for groups in _groups(rest):
        yield ((first,), *groups)
        for i, group in enumerate(groups):
            yield (*groups[:i], (first, *group), *groups[i + 1 :])


@dataclass(frozen=True, slots=True)
class Terms:
    """The groups of an objective, and what is known of each."""

    groups: tuple[Group, ...]
    known: tuple[Known, ...]


def terms_of(
    form: NormalForm,
    smooth: tuple[Term, ...],
    rest: tuple[tuple[Term, ...], ...],
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Terms:
    """Gradients and proximal maps of groups of terms, with the constants of an instance.

    Raises
    ------
    Refused
        Where a group has no proximal map.
    """
    variable, facts = form.variables[0], facts_of(form)
    outputs: list[n.Expr] = []
    at, step = name(POINT), Weight.of(STEP)
    chosen = [(smooth, False)] * bool(smooth) + [(group, True) for group in rest]
    for terms, proximal in chosen:
        outputs.append(_asked(facts, terms, variable, at, step, proximal))
    constants = [_constants(facts, terms, variable) for terms, _ in chosen]
    outputs += [e for pair in constants for e in pair if e is not None]
    graph, reference = program(form, variable, outputs, bind, init, sizes, (), facts)
    place, groups, known = len(chosen), [], []
    for number, ((terms, proximal), (lipschitz, strong)) in enumerate(zip(chosen, constants)):
        page = Page.of(graph, reference, init, is_real(variable))
        values = []
        for expr in (lipschitz, strong):
            values.append(None if expr is None else Reader(page, 1, {}).value(graph.outputs[place]))
            place += expr is not None
        numbers = [v if isinstance(v, float) else None for v in values]
        groups.append(Group(terms, proximal, numbers[0], numbers[1] or 0.0))
        at_hole = numbers_of(graph, reference, init, number, is_real(variable), (POINT,))
        known.append(Known(number, Query.PROXIMAL if proximal else Query.GRADIENT, at_hole))
    return Terms(tuple(groups), tuple(known))


def facts_of(form: NormalForm) -> Facts:
    """What is known of the maps; those that are composed have names, by which a program can say them."""
    facts = Facts(form)
    facts.letter = lambda: f"{MAP}_{len(facts.composed)}"
    return facts


def is_real(variable: Variable) -> bool:
    return variable.type.field is not Field.COMPLEX


def _asked(
    facts: Facts,
    terms: tuple[Term, ...],
    variable: Variable,
    at: n.Expr,
    step: Weight,
    proximal: bool,
) -> n.Expr:
    if not proximal:
        return tidy(total(t.gradient(variable, {variable.name: at}) for t in terms))
    found = prox(facts, terms, variable, at, step)
    if isinstance(found, No):
        raise Refused(
            f"`{found.term.text}` has no proximal map here: {found.reason}", "", found.term.span
        )
    return found


def _constants(
    facts: Facts, terms: tuple[Term, ...], variable: Variable
) -> tuple[n.Expr | None, n.Expr | None]:
    """The Lipschitz constant of the gradient and that of strong convexity, as formulas."""
    lipschitz: n.Expr | None = None
    if all(term.smooth for term in terms):
        found = [facts.lipschitz(term, variable.name) for term in terms]
        if all(weight is not None for weight in found):
            lipschitz = tidy(total(w.expr() for w in found if w is not None and not w.is_zero))
    strong = [w.expr() for w in map(_strong, terms) if w is not None]
    return lipschitz, tidy(total(strong)) if strong else None


def _strong(term: Term) -> Weight | None:
    """What a term of the variable itself is strongly convex with."""
    chain = term.single(term.variables[0])
    if chain is None or without_scalars(chain) or term.atom.strong == "0":
        return None
    return term.weight * Weight.of(term.formula(term.atom.strong)) * scalar_of(chain) ** 2


def program(
    form: NormalForm,
    variable: Variable,
    outputs: Sequence[n.Expr],
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    sizes: Mapping[str, int],
    inputs: Sequence[str] = (),
    facts: Facts | None = None,
) -> tuple[Any, Any]:
    """The graph of a program with these outputs, and its reference; `inputs` are more than the point, `facts` have maps
    that were composed under a name."""
    page = form.typed.program
    kept: list[n.Statement] = [s for s in page.statements if isinstance(s, _KEPT)]
    kept += [one_statement(text) for p in form.penalties for text in p.functions]
    kept += [one_statement(f"input {e}") for e in (f"{POINT} : {variable.type}", *inputs)]
    composed = facts.composed.values() if facts is not None else ()
    kept += [one_statement(f"let {word} = {expression_text(map_)}") for word, map_ in composed]
    kept.append(one_statement(f"fixed {STEP} : scalar > 0 = 1"))
    kept.append(one_statement(f"output {', '.join(expression_text(e) for e in outputs)}"))
    whole = n.Program("algorithm", page.name, tuple(kept), "", page.file, page.name.span)
    text = to_text(without_idle(whole))
    checked = check_source(SourceFile("terms.unroll", text))
    if any(
        d.is_error for d in checked.diagnostics
    ):  # a map before a matrix, that no page could write
        raise Refused("the proximal map of a term cannot be written")
    spec = Spec(checked)
    names = {c.name for c in spec.graph.constants}, {p.name for p in spec.graph.parameters}
    reference = spec.reference(
        1,
        bind={k: v for k, v in bind.items() if k in names[0]},
        init={k: v for k, v in init.items() if k in names[1]},
        dims={k: v for k, v in sizes.items() if k in dict(spec.graph.dims)},
    )
    return spec.graph, reference


_KEPT = (n.Dims, n.Declaration, n.Let, n.Definition)


def numbers_of(
    graph: Any,
    reference: Any,
    init: Mapping[str, Any],
    number: int,
    real: bool,
    holes: Sequence[str],
) -> Callable[[float], Sum]:
    """An output of a program for a step, with a hole for the inputs."""
    hole = Sum((((), Point(((HOLE, 1.0),)), 1.0),))
    made: dict[float, Sum] = {}

    def at(step: float) -> Sum:
        if step not in made:
            page = Page.of(graph, reference, init, real, {STEP: step})
            found = Reader(page, 1, dict.fromkeys(holes, hole)).value(graph.outputs[number])
            made[step] = found if isinstance(found, Sum) else Sum()
        return made[step]

    return at
