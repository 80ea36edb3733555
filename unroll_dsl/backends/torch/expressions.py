"""One node of the graph as a Python expression in torch."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from unroll_dsl.backends.torch.facts import Facts
from unroll_dsl.backends.torch.kernels import (
    CONJUGATE_GRADIENTS,
    LARGEST,
    MIXED_MATMUL,
    use_few,
    use_pair,
)
from unroll_dsl.backends.torch.layers import OVER_BATCH, OVER_BATCHES
from unroll_dsl.backends.torch.putting import entries, join
from unroll_dsl.backends.torch.samples import Argument, each
from unroll_dsl.backends.torch.templates import call, fill, is_simple, name, number, trailing
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.model import Function, Kind, Static
from unroll_dsl.operators.registry import function, linear_operator
from unroll_dsl.types import (
    Array,
    Bound,
    Conv,
    Declared,
    Dim,
    Field,
    Layer,
    LinearMap,
    Step,
    is_complex,
    map_backward,
    map_forward,
)
from unroll_dsl.types.steps import KINDS

_SIGNS = {"add": "a + b", "sub": "a - b", "mul": "a * b", "div": "a / b", "pow": "a ** b"}


@dataclass(frozen=True, slots=True)
class Like:
    """Something that gives dtype and device to new tensors: a tensor, or arguments so called."""

    tensor: ast.expr | None
    is_complex: bool = False

    def dtype(self, field: Field) -> ast.expr:
        base = name("dtype") if self.tensor is None else fill("t.dtype", t=self.tensor)
        if field is Field.COMPLEX and not self.is_complex:
            if self.tensor is None:
                return fill("d.to_complex()", d=base)
            # what torch.export and torch.compile can follow
            return fill("torch.promote_types(d, torch.complex64)", d=base)
        if field is not Field.COMPLEX and self.is_complex:
            assert self.tensor is not None
            return fill("t.real.dtype", t=self.tensor)  # what torch.export can follow
        return base

    def device(self) -> ast.expr:
        return name("device") if self.tensor is None else fill("t.device", t=self.tensor)

    def make(self, maker: str, *arguments: ast.expr, field: Field = Field.REAL) -> ast.expr:
        """`torch.maker(arguments, dtype=..., device=...)`."""
        if maker in ("tensor", "full"):  # 1 alone would make integers
            arguments = (*arguments[:-1], as_float(arguments[-1]))
        made = ast.Call(name(f"torch.{maker}"), list(arguments), [])
        made.keywords = [
            ast.keyword("dtype", self.dtype(field)),
            ast.keyword("device", self.device()),
        ]
        return made


def as_float(expr: ast.expr) -> ast.expr:
    """A literal integer as a float."""
    if isinstance(expr, ast.Constant) and isinstance(expr.value, int):
        return ast.Constant(float(expr.value))
    if isinstance(expr, ast.UnaryOp) and isinstance(expr.op, ast.USub):
        return ast.UnaryOp(ast.USub(), as_float(expr.operand))
    return expr


class Functions:
    """Helper and user functions that the generated code calls, in order of first use.

    `invoke` gives the name under which a `def` is called and how it takes its arguments.
    """

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}  # name of the record -> source
        self.invoke: Callable[[str], Callee] = _no_functions

    def use(self, record: Function) -> None:
        if record.helper:
            self.helpers.setdefault(record.name, record.helper)
        if "largest(" in record.helper:
            self.helpers.setdefault("largest", LARGEST)


@dataclass(frozen=True, slots=True)
class Callee:
    """A generated function: its name, whether callers align its arguments, and which of its
    parameters may be plain numbers."""

    name: str
    elementwise: bool
    numbers: tuple[bool, ...]


def _no_functions(key: str) -> Callee:
    raise InternalError(f"function `{key}` is not known")


class Expressions:
    """Writes the nodes of one graph or function body in one place of the generated code.

    Parameters
    ----------
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
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        facts: Facts,
        functions: Functions,
        known: Callable[[int], ast.expr | None],
        size: Callable[[Dim], ast.expr],
        like: Callable[[], Like],
        bind: Callable[[ast.expr], ast.expr],
        function: Callable[
            [Callable[[ast.expr, Callable[[ast.expr], ast.expr]], ast.expr]], ast.expr
        ],
    ) -> None:
        self.nodes = nodes
        self.facts = facts
        self.functions = functions
        self.known = known
        self.size = size
        self.like = like
        self.bind = bind
        self.function = function
        self.align_scalars = True

    # ---- values ---------------------------------------------------------------------------------

    def value(self, index: int) -> ast.expr:
        """The expression of a node: its name where it has one, else what computes it."""
        found = self.known(index)
        return found if found is not None else self.compute(index)

    def tensor(self, index: int) -> ast.expr:
        """The expression of a node as a tensor, also where it is a plain number."""
        expr = self.value(index)
        return self.wrap(expr, self.type(index).field) if self.facts.numbers[index] else expr

    def wrap(self, expr: ast.expr, field: Field = Field.REAL) -> ast.expr:
        like = self.like()
        if like.tensor is not None and not like.is_complex and field is not Field.COMPLEX:
            return fill("t.new_tensor(v)", t=like.tensor, v=expr)
        return like.make("tensor", expr, field=field)

    def type(self, index: int) -> Array:
        found = self.nodes[index].type
        assert isinstance(found, Array)
        return found

    def compute(self, index: int) -> ast.expr:
        """The expression that computes a node from its arguments."""
        node = self.nodes[index]
        args = node.args
        match node.op:
            case ops.Constant(value):
                return name("torch.pi") if value == math.pi else number(value)
            case ops.Size(dim):
                return self.size(dim)
            case ops.Elementwise(word):
                return self._elementwise(index, word)
            case ops.Builtin(word, statics):
                return self._builtin(index, function(word), statics)
            case ops.Invoke(key):
                return self._invoke(index, key)
            case ops.Expand():
                return self._expand(index)
            case ops.Eye():
                m, n = self.type(index).shape
                sides = [self.size(m)] if m == n else [self.size(m), self.size(n)]
                return self.like().make("eye", *sides)
            case ops.Transpose():
                mark = "mH" if self.type(index).field is Field.COMPLEX else "mT"
                return ast.Attribute(self.value(args[0]), mark)
            case ops.Contract():
                return self._contract(args[0], args[1])
            case ops.Apply():
                return self._apply(args[0], args[1])
            case ops.Solve():
                return self._iterated(index)
            case ops.ApplyLayer():
                return self._layer(*args)
            case ops.ConvolvePair():
                return self._pair(*args)
            case ops.PairKernel():
                return self._pair_kernel(*args)
            case ops.ConvolveFew():
                return self._few(*args)
            case (
                ops.Input()
                | ops.Fixed()
                | ops.Learnable()
                | ops.State()
                | ops.Final()
                | ops.PhaseNumber()
                | ops.Target()
                | ops.Traced()
                | ops.Variable()
                | ops.Argument()
                | ops.PhaseSum()
            ):
                raise InternalError(f"{node.op} is not at hand in this place")
            case (
                ops.Operator()
                | ops.IdentityMap()
                | ops.DiagonalMap()
                | ops.AdjointMap()
                | ops.ComposeMap()
                | ops.AddMap()
                | ops.ScaleMap()
                | ops.SplitLayer()
                | ops.LayerSteps()
            ):
                raise InternalError(f"{node.op} is a map, not a value")
            case _:
                assert_never(node.op)

    # ---- elementwise ----------------------------------------------------------------------------

    def _elementwise(self, index: int, word: str) -> ast.expr:
        node = self.nodes[index]
        target = self.type(index)
        all_numbers = all(self.facts.numbers[a] for a in node.args)
        if word == "sqrt" and self.facts.numbers[index]:
            return ast.BinOp(self.value(node.args[0]), ast.Pow(), number(0.5))
        if word == "neg":
            return ast.UnaryOp(ast.USub(), self._argument(node.args[0], target, word))
        if word in _SIGNS:
            a, b = (self._argument(arg, target, word) for arg in node.args)
            return fill(_SIGNS[word], a=a, b=b)
        if word in ("maximum", "minimum"):
            return self._extreme(node, word, target)
        if word == "complex" and any(self.facts.numbers[arg] for arg in node.args):
            return self._complex(node, target)
        record = function(word)
        arguments = [self._argument(arg, target, word) for arg in node.args]
        if all_numbers and word == "where":
            arguments[1] = self.wrap(arguments[1])
        elif all_numbers or (len(node.args) == 1 and self.facts.numbers[node.args[0]]):
            fields = (self.type(arg).field for arg in node.args)
            arguments = [self.wrap(a, field) for a, field in zip(arguments, fields, strict=True)]
        elif word == "where" and all(self.facts.numbers[a] for a in node.args[1:]):
            arguments[1] = self.wrap(arguments[1])
        return self._filled(record, arguments, [self.type(a) for a in node.args])

    def _extreme(self, node: Node, word: str, target: Array) -> ast.expr:
        """`max(v, 0)` as `v.clamp(min=0)`: a clamp takes numbers."""
        side = "min" if word == "maximum" else "max"
        first, second = node.args
        for tensor, bound in ((first, second), (second, first)):
            if self._maybe_number(bound) and not self._maybe_number(tensor):
                value = self._argument(tensor, target, word)
                limit = self._argument(bound, target, word)
                return fill(f"value.clamp({side}=limit)", value=value, limit=limit)
        arguments = [
            self.wrap(self.value(a)) if self.facts.numbers[a] else self._argument(a, target, word)
            for a in node.args
        ]
        return self._filled(function(word), arguments, [self.type(a) for a in node.args])

    def _complex(self, node: Node, target: Array) -> ast.expr:
        """`a + 1j * b`, which takes numbers; of numbers `1j` itself."""
        a, b = (self._argument(arg, target, "complex") for arg in node.args)
        first, second = (self.nodes[arg].op for arg in node.args)
        imaginary = fill("1j * b", b=b)
        if isinstance(second, ops.Constant) and isinstance(b, ast.Constant):
            imaginary = ast.Constant(1j * second.value)
        return imaginary if first == ops.Constant(0) else fill("a + c", a=a, c=imaginary)

    def _maybe_number(self, index: int) -> bool:
        scalar_parameter = (
            isinstance(self.nodes[index].op, ops.Argument) and self.type(index).rank == 0
        )
        return self.facts.numbers[index] or (scalar_parameter and not self.align_scalars)

    def _filled(self, record: Function, arguments: list[ast.expr], types: list[Array]) -> ast.expr:
        is_real = all(type_.field is not Field.COMPLEX for type_ in types)
        template = record.torch_real if is_real and record.torch_real else record.torch
        if template is record.torch:
            self.functions.use(record)
        names = [p.name for p in record.parameters if not p.static]
        holes = dict(zip(names, arguments, strict=False))
        for argument in holes.values():
            ast.fix_missing_locations(argument)
        return fill(template, **holes)

    def _argument(self, index: int, target: Array, word: str) -> ast.expr:
        """An argument of an elementwise function, its axes aligned with those of the result."""
        expr = self.value(index)
        if self.facts.numbers[index]:
            return expr
        type_ = self.type(index)
        if type_.field is Field.BOOL and word not in ("and", "or", "not", "where", "eq", "ne"):
            expr = fill("v.to(d)", v=expr, d=self.like().dtype(Field.REAL))
        return self.align(expr, type_, target, self.facts.batched[index])

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

    # ---- functions ------------------------------------------------------------------------------

    def _builtin(
        self, index: int, record: Function, statics: tuple[tuple[str, Static], ...]
    ) -> ast.expr:
        node = self.nodes[index]
        self.functions.use(record)
        types = [self.type(a) for a in node.args]
        is_real = all(type_.field is not Field.COMPLEX for type_ in types)
        template = record.torch_real if is_real and record.torch_real else record.torch
        if record.torch_temporary and self._is_temporary(node.args[0]):
            template = record.torch_temporary
        if record.torch_number and self.facts.numbers[node.args[-1]]:
            template = record.torch_number
        holes: dict[str, ast.expr] = {}
        parameters = [p for p in record.parameters if not p.static]
        for parameter, argument in zip(parameters, node.args, strict=False):
            plain = parameter.number and self.facts.numbers[argument]
            holes[parameter.name] = self.value(argument) if plain else self.array(argument)
        values = dict(statics)
        if record.kind is Kind.JOIN:
            return join(self, index, record, values)
        if record.name == "entries":
            return entries(holes["v"], types[0], values, self.size)
        if record.kind is Kind.REDUCTION:
            rank = types[0].rank
            if rank == 0:
                holes = {key: trailing(expr, 1) for key, expr in holes.items()}
                rank = 1
            axis = values.pop("axis", None)
            holes["AXES"] = _axes(rank, axis)
        for key, static in values.items():
            holes[key] = self._static(static)
        if types:
            holes["RANK"] = number(types[0].rank)
        if record.kind is Kind.CONSTRUCTOR:
            holes["LIKE"] = self._like_tensor()
        if any(
            parameter.name in record.shared and self.facts.batched[argument]
            for parameter, argument in zip(parameters, node.args, strict=False)
        ):
            arguments = [
                Argument(parameter.name, holes.pop(parameter.name), type_.rank)
                for parameter, type_ in zip(parameters, types, strict=False)
            ]
            return each(self.functions.helpers, template, arguments, holes)
        return fill(template, **holes)

    def use(self, helper: str, source: str) -> None:
        """Have a function of that name and text at the top of the module."""
        self.functions.helpers.setdefault(helper, source)

    def array(self, index: int) -> ast.expr:
        """A node as a tensor of numbers, conditions as 1 and 0."""
        expr = self.tensor(index)
        if self.type(index).field is Field.BOOL:
            return fill("v.to(d)", v=expr, d=self.like().dtype(Field.REAL))
        return expr

    def _is_temporary(self, index: int) -> bool:
        """Whether a value is computed on the spot into memory of its own, so that nothing else reads it."""
        node = self.nodes[index]
        if self.known(index) is not None:
            return False
        match node.op:
            case ops.ConvolvePair() | ops.ConvolveFew() | ops.Contract():
                return True
            case ops.Builtin("axpy" | "axmy" | "extrapolate"):
                return True
            case ops.Elementwise(word):
                return word in _SIGNS and self.type(index).field is Field.REAL
            case ops.ApplyLayer():
                layer = self.nodes[node.args[0]].type
                return isinstance(layer, Layer) and isinstance(layer.steps[-1], Conv)
            case _:
                return False

    def _like_tensor(self) -> ast.expr:
        like = self.like()
        if like.tensor is not None and not like.is_complex:
            return like.tensor
        return like.make("empty", ast.Tuple([], ast.Load()))

    def _static(self, value: Static) -> ast.expr:
        match value:
            case Dim():
                return self.size(value)
            case int():
                return number(value)
            case str():
                return ast.Constant(value)
            case tuple():
                return ast.Tuple([number(each) for each in value], ast.Load())

    def _invoke(self, index: int, key: str) -> ast.expr:
        node = self.nodes[index]
        callee = self.functions.invoke(key)
        target = self.type(index)
        arguments: list[ast.expr] = []
        for position, argument in enumerate(node.args):
            expr = self.value(argument)
            type_ = self.type(argument)
            if self.facts.numbers[argument]:
                expr = expr if callee.numbers[position] else self.wrap(expr)
            elif callee.elementwise:
                expr = self.align(expr, type_, target, self.facts.batched[argument])
            if type_.field is Field.BOOL:
                expr = fill("v.to(d)", v=expr, d=self.like().dtype(Field.REAL))
            arguments.append(expr)
        return call(callee.name, *arguments)

    def _expand(self, index: int) -> ast.expr:
        node, target = self.nodes[index], self.type(index)
        argument = node.args[0]
        shape = [self.size(dim) for dim in target.shape]
        if self.facts.numbers[argument]:
            return self.filled(argument, shape, target.field)
        expr = self.in_field(self.value(argument), self.type(argument).field, target.field)
        if not self.facts.batched[argument]:
            return ast.Call(ast.Attribute(expr, "expand"), shape, [])
        expr = self.bind(expr)
        batch = ast.Starred(fill("v.shape", v=expr))
        return ast.Call(ast.Attribute(trailing(expr, target.rank), "expand"), [batch, *shape], [])

    def in_field(self, expr: ast.expr, own: Field, wanted: Field) -> ast.expr:
        """A tensor of one field as one of another: a real one among complex ones."""
        is_real = own is not Field.COMPLEX and wanted is Field.COMPLEX
        return fill("v + 0j", v=expr) if is_real else expr

    def filled(self, argument: int, shape: list[ast.expr], field: Field) -> ast.expr:
        """A tensor of that shape, filled with a number."""
        node = self.nodes[argument]
        like = self.like()
        literal = node.op.value if isinstance(node.op, ops.Constant) else None
        shape_expr = ast.Tuple(shape, ast.Load())
        same = like.tensor is not None and like.is_complex == (field is Field.COMPLEX)
        makers = {0: "zeros", 1: "ones"}
        if literal in makers:
            assert literal is not None
            maker = makers[int(literal)]
            if same:
                assert like.tensor is not None
                return ast.Call(ast.Attribute(like.tensor, f"new_{maker}"), [shape_expr], [])
            return like.make(maker, shape_expr, field=field)
        value = self.value(argument)
        if same:
            assert like.tensor is not None
            return ast.Call(ast.Attribute(like.tensor, "new_full"), [shape_expr, value], [])
        return like.make("full", shape_expr, value, field=field)

    # ---- linear algebra -------------------------------------------------------------------------

    def _contract(self, left: int, right: int) -> ast.expr:
        a, b = self.type(left), self.type(right)
        if a.rank == 2 and b.rank == 1:
            return self._matrix_vector(
                left, self.tensor(right), b.field, self.facts.batched[right], False
            )
        if a.rank == 2 and b.rank == 2:
            return self._product(self.value(left), self.value(right), a.field, b.field)
        letters = "abcdefghijklmnop"
        first = letters[: a.rank]
        second = first[-1] + letters[a.rank : a.rank + b.rank - 1]
        dots = ["..." if self.facts.batched[i] else "" for i in (left, right)]
        result = "..." if any(dots) else ""
        equation = f"{dots[0]}{first},{dots[1]}{second}->{result}{first[:-1]}{second[1:]}"
        operands = [self.value(left), self.value(right)]
        if (a.field is Field.COMPLEX) != (b.field is Field.COMPLEX):
            real = 0 if b.field is Field.COMPLEX else 1
            dtype = ast.Attribute(self.bind(operands[1 - real]), "dtype")
            operands[real] = fill("v.to(d)", v=operands[real], d=dtype)
        return call("torch.einsum", ast.Constant(equation), *operands)

    def _product(self, a: ast.expr, b: ast.expr, first: Field, second: Field) -> ast.expr:
        """`a @ b`; torch multiplies no real matrix by a complex one."""
        if (first is Field.COMPLEX) == (second is Field.COMPLEX):
            return fill("a @ b", a=a, b=b)
        self.functions.helpers.setdefault("mixed_matmul", MIXED_MATMUL)
        return call("mixed_matmul", a, b)

    def _matrix_vector(
        self, matrix: int, vector: ast.expr, field: Field, batched: bool, adjoint: bool
    ) -> ast.expr:
        """`A @ x` as `x @ A.mT`, which takes any number of leading batch axes; `field` is x's."""
        node = self.nodes[matrix]
        own = self.type(matrix).field
        is_complex = own is Field.COMPLEX
        while isinstance(node.op, ops.Transpose) and self.known(matrix) is None:
            matrix, adjoint = node.args[0], not adjoint
            node = self.nodes[matrix]
        expr = self.value(matrix)
        if self.facts.batched[matrix]:
            mark = ("mH" if is_complex else "mT") if adjoint else None
            turned = ast.Attribute(expr, mark) if mark else expr
            column = fill("v[..., None]", v=vector)
            return fill("p[..., 0]", p=self._product(turned, column, own, field))
        if adjoint:
            conjugate = fill("m.conj()", m=expr) if is_complex else expr
            return self._product(vector, conjugate, field, own)
        if not batched:
            return self._product(expr, vector, own, field)
        return self._product(vector, fill("m.mT", m=expr), field, own)

    def _layer(self, layer: int, argument: int, *more: int) -> ast.expr:
        """A layer called; real filters take the real and the imaginary part of complex data."""
        node, layer_type = self.nodes[layer], self.nodes[layer].type
        assert isinstance(layer_type, Layer)
        x = self.tensor(argument)
        if isinstance(node.op, ops.LayerSteps):
            for place in range(node.op.start, node.op.stop):
                x = ast.Call(self._module(layer, place), [x], [])
            return x
        module = self.value(node.args[0] if isinstance(node.op, ops.SplitLayer) else layer)
        takes_complex = layer_type.domains is not None and not layer_type.split
        if self.type(argument).field is not Field.COMPLEX or takes_complex:
            if isinstance(node.op, ops.SplitLayer):  # split(N) of real data is complex all the same
                x = self.bind(x)
                zero = fill("torch.zeros_like(x)", x=x)
                return call(
                    "torch.complex", *(self._called(layer, module, v, *more) for v in (x, zero))
                )
            return self._called(layer, module, x, *more)
        x = x if is_simple(x) else self.bind(x)
        parts = (ast.Attribute(x, part) for part in ("real", "imag"))
        return call("torch.complex", *(self._called(layer, module, part, *more) for part in parts))

    def _called(self, layer: int, module: ast.expr, x: ast.expr, *more: int) -> ast.expr:
        """A module called; one from outside may want one batch axis, and gets it."""
        type_ = self.nodes[layer].type
        assert isinstance(type_, Layer)
        first = type_.steps[0]
        images = [s for s in type_.steps if isinstance(s, Step) and KINDS[s.kind].images]
        if images:  # torch has them for one batch axis
            self.use("over_batch", OVER_BATCH)
            return call("over_batch", module, x, number(3))
        if not isinstance(first, Bound):
            return ast.Call(module, [x], [])
        if not more:
            self.use("over_batch", OVER_BATCH)
            return call("over_batch", module, x, number(first.domain.rank))
        self.use("over_batches", OVER_BATCHES)
        given = [x, *(self.tensor(argument) for argument in more)]
        pairs = zip(given, first.domains, strict=True)
        samples = [ast.Tuple([v, number(space.rank)], ast.Load()) for v, space in pairs]
        return call("over_batches", module, *samples)

    def _module(self, layer: int, place: int) -> ast.expr:
        """The module of one step: `self.H[2]`; of a layer that is one step, the layer itself."""
        node = self.nodes[layer]
        whole = node.args[0] if isinstance(node.op, ops.LayerSteps) else layer
        type_ = self.nodes[whole].type
        assert isinstance(type_, Layer)
        module = self.value(whole)
        if len(type_.steps) == 1:
            return module
        return ast.Subscript(module, ast.Constant(place))

    def _pair(self, first: int, second: int, argument: int, kernel: int | None = None) -> ast.expr:
        """Two convolutions as one, with the kernels of both, and that of the one where it is known."""
        word = use_pair(self.functions.helpers)
        tensors = [*self._tensors(first), *self._tensors(second)]
        made = ast.Call(name(word), [self.tensor(argument), *tensors], [])
        if kernel is not None:
            made.keywords.append(ast.keyword("kernel", self.value(kernel)))
        return made

    def _pair_kernel(self, first: int, second: int) -> ast.expr:
        use_pair(self.functions.helpers)
        return call("pair_kernel", self._tensors(first)[0], self._tensors(second)[0])

    def _single(self, layer: int) -> ast.expr:
        """The module of a layer of one step."""
        op = self.nodes[layer].op
        return self._module(layer, op.start if isinstance(op, ops.LayerSteps) else 0)

    def _tensors(self, layer: int) -> list[ast.expr]:
        """The weight of a single convolution, and its bias if it has one."""
        type_ = self.nodes[layer].type
        assert isinstance(type_, Layer) and isinstance(type_.steps[0], Conv)
        words = ("weight", "bias") if type_.steps[0].bias else ("weight",)
        return [ast.Attribute(self._single(layer), word) for word in words]

    def _few(self, layer: int, argument: int) -> ast.expr:
        """A convolution with few channels at one end."""
        word = use_few(self.functions.helpers)
        return call(word, self.tensor(argument), *self._tensors(layer))

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
        self.functions.helpers.setdefault("conjugate_gradients", CONJUGATE_GRADIENTS)
        self.functions.helpers.setdefault("largest", LARGEST)
        start = self.value(guess[0]) if guess else ast.Constant(None)
        made = call("conjugate_gradients", system, rhs, start, _axes(self.type(index).rank, None))
        limits = {"tolerance": node.op.tolerance, "iterations": node.op.iterations}
        assert isinstance(made, ast.Call)
        made.keywords = [
            ast.keyword(key, number(value)) for key, value in limits.items() if value is not None
        ]
        return made

    def apply(
        self, map_: int, x: ast.expr, space: Array, batched: bool, adjoint: bool
    ) -> tuple[ast.expr, Array]:
        """A map, or its adjoint, applied to an expression; with the type of the result."""
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
                return self.apply(args[0], x, space, batched, not adjoint)
            case ops.ComposeMap():
                first, second = (args[0], args[1]) if adjoint else (args[1], args[0])
                between, inner = self.apply(first, x, space, batched, adjoint)
                return self.apply(second, between, inner, batched, adjoint)
            case ops.AddMap(sign):
                x = x if is_simple(x) else self.bind(x)
                left, result = self.apply(args[0], x, space, batched, adjoint)
                right, other = self.apply(args[1], x, space, batched, adjoint)
                result = Array(result.shape, result.field.join(other.field), result.form)
                return fill("a + b" if sign > 0 else "a - b", a=left, b=right), result
            case ops.ScaleMap():
                inner_expr, result = self.apply(args[1], x, space, batched, adjoint)
                factor = self.align(
                    self.value(args[0]),
                    self.type(args[0]),
                    result,
                    self.facts.batched[args[0]] and not self.facts.numbers[args[0]],
                )
                if self.type(args[0]).field is Field.COMPLEX:
                    factor = fill("c.conj()", c=factor) if adjoint else factor
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
        if record.helper:
            self.functions.helpers.setdefault(record.name, record.helper)
        operands = [p.name for p in record.parameters if not p.static]
        holes = {key: self._static(static) for key, static in statics}
        holes["RANK"] = number(space.rank)
        holes["SHAPE"] = ast.Tuple([self.size(dim) for dim in shape.shape], ast.Load())
        arguments = [
            Argument(operand, self.value(a), self.type(a).rank)
            for operand, a in zip(operands, node.args, strict=False)
        ]
        if any(
            argument.name in record.shared and self.facts.batched[a]
            for argument, a in zip(arguments, node.args, strict=True)
        ):
            arguments.insert(0, Argument("x", x, space.rank))
            return each(self.functions.helpers, template, arguments, holes), shape
        holes |= {argument.name: argument.value for argument in arguments}
        holes["x"] = x
        return fill(template, **holes), shape


def _axes(rank: int, axis: Static | None) -> ast.expr:
    if isinstance(axis, int):
        return number(axis - 1 - rank)
    if isinstance(axis, tuple):
        return ast.Tuple([number(each - 1 - rank) for each in axis], ast.Load())
    if rank == 1:
        return number(-1)
    return ast.Tuple([number(i - rank) for i in range(rank)], ast.Load())


__all__ = ["Callee", "Expressions", "Functions", "Like", "as_float"]
