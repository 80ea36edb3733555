"""The public face of a program: `compile` it, run its `reference`, derive one of its objective."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from unroll_dsl.backends.binding import bind as bind_values
from unroll_dsl.backends.errors import NoInfluence, NothingToRun, PhasesInvalid
from unroll_dsl.backends.resting import Phases, Rest, resting
from unroll_dsl.compiling import Made, Supplied, check_limits, compiled
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.driver import Checked, check_program, check_source
from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.passes.pipeline import optimize as optimized
from unroll_dsl.programs.roles import with_roles
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax.nodes import Program

if TYPE_CHECKING:
    import torch

    from unroll_dsl.backends.numpy import Reference
    from unroll_dsl.backends.torch.styles import Style
    from unroll_dsl.derive import Derivation
    from unroll_dsl.relax import Relaxed


class Spec:
    """A checked program.

    Attributes
    ----------
    name : str
        The name after `algorithm`.
    program, typed, graph
        What the stages of the compiler made of it.
    warnings : tuple of Diagnostic
        What is odd but not wrong.
    """

    def __init__(self, checked: Checked) -> None:
        errors = [d for d in checked.diagnostics if d.is_error]
        if errors:
            raise UnrollError(checked.diagnostics)
        if checked.program is None or checked.typed is None or checked.graph is None:
            raise InternalError("a program without errors has a graph")
        self.program: Program = checked.program
        self.typed: TypedProgram = checked.typed
        self.graph: Graph = checked.graph
        self.warnings: tuple[Diagnostic, ...] = checked.diagnostics
        self.name = self.program.name.text

    def __repr__(self) -> str:
        inputs = ", ".join(f"{e.name}: {e.type}" for e in self.graph.inputs)
        return f"<Spec {self.name}({inputs})>"

    def _repr_latex_(self) -> str:
        """Its equations, for notebooks."""
        from unroll_dsl.typeset import equations

        return equations(self.typed)

    def __reduce__(self) -> tuple[Any, ...]:
        return _checked_again, (self.program,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Spec:
        return self  # nothing in it changes

    # ---- variants -------------------------------------------------------------------------------

    def with_roles(self, learn: Mapping[str, str] | None = None, fix: Iterable[str] = ()) -> Spec:
        """The same program with other roles: see `compile`."""
        program = with_roles(self.program, learn or {}, fix)
        if program is self.program:
            return self
        spec = Spec(check_program(program))
        live = liveness(spec.graph, training=True).parameters
        starts = {p.name for p in spec.graph.parameters if p.initial is None}
        idle = [NoInfluence(name) for name in learn or {} if name in starts - {*live}]
        if idle and spec.graph.outputs:
            raise UnrollError(idle)
        return spec

    def over(self, graph: Graph) -> Spec:
        """The same program with another graph: for what is derived from it."""
        other = copy(self)
        other.graph, other.name = graph, graph.name
        return other

    # ---- from a problem to an algorithm -----------------------------------------------------------

    def derive(self, method: str, **options: Any) -> Derived:
        """The algorithm of a method for the objective of this program.

        Parameters
        ----------
        method
            "ista", "admm", ...: `unroll_dsl.derive.method_names()`.
        **options
            Those of `unroll_dsl.derive.Options`; a splitting may be one text: `split="z = D @ x"`.

        Returns
        -------
        Derived
            The page, the program that it is, and the way to it.

        Raises
        ------
        UnrollError
            U06: the objective has no normal form, or the method does not serve it; says which would.
        """
        from unroll_dsl.derive import Options, derive, method_names

        if method not in method_names():
            raise ValueError(f"no method `{method}`: they are {', '.join(method_names())}")
        for key in ("split", "statements"):
            if isinstance(options.get(key), str):
                options[key] = (options[key],)
        return Derived(derive(self.typed, method, Options(**options)))

    # ---- what is made of a program --------------------------------------------------------------

    def source(
        self,
        phases: Phases | None = None,
        *,
        learn: Mapping[str, str] | None = None,
        fix: Iterable[str] = (),
        dims: Mapping[str, int] | None = None,
        style: Style = "fast",
        optimize: int | None = None,
        checkpoint: Literal["phase"] | None = None,
        gradient: Literal["unroll", "implicit"] | int = "unroll",
        tol: float | None = None,
        max_phases: int | None = None,
    ) -> str:
        """The text of a Python module with the network; torch is its only import.

        The text does not depend on `phases` but for a default. With `dims`, the compiler may choose
        routes for those sizes. `style` is "fast", what `compile` runs, or "readable", what one publishes
        beside a paper: without kernels of our own, each phase one body, and no question whether a system is
        singular. `optimize` is the level as for `compile`, by default 2, or 1 where it is to be read.
        """
        from unroll_dsl.backends.torch import emit
        from unroll_dsl.backends.torch.backward import backward
        from unroll_dsl.backends.torch.styles import in_style, level_of

        spec = self.with_roles(learn, fix)
        graph = spec.runnable()
        rest = resting(graph, phases, tol, max_phases)
        made = in_style(optimized(graph, dims, level_of(style, optimize)), style)
        how = backward(graph, checkpoint, gradient, rest)
        count = spec.count(phases, rest)
        return emit(made, phases=count, backward=how, style=style).source

    def compile(
        self,
        phases: Phases | None = None,
        *,
        bind: Mapping[str, Any] | None = None,
        init: Mapping[str, Any] | None = None,
        learn: Mapping[str, str] | None = None,
        fix: Iterable[str] = (),
        dims: Mapping[str, int] | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        seed: int | None = None,
        style: Style = "fast",
        optimize: int | None = None,
        checkpoint: Literal["phase"] | None = None,
        gradient: Literal["unroll", "implicit"] | int = "unroll",
        tol: float | None = None,
        max_phases: int | None = None,
    ) -> torch.nn.Module:
        """A network: a `torch.nn.Module` that equals the classical iteration until it is trained.

        Parameters
        ----------
        phases
            How many; by default what the program says. "fixed_point": until the phase leaves its states where
            they are, by accelerated steps, with the derivatives of that point (deep equilibrium).
        bind
            Values of `fixed` names: tensors, arrays of numpy or numbers, in the shape of one sample. Those
            with a classical value may be left out.
        init
            Values that learnables start from, in place of their classical ones: a number, one value, or,
            per phase, one value a phase along the first axis.
        learn
            Constants to learn: `{"alpha": "shared"}` or `{"alpha": "per phase"}`.
        fix
            Learnables to fix at their classical values.
        dims
            Sizes that no bound value determines.
        dtype, device
            Of the network; by default those of the bound values, else torch's.
        seed
            Makes random starts repeatable, without touching torch's global generator.
        style
            "fast", or "readable": what `source` writes in that style, to hold one against the other.
        optimize
            0: the program as written; 1: exact algebra; 2: fused kernels as well. All compute the same. By default 2, or 1 of
            what is to be read.
        checkpoint
            "phase": a training step keeps the states between phases alone and computes each phase again on
            the way back, for a fraction of the memory and about a third more time.
        gradient
            "unroll": through all phases. A number: through so many of the last phases alone (TRUNCATED).
            "implicit": that of the fixed point which the phases come near to, by the implicit function
            theorem, from the last phase alone (IMPLICIT, deep equilibrium): the memory does not grow with
            their number. The last two ask for phases that have no learnables of their own.
        tol, max_phases
            For phases="fixed_point": at rest a phase moves no state by more than `tol` (1e-6) of its size, and
            no less than rounding does; at most `max_phases` (1000) are run, and a `RuntimeWarning` names the
            residual where that is not enough.

        Returns
        -------
        torch.nn.Module
            Besides what the generated text shows it has two methods. `freeze()` gives the same network for
            inference, in which everything that no input changes (composed kernels, factors, thresholds) is
            computed once and kept as buffers; training this one further does not change that one.
            `compile(**options)` is `torch.compile` of one phase, in place, which serves all of its kind.

        Raises
        ------
        UnrollError
            With everything that does not fit: a name that the program lacks, a wrong shape, dtype or count,
            a violated constraint. Nothing is ignored or cast in silence.
        """
        from unroll_dsl.backends.torch.styles import level_of

        spec = self.with_roles(learn, fix)
        rest = resting(spec.runnable(), phases, tol, max_phases)
        bound = Supplied(bind or {}, init or {}, dims or {})
        level = level_of(style, optimize)
        made = Made(dtype, device, seed, level, checkpoint, gradient, rest, style)
        return compiled(spec.program, spec.graph, spec.count(phases, rest), bound, made)

    def reference(
        self,
        phases: Phases | None = None,
        *,
        bind: Mapping[str, Any] | None = None,
        init: Mapping[str, Any] | None = None,
        learn: Mapping[str, str] | None = None,
        fix: Iterable[str] = (),
        dims: Mapping[str, int] | None = None,
        seed: int = 0,
        tol: float | None = None,
        max_phases: int | None = None,
    ) -> Reference:
        """The program interpreted as written by NumPy in double precision.

        Parameters and errors are those of `compile`. See `unroll_dsl.backends.numpy.Reference`.
        """
        from unroll_dsl.backends.numpy import Reference
        from unroll_dsl.backends.numpy.given import as_arrays, parameters_of

        spec = self.with_roles(learn, fix)
        graph = spec.runnable()
        rest = resting(graph, phases, tol, max_phases)
        count = spec.count(phases, rest) or 1
        bound = bind_values(graph, count, bind or {}, init or {}, dims or {})
        constants = as_arrays(graph, bound, eager=True)
        parameters = parameters_of(graph, count, bound)
        reference = Reference(graph, count, constants, parameters, bound.sizes, seed, rest=rest)
        if {name for name, _ in graph.dims} <= set(bound.sizes):
            reference.check_limits()
        else:  # the call tells them
            check_limits(graph, count, bound)
        return reference

    def values(
        self,
        net: torch.nn.Module,
        *,
        bind: Mapping[str, Any] | None = None,
        dims: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """The learnables of a network of this program as it computes with them.

        A constraint holds by reflection at its bound, so that a parameter may be stored below one; here
        it is reflected. What `compile` made with `learn` belongs to `spec.with_roles(learn=...)`.

        Parameters
        ----------
        net
            What `compile` has made, trained or not.
        bind, dims
            As for `compile`; needed only where a constraint names another constant.

        Returns
        -------
        dict of str to Tensor
            (of a layer, a dict of its tensors) by the name in the program, with a leading axis of phases where it has a value per phase: fit
            for `init` of `compile` and `reference`. A phase where it would have no influence has none of its
            own and repeats the value of the phase before, or of the first that has one; what no phase has is
            left out.
        """
        from unroll_dsl.backends.numpy import Reference
        from unroll_dsl.backends.numpy.given import as_arrays
        from unroll_dsl.backends.torch.learned import learned

        bound = bind_values(self.graph, 1, bind or {}, {}, dims or {})
        constants = as_arrays(self.graph, bound)
        reference = Reference(self.graph, 1, constants, {}, bound.sizes)
        return learned(self.graph, net, reference.bounds)

    def runnable(self) -> Graph:
        """The graph of a program that has an iteration."""
        if not self.graph.outputs:
            raise UnrollError([NothingToRun(self.name, self.program.name.span)])
        return self.graph

    def count(self, phases: Phases | None, rest: Rest | None = None) -> int | None:
        """How many phases are meant: those asked for, or what the program says."""
        if rest is not None:
            return rest.phases
        if phases is None:
            return self.graph.phases
        if isinstance(phases, bool) or not isinstance(phases, int) or phases < 1:
            raise UnrollError([PhasesInvalid(repr(phases))])
        return phases


class Derived:
    """What `Spec.derive` gives: the page as a `text`, the `spec` that it is, the steps of the `way` to it,
    the relaxations in `relaxed`."""

    def __init__(self, derivation: Derivation, relaxed: tuple[Relaxed, ...] = ()) -> None:
        self.derivation, self.relaxed = derivation, relaxed
        self.text = relaxed[-1].text if relaxed else derivation.text
        self.way = derivation.way
        name = f"{derivation.program.name.text}.unroll"
        self.spec = Spec(check_source(SourceFile(name, self.text)))

    def __repr__(self) -> str:
        way = "".join(f", {step.relaxation.name}" for step in self.relaxed)
        return f"<Derived {self.spec.name} by {self.derivation.method.title}{way}>"

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        """The way with its formulas, and the page, for notebooks."""
        from unroll_dsl.typeset.derivation import markdown

        return markdown(self.derivation, self.text, self.relaxed)

    def relax(self, *names: str) -> Derived:
        """The page with parts relaxed, one after the other: `relax("filters", "threshold(shared)")`."""
        from unroll_dsl.relax import relax

        return Derived(self.derivation, (*self.relaxed, *relax(self.spec.typed, names)))


def _checked_again(program: Program) -> Spec:
    return Spec(check_program(program))
