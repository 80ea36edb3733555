"""Passes preserve meaning: the interpreter's answer is the same before and after each of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll_dsl.backends.numpy import Reference
from unroll_dsl.driver import check_source
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.text import from_text, to_text
from unroll_dsl.ir.verify import verify
from unroll_dsl.passes.pipeline import trace
from unroll_dsl.passes.rewrite import Rewriting
from unroll_dsl.source import SourceFile
from unroll_dsl.types import Array, Field, LinearMap

# ---- systems ------------------------------------------------------------------------------------

PROGRAM = """\
algorithm t
dims m, n, p
input y : {side}
fixed A : {field}matrix[m, n]
fixed B : matrix[p, n]
fixed W : matrix[n, n]
fixed w : vector[m] >= 0
fixed d : vector[n] > 0
fixed f : vector[n]
fixed g : vector[m]
fixed c : scalar > 0 = 0.7
fixed s : scalar = 0.3
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
learnable tau : scalar = 2.5
learnable q : vector[n] > 0 per phase = 1.5
learnable M : matrix[n, n] = W / 10 + I
learnable F : {field}matrix[m, n] = A
state x : {side} = 0
phase (3):
    x <- solve({matrix}, y + x)
output x
"""
SYSTEMS = (
    "A' @ A + rho * I",
    "rho * I + A' @ A / c",
    "c * A' @ A + rho * I",
    "A' @ A + c * I",
    "A' @ A + s * I",
    "A' @ A - rho * I",
    "c * I - A' @ A",
    "A' @ diag(g) @ A + c * I",
    "-(A' @ A) - rho * I",
    "rho * A' @ A + I",
    "rho * A' @ A + tau * I",
    "rho * (A' @ A + c * I)",
    "I + rho * (c * A)' @ (c * A)",
    "A' @ A + B' @ B + rho * I",
    "(A' @ A + B' @ B) / 3 + rho * I",
    "rho * (A' @ A) + c * B' @ B + rho * I",
    "A' @ diag(w) @ A + rho * I",
    "A' @ (diag(w) @ A) + c * I",
    "A' @ A + rho * diag(d)",
    "A' @ A + rho * diag(d) + rho * I",
    "tau * A' @ A + (B' @ B + c * I) * tau + rho * diag(d)",
    "A' @ A + diag(d)",
    "A' @ A + diag(q)",
    "A' @ A + diag(f)",
    "A' @ A + rho * W",
    "W",
    "W + tau * I",
    "M",
    "M' @ M + rho * I",
    "F' @ F + c * I",
    "F' @ F + rho * I",
    "F' @ F + diag(q)",
    "diag(d) @ W @ diag(d) + I",
    "diag(q)",
    "2 * I",
    "tau * I - diag(q)",
    "diag(f) - (2 * I) @ diag(q)",
)
FIELDS = (
    ("vector[n]", ""),
    ("matrix[n, p]", ""),
    ("complex vector[n]", ""),
    ("complex vector[n]", "complex "),
)
SIZES = ({"m": 2, "n": 7, "p": 3}, {"m": 6, "n": 7, "p": 3}, {"m": 9, "n": 4, "p": 5})


def _draw(rng, type_, sizes):
    shape = tuple(dim.substitute(sizes).value for dim in type_.shape)
    value = rng.normal(size=shape)
    return value + 1j * rng.normal(size=shape) if type_.field is Field.COMPLEX else value


def _trajectory(graph, sizes, seed, phases=3):
    """States after each phase, then the outputs, of a random instance."""
    rng = np.random.default_rng(seed)
    constants = {}
    for constant in graph.constants:
        if constant.default is None:
            value = _draw(rng, constant.type, sizes)
            constants[constant.name] = abs(value) if constant.limits else value
    inputs = [_draw(rng, entry.type, sizes) for entry in graph.inputs]
    reference = Reference(graph, phases, constants, {}, sizes)
    states = [value for found in reference.trajectory(*inputs) for value in found.values()]
    outputs = reference(*inputs)
    return [*states, *(outputs if isinstance(outputs, tuple) else (outputs,))]


def _assert_same(graph, sizes, seed, tolerance):
    before = _trajectory(graph, sizes, seed)
    for known in (None, sizes):
        for name, rewritten in trace(graph, known):
            after = _trajectory(rewritten, sizes, seed)
            for a, b in zip(before, after, strict=True):
                scale = np.abs(a).max(initial=1e-300)
                assert np.abs(a - b).max(initial=0) <= tolerance * scale, name


@pytest.mark.parametrize(("side", "field"), FIELDS)
@pytest.mark.parametrize("matrix", SYSTEMS)
def test_every_route_solves_the_system(matrix, side, field):
    text = PROGRAM.format(matrix=matrix, side=side, field=field)
    graph = check_source(SourceFile("t.unroll", text)).graph
    for seed, sizes in enumerate(SIZES):
        _assert_same(graph, sizes, seed, 1e-11)


# ---- random graphs ------------------------------------------------------------------------------

SHELL = """\
algorithm r "r.unroll"
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed c : scalar > %4 = %5
learnable rho : scalar > %4 per phase = %6
learnable w : vector[n] = %7
state x : vector[n] = %7 then %9
output %10
phases 3

%0 = input y : vector[m]
%1 = fixed A : matrix[m, n]
%2 = fixed c : scalar
%3 = learnable rho : scalar
%4 = constant 0 : scalar
%5 = constant 0.5 : scalar
%6 = phase_number : scalar
%7 = expand %5 : vector[n]
%8 = learnable w : vector[n]
%9 = state x : vector[n]
%10 = final x : vector[n]
"""


class _Growth:
    """Adds nodes to the shell; each choice is a number drawn by hypothesis."""

    def __init__(self) -> None:
        self.graph = from_text(SHELL)
        self.new = Rewriting((), frozenset({"rho"}))
        for node in self.graph.nodes:
            self.new.add(node.op, node.args, node.type, node.origin, node.label)

    def pick(self, choice, fits):
        """A node whose type fits, the later the likelier to be asked for."""
        found = [
            i for i, node in enumerate(self.new.nodes)
            if fits(node.type) and not isinstance(node.op, ops.Final)
        ]  # fmt: skip
        return found[choice % len(found)]

    def array(self, choice, *ranks):
        return self.pick(choice, lambda t: isinstance(t, Array) and t.rank in ranks)

    def like(self, choice, index):
        return self.pick(choice, lambda t: t == self.new.type(index))

    def grow(self, kind, first, second):
        new = self.new
        match kind:
            case "arithmetic":
                a = self.array(first, 0, 1, 2)
                word = ("add", "sub", "mul")[second % 3]
                new.elementwise(word, a, self.like(second, a))
            case "scaled":
                scaled = new.elementwise(
                    ("mul", "div")[second % 2], self.array(first, 1, 2), 2 + second % 2
                )
                new.elementwise("neg", scaled) if first % 3 == 0 else None
            case "squashed":
                new.elementwise(("tanh", "abs")[second % 2], self.array(first, 0, 1))
            case "transposed":
                new.make(ops.Transpose(), self.array(first, 2))
            case "product":
                a = self.array(first, 2)
                columns = new.array(a).shape[1]
                b = self.pick(
                    second,
                    lambda t: isinstance(t, Array) and t.rank > 0 and t.shape[0] == columns,
                )
                new.product(a, b)
            case "diagonal":
                new.make(ops.Builtin("diagonal_matrix"), self.array(first, 1))
            case "map":
                self.map(first, second)
            case "applied":
                map_ = self.pick(first, lambda t: isinstance(t, LinearMap))
                new.make(ops.Apply(), map_, 9)
            case "solved":
                # a Gram matrix and a positive shift, so that the system can be solved
                a = self.array(first, 2)
                gram = new.product(new.make(ops.Transpose(), a), a)
                shape = new.array(gram)
                eye = new.add(ops.Eye(), (), shape)
                shift = new.elementwise("mul", 2 + second % 2, eye)
                system = new.elementwise("add", *((gram, shift), (shift, gram))[first % 2])
                side = self.pick(
                    second, lambda t: isinstance(t, Array) and t.rank > 0
                    and t.shape[0] == shape.shape[0],
                )  # fmt: skip
                new.make(ops.Solve(), system, side)

    def map(self, first, second):
        """Maps on vector[n]."""
        new = self.new
        maps = [i for i, node in enumerate(new.nodes) if isinstance(node.type, LinearMap)]
        if not maps or second % 6 == 0:
            new.make(ops.DiagonalMap(), self.like(first, 9)) if first % 2 else new.make(
                ops.IdentityMap()
            )
            return
        a, b = maps[first % len(maps)], maps[second % len(maps)]
        match second % 6:
            case 1:
                new.make(ops.AdjointMap(), a)
            case 2:
                new.make(ops.ComposeMap(), a, b)
            case 3:
                new.make(ops.AddMap((1, -1)[first % 2]), a, b)
            case _:
                new.make(ops.ScaleMap(), 2 + first % 2, a)

    def finish(self) -> Graph:
        """Every vector[n] reaches the update, kept small enough for three phases."""
        new = self.new
        total = 9
        for index in range(11, len(new.nodes)):
            if new.type(index) == new.type(9):
                total = new.elementwise("add", total, new.elementwise("tanh", index))
        total = new.elementwise("tanh", total)
        slot = replace(self.graph.states[0], update=total)
        return replace(self.graph, states=(slot,), nodes=tuple(new.nodes))


KINDS = (
    "arithmetic", "scaled", "squashed", "transposed", "product", "diagonal", "map", "applied",
    "solved",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.integers(0, 50)),
    min_size=6,
    max_size=20,
)


def _graph(steps) -> Graph:
    growth = _Growth()
    growth.new.make(ops.IdentityMap())
    for kind, first, second in steps:
        growth.grow(kind, first, second)
    return growth.finish()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(STEPS, st.sampled_from(({"m": 2, "n": 5}, {"m": 4, "n": 3})))
def test_passes_preserve_the_meaning_of_random_graphs(steps, sizes):
    graph = _graph(steps)
    verify(graph)
    # products of matrices grow, so that systems may be ill-conditioned
    with np.errstate(all="ignore"):
        if all(np.abs(v).max() < 1e6 for v in _intermediate(graph, sizes)):
            _assert_same(graph, sizes, 0, 1e-6)


def _intermediate(graph, sizes):
    """All arrays that the graph computes from fixed values, to judge how large they grow."""
    arrays = tuple(
        i for i, n in enumerate(graph.nodes)
        if isinstance(n.type, Array) and not isinstance(n.op, ops.Final)
    )  # fmt: skip
    shown = replace(graph, traces=(), outputs=(10,))
    rng = np.random.default_rng(0)
    matrix = _draw(rng, shown.constants[0].type, sizes)
    reference = Reference(shown, 1, {"A": matrix}, {}, sizes)
    y = _draw(rng, shown.inputs[0].type, sizes)
    state = {"x": np.full(sizes["n"], 0.5)}
    return reference._evaluate(arrays, [y], state=state, k=1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(STEPS)
def test_the_text_of_random_graphs_is_read_back_before_and_after_passes(steps):
    graph = _graph(steps)
    for found in (graph, *(rewritten for _, rewritten in trace(graph))):
        assert to_text(from_text(to_text(found))) == to_text(found)
