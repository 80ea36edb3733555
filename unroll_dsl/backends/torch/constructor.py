"""`__init__` of a network and of its phases: what is known when the network is made."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.backends.torch.blocks import Block, Line, plan
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.facts import ARITHMETIC
from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layer_steps import made as made_step
from unroll_dsl.backends.torch.layers import ACTIVATIONS, CONV, PADDED_CONV, PIECEWISE, initialiser
from unroll_dsl.backends.torch.layout import Layout, place
from unroll_dsl.backends.torch.memory import is_contiguous
from unroll_dsl.backends.torch.methods import Methods
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import Kind
from unroll_dsl.backends.torch.templates import call, fill, name, number, text
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Constant, Parameter, Random
from unroll_dsl.operators.random_init import RANDOM
from unroll_dsl.types import Activation, Array, Bound, Conv, Dim, Field, Layer, Step


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of `__init__`, for its signature and for callers of it."""

    name: str  # in the program
    python: str
    annotation: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Constructor:
    arguments: tuple[Argument, ...]
    keyword_only: tuple[Argument, ...]
    lines: tuple[Line, ...]


class ConstructorWriter:
    """Writes `__init__`, after the methods have said what they read."""

    def __init__(self, layout: Layout, methods: Methods) -> None:
        self.layout = layout
        self.methods = methods
        self.graph = layout.graph
        self.nodes = layout.nodes
        needed = layout.training
        self.parameters = [p for p in self.graph.parameters if p.name in needed.parameters]
        wanted = {*needed.constants, *layout.inference.constants}
        self.constants = [c for c in self.graph.constants if c.name in wanted]
        self.sizes: list[str] = []  # symbols read in __init__, in order of first use
        self.like_source = next(
            (
                c
                for c in self.constants
                if self._is_required(c) and isinstance(c.type, Array) and c.type.rank
            ),
            None,
        )
        self.lines: list[Line] = []

    def _is_required(self, constant: Constant) -> bool:
        return constant.default is None

    # ---- the whole ------------------------------------------------------------------------------

    def run(self) -> Constructor:
        layout = self.layout
        taken = {identifier(c.name) for c in self.constants}
        taken |= {identifier(symbol) for symbol, _ in self.graph.dims} | {"k"}
        taken |= {identifier(p.name) for p in self.parameters}
        self.block = Block(
            self.nodes,
            layout.facts,
            layout.functions,
            {},
            layout.local(taken),
            self._size,
            self._like,
            layout.origin,
        )
        for index, node in enumerate(self.nodes):
            match node.op:
                case ops.Fixed(word):
                    self.block.given[index] = name(identifier(word))
                case ops.PhaseNumber():
                    self.block.given[index] = name("k")
                case _:
                    pass
        self._learnables()
        self._defaults()
        self._setup()
        registered = self._buffers()
        parameters = self._parameters()
        phases = self._phases()
        sizes = self._size_attributes()
        body = [*self.block.lines, *registered, *sizes, *parameters, *phases]
        head = self._shapes()
        lines = (*head, *body)
        arguments, keyword_only = self._signature(lines)
        return Constructor(arguments, keyword_only, lines)

    def _learnables(self) -> None:
        """In an initial value another learnable stands for its own initial value."""
        known = self.layout.parameters
        pending = [
            i
            for i, n in enumerate(self.nodes)
            if isinstance(n.op, ops.Learnable) and isinstance(n.type, Array)
        ]
        for index in pending:
            op = self.nodes[index].op
            assert isinstance(op, ops.Learnable)
            initial = known[op.name].initial
            if initial is None:
                self.block.given[index] = name(identifier(op.name))
            elif isinstance(initial, Random):
                self.block.given[index] = name(f"self.{identifier(op.name)}.detach()")
        outer = self.block.write.compute

        def compute(index: int) -> ast.expr:
            op = self.nodes[index].op
            if isinstance(op, ops.Learnable):
                initial = known[op.name].initial
                assert isinstance(initial, int)
                return self.block.write.value(initial)
            return outer(index)

        self.block.write.compute = compute  # type: ignore[method-assign]

    # ---- sizes, dtype -----------------------------------------------------------------------------

    def _size(self, dim: Dim) -> ast.expr:
        symbols: dict[str, ast.expr] = {}
        for symbol in sorted(dim.symbols):
            if symbol not in self.sizes:
                self.sizes.append(symbol)
            symbols[symbol] = name(identifier(symbol))
        return dim_expression(dim, symbols)

    def _like(self) -> Like:
        if self.like_source is None:
            return Like(None)
        assert isinstance(self.like_source.type, Array)
        is_complex = self.like_source.type.field is Field.COMPLEX
        return Like(name(identifier(self.like_source.name)), is_complex)

    def _shapes(self) -> list[Line]:
        """`n, m = Wd.shape` for the sizes that bound tensors determine."""
        lines: list[Line] = []
        missing = [symbol for symbol, _ in self.graph.dims if symbol in self.sizes]
        for constant in self.constants:
            if not isinstance(constant.type, Array) or not self._is_required(constant):
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
                lines.append(Line(f"{', '.join(symbols)} = {word}.shape"))
            else:
                done: set[str] = set()
                for axis, symbol in found.items():
                    if symbol not in done:
                        lines.append(Line(f"{identifier(symbol)} = {word}.shape[{axis}]"))
                        done.add(symbol)
            missing = [symbol for symbol in missing if symbol not in found.values()]
        self.free_sizes = missing
        return lines

    # ---- values ---------------------------------------------------------------------------------

    def _defaults(self) -> None:
        """Optional constants that were not given take their classical values."""
        spread = self._tensors_in_defaults()
        early = [c for c in self.constants if c.name in spread and not self._waits(c)]
        self._convert(early)
        for constant in self.constants:
            default = constant.default
            if default is None or self._literal(constant) is not None:
                continue
            (value,) = self.block.run([default])
            word = identifier(constant.name)
            expr = self._fresh(default, value, constant.type)
            self.block.lines.append(Line(f"if {word} is None:"))
            self.block.lines.append(Line(f"    {word} = {text(expr)}", self._origin(constant)))
        self._convert([c for c in self.constants if c not in early])

    def _waits(self, constant: Constant) -> bool:
        """Whether a constant that was not given is None until its classical value is computed."""
        return constant.default is not None and self._literal(constant) is None

    def _tensors_in_defaults(self) -> set[str]:
        """The scalars of which a function, or a spread value, is the classical value of another constant:
        `log(a - b)`. Arithmetic alone takes numbers too."""
        roots = [c.default for c in self.constants if c.default is not None]
        inside = plan(self.nodes, roots, lambda i: i in self.block.given).inside
        found: set[str] = set()
        for index in inside:
            if self._is_arithmetic(index):
                continue
            pending = list(self.nodes[index].args)
            while pending:
                node = self.nodes[argument := pending.pop()]
                if isinstance(node.op, ops.Fixed):
                    found.add(node.op.name)
                elif self._is_arithmetic(argument):
                    pending += node.args
        return found

    def _is_arithmetic(self, index: int) -> bool:
        op = self.nodes[index].op
        return isinstance(op, ops.Elementwise) and op.function in ARITHMETIC

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
                made = self._like().make("as_tensor", name(word), field=constant.type.field)
                self.block.lines.append(Line(f"{word} = {text(made)}"))

    def _wants_tensor(self, index: int) -> bool:
        """Whether a scalar meets something else than arithmetic with a tensor."""
        for node in self.nodes:
            if index not in node.args:
                continue
            match node.op:
                case ops.Elementwise("add" | "sub" | "mul" | "div" | "pow" | "neg"):
                    others = [a for a in node.args if a != index]
                    if not any(self._is_tensor(a) for a in others):
                        return True
                case _:
                    return True
        return False

    def _is_tensor(self, index: int) -> bool:
        """Whether a value is a tensor even if scalar constants are given as numbers."""
        node, type_ = self.nodes[index], self.nodes[index].type
        if isinstance(type_, Array) and type_.rank:
            return True
        if isinstance(node.op, ops.Elementwise):
            return any(self._is_tensor(a) for a in node.args)
        if isinstance(node.op, ops.Learnable):  # stands for its own initial value
            initial = self.layout.parameters[node.op.name].initial
            return not isinstance(initial, int) or self._is_tensor(initial)
        return not isinstance(node.op, ops.Fixed | ops.Constant | ops.Size | ops.PhaseNumber)

    def _literal(self, constant: Constant) -> str | None:
        """The default of a scalar as Python writes it, if it is a literal number."""
        if constant.default is None or not isinstance(constant.type, Array) or constant.type.rank:
            return None
        found = self.layout.literal(constant.default)
        if found is None:
            return None
        word = text(found)
        return word if "." in word or "e" in word else f"{word}.0"

    def _setup(self) -> None:
        """Statements for what buffers, initial values and bounds are made of."""
        roots = [i for i in sorted(self.layout.buffers) if i not in self.block.given]
        for parameter in self.parameters:
            if isinstance(parameter.initial, int) and not self._reads_k(parameter.initial):
                roots.append(parameter.initial)
        single = {root for root in roots if root not in self.layout.buffers}
        found = plan(self.nodes, roots, lambda i: i in self.block.given)
        shared = {
            i for i in found.inside if found.uses.get(i, 0) > 1 and not self._is_filled(i)
        }  # fmt: skip
        values = self.block.run([r for r in roots if r not in single or r in shared] or [])
        del values
        # what single initial values are made of: their labelled and shared parts, not themselves
        parts = [
            i
            for i in found.inside
            if i not in single
            and not self._reads_k(i)
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

    def _reads_k(self, index: int) -> bool:
        found = plan(self.nodes, [index], lambda i: False)
        for i in found.inside:
            op = self.nodes[i].op
            if isinstance(op, ops.PhaseNumber):
                return True
            if isinstance(op, ops.Learnable):  # stands for its own initial value
                initial = self.layout.parameters[op.name].initial
                if isinstance(initial, int) and self._reads_k(initial):
                    return True
        return False

    def _fresh(self, index: int, value: ast.expr, type_: object) -> ast.expr:
        """The value as a tensor of its own, of the declared shape and field."""
        assert isinstance(type_, Array)
        if self.layout.facts.numbers[index]:
            return self._like().make("tensor", value, field=type_.field)
        if not type_.rank and not self._is_tensor(index):  # may be a number, or a tensor
            made = self._like().make("as_tensor", value, field=type_.field)
            return fill("v.clone()", v=made)
        node = self.nodes[index]
        found = node.type
        if isinstance(found, Array) and found.field is not type_.field:
            return fill("v.to(d)", v=value, d=self._like().dtype(type_.field))
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

    def _buffers(self) -> list[Line]:
        lines = []
        for index, attribute in sorted(self.layout.buffers.items(), key=lambda item: item[0]):
            value = self.block.write.value(index)
            if isinstance(self.nodes[index].op, ops.Fixed) and self.layout.facts.numbers[index]:
                lines.append(Line(f"self.{attribute} = {text(value)}"))
                continue
            if self.layout.is_module(index):
                fixed = (
                    ".requires_grad_(False)" if isinstance(self.nodes[index].type, Layer) else ""
                )
                lines.append(Line(f"self.{attribute} = {text(value)}{fixed}"))
                continue
            if self.layout.facts.numbers[index]:
                value = self._like().make("tensor", value)
            origin = "" if isinstance(value, ast.Name) else self._node_origin(index)
            if not is_contiguous(self.nodes, index):
                value = fill("v.contiguous()", v=value)
            lines.append(
                Line(
                    f'self.register_buffer("{attribute}", {text(value)}, persistent=False)', origin
                )
            )
        return lines

    def _node_origin(self, index: int) -> str:
        return self.layout.origin(self.nodes[index])

    def _size_attributes(self) -> list[Line]:
        lines = []
        for symbol in sorted(self.layout.size_attributes):
            self._size(Dim.of(symbol))
            lines.append(Line(f"self.{identifier(symbol)} = {identifier(symbol)}"))
        return lines

    def initial(self, parameter: Parameter) -> ast.expr:
        """The expression of a learnable's initial value, a tensor of its own."""
        initial = parameter.initial
        if not isinstance(parameter.type, Array):
            return self._layer(parameter, parameter.type)
        if initial is None:
            given = name(identifier(parameter.name))
            return given if parameter.number else fill("v.clone()", v=given)
        if isinstance(initial, Random):
            sizes = [self._size(dim) for dim in parameter.type.shape]
            empty = self._like().make(
                "empty", ast.Tuple(sizes, ast.Load()), field=parameter.type.field
            )
            maker = RANDOM[initial.name][1]
            return call(f"nn.init.{maker}", empty, *map(number, initial.arguments))
        return self._fresh(initial, self.block.write.value(initial), parameter.type)

    def _layer(self, parameter: Parameter, layer: Layer) -> ast.expr:
        """`nn.Conv2d(...)` or an `nn.Sequential` of steps, its kernels drawn as the program says; a network
        from outside as it was given, made anew for each phase."""
        if layer.from_outside is not None:
            bound = name(identifier(parameter.name))
            module = ast.Call(bound, [], []) if parameter.per_phase else bound
            return module if parameter.trainable else fill("m.requires_grad_(False)", m=module)
        steps = [self._step(layer, index, parameter) for index in range(len(layer.steps))]
        made = steps[0] if len(steps) == 1 else call("nn.Sequential", *steps)
        if not isinstance(parameter.initial, Random):
            return made
        word, source, given = initialiser(parameter.initial, self._initialised())
        self.layout.functions.helpers.setdefault(word, source)
        return call(word, made, *map(number, given))

    def _initialised(self) -> tuple[str, ...]:
        """The modules of all layers whose kernels are drawn."""
        words = {"conv": "nn.Conv2d", "deconv": "nn.ConvTranspose2d", "dense": "nn.Linear"}
        found = {"nn.Conv2d"}
        for parameter in self.parameters:
            steps = parameter.type.steps if isinstance(parameter.type, Layer) else ()
            found |= {words[s.kind] for s in steps if isinstance(s, Step) and s.kind in words}
        return tuple(word for word in words.values() if word in found)

    def _step(self, layer: Layer, index: int, parameter: Parameter) -> ast.expr:
        match layer.steps[index]:
            case Conv() as step:
                channels = [self._size(step.channels_in), self._size(step.channels_out)]
                word, source = ("Conv2d", CONV)
                if step.padding in (
                    "circular",
                    "reflect",
                ):  # torch goes round an image once at most
                    word, source = ("PaddedConv2d", PADDED_CONV)
                self.layout.functions.helpers.setdefault(word, source)
                made = ast.Call(name(word), [*channels, number(step.size)], [])
                like = self._like()
                same = ast.Constant("same") if step.size % 2 == 0 else number(step.size // 2)
                options: dict[str, ast.expr] = {"padding": same}
                if step.padding != "zero":
                    options["padding_mode"] = ast.Constant(step.padding)
                if step.groups > 1:
                    options["groups"] = number(step.groups)
                if not step.bias:
                    options["bias"] = ast.Constant(False)
                options |= {"dtype": like.dtype(Field.REAL), "device": like.device()}
                made.keywords = [ast.keyword(key, value) for key, value in options.items()]
                return made
            case Activation("plf"):
                count = layer.channels(index)
                assert count is not None
                self.layout.functions.helpers.setdefault("PiecewiseLinear", PIECEWISE)
                like = self._like()
                options = {"dtype": like.dtype(Field.REAL), "device": like.device()}
                return ast.Call(
                    name("PiecewiseLinear"),
                    [self._size(count)],
                    [ast.keyword(key, value) for key, value in options.items()],
                )
            case Activation("relu") if index and isinstance(layer.steps[index - 1], Conv):
                return fill("nn.ReLU(inplace=True)")  # no derivative reads what a convolution gave
            case Activation(word):
                return call(ACTIVATIONS[word])
            case Step():
                use = self.layout.functions.helpers.setdefault
                return made_step(layer, index, self._size, self._like(), use)
            case Bound() as step:
                raise InternalError(f"{parameter.origin}: `{step}` stands in a chain")

    def _parameters(self) -> list[Line]:
        lines = []
        for parameter in self.parameters:
            if parameter.per_phase:
                continue
            value = text(self.initial(parameter))
            word = identifier(parameter.name)
            if not isinstance(parameter.type, Array):
                lines.append(Line(f"self.{word} = {value}", self._origin(parameter)))
                continue
            lines.append(Line(f"self.{word} = nn.Parameter({value})", self._origin(parameter)))
        return lines

    def _origin(self, declared: Constant | Parameter) -> str:
        return place(declared.origin)

    # ---- phases -----------------------------------------------------------------------------------

    def _phases(self) -> list[Line]:
        if not self.layout.kinds:
            return []
        if not self.layout.has_phase_class:
            return [Line("self.phases = phases")]
        steady, tail = self.layout.kinds[0], self.layout.kinds[1:]
        count = len(tail)
        total = f"phases - {count}" if count else "phases"
        made, needs_k = self._made(steady, None)
        head = f"for k in range(1, {total} + 1)" if needs_k else f"for _ in range({total})"
        if needs_k and count:
            last = f" - {count - 1}" if count > 1 else ""
            head = f"for k in range(1, phases{last})"
        if not tail:
            return [Line(f"self.phases = nn.ModuleList({made} {head})")]
        parts = [f"[{made} {head}]"]
        for back, kind in zip(range(count, 0, -1), tail, strict=True):
            k = "phases" if back == 1 else f"(phases - {back - 1})"
            made, _ = self._made(kind, k)
            parts.append(f"[{made}]" if back == 1 else f"([{made}] if phases >= {back} else [])")
        return [Line(f"self.phases = nn.ModuleList({' + '.join(parts)})")]

    def _made(self, kind: Kind, k: str | None) -> tuple[str, bool]:
        """`Phase(...)` with the initial values of its learnables; whether it reads `k`."""
        arguments, needs_k = [], False
        for word in kind.parameters:
            parameter = self.layout.parameters[word]
            reads = isinstance(parameter.initial, int) and self._reads_k(parameter.initial)
            needs_k = needs_k or reads
            expr = self.initial(parameter)
            if reads and k is not None:
                expr = _substitute(expr, "k", k)
            arguments.append(text(expr))
        return f"{kind.name}({', '.join(arguments)})", needs_k

    # ---- signature ----------------------------------------------------------------------------------

    def _signature(
        self, lines: tuple[Line, ...]
    ) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
        required: list[Argument] = []
        optional: list[Argument] = []
        for constant in self.constants:
            word = identifier(constant.name)
            if not isinstance(constant.type, Array):
                required.append(Argument(constant.name, word, "nn.Module", None))
                continue
            scalar = constant.type.rank == 0
            if constant.default is None:
                annotation = "Tensor | float" if scalar else "Tensor"
                annotation = "float" if constant.number else annotation
                required.append(Argument(constant.name, word, annotation, None))
                continue
            literal = self._literal(constant)
            if literal is not None:
                optional.append(Argument(constant.name, word, "float", literal))
            else:
                annotation = "Tensor | float | None" if scalar else "Tensor | None"
                optional.append(Argument(constant.name, word, annotation, "None"))
        for parameter in self.parameters:
            if parameter.initial is None:
                word = identifier(parameter.name)
                annotation = "float" if parameter.number else "Tensor"
                if not isinstance(parameter.type, Array):
                    annotation = "Callable[[], nn.Module]" if parameter.per_phase else "nn.Module"
                required.append(Argument(parameter.name, word, annotation, None))
        defaults = dict(self.graph.dims)
        for symbol in self.free_sizes:
            default = defaults[symbol]
            found = Argument(
                symbol, identifier(symbol), "int", None if default is None else str(default)
            )
            (required if default is None else optional).append(found)
        if self.graph.phases is not None and self.layout.kinds:
            optional.append(Argument("phases", "phases", "int", str(self.graph.phases)))
        keyword_only: list[Argument] = []
        if any(re.search(r"\bdevice=device\b(?!\.)", line.text) for line in lines):
            keyword_only = [
                Argument("dtype", "dtype", "torch.dtype | None", "None"),
                Argument("device", "device", "torch.device | str | None", "None"),
            ]
        return (*required, *optional), tuple(keyword_only)


def _substitute(expr: ast.expr, old: str, new: str) -> ast.expr:
    return fill(text(expr), **{old: name(new)})
