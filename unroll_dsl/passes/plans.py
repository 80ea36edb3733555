"""How each `solve` is best computed, from the structure of its matrix and from what moves.

    structure of the matrix                 known         route
    ------------------------------------    ----------    ------------------------------------------
    multiples of I, diagonals               whenever      `Divide`
    fixed Hermitian + moving * I            at set-up     `Spectral`: a basis once, then 2 products
    fixed Hermitian + moving * diag(d)      at set-up     the same after scaling by d, d > 0
    positive definite by its structure      set-up        `Cholesky` once
                                            call          `Cholesky` once a call
                                            phase         `Cholesky` in the phase
      ... A' @ A + d * I, A [m, n], m < n                 `Woodbury`: Cholesky of m by m
    any other matrix                        earlier       `Orthogonal`: its QR factors once
                                            as needed     `Direct`: `solve_dense`
    images, diagonal under fft2             whenever      `Fourier`: a division between transforms
    c * A' @ A + d * I, A few pixels of     whenever      `FewPixels`: a division between transforms
      what is diagonal under fft2                         of the small image (few_pixels.py)
    any other map                           whenever      `Iterate`: conjugate gradients, where the
                                                          map is not known to be positive semidefinite
                                                          on the normal equations

A basis is computed of fixed values alone: derivatives of singular vectors do not exist where
singular values coincide, so learnable matrices are factorised instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import (
    Fixed,
    Input,
    Learnable,
    Node,
    Solve,
    Stage,
    State,
)
from unroll_dsl.ir.stages import stages
from unroll_dsl.passes.analysis.signs import Sign, signs
from unroll_dsl.passes.definite import Forms
from unroll_dsl.passes.few_pixels import FewPixels, few_pixels
from unroll_dsl.passes.fourier import symbol
from unroll_dsl.passes.rewrite import Rewriting
from unroll_dsl.passes.structure import Dense, DiagonalTerm, Gram, Identity, MapTerm, Opaque, terms
from unroll_dsl.types import Array

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Divide:
    terms: tuple[MapTerm, ...]


@dataclass(frozen=True, slots=True)
class Spectral:
    """`moving * P + shift`, P Hermitian and fixed. `moving` is the coefficient of each of `fixed`
    that is not known at set-up; with `thin` the basis is that of the rows of its factor; with
    `scale` the shift is a multiple of that fixed positive diagonal."""

    fixed: tuple[MapTerm, ...]
    moving: MapTerm | None  # its coefficient alone counts
    shift: tuple[MapTerm, ...]
    thin: Gram | None
    scale: tuple[MapTerm, ...]


@dataclass(frozen=True, slots=True)
class Cholesky:
    pass


@dataclass(frozen=True, slots=True)
class Woodbury:
    gram: MapTerm
    shift: tuple[MapTerm, ...]


@dataclass(frozen=True, slots=True)
class Orthogonal:
    pass


@dataclass(frozen=True, slots=True)
class Direct:
    pass


@dataclass(frozen=True, slots=True)
class Fourier:
    """A map that the Fourier transform diagonalises: fourier.py makes its diagonal."""


@dataclass(frozen=True, slots=True)
class Iterate:
    """Conjugate gradients; with `normal` on M' M x = M' b."""

    normal: bool


Method = (
    Divide | Fourier | FewPixels | Spectral | Cholesky | Woodbury | Orthogonal | Direct | Iterate
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A method and why it was taken: a sentence for people."""

    method: Method
    reason: str


_WHEN = {
    Stage.SETUP: "once, at set-up",
    Stage.CALL: "once a call",
    Stage.PHASE: "in every phase",
    Stage.OUTPUT: "once, after the phases",
}


class Planner:
    """Plans for the `Solve` nodes of a graph in which maps are normalised (scaling.py)."""

    def __init__(self, graph: Graph, sizes: Sizes) -> None:
        self.graph = graph
        self.sizes = sizes
        self.stages = stages(graph)
        self.signs = signs(graph, trusting=True)
        self.forms = Forms(graph.nodes, self.signs)
        self.certain = Forms(graph.nodes, signs(graph))

    def is_definite(self, index: int, *, certainly: bool = False) -> bool:
        """Whether the form of the system of the `Solve` node `index` proves that it is positive definite: for
        inputs in their domains, or `certainly`, for all."""
        matrix = self.graph.nodes[index].args[0]
        forms = self.certain if certainly else self.forms
        return forms.sign(terms(self.graph.nodes, matrix)) is Sign.POSITIVE

    def _fourier(self, index: int) -> bool:
        """Whether fourier.py finds a diagonal; tried on nodes that are thrown away."""
        nodes = self.graph.nodes
        matrix, b = nodes[index].args
        space = nodes[b].type
        if not isinstance(space, Array):
            return False
        return symbol(nodes, range(len(nodes)), matrix, space, self._trial()) is not None

    def _trial(self) -> Rewriting:
        """A copy of the nodes to try things on."""
        trial = Rewriting(self.graph.functions, self.graph.per_phase)
        for node in self.graph.nodes:
            trial.add(node.op, node.args, node.type, node.origin)
        return trial

    def _few_pixels(self, index: int, parts: Sequence[MapTerm]) -> FewPixels | None:
        space = self.graph.nodes[self.graph.nodes[index].args[1]].type
        if not isinstance(space, Array) or self.forms.sign(parts) is not Sign.POSITIVE:
            return None
        return few_pixels(self.graph.nodes, parts, self.forms, space, self._trial())

    def plan(self, index: int) -> Plan:
        """The plan for the `Solve` node `index`."""
        node = self.graph.nodes[index]
        assert isinstance(node.op, Solve)
        matrix = node.args[0]
        parts = terms(self.graph.nodes, matrix)
        if all(isinstance(t.core, Identity | DiagonalTerm) for t in parts):
            return Plan(Divide(parts), "the matrix is diagonal: one division")
        if any(isinstance(t.core, Opaque) for t in parts):
            if self._fourier(index):
                when = _WHEN[self.stages[matrix]]
                return Plan(
                    Fourier(),
                    "every term is diagonal under fft2: one division between two transforms, the "
                    f"diagonal {when}",
                )
            few = self._few_pixels(index, parts)
            if few is not None:
                when = _WHEN[self.stages[matrix]]
                return Plan(
                    few,
                    f"few pixels of what is diagonal under fft2: one division between transforms of their "
                    f"number, the diagonal {when}",
                )
            shown = next(self._name(t.source) for t in parts if isinstance(t.core, Opaque))
            known = self.forms.sign(parts)
            if known > Sign.UNKNOWN:
                form = "definite" if known is Sign.POSITIVE else "semidefinite by its form"
                return Plan(
                    Iterate(False),
                    f"{shown} is a map whose entries are not known, and the whole is positive {form}",
                )
            return Plan(
                Iterate(True),
                f"{self._name(matrix)} is a map whose entries are not known, and not known to be positive "
                "semidefinite: by its normal equations, which square its condition number",
            )
        if self.stages[matrix] > Stage.SETUP:
            spectral = self._spectral(parts)
            if spectral is not None:
                return spectral
        if self.forms.sign(parts) is Sign.POSITIVE:
            return self._definite(index, parts)
        when = _WHEN[self.stages[matrix]]
        if self.stages[matrix] < self.stages[index]:
            return Plan(
                Orthogonal(),
                f"{self._name(matrix)} is not known to be positive definite: its QR factors are "
                f"computed {when}",
            )
        return Plan(Direct(), f"{self._name(matrix)} has no structure to use: solved {when}")

    # ---- moving shift ---------------------------------------------------------------------------

    def _spectral(self, parts: Sequence[MapTerm]) -> Plan | None:
        matrices = tuple(t for t in parts if not isinstance(t.core, Identity))
        shift = tuple(t for t in parts if isinstance(t.core, Identity))
        scale: tuple[MapTerm, ...] = ()
        if len({self._moving(t) for t in matrices}) > 1:
            split = self._diagonal_shift(parts)
            if split is None:
                return None
            matrices, shift = split
            scale = shift
        if not shift or not all(self._fixed_hermitian(t) for t in matrices):
            return None
        what = " + ".join(dict.fromkeys(self._name(t.source) for t in matrices))
        moved = self._shift_words(shift, matrices)
        gram = matrices[0].core if len(matrices) == 1 else None
        thin = None
        if isinstance(gram, Gram) and not scale and self.forms.sign(shift) is Sign.POSITIVE:
            rows, columns = self._shape(gram)
            if gram.weight is None and rows is not None and columns is not None and rows < columns:
                thin = gram
        if thin is not None:
            why = (
                f"{moved}: the {rows} singular vectors of {self._factor_name(thin)} ({rows} < "
                f"{columns}) are computed once, at set-up, then two products with them a phase"
            )
        else:
            why = (
                f"{moved}: the eigenvectors of {what} are computed once, at set-up, then two "
                "products with them a phase"
            )
        moving = matrices[0] if any(self._moving(matrices[0])) else None
        return Plan(Spectral(matrices, moving, shift, thin, scale), why)

    def _diagonal_shift(
        self, parts: Sequence[MapTerm]
    ) -> tuple[tuple[MapTerm, ...], tuple[MapTerm, ...]] | None:
        """Fixed matrices and a fixed positive diagonal, each times what moves."""
        groups: dict[object, list[MapTerm]] = {}
        for term in parts:
            groups.setdefault(self._moving(term), []).append(term)
        if len(groups) != 2:
            return None
        for shift, matrices in (tuple(groups.values()), tuple(groups.values())[::-1]):
            diagonal = all(
                isinstance(t.core, Identity | DiagonalTerm)
                and self.stages[t.source] is Stage.SETUP
                and t.sign > 0
                and all(
                    self.signs[i] is Sign.POSITIVE
                    for i in (*t.times, *t.over)
                    if self.stages[i] is Stage.SETUP
                )
                and (isinstance(t.core, Identity) or self.signs[t.core.entries] is Sign.POSITIVE)
                for t in shift
            )
            if diagonal:
                return tuple(matrices), tuple(shift)
        return None

    def _moving(self, term: MapTerm) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The part of a coefficient that is not known at set-up."""
        late = [
            tuple(sorted(i for i in side if self.stages[i] > Stage.SETUP))
            for side in (term.times, term.over)
        ]
        return late[0], late[1]

    def _fixed_hermitian(self, term: MapTerm) -> bool:
        if self.stages[term.source] is not Stage.SETUP:
            return False
        if not all(self.forms.real(i) for i in (*term.times, *term.over)):
            return False
        match term.core:
            case Identity():
                return True
            case DiagonalTerm(entries):
                return self.forms.real(entries)
            case Gram(weight=weight):
                return weight is None or self.forms.real(weight)
            case Dense() | Opaque():
                return False

    # ---- positive definite ----------------------------------------------------------------------

    def _definite(self, index: int, parts: Sequence[MapTerm]) -> Plan:
        matrix = self.graph.nodes[index].args[0]
        when = _WHEN[self.stages[matrix]]
        cholesky = f"{self._name(matrix)} is positive definite: its Cholesky factor is computed"
        grams = [t for t in parts if isinstance(t.core, Gram) and t.core.weight is None]
        # a number alone: beside one small entry of a diagonal the way over the smaller side cancels
        shift = tuple(t for t in parts if isinstance(t.core, Identity))
        if (
            len(grams) == 1
            and len(shift) == len(parts) - 1
            and self.forms.sign(shift) is Sign.POSITIVE
        ):
            gram = grams[0].core
            assert isinstance(gram, Gram)
            m, n = self._shape(gram)
            if m is not None and n is not None and m < n:
                kept = self.stages[matrix] is Stage.SETUP < self.stages[index]
                if not kept or 4 * m * n + 2 * m * m < 2 * n * n:
                    return Plan(
                        Woodbury(grams[0], shift),
                        f"{self._factor_name(gram)} has {m} rows and {n} columns: the Cholesky "
                        f"factor of the {m}-by-{m} side is computed {when}",
                    )
                cholesky = (
                    f"{m} < {n}, but two {n}-by-{n} triangles cost less a phase than the way over "
                    f"the {m}-by-{m} side: the Cholesky factor is computed"
                )
        if self.stages[matrix] is Stage.PHASE:
            when += ", as what moves in it is no multiple of the identity"
        return Plan(Cholesky(), f"{cholesky} {when}")

    # ---- words and numbers ----------------------------------------------------------------------

    def _shape(self, gram: Gram) -> tuple[int | None, int | None]:
        """Rows and columns of the factor, where the sizes are known."""
        type_ = self.graph.nodes[gram.factor].type
        assert isinstance(type_, Array)
        rows, columns = (dim.substitute(self.sizes).value for dim in type_.shape)
        return (columns, rows) if gram.turned else (rows, columns)

    def _factor_name(self, gram: Gram) -> str:
        return self._name(gram.factor) + ("'" if gram.turned else "")

    def _shift_words(self, shift: Sequence[MapTerm], matrices: Sequence[MapTerm]) -> str:
        moving = [
            i
            for t in (*shift, *matrices)
            for i in (*t.times, *t.over)
            if self.stages[i] > Stage.SETUP
        ]
        names = tuple(dict.fromkeys(self._name(i) for i in moving))
        verb = "moves" if len(names) == 1 else "move"
        over = "a fixed diagonal" if any(isinstance(t.core, DiagonalTerm) for t in shift) else "I"
        return f"only {' and '.join(names)} {verb}, before a fixed matrix and {over}"

    def _name(self, index: int) -> str:
        return describe(self.graph.nodes, index)


def describe(nodes: Sequence[Node], index: int) -> str:
    """A value in a message: the author's name or text, if there is one."""
    node = nodes[index]
    match node.op:
        case Fixed(name) | Learnable(name) | Input(name) | State(name):
            return name
        case _:
            pass
    if node.origin is not None and node.origin.text.strip():
        return f"`{node.origin.text}`"
    return node.label or "the matrix"
