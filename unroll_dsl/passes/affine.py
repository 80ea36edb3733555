"""Affine maps: what a phase does to one vector by matrices known at set-up is one matrix, where it pays.

    %5 = transpose %1              %5 = transpose %1
    %6 = contract %1, %4           %6 = contract %5, %1
    %7 = sub %6, %0           =>   %7 = contract %6, %4
    %8 = contract %5, %7           %8 = contract %5, %0
                                   %9 = sub %7, %8

`A' @ (A @ x - y)` is `(A' @ A) @ x - A' @ y`: the matrix is known at set-up and `A' @ y` once a call, so that
a phase has one product in place of two. `solve(H, A' @ (A @ x - y) + B' @ (B @ x))` is one product likewise.
With A of m by n real numbers the first takes n^2 multiplications then, not 2 m n; the matrix takes m n^2, once.

The model: a product is worth `_CALL` multiplications besides its own, and a pass over a vector `_PASS`, which
is what starting them takes on a CPU; solving with a factor of n by n takes 2 n^2. A matrix pays if it is
earned back within `_USES` phases of single samples. Only for bound sizes, and for matrices that are fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Contract, Elementwise, Eye, Node, Solve, Stage
from unroll_dsl.ir.stages import roots, stages
from unroll_dsl.passes.common import common
from unroll_dsl.passes.plans import Divide, Planner, Sizes, Woodbury
from unroll_dsl.passes.regularity import regular
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.source import Span
from unroll_dsl.types import Array

_CALL = 20_000  # multiplications in the time that a product takes to start
_PASS = 10_000  # and a pass over a vector
_USES = 10_000  # phases of single samples, after which a matrix should have paid

Make = Callable[[], int]  # adds nodes, gives an id


@dataclass(frozen=True, slots=True)
class ProductChoice:
    """What was decided about products that follow each other, and why."""

    origin: Span | None
    taken: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Summand:
    """A summand: `matrix`, None for the identity, applied to a vector; `rows` and `columns` of it."""

    vector: int  # id in the old graph
    matrix: Make | None
    rows: int
    columns: int
    negative: bool = False


_STEPS = 64  # as many are composed into one


@dataclass(frozen=True, slots=True)
class _Affine:
    """What a value is of the vectors of a phase and of a call."""

    moving: _Summand | None  # of one vector of the phase
    still: tuple[_Summand, ...]  # of vectors known earlier
    work: int = 0  # multiplications, as it is written
    forming: int = 0  # what the matrices take
    products: int = 0
    passes: int = 0
    inside: frozenset[int] = frozenset()  # the values that it replaces
    steps: int = 0


@dataclass
class AffineComposition:
    """The pass, for sizes that are known; `choices` tells afterwards what it has decided."""

    sizes: Sizes
    choices: list[ProductChoice] = field(default_factory=list)

    def __call__(self, graph: Graph) -> Graph:
        return _Composing(graph, self.sizes, self.choices).run()


def choices(graph: Graph, sizes: Sizes | None = None) -> tuple[ProductChoice, ...]:
    """What the pass decides about each run of products, in the order of the program."""
    made = AffineComposition(sizes or {})
    made(common(scaling(common(graph))))
    return tuple(made.choices)


class _Composing:
    def __init__(self, graph: Graph, sizes: Sizes, choices: list[ProductChoice]) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.sizes = sizes
        self.choices = choices
        self.stages = stages(graph)
        self.planner = Planner(graph, sizes)
        self.uses = Counter(a for node in graph.nodes for a in node.args) + Counter(roots(graph))
        self.new = Rewriting.of(graph)
        self.where: list[int] = []
        self.known: dict[int, _Affine | None] = {}

    def run(self) -> Graph:
        for index in range(len(self.nodes)):  # in order, so that none has to go far back
            self._affine(index)
        taken: dict[int, _Affine] = {}
        done: set[int] = set()  # inside of what is decided
        for index in reversed(range(len(self.nodes))):
            if self.stages[index] is not Stage.PHASE or not self.uses[index]:
                continue
            found = self._affine(index)
            if found is None or found.products < 2:
                continue
            if any(index in other.inside for other in taken.values()):
                continue
            choice = self._choice(found, self.nodes[index])
            if choice.taken:
                taken[index] = found
            if choice.taken or index not in done:
                self.choices.append(choice)
            done |= found.inside

        def composed(index: int, _: Node) -> int | None:
            return self._made(taken[index], self.nodes[index]) if index in taken else None

        copied(self.nodes, self.new, composed, self.where)
        self.choices.reverse()
        return with_nodes(self.graph, self.new.nodes, self.where)

    # ---- analysis -------------------------------------------------------------------------------

    def _size(self, index: int) -> int | None:
        """The length of a vector, where it is one and its size is known."""
        type_ = self.nodes[index].type
        if not isinstance(type_, Array) or type_.rank != 1:
            return None
        return type_.shape[0].substitute(self.sizes).value

    def _affine(self, index: int) -> _Affine | None:
        """What a vector of the phase is made of, at least one step deep."""
        if index not in self.known:
            self.known[index] = self._found(index)
        return self.known[index]

    def _found(self, index: int) -> _Affine | None:
        node, n = self.nodes[index], self._size(index)
        if n is None:
            return None
        match node.op:
            case Contract():
                return self._product(index, n)
            case Solve() if node.op == Solve() and isinstance(self.nodes[node.args[0]].type, Array):
                return self._solution(index, n)
            case Elementwise("add" | "sub"):
                return self._sum(index, node.op == Elementwise("sub"))
            case Elementwise("mul" | "div"):
                return self._scaled(index, node.op == Elementwise("div"))
            case _:
                return None

    def _inner(self, index: int) -> _Affine | None:
        """The same of what is read by another such step, or the vector itself."""
        n = self._size(index)
        if n is None:
            return None
        part = _Summand(index, None, n, n)
        if self.stages[index] is not Stage.PHASE:
            return _Affine(None, (part,))
        found = self._affine(index) if self.uses[index] == 1 else None
        if found is None or found.moving is None or found.steps >= _STEPS:
            return _Affine(part, ())
        return replace(found, inside=found.inside | {index})

    def _product(self, index: int, n: int) -> _Affine | None:
        matrix, x = self.nodes[index].args
        type_ = self.nodes[matrix].type
        if (
            self.stages[matrix] is not Stage.SETUP
            or not isinstance(type_, Array)
            or type_.rank != 2
        ):
            return None
        inner = self._inner(x)
        if inner is None:
            return None
        q = self._size(x) or 0

        def step(part: _Summand) -> _Summand:
            def make() -> int:
                left = self.where[matrix]
                return left if part.matrix is None else self.new.product(left, part.matrix())

            return replace(part, matrix=make, rows=n)

        moving = inner.moving
        cost = n * q * moving.columns if moving is not None and moving.matrix is not None else 0
        return self._stepped(inner, step, work=n * q, forming=cost, products=1)

    def _solution(self, index: int, n: int) -> _Affine | None:
        matrix, b = self.nodes[index].args
        if self.stages[matrix] is not Stage.SETUP:
            return None
        if isinstance(self.planner.plan(index).method, Divide | Woodbury):
            return None  # cheaper than a product
        inner = self._inner(b)
        if inner is None:
            return None

        def step(part: _Summand) -> _Summand:
            def make() -> int:
                right, whole = self._matrix(part), self.where[matrix]
                if not self.planner.is_definite(index):
                    whole = regular("regular_matrix", whole, self.new, self.nodes[index].origin)
                return self.new.make(Builtin("solve_dense"), right, whole)

            return replace(part, matrix=make)

        cost = n**3 // 3 + n * n * (0 if inner.moving is None else inner.moving.columns)
        return self._stepped(inner, step, work=2 * n * n, forming=cost, products=2)

    def _scaled(self, index: int, divided: bool) -> _Affine | None:
        """A product with a number, or a quotient by one, that is known at set-up."""
        op, args = self.nodes[index].op, self.nodes[index].args
        for place in (1,) if divided else (0, 1):
            number, type_ = args[place], self.nodes[args[place]].type
            if isinstance(type_, Array) and type_.rank == 0 and self.stages[number] is Stage.SETUP:
                break
        else:
            return None
        inner = self._inner(args[1 - place])
        if inner is None:
            return None

        def step(part: _Summand) -> _Summand:
            def make() -> int:
                return self.new.make(op, self._matrix(part), self.where[number])

            return replace(part, matrix=make)

        return self._stepped(inner, step, passes=1)

    def _sum(self, index: int, minus: bool) -> _Affine | None:
        first, second = self.nodes[index].args
        if self._size(first) is None or self._size(first) != self._size(second):
            return None
        left, right = self._inner(first), self._inner(second)
        if left is None or right is None:
            return None
        if minus:
            right = self._stepped(right, lambda part: replace(part, negative=not part.negative))
        moving = [part for part in (left.moving, right.moving) if part is not None]
        if len({part.vector for part in moving}) != 1:
            return None
        return _Affine(
            self._both(moving),
            (*left.still, *right.still),
            left.work + right.work,
            left.forming + right.forming,
            left.products + right.products,
            left.passes + right.passes + 1,
            left.inside | right.inside,
            max(left.steps, right.steps) + 1,
        )

    def _stepped(
        self,
        inner: _Affine,
        step: Callable[[_Summand], _Summand],
        *,
        work: int = 0,
        forming: int = 0,
        products: int = 0,
        passes: int = 0,
    ) -> _Affine:
        return _Affine(
            None if inner.moving is None else step(inner.moving),
            tuple(map(step, inner.still)),
            inner.work + work,
            inner.forming + forming,
            inner.products + products,
            inner.passes + passes,
            inner.inside,
            inner.steps + 1,
        )

    def _both(self, parts: list[_Summand]) -> _Summand:
        """The sum of parts of one vector."""
        first = parts[0]
        if len(parts) == 1 and not first.negative:
            return first

        def make() -> int:
            return self._total([(part.negative, self._matrix(part)) for part in parts])

        return replace(first, matrix=make, negative=False)

    # ---- decision and writing -------------------------------------------------------------------

    def _choice(self, found: _Affine, node: Node) -> ProductChoice:
        assert found.moving is not None
        rows, columns = found.moving.rows, found.moving.columns
        before = found.work + found.products * _CALL + found.passes * _PASS
        saved = before - rows * columns - _CALL - (_PASS if found.still else 0)
        how = f"{rows * columns:,} multiplications a sample in place of {found.work:,}"
        fewer = rows * columns <= found.work  # in a large batch nothing else counts
        taken = fewer and saved > 0 and found.forming <= _USES * saved
        if taken:
            return ProductChoice(
                node.origin, True, f"one product with a matrix formed at set-up: {how}"
            )
        reason = f"as it is written: one matrix would take {how}"
        if fewer:
            reason += f", and {found.forming:,} to form"
        return ProductChoice(node.origin, False, reason)

    def _made(self, found: _Affine, node: Node) -> int:
        """The one product, and what a call knows."""
        assert found.moving is not None
        matrix = self._matrix(self._both([found.moving]))
        if not isinstance(self.new.nodes[matrix].op, Contract):  # what has no name of its own
            self.new.relabel(matrix, "composed")
        moving = self.new.product(matrix, self.where[found.moving.vector], node.origin)
        if not found.still:
            return moving
        still = []
        for part in found.still:
            vector = self.where[part.vector]
            if part.matrix is not None:
                vector = self.new.product(part.matrix(), vector, node.origin)
            still.append((part.negative, vector))
        if all(negative for negative, _ in still):
            constant = self._total([(False, vector) for _, vector in still])
            return self.new.elementwise("sub", moving, constant, origin=node.origin)
        return self.new.elementwise("add", moving, self._total(still), origin=node.origin)

    def _matrix(self, part: _Summand) -> int:
        if part.matrix is not None:
            return part.matrix()
        type_ = self.nodes[part.vector].type
        assert isinstance(type_, Array)
        return self.new.add(Eye(), (), Array(type_.shape * 2))

    def _total(self, parts: list[tuple[bool, int]]) -> int:
        """The sum of matrices or vectors, some of them negative."""
        parts = sorted(parts, key=lambda part: part[0])  # one that is not negative first
        negative, total = parts[0]
        if negative:
            total = self.new.elementwise("neg", total)
        for negative, value in parts[1:]:
            total = self.new.elementwise("sub" if negative else "add", total, value)
        return total
