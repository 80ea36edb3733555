"""Linear maps applied, forwards and backwards, and systems of them solved by iteration."""

from __future__ import annotations

import ast
from collections.abc import Callable

from unroll_dsl.backends.torch.expressions.calls import axes
from unroll_dsl.backends.torch.expressions.layers import Layers
from unroll_dsl.backends.torch.samples import SampledName, each
from unroll_dsl.backends.torch.templates import call, fill, is_simple, number
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.applications import as_written
from unroll_dsl.operators.model import Static
from unroll_dsl.operators.registry import linear_operator
from unroll_dsl.types import (
    Array,
    Declared,
    Field,
    LinearMap,
    is_complex,
    map_backward,
    map_forward,
)

_FEW = 64  # applications that are written out; of more, each part has a name
_Known = dict[tuple[int, bool, str], tuple[ast.expr, Array]]


class Maps(Layers):
    """Writes maps."""

    def _apply(self, map_: int, argument: int) -> ast.expr:
        return self.apply(
            map_, self.tensor(argument), self.type(argument), self.facts.batched[argument], False
        )[0]

    def _iterated(self, index: int) -> ast.expr:
        """`conjugate_gradients(lambda v: A'(A(v)) + rho * v, b, x, (-1,))`."""
        node = self.nodes[index]
        assert isinstance(node.op, ops.Solve)
        map_, b, *guess = node.args
        rhs, space = self.tensor(b), self.type(index)
        rhs = self.in_field(rhs, self.type(b).field, space.field)

        def applied(v: ast.expr, bind: Callable[[ast.expr], ast.expr]) -> ast.expr:
            outer, self.bind = self.bind, bind
            batched = self.facts.batched[index]
            result, _ = self.apply(map_, v, space, batched, False)
            self.bind = outer
            return result

        system = self.function(applied)
        start = self.value(guess[0]) if guess else ast.Constant(None)
        made = call("conjugate_gradients", system, rhs, start, axes(self.type(index).rank, None))
        limits = {"tolerance": node.op.tolerance, "iterations": node.op.iterations}
        assert isinstance(made, ast.Call)
        made.keywords = [
            ast.keyword(key, number(value)) for key, value in limits.items() if value is not None
        ]
        return made

    def apply(
        self, map_: int, x: ast.expr, space: Array, batched: bool, adjoint: bool
    ) -> tuple[ast.expr, Array]:
        """A map, or its adjoint, applied to an expression; with the type of the result.

        Of maps that are made of the same parts again and again each part is applied once to a value.
        """
        known: _Known | None = {} if as_written(self.nodes)[map_] > _FEW else None
        return self._shared_part(map_, x, space, batched, adjoint, known)

    def _shared_part(
        self,
        map_: int,
        x: ast.expr,
        space: Array,
        batched: bool,
        adjoint: bool,
        known: _Known | None,
    ) -> tuple[ast.expr, Array]:
        """As `apply`, with what has a name already; None where nothing is to have one."""
        if known is None or isinstance(self.nodes[map_].op, ops.IdentityMap | ops.AdjointMap):
            return self._made_part(map_, x, space, batched, adjoint, known)
        x = x if is_simple(x) else self.bind(x)
        key = (map_, adjoint, ast.dump(x))
        if key not in known:
            result, type_ = self._made_part(map_, x, space, batched, adjoint, known)
            known[key] = result if is_simple(result) else self.bind(result), type_
        return known[key]

    def _made_part(
        self,
        map_: int,
        x: ast.expr,
        space: Array,
        batched: bool,
        adjoint: bool,
        known: _Known | None,
    ) -> tuple[ast.expr, Array]:
        node = self.nodes[map_]
        if isinstance(node.type, Array):
            m, n = node.type.shape
            result = Array((n if adjoint else m,), space.field.join(node.type.field))
            return self._matrix_vector(map_, x, space.field, batched, adjoint), result
        args = node.args
        match node.op:
            case ops.IdentityMap():
                return x, space
            case ops.DiagonalMap():
                diagonal = self.type(args[0])
                entries = self.align(
                    self.tensor(args[0]), diagonal, space, self.facts.batched[args[0]]
                )
                if adjoint and diagonal.field is Field.COMPLEX:
                    entries = fill("d.conj()", d=entries)
                result = Array(space.shape, space.field.join(diagonal.field), space.form)
                return fill("d * v", d=entries, v=x), result
            case ops.AdjointMap():
                return self._shared_part(args[0], x, space, batched, not adjoint, known)
            case ops.ComposeMap():
                first, second = (args[0], args[1]) if adjoint else (args[1], args[0])
                between, inner = self._shared_part(first, x, space, batched, adjoint, known)
                return self._shared_part(second, between, inner, batched, adjoint, known)
            case ops.AddMap(sign):
                x = x if is_simple(x) else self.bind(x)
                left, result = self._shared_part(args[0], x, space, batched, adjoint, known)
                right, other = self._shared_part(args[1], x, space, batched, adjoint, known)
                result = Array(result.shape, result.field.join(other.field), result.form)
                return fill("a + b" if sign > 0 else "a - b", a=left, b=right), result
            case ops.ScaleMap():
                inner_expr, result = self._shared_part(args[1], x, space, batched, adjoint, known)
                factor = self.align(
                    self.value(args[0]),
                    self.type(args[0]),
                    result,
                    self.facts.batched[args[0]] and not self.facts.numbers[args[0]],
                )
                if self.type(args[0]).field is Field.COMPLEX:
                    # a number of Python's has another method than a tensor
                    turned = "c.conjugate()" if self.facts.numbers[args[0]] else "c.conj()"
                    factor = fill(turned, c=factor) if adjoint else factor
                    result = Array(result.shape, Field.COMPLEX, result.form)
                return fill("c * v", c=factor, v=inner_expr), result
            case ops.Operator(word, statics):
                return self._operator(map_, word, statics, x, space, adjoint)
            case ops.Fixed():
                return self._outside(map_, x, space, adjoint)
            case _:
                raise InternalError(f"{node.origin}: {node.type} is not applied")

    def _outside(
        self, map_: int, x: ast.expr, space: Array, adjoint: bool
    ) -> tuple[ast.expr, Array]:
        """A map from outside is a module that has `adjoint`. One of a real space knows real tensors
        alone: it takes the real and the imaginary part of complex data."""
        node = self.nodes[map_]
        assert isinstance(node.type, LinearMap) and isinstance(node.type.structure, Declared)
        result = (map_backward if adjoint else map_forward)(node.type.structure, space)
        assert isinstance(result, Array)
        begin = node.type.structure.codomain if adjoint else node.type.structure.domain
        module = self.value(map_)
        if adjoint:
            module = ast.Attribute(module, "adjoint")
        if space.field is Field.COMPLEX and begin.field is not Field.COMPLEX:
            x = x if is_simple(x) else self.bind(x)
            parts = "torch.complex(A(x.real), A(x.imag))"
            if is_complex(node.type.structure):
                parts = "A(x.real) + 1j * A(x.imag)"
            return fill(parts, A=module, x=x), result
        if space.field is not Field.COMPLEX and begin.field is Field.COMPLEX:
            x = fill("v.to(d)", v=x, d=self.like().dtype(Field.COMPLEX))
        return ast.Call(module, [x], []), result

    def _operator(
        self,
        map_: int,
        word: str,
        statics: tuple[tuple[str, Static], ...],
        x: ast.expr,
        space: Array,
        adjoint: bool,
    ) -> tuple[ast.expr, Array]:
        node, record = self.nodes[map_], linear_operator(word)
        template = record.torch_adjoint if adjoint else record.torch_forward
        if template is None:
            raise InternalError(f"{node.origin}: `{word}` has no torch expression")
        assert isinstance(node.type, LinearMap)
        shape = (map_backward if adjoint else map_forward)(node.type.structure, space)
        assert isinstance(shape, Array)
        operands = [p.name for p in record.parameters if not p.static]
        holes = {key: self._static(static) for key, static in statics}
        holes["RANK"] = number(space.rank)
        holes["SHAPE"] = ast.Tuple([self.size(dim) for dim in shape.shape], ast.Load())
        arguments = [
            SampledName(operand, self.value(a), self.type(a).rank)
            for operand, a in zip(operands, node.args, strict=False)
        ]
        if any(
            argument.name in record.shared and self.facts.batched[a]
            for argument, a in zip(arguments, node.args, strict=True)
        ):
            arguments.insert(0, SampledName("x", x, space.rank))
            return each(template, arguments, holes), shape
        holes |= {argument.name: argument.value for argument in arguments}
        holes["x"] = x
        return fill(template, **holes), shape
