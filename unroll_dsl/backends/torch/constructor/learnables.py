"""Learnables and phases in `__init__`."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.constructor.values import ValueWriter
from unroll_dsl.backends.torch.layer_modules import Modules
from unroll_dsl.backends.torch.layers import drawing
from unroll_dsl.backends.torch.layout import place
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import PhaseKind
from unroll_dsl.backends.torch.templates import call, fill, name, number, replaced
from unroll_dsl.backends.torch.tree import Assign, Body
from unroll_dsl.ir.graph import Parameter, Random
from unroll_dsl.operators.random_init import RANDOM
from unroll_dsl.types import Array, Layer, Step
from unroll_dsl.types.blocks import steps_within


class Learnables(ValueWriter):
    """Writes the learnables that a network holds, and those of its phases."""

    def initial(self, parameter: Parameter) -> ast.expr:
        """The expression of a learnable's initial value, a tensor of its own."""
        initial = parameter.initial
        if not isinstance(parameter.type, Array):
            return self._layer(parameter, parameter.type)
        if initial is None:
            given = name(identifier(parameter.name))
            return given if parameter.number else fill("v.clone()", v=given)
        if isinstance(initial, Random):
            sizes = [self.size(dim) for dim in parameter.type.shape]
            empty = self.like().make(
                "empty", ast.Tuple(sizes, ast.Load()), field=parameter.type.field
            )
            maker = RANDOM[initial.name][1]
            return call(f"nn.init.{maker}", empty, *map(number, initial.arguments))
        return self.fresh(initial, self.block.write.value(initial), parameter.type)

    def _layer(self, parameter: Parameter, layer: Layer) -> ast.expr:
        """`nn.Conv2d(...)` or an `nn.Sequential` of steps, its kernels drawn as the program says; a network
        from outside as it was given, made anew for each phase."""
        if layer.from_outside is not None:
            bound = name(identifier(parameter.name))
            module = ast.Call(bound, [], []) if parameter.per_phase else bound
            return module if parameter.trainable else fill("m.requires_grad_(False)", m=module)
        made = Modules(self.size, self.like, self.layout.blocks.class_of).made(layer)
        if not isinstance(parameter.initial, Random):
            return made
        word, given = drawing(parameter.initial, every=self._draws_more())
        return call(word, made, *map(number, given))

    def _draws_more(self) -> bool:
        """Whether a layer has other kernels than those of convolutions."""
        layers = (p.type for p in self.parameters if isinstance(p.type, Layer))
        found = (within.steps[at] for layer in layers for within, at in steps_within(layer))
        return any(isinstance(s, Step) and s.kind in ("deconv", "dense") for s in found)

    def learnables(self) -> Body:
        """Those that all phases share."""
        found = []
        for parameter in self.parameters:
            if not parameter.per_phase:
                value = self.initial(parameter)
                if isinstance(parameter.type, Array):
                    value = call("nn.Parameter", value)
                target = f"self.{identifier(parameter.name)}"
                found.append(Assign((target,), value, place(parameter.origin)))
        return tuple(found)

    # ---- phases ---------------------------------------------------------------------------------

    def phases(self) -> Body:
        """`self.phases`: their number, or the modules of those that have learnables of their own."""
        if not self.layout.kinds:
            return ()
        if not self.layout.has_phase_class:
            return (Assign(("self.phases",), name("phases")),)
        steady, tail = self.layout.kinds[0], self.layout.kinds[1:]
        count = len(tail)
        made, needs_k = self._made(steady, None)
        over, target = f"range(phases - {count})" if count else "range(phases)", "_"
        if needs_k:
            last = f" - {count - 1}" if count > 1 else ""
            over = f"range(1, phases{last})" if count else "range(1, phases + 1)"
            target = "k"
        loop = ast.comprehension(ast.Name(target), name(over), [], 0)
        whole: ast.expr = ast.ListComp(made, [loop])
        for back, kind in zip(range(count, 0, -1), tail, strict=True):
            k = "phases" if back == 1 else f"(phases - {back - 1})"
            made, _ = self._made(kind, k)
            one: ast.expr = ast.List([made], ast.Load())
            if back > 1:
                one = ast.IfExp(name(f"phases >= {back}"), one, ast.List([], ast.Load()))
            whole = ast.BinOp(whole, ast.Add(), one)
        return (Assign(("self.phases",), call("nn.ModuleList", whole)),)

    def _made(self, kind: PhaseKind, k: str | None) -> tuple[ast.expr, bool]:
        """`Phase(...)` with the initial values of its learnables; whether it reads `k`."""
        arguments, needs_k = [], False
        for word in kind.parameters:
            parameter = self.layout.parameters[word]
            reads = isinstance(parameter.initial, int) and self.reads_k(parameter.initial)
            needs_k = needs_k or reads
            expr = self.initial(parameter)
            if reads and k is not None:
                expr = replaced(expr, k=name(k))
            arguments.append(expr)
        return call(kind.name, *arguments), needs_k
