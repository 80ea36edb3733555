"""Linear systems: `solve` becomes factors that are computed once and products with them.

    %6 = solve %5, %4            where %5 = A' @ A + rho * I, A fixed, rho learnable

    =>  %7 = builtin[symmetric_eigenvectors] A'A     set-up
        %9 = builtin[sumsq, axis=1] A @ %7           set-up
        %14 = contract %7, (%7' @ %4) / (%9 + rho)   two products a phase

Which route is taken, when it is valid and why is told by plans.py. All routes are exact: what they
compute differs from the solution by rounding alone. A system in a function, whose arguments may be
anything, is solved by `solve_dense`.

Expects maps as scaling.py leaves them, and equal values shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.graph import Graph, Slot
from unroll_dsl.ir.nodes import (
    AdjointMap,
    Apply,
    Builtin,
    ComposeMap,
    Constant,
    Elementwise,
    Eye,
    Node,
    Solve,
    Stage,
    State,
)
from unroll_dsl.passes.few_pixels import FewPixels, solution
from unroll_dsl.passes.fourier import divided, symbol
from unroll_dsl.passes.plans import (
    Cholesky,
    Direct,
    Divide,
    Fourier,
    Iterate,
    Method,
    Orthogonal,
    Planner,
    Sizes,
    Spectral,
    Woodbury,
)
from unroll_dsl.passes.regularity import in_function, lower_factor, regular, regular_shift
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.passes.structure import DiagonalTerm, Gram, Identity, MapTerm
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Field


@dataclass(frozen=True, slots=True)
class Solving:
    """The pass. Where `sizes` tell the shape of a matrix, its smaller side is factorised."""

    sizes: Sizes = field(default_factory=dict)

    def __call__(self, graph: Graph) -> Graph:
        planner = Planner(graph, self.sizes)
        new = Rewriting.of(graph)
        where: list[int] = []

        def solved(index: int, moved: Node) -> int | None:
            if not isinstance(moved.op, Solve):
                return None
            method = planner.plan(index).method
            # factors and shifts are looked at themselves; what a division divides by is not
            division = isinstance(method, Divide | Fourier)
            definite = planner.is_definite(index, certainly=division)
            if isinstance(method, Fourier):
                node = graph.nodes[index]
                return _by_transform(graph.nodes, where, node, moved.args, new, definite)
            build = _Build(new, where, graph.nodes, moved.origin, definite)
            if isinstance(method, Iterate):
                guess = _first_guess(graph, index)
                return build.iterated(moved.op, method, moved.args[0], moved.args[1], guess)
            if isinstance(method, FewPixels):
                return build.few_pixels(method, moved.args[1])
            return build.solution(method, *moved.args)

        copied(graph.nodes, new, solved, where)
        bodies = tuple(in_function(body) for body in graph.functions)
        return with_nodes(replace(graph, functions=bodies), new.nodes, where)


def _by_transform(
    nodes: Sequence[Node],
    where: Sequence[int],
    node: Node,
    args: tuple[int, ...],
    new: Rewriting,
    definite: bool,
) -> int:
    """The solution where the planner has found that the Fourier transform diagonalises the map."""
    space = nodes[node.args[1]].type
    assert isinstance(space, Array)
    assert isinstance(node.type, Array)
    diagonal = symbol(nodes, where, node.args[0], space, new)
    if diagonal is None:
        raise InternalError("the planner found a diagonal that is not there")
    if not definite:
        diagonal = regular("regular", diagonal, new, node.origin)
    return divided(args[1], diagonal, node.type.field, new, node.origin)


def _first_guess(graph: Graph, index: int) -> Slot | None:
    """The state whose update the solution is, or is the real part of: its last value is near."""
    nodes = graph.nodes
    near = {
        index,
        *(i for i, n in enumerate(nodes) if n.op == Elementwise("real") and index in n.args),
    }
    return next((slot for slot in graph.states if slot.update in near), None)


class _Build:
    """Makes the nodes of one solution; terms name nodes of the old graph, found by `where`.

    What is computed early gets the letter that textbooks give it, for generated code.
    """

    def __init__(
        self,
        new: Rewriting,
        where: Sequence[int],
        old: Sequence[Node],
        origin: Span | None,
        definite: bool,
    ) -> None:
        self.new = new
        self.where = where
        self.old = old
        self.origin = origin
        self.definite = definite

    def _regular(self, word: str, index: int) -> int:
        return index if self.definite else regular(word, index, self.new, self.origin)

    def solution(self, method: Method, matrix: int, b: int) -> int:
        match method:
            case Divide(terms):
                whole = self._total(terms)
                return self._op("div", b, self._regular("regular", whole))
            case Spectral():
                return self._spectral(method, b)
            case Cholesky():
                lower = lower_factor(matrix, self.new, self.origin)
                return self._record("cholesky_solve", b, lower)
            case Woodbury(gram, shift):
                return self._woodbury(gram, shift, b)
            case Orthogonal():
                if self.new.stages[matrix] > Stage.SETUP:  # one of set-up is looked at there
                    matrix = self._regular("regular_matrix", matrix)
                q = self._record("orthogonal_factor", matrix, label="Q")
                turned = self.new.adjoint(q, self.origin)
                r = self._product(turned, matrix)
                self.new.relabel(r, "R")
                return self._record("triangular_solve", self._product(turned, b), r)
            case Direct():
                return self._record("solve_dense", b, self._regular("regular_matrix", matrix))
            case Fourier() | Iterate() | FewPixels():
                raise InternalError(f"{method} is made elsewhere")
            case _:
                assert_never(method)

    def few_pixels(self, method: FewPixels, b: int) -> int:
        c, d = self._coefficient(method.gram), self._total(method.shift)
        return solution(method, self.old, self.where, b, c, d, self.new, self.origin)

    def iterated(
        self, solve: Solve, method: Iterate, matrix: int, b: int, guess: Slot | None
    ) -> int:
        """A `Solve` that is left for conjugate gradients, begun at the last value of a state."""
        if method.normal:
            turned = self.new.make(AdjointMap(), matrix, origin=self.origin)
            b = self.new.make(Apply(), turned, b, origin=self.origin)
            matrix = self.new.make(ComposeMap(), turned, matrix, origin=self.origin)
        if guess is None:
            return self.new.make(solve, matrix, b, origin=self.origin)
        start = self.new.add(State(guess.name), (), guess.type, None, guess.name)
        return self.new.make(solve, matrix, b, start, origin=self.origin)

    # ---- routes ---------------------------------------------------------------------------------

    def _spectral(self, plan: Spectral, b: int) -> int:
        """x = V ((V' b) / (c * d + shift)), where V' P V = diag(d).

        With the shift c * Q, Q a positive diagonal, P and b are scaled by Q^(-1/2) and the
        solution again.
        """
        moving = None if plan.moving is None else self._coefficient(plan.moving, fixed=False)
        root = None
        if plan.scale:
            fixed_shift = self._sum(plan.scale, lambda t: self._diagonal(t, fixed=True))
            root = self._op("sqrt", fixed_shift)
            b = self._op("div", b, root)
            late = self._coefficient(plan.scale[0], fixed=False)
            shift = self.new.number(1, self.origin) if late is None else late
        else:
            shift = self._total(plan.shift)
        vectors, values = self._basis(plan, root)
        self.new.relabel(values, "eigenvalues")
        if self.definite:
            shift = self._looked_at(shift, values, moving, thin=plan.thin is not None)
        if moving is not None:
            values = self._op("mul", moving, values)
        turned = self._product(self.new.adjoint(vectors, self.origin), b)
        shifted = self._regular("regular_eigenvalues", self._op("add", values, shift))
        if plan.thin is None:
            x = self._product(vectors, self._op("div", turned, shifted))
        else:
            # the columns of V span the rows of A alone; beside them the solution is b / shift
            kept = self._op("mul", turned, self._op("div", values, shifted))
            x = self._op("div", self._op("sub", b, self._product(vectors, kept)), shift)
        return x if root is None else self._op("div", x, root)

    def _looked_at(self, shift: int, values: int, moving: int | None, *, thin: bool) -> int:
        """The shift beside eigenvalues that are not negative; beside those of a wide factor there is 0."""
        ends = []
        for word in ("max",) if thin else ("min", "max"):
            end = self.new.make(Builtin(word), values, origin=self.origin)
            self.new.relabel(end, "smallest" if word == "min" else "largest")
            ends.append(end if moving is None else self._op("mul", moving, end))
        return regular_shift(shift, tuple(ends), self.new, self.origin)

    def _basis(self, plan: Spectral, root: int | None) -> tuple[int, int]:
        """V and d with V' P V = diag(d)."""
        first = plan.fixed[0]
        single = len(plan.fixed) == 1 and root is None and isinstance(first.core, Gram)
        if single and isinstance(first.core, Gram) and first.core.weight is None:
            gram = first.core
            factor = self._factor(gram)
            if plan.thin is not None:
                count = self.new.array(factor).shape[0]
                op = Builtin("right_singular_vectors", (("count", count),))
                vectors = self.new.make(op, factor, origin=self.origin)
                self.new.relabel(vectors, "V")
            else:
                gram_matrix = self.where[first.source]
                vectors = self._record("symmetric_eigenvectors", gram_matrix, label="V")
            seen = self._product(factor, vectors)
            values = self._columns("sumsq", seen)
            known = self._coefficient(first, fixed=True)
            return vectors, values if known is None else self._op("mul", known, values)
        matrix = self._sum(plan.fixed, self._matrix)
        if root is not None:
            for _ in range(2):  # rows, then columns
                matrix = self.new.adjoint(self._op("div", matrix, root), self.origin)
        vectors = self._record("symmetric_eigenvectors", matrix, label="V")
        seen = self._product(matrix, vectors)
        values = self._columns("sum", self._op("mul", self.new.conj(vectors, self.origin), seen))
        if self.new.array(values).field is Field.COMPLEX:
            values = self._op("real", values)
        return vectors, values

    def _woodbury(self, gram: MapTerm, shift: tuple[MapTerm, ...], b: int) -> int:
        """(c A'A + d I)^-1 b = (b - c A' (c A A' + d I)^-1 A b) / d (Woodbury, 1950), so that A A' can
        be kept where d moves."""
        assert isinstance(gram.core, Gram)
        factor = self._factor(gram.core)
        turned = self.new.adjoint(factor, self.origin)
        c = self._coefficient(gram)
        d = self._total(shift)
        rows = self.new.array(factor).shape[0]
        eye = self.new.add(Eye(), (), Array((rows, rows)), self.origin)
        side = self._product(factor, turned)
        # of a matrix that is positive semidefinite the largest entry stands on the diagonal
        entry = side if self.new.array(side).field is not Field.COMPLEX else self._op("abs", side)
        most = self.new.make(Builtin("max"), entry, origin=self.origin)
        if c is not None:
            side, most = self._op("mul", c, side), self._op("mul", c, most)
        d = regular_shift(d, (most,), self.new, self.origin)
        added = self._op("mul", d, eye)
        lower = lower_factor(self._op("add", side, added), self.new, self.origin)
        inner = self._record("cholesky_solve", self._product(factor, b), lower)
        back = self._product(turned, inner)
        if c is not None:
            back = self._op("mul", c, back)
        return self._op("div", self._op("sub", b, back), d)

    # ---- parts ----------------------------------------------------------------------------------

    def _op(self, word: str, *args: int) -> int:
        if word == "div" and (whole := self._inverse_of(args[1])) is not None:
            word, args = "mul", (args[0], whole)
        return self.new.elementwise(word, *args, origin=self.origin)

    def _inverse_of(self, index: int) -> int | None:
        """`t` where a value is `1 / t`: arrays are multiplied by it rather than divided by that."""
        node = self.new.nodes[index]
        if node.op == Elementwise("div") and self.new.nodes[node.args[0]].op == Constant(1):
            return node.args[1]
        return None

    def _record(self, name: str, *args: int, label: str | None = None) -> int:
        found = self.new.make(Builtin(name), *args, origin=self.origin)
        if label is not None:
            self.new.relabel(found, label)
        return found

    def _product(self, first: int, second: int) -> int:
        return self.new.product(first, second, self.origin)

    def _columns(self, reduction: str, matrix: int) -> int:
        return self.new.make(Builtin(reduction, (("axis", 1),)), matrix, origin=self.origin)

    def _factor(self, gram: Gram) -> int:
        factor = self.where[gram.factor]
        return self.new.adjoint(factor, self.origin) if gram.turned else factor

    def _coefficient(self, term: MapTerm, *, fixed: bool | None = None) -> int | None:
        """The scalar before a term, None for 1; with `fixed` the part that is known at set-up (with
        the sign), or that is not."""

        def kept(ids: tuple[int, ...]) -> list[int]:
            found = [self.where[i] for i in ids]
            if fixed is None:
                return found
            return [i for i in found if (self.new.stages[i] is Stage.SETUP) is fixed]

        result: int | None = None
        for index in kept(term.times):
            result = index if result is None else self._op("mul", result, index)
        for index in kept(term.over):
            above = self.new.number(1, self.origin) if result is None else result
            result = self._op("div", above, index)
        if term.sign < 0 and fixed is not False:
            negative = self.new.number(-1, self.origin)
            result = negative if result is None else self._op("neg", result)
        return result

    def _diagonal(self, term: MapTerm, *, fixed: bool | None = None) -> int:
        """A term that is a multiple of the identity or of a diagonal, as scalar or array."""
        c = self._coefficient(term, fixed=fixed)
        if isinstance(term.core, Identity):
            return self.new.number(1, self.origin) if c is None else c
        assert isinstance(term.core, DiagonalTerm)
        entries = self.where[term.core.entries]
        return entries if c is None else self._op("mul", c, entries)

    def _matrix(self, term: MapTerm) -> int:
        """A term with the part of its coefficient that is known at set-up, as a matrix."""
        c = self._coefficient(term, fixed=True)
        matrix = self.where[term.source]
        return matrix if c is None else self._op("mul", c, matrix)

    def _total(self, terms: Sequence[MapTerm]) -> int:
        return self._sum(terms, self._diagonal)

    def _sum(self, terms: Sequence[MapTerm], value: Callable[[MapTerm], int]) -> int:
        result = value(terms[0])
        for term in terms[1:]:
            result = self._op("add", result, value(term))
        return result
