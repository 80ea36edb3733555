"""Values in `__init__`: classical ones of what was not given, and what is known at set-up."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from unroll_dsl.backends.torch.blocks import plan
from unroll_dsl.backends.torch.constructor.setting import InitSetting, is_required
from unroll_dsl.backends.torch.layout import place
from unroll_dsl.backends.torch.memory import is_contiguous
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import call, fill, name
from unroll_dsl.backends.torch.tree import Assign, Body, Do, If, Statement
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Constant
from unroll_dsl.types import Array, Declared, Dim, Layer, LinearMap


class ValueWriter(InitSetting):
    """Writes what `__init__` computes."""

    def shapes(self) -> Body:
        """`n, m = Wd.shape` for the sizes that bound tensors determine."""
        statements: list[Statement] = []
        missing = [symbol for symbol, _ in self.graph.dims if symbol in self.sizes]
        for constant in self.constants:
            if not isinstance(constant.type, Array) or not is_required(constant):
                continue
            plain = {
                axis: dim.terms[0][0][0]
                for axis, dim in enumerate(constant.type.shape)
                if len(dim.symbols) == 1 and dim == Dim.of(next(iter(dim.symbols)))
            }
            found = {axis: symbol for axis, symbol in plain.items() if symbol in missing}
            if not found:
                continue
            word = identifier(constant.name)
            symbols = [identifier(plain.get(axis, "_")) for axis in range(constant.type.rank)]
            distinct = len(set(symbols)) == len(symbols)
            if len(found) == constant.type.rank and distinct and len(found) > 1:
                statements.append(Assign(tuple(symbols), name(f"{word}.shape")))
            else:
                done: set[str] = set()
                for axis, symbol in found.items():
                    if symbol not in done:
                        size = name(f"{word}.shape[{axis}]")
                        statements.append(Assign((identifier(symbol),), size))
                        done.add(symbol)
            missing = [symbol for symbol in missing if symbol not in found.values()]
        self.free_sizes = missing
        return tuple(statements)

    # ---- values ---------------------------------------------------------------------------------

    def set_defaults(self) -> None:
        """Optional constants that were not given take their classical values."""
        spread = self._tensors_in_defaults()
        early = [c for c in self.constants if c.name in spread and not self._waits(c)]
        self._convert(early)
        for constant in self.constants:
            default = constant.default
            if default is None or self.literal(constant) is not None:
                continue
            (value,) = self.block.run([default])
            word = identifier(constant.name)
            expr = self.fresh(default, value, constant.type)
            made = Assign((word,), expr, place(constant.origin))
            self.block.body.append(If(fill("v is None", v=name(word)), (made,)))
        self._convert([c for c in self.constants if c not in early])

    def _waits(self, constant: Constant) -> bool:
        """Whether a constant that was not given is None until its classical value is computed."""
        return constant.default is not None and self.literal(constant) is None

    def _tensors_in_defaults(self) -> set[str]:
        """The scalars of which a function, or a spread value, is the classical value of another constant:
        `log(a - b)`. Arithmetic alone takes numbers too."""
        roots = [c.default for c in self.constants if c.default is not None]
        inside = plan(self.nodes, roots, lambda i: i in self.block.given).inside
        found: set[str] = set()
        for index in inside:
            if self.is_arithmetic(index):
                continue
            pending, seen = list(self.nodes[index].args), set[int]()
            while pending:
                node = self.nodes[argument := pending.pop()]
                if argument in seen:
                    continue
                seen.add(argument)
                if isinstance(node.op, ops.Fixed):
                    found.add(node.op.name)
                elif self.is_arithmetic(argument):
                    pending += node.args
        return found

    def _convert(self, constants: Sequence[Constant]) -> None:
        """Scalars that may come as numbers become tensors where something needs a tensor."""
        for constant in constants:
            if not isinstance(constant.type, Array) or constant.type.rank or constant.number:
                continue
            index = next(
                (i for i, n in enumerate(self.nodes) if n.op == ops.Fixed(constant.name)), None
            )
            if index is None:
                continue
            if index in self.layout.buffers or self._wants_tensor(index):
                word = identifier(constant.name)
                made = self.like().make("as_tensor", name(word), field=constant.type.field)
                self.block.body.append(Assign((word,), made))

    def _wants_tensor(self, index: int) -> bool:
        """Whether a scalar meets something else than arithmetic with a tensor."""
        for node in self.nodes:
            if index not in node.args:
                continue
            match node.op:
                case ops.Elementwise("add" | "sub" | "mul" | "div" | "pow" | "neg"):
                    others = [a for a in node.args if a != index]
                    if not any(self.is_tensor(a) for a in others):
                        return True
                case _:
                    return True
        return False

    def set_up(self) -> None:
        """Statements for what buffers, initial values and bounds are made of."""
        roots = [i for i in sorted(self.layout.buffers) if i not in self.block.given]
        for parameter in self.parameters:
            if isinstance(parameter.initial, int) and not self.reads_k(parameter.initial):
                roots.append(parameter.initial)
        single = {root for root in roots if root not in self.layout.buffers}
        found = plan(self.nodes, roots, lambda i: i in self.block.given)
        shared = {
            i for i in found.inside if found.uses.get(i, 0) > 1 and not self._is_filled(i)
        }  # fmt: skip
        self.block.run([r for r in roots if r not in single or r in shared])
        # what single initial values are made of: their labelled and shared parts, not themselves
        parts = [
            i
            for i in found.inside
            if i not in single
            and not self.reads_k(i)
            and i not in self.block.names
            and isinstance(self.nodes[i].type, Array)
            and not self.layout.facts.numbers[i]
            and (self.nodes[i].label is not None or (i in shared and self.nodes[i].args))
            and not isinstance(self.nodes[i].op, ops.Transpose | ops.Learnable)
        ]
        self.block.run(parts)

    def _is_filled(self, index: int) -> bool:
        """A number that is spread: each use makes a tensor of its own."""
        node = self.nodes[index]
        return isinstance(node.op, ops.Expand) and self.layout.facts.numbers[node.args[0]]

    def fresh(self, index: int, value: ast.expr, type_: object) -> ast.expr:
        """The value as a tensor of its own, of the declared shape and field."""
        assert isinstance(type_, Array)
        if self.layout.facts.numbers[index]:
            return self.like().make("tensor", value, field=type_.field)
        if not type_.rank and not self.is_tensor(index):  # may be a number, or a tensor
            made = self.like().make("as_tensor", value, field=type_.field)
            return fill("v.clone()", v=made)
        node = self.nodes[index]
        found = node.type
        if isinstance(found, Array) and found.field is not type_.field:
            return fill("v.to(d)", v=value, d=self.like().dtype(type_.field))
        is_alias = isinstance(value, ast.Name | ast.Attribute | ast.Subscript) or (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in ("expand", "detach", "flatten", "unflatten")
        )
        if is_contiguous(self.nodes, index):
            return fill("v.clone()", v=value) if is_alias else value
        if is_alias:
            return fill("v.clone(memory_format=torch.contiguous_format)", v=value)
        return fill("v.contiguous()", v=value)

    def maps(self) -> Body:
        """Matrices in the place of maps as modules: `Phi = as_map(Phi, (m,), (1, h, w))`."""
        found = []
        for constant in self.constants:
            if isinstance(constant.type, LinearMap):
                assert isinstance(constant.type.structure, Declared)
                word = identifier(constant.name)
                spaces = (constant.type.structure.codomain, constant.type.structure.domain)
                shapes = (ast.Tuple(self._space(space), ast.Load()) for space in spaces)
                found.append(Assign((word,), call("as_map", name(word), *shapes)))
        return tuple(found)

    def _space(self, space: Array) -> list[ast.expr]:
        """The sizes of a space: those known here; an argument that may be left out where a matrix leaves
        several open, else None."""
        own = {
            next(iter(d.symbols))
            for c in self.constants
            if isinstance(c.type, Array) and is_required(c)
            for d in c.type.shape
            if len(d.symbols) == 1 and d == Dim.of(next(iter(d.symbols)))
        }
        own |= set(self.sizes)
        several = sum(not set(dim.symbols) <= own for dim in space.shape) > 1
        return [self._open(dim, own, several=several) for dim in space.shape]

    def _open(self, dim: Dim, own: set[str], *, several: bool) -> ast.expr:
        others = sorted(set(dim.symbols) - own)
        if not others:
            return self.size(dim)
        if not several or dim != Dim.of(others[0]):
            return ast.Constant(None)
        if others[0] not in self.open_sizes:
            self.open_sizes.append(others[0])
        return name(identifier(others[0]))

    def registered(self) -> Body:
        """What the network holds besides its learnables."""
        return tuple(
            self._registered(index, attribute)
            for index, attribute in sorted(self.layout.buffers.items())
        )

    def _registered(self, index: int, attribute: str) -> Statement:
        node, is_number = self.nodes[index], self.layout.facts.numbers[index]
        value = self.block.write.value(index)
        if isinstance(node.op, ops.Fixed) and is_number:
            return Assign((f"self.{attribute}",), value)
        if self.layout.is_module(index):
            if isinstance(node.type, Layer):
                value = fill("v.requires_grad_(False)", v=value)
            return Assign((f"self.{attribute}",), value)
        if is_number:
            value = self.like().make("tensor", value)
        origin = "" if isinstance(value, ast.Name) else self.layout.origin(node)
        if not is_contiguous(self.nodes, index):
            value = fill("v.contiguous()", v=value)
        made = fill(
            "self.register_buffer(a, v, persistent=False)", a=ast.Constant(attribute), v=value
        )
        return Do(made, origin)

    def held_sizes(self, held: set[str]) -> Body:
        """The sizes among what the methods read."""
        found = []
        for symbol in sorted(symbol for symbol, _ in self.graph.dims if identifier(symbol) in held):
            self.size(Dim.of(symbol))
            found.append(Assign((f"self.{identifier(symbol)}",), name(identifier(symbol))))
        return tuple(found)
