"""What every writer of expressions knows of the place that it writes for."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from unroll_dsl.backends.torch.expressions.like import Invoke, Like
from unroll_dsl.backends.torch.facts import Facts
from unroll_dsl.backends.torch.templates import fill, trailing
from unroll_dsl.ir.nodes import Node
from unroll_dsl.types import Array, Dim, Field

Bind = Callable[[ast.expr], ast.expr]


class Place(ABC):
    """One place of the generated code, and the nodes of one graph or function body.

    Parameters
    ----------
    invoke
        How a function of the page is called.
    known
        The expression of nodes that the place has at hand under a name.
    size
        The expression of a dimension.
    like
        What gives dtype and device to new tensors.
    bind
        Gives an expression a name, for where it is needed twice.
    function
        Gives a function, from what makes its result of its argument, with a `bind` of its own.
    stands_for
        Nodes that stand for others: in an initial value a learnable stands for its own.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        facts: Facts,
        invoke: Invoke,
        known: Callable[[int], ast.expr | None],
        size: Callable[[Dim], ast.expr],
        like: Callable[[], Like],
        bind: Bind,
        function: Callable[[Callable[[ast.expr, Bind], ast.expr]], ast.expr],
        stands_for: Mapping[int, int],
    ) -> None:
        self.nodes = nodes
        self.facts = facts
        self.invoke = invoke
        self.known = known
        self.size = size
        self.like = like
        self.bind = bind
        self.function = function
        self.stands_for = stands_for
        self.align_scalars = True
        self.one_batch = False  # whether values have one batch axis, as those within a block
        self.is_spared: Callable[[int], bool] = lambda index: False

    @abstractmethod
    def compute(self, index: int) -> ast.expr:
        """The expression that computes a node from its arguments."""

    def value(self, index: int) -> ast.expr:
        """The expression of a node: its name where it has one, else what computes it."""
        found = self.known(index)
        return found if found is not None else self.compute(index)

    def tensor(self, index: int) -> ast.expr:
        """The expression of a node as a tensor, also where it is a plain number."""
        expr = self.value(index)
        return self.wrap(expr, self.type(index).field) if self.facts.numbers[index] else expr

    def array(self, index: int) -> ast.expr:
        """A node as a tensor of numbers, conditions as 1 and 0."""
        expr = self.tensor(index)
        if self.type(index).field is Field.BOOL:
            return fill("v.to(d)", v=expr, d=self.like().dtype(Field.REAL))
        return expr

    def wrap(self, expr: ast.expr, field: Field = Field.REAL) -> ast.expr:
        like = self.like()
        if like.tensor is not None and not like.is_complex and field is not Field.COMPLEX:
            return fill("t.new_tensor(v)", t=like.tensor, v=expr)
        return like.make("tensor", expr, field=field)

    def type(self, index: int) -> Array:
        found = self.nodes[index].type
        assert isinstance(found, Array)
        return found

    def in_field(self, expr: ast.expr, own: Field, wanted: Field) -> ast.expr:
        """A tensor of one field as one of another: a real one among complex ones."""
        is_real = own is not Field.COMPLEX and wanted is Field.COMPLEX
        return fill("v + 0j", v=expr) if is_real else expr

    def align(self, expr: ast.expr, type_: Array, target: Array, batched: bool) -> ast.expr:
        """Axes such that torch's broadcasting is the language's (types/rules.py)."""
        missing = target.rank - type_.rank
        if missing <= 0 or not self.align_scalars:
            return expr
        if type_.rank == 0:
            return trailing(expr, missing) if batched else expr
        if type_.rank == 1 and type_.shape[0] == target.shape[0]:
            return trailing(expr, missing)
        if batched:  # a mask that carries the batch, over channels
            index = ", ".join(["...", *["None"] * missing, *[":"] * type_.rank])
            return fill(f"value[{index}]", value=expr)
        return expr
