"""The terms of an objective in normal form as functions of real vectors.

The formulas of the atoms (values, gradients, proximal maps) are put into programs of their own, which are
compiled as any: nothing of an atom is written twice.

    z = K @ x + c            the arguments of all terms, one below the other
    value, slope             of each smooth term, at z
    prox(z, s)               of s times each of the other terms
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from unroll_dsl.atoms.model import Domain
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.loading import loads
from unroll_dsl.objectives import NormalForm, Term, Weight, read
from unroll_dsl.objectives.problem import declared_names, problem_of, without_idle
from unroll_dsl.semantics.scopes import RESERVED
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.pages import ordered, page_text
from unroll_dsl.syntax.templates import one_statement, template
from unroll_dsl.types import Array, Field
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import several, tensors
from unroll_dsl.verify.spaces import Point, Space

_MOST = 1500  # entries of all arguments: matrices of maps are written out


class Unreadable(Exception):
    """Why an objective is no sum of convex terms with gradients or proximal maps, in words."""


class Terms:
    """A convex objective on one sample of an instance.

    Attributes
    ----------
    smooth, rough
        The terms with a gradient everywhere, and the others.
    factor
        What those others are multiplied with, 1.
    map, offset
        K and c of the smooth terms' arguments.
    rough_map, rough_offset
        Those of the others.
    """

    def __init__(self, spec: Spec, instance: Instance, space: Space) -> None:
        """Raises `Unreadable`; `space` is that of the variables."""
        form = _form(spec)
        self.smooth = tuple(t for t in form.terms if t.smooth)
        self.rough = tuple(t for t in form.terms if not t.smooth)
        self.quadratic = all(t.quadratic or t.linear for t in self.smooth)
        self.variables = space
        self.factor = 1.0  # of the terms that are not smooth
        writer = _Writer(form, instance)
        self._points = {
            False: writer.space(self.smooth, "smooth"),
            True: writer.space(self.rough, "rough"),
        }
        if sum(s.size for s in self._points.values()) > _MOST:
            raise Unreadable("it is too large")
        self._values = writer.function(self._declared(False), _values(self.smooth))
        self._slopes = writer.function(self._declared(False), _slopes(self.smooth))
        scale = ("scale : scalar",)
        self._images = writer.function(self._declared(True) + scale, _images(self.rough))
        self._heights = writer.function(self._declared(True), _heights(self.rough))
        self.map, self.offset = self._written(writer, False)
        self.rough_map, self.rough_offset = self._written(writer, True)

    def value(self, x: Point) -> float:
        """The sum of the smooth terms."""
        found = self._values(self._points[False].tensors(torch.from_numpy(self.at(x))))
        return float(sum(float(v) for v in found))

    def slope(self, x: Point) -> Point:
        """Its gradient."""
        return np.asarray(self.map.T @ self._outer(self.at(x)))

    def curvature(self, x: Point) -> Point:
        """Its second derivative, by differences where it is not constant."""
        if not self.smooth:
            return np.zeros((len(x), len(x)))
        z = self.at(x)
        step = 1.0 if self.quadratic else 1e-5 * max(float(np.abs(z).max(initial=0)), 1e-3)
        moves = step * self.map.T  # [variables, arguments]
        turned = (self._outer(z + moves) - self._outer(z - moves)) / (2 * step)
        found = turned @ self.map
        return np.asarray((found + found.T) / 2)

    def steepest(self, smooth: Sequence[Term]) -> float | None:
        """The Lipschitz constant of the gradient of these terms on the sample, the largest eigenvalue of their second
        derivative; None where that is not constant, or where they are not all of the smooth ones."""
        places = [(t.span.start, t.span.end) for t in smooth]
        own = [(t.span.start, t.span.end) for t in self.smooth]
        if not self.quadratic or sorted(places) != sorted(own):
            return None
        curvature = self.curvature(np.zeros(self.variables.size))
        return float(np.linalg.eigvalsh(curvature).max(initial=0.0))

    def at(self, x: Point) -> Point:
        return np.asarray(self.map @ x + self.offset)

    def rough_at(self, x: Point) -> Point:
        return np.asarray(self.rough_map @ x + self.rough_offset)

    def prox(self, z: Point, scale: float) -> Point:
        """The proximal map of `scale` times the other terms, at their arguments."""
        given = self._points[True].tensors(torch.from_numpy(z))
        found = self._images([*given, torch.tensor(self.factor * scale, dtype=torch.float64)])
        return self._points[True].joined(found)

    def height(self, z: Point) -> float:
        """The sum of the other terms at arguments in their domains; indicators are 0."""
        found = self._heights(self._points[True].tensors(torch.from_numpy(z)))
        return self.factor * float(sum(float(v) for v in found))

    def _outer(self, z: Point) -> Point:
        space = self._points[False]
        batch = z.shape[:-1]
        found = self._slopes(space.tensors(torch.from_numpy(z)), *batch)
        return space.joined(found, *batch)

    def _declared(self, rough: bool) -> tuple[str, ...]:
        terms = self.rough if rough else self.smooth
        names = self._points[rough].names
        return tuple(f"{name} : {t.argument.type}" for name, t in zip(names, terms, strict=True))

    def _written(self, writer: _Writer, rough: bool) -> tuple[Point, Point]:
        """The matrix and the offset of the arguments as affine maps of the variables."""
        terms = self.rough if rough else self.smooth
        variables = tuple(f"{v.name} : {v.type}" for v in writer.form.variables)
        run = writer.function(variables, [t.argument.expr for t in terms])
        count = self.variables.size + 1
        units = torch.cat([torch.zeros(1, count - 1), torch.eye(count - 1)]).to(torch.float64)
        space = self._points[rough]
        if not terms:
            return np.zeros((0, count - 1)), np.zeros(0)
        found = space.joined(run(self.variables.tensors(units), count), count)
        return np.ascontiguousarray((found[1:] - found[0]).T), found[0]


def _form(spec: Spec) -> NormalForm:
    try:
        form = read(spec.typed)
    except UnrollError as error:
        raise Unreadable(error.diagnostics[0].message()) from None
    if form.penalties:
        raise Unreadable("it has a penalty of its own")
    for term in form.terms:
        complex_ = term.argument.type.field is Field.COMPLEX
        if not term.convex or term.argument.blocks:
            raise Unreadable(f"`{term.text}` is not convex")
        if not term.smooth and term.atom.prox is None:
            raise Unreadable(f"`{term.text}` has neither a gradient nor a proximal map")
        if term.atom.domain is Domain.REAL and complex_ and not term.linear:
            raise Unreadable(f"`{term.text}` is one of real values")
    return form


def _values(terms: Sequence[Term]) -> list[n.Expr]:
    return [t.weight.times(_value(t, f"smooth_{i}")) for i, t in enumerate(terms, 1)]


def _heights(terms: Sequence[Term]) -> list[n.Expr]:
    zero = template("0")
    return [
        zero if t.atom.indicator else t.weight.times(_value(t, f"rough_{i}"))
        for i, t in enumerate(terms, 1)
    ]


def _value(term: Term, point: str) -> n.Expr:
    return term.formula(term.atom.spellings[0], v=template(point))


def _slopes(terms: Sequence[Term]) -> list[n.Expr]:
    found = []
    for i, term in enumerate(terms, 1):
        assert term.atom.gradient is not None
        slope = term.formula(term.atom.gradient, v=template(f"smooth_{i}"))
        found.append(term.weight.times(slope))
    return found


def _images(terms: Sequence[Term]) -> list[n.Expr]:
    found = []
    for i, term in enumerate(terms, 1):
        assert term.atom.prox is not None
        weight = Weight() if term.atom.indicator else term.weight
        t = (weight * Weight.of(template("scale"))).expr()
        found.append(term.formula(term.atom.prox, v=template(f"rough_{i}"), t=t))
    return found


class _Writer:
    """Programs with the constants and inputs of a page, and functions of them on one sample."""

    def __init__(self, form: NormalForm, instance: Instance) -> None:
        self.form, self.instance = form, instance
        problem = problem_of(form.typed.program)
        kept = n.Dims | n.Declaration | n.Let | n.Definition
        self.statements = [s for s in problem.statements if isinstance(s, kept)]
        self.program = problem
        names = {w for s in self.statements for w in declared_names(s)} | set(RESERVED)
        if any(name.startswith(("smooth_", "rough_")) or name == "scale" for name in names):
            raise Unreadable("its names are those that the proof needs")

    def space(self, terms: Sequence[Term], word: str) -> Space:
        types = [t.argument.type for t in terms]
        names = [f"{word}_{i}" for i in range(1, len(terms) + 1)]
        return Space(names, [self._shape(t) for t in types], [_is_complex(t) for t in types])

    def _shape(self, type_: Array) -> tuple[int, ...]:
        return tuple(d.substitute(self.instance.sizes).value or 0 for d in type_.shape)

    def function(self, inputs: Sequence[str], outputs: Sequence[n.Expr]) -> Any:
        """The outputs as a function of a list of tensors and a batch."""
        if not outputs:
            return lambda given, *batch: []
        place = self.program.span
        statements = [*self.statements, *(one_statement(f"input {text}") for text in inputs)]
        statements.append(n.Output(tuple(outputs), (None,) * len(outputs), "", place))
        program = n.Program(
            "algorithm", n.Name("terms", place), tuple(statements), "", self.program.file, place
        )
        text = page_text(ordered(without_idle(program)))
        try:
            spec = loads(text, "terms.unroll")
            net = spec.compile(**self._given(spec), dtype=torch.float64)
        except UnrollError as error:
            raise Unreadable(error.diagnostics[0].message()) from None
        for p in net.parameters():
            p.requires_grad_(False)
        sample = [x[0] for x in tensors(self.instance.inputs, torch.float64)]

        def run(given: Sequence[torch.Tensor], *batch: int) -> Sequence[torch.Tensor]:
            constant = [x.expand((*batch, *x.shape)) for x in sample]
            with torch.no_grad():
                return several(net(*constant, *given))

        return run

    def _given(self, spec: Spec) -> dict[str, Any]:
        graph = spec.graph
        known = {c.name for c in graph.constants} | {p.name for p in graph.parameters}
        sizes = {name for name, _ in graph.dims}

        def own(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
            return {k: v for k, v in values.items() if k in names}

        instance = self.instance
        return {
            "bind": own(instance.bind, known),
            "init": own(instance.init, known),
            "dims": own(instance.sizes, sizes),
        }


def _is_complex(type_: Array) -> bool:
    return type_.field is Field.COMPLEX


__all__ = ["Terms", "Unreadable"]
