"""How the data of a program are made: its `measure` lines in both backends.

The lines are a program of their own (programs/measures.py), from the targets of the loss and white noise to the inputs
of the network. It is checked and compiled as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.driver import check_program
from unroll_dsl.programs.measures import data_program, noisy_lines
from unroll_dsl.semantics.measures import measures
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.source import Span
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Field

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from unroll_dsl.backends.numpy import Reference


@dataclass(frozen=True)
class Measurement:
    """The `measure` lines of a program: see `measurement`.

    Attributes
    ----------
    inputs : tuple of str
        The inputs of the network that are made, in the order of the lines.
    targets : tuple of str
        The targets of the loss that they are made of, in the order of the loss.
    spec : Spec
        The derived program, from targets, then noises, to the inputs.
    learned : tuple of str
        The learnables of the network that the data are made with: a sampling that is learned.
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    spec: Spec
    learned: tuple[str, ...]
    _types: tuple[Array, ...] = field(repr=False)  # of the inputs
    # of the inputs whose lines read noise: name, type, place
    _noises: tuple[tuple[str, Array, Span], ...] = field(repr=False)
    # constants of the network that making data does not need
    _elsewhere: frozenset[str] = field(repr=False)

    @property
    def noisy(self) -> bool:
        """Whether any line reads `noise`."""
        return bool(self._noises)

    @property
    def noise_inputs(self) -> tuple[str, ...]:
        """The inputs whose lines read `noise`, in order."""
        return tuple(name for name, _, _ in self._noises)

    def compile(
        self,
        *,
        bind: Mapping[str, Any] | None = None,
        dims: Mapping[str, int] | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        init: Mapping[str, Any] | None = None,
        network: nn.Module | None = None,
    ) -> nn.Module:
        """A module that makes data: `module(*targets, *noises)`, targets in the order of `targets`.

        Parameters
        ----------
        bind
            Values of `fixed` names, as for `Spec.compile`; what the network alone needs may be among them.
        dims, dtype, device
            As for `Spec.compile`.
        init
            Values of `learned`, as `Spec.values` gives them.
        network
            In place of values: the network of the program, with which the module then shares what is `learned`, so
            that data follow the network and gradients of a loss reach it through them.

        Returns
        -------
        torch.nn.Module
            It takes the targets and then what `noise` draws, all with the same leading batch axes, and gives
            the inputs in the order of `inputs`: a tensor, or a tuple where there are several.

        Raises
        ------
        UnrollError
            As `Spec.compile`, with everything that does not fit.
        ValueError
            Where neither `init` nor `network` tells what has been learned.
        """
        if network is None:
            self._check_known(init, "`init=` or `network=`")
        module = self.untrained({**(bind or {}), **(init or {})}, dims, dtype, device)
        if network is not None:
            self.share(module, network)
        return module

    def share(self, module: nn.Module, network: nn.Module) -> None:
        """Let a module of `compile` compute with what a network has learned, its parameters themselves.

        Raises
        ------
        ValueError
            For a network that is not of this program.
        """
        import torch

        from unroll_dsl.backends.torch.names import identifier

        for name in self.learned:
            word = identifier(name)
            held = getattr(network, word, None)
            if not isinstance(held, torch.Tensor):
                raise ValueError(f"data are made with `{name}`, which the network has not")
            delattr(module, word)
            if isinstance(held, torch.nn.Parameter):
                module.register_parameter(word, held)
            else:
                module.register_buffer(word, held, persistent=False)

    def untrained(
        self,
        values: Mapping[str, Any],
        dims: Mapping[str, int] | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> nn.Module:
        """A module as of `compile` of the values of constants and learnables that are given, for others those
        with which the program begins."""
        module = self.spec.compile(
            bind=self._own(values),
            init={name: values[name] for name in self.learned if name in values},
            dims=dims,
            dtype=dtype,
            device=device,
        )
        widened = self._widened()
        if any(widened):
            module.register_forward_hook(partial(_torch_as_declared, widened))
        return module

    def _check_known(self, init: Mapping[str, Any] | None, give: str) -> None:
        for name in self.learned:
            if name not in (init or {}):
                raise ValueError(f"data are made with `{name}`, which is learned: give {give}")

    def reference(
        self,
        *,
        bind: Mapping[str, Any] | None = None,
        dims: Mapping[str, int] | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> MeasurementReference:
        """The same in NumPy and double precision, from the lines as written; called as `compile`'s module.
        `init` has the values of what is `learned`."""
        self._check_known(init, "`init=`")
        given = {name: (init or {})[name] for name in self.learned}
        return MeasurementReference(
            self.spec.reference(bind=self._own(bind), init=given, dims=dims), self._widened()
        )

    def noise(
        self,
        count: int,
        sizes: Mapping[str, int],
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> tuple[Tensor, ...]:
        """White Gaussian noise for `count` samples, one tensor for each input whose line reads `noise`.

        Parameters
        ----------
        count
            How many samples; the first axis of what is drawn.
        sizes
            Values of the sizes in the types of the inputs; those with a default may be left out.
        generator
            Draws on its own device, torch's on the CPU by default, so that one seed gives the same noise on all.
        dtype
            Of real noise, by default torch's; complex noise has the same precision, at least single.
        device
            To which the noise is moved.

        Returns
        -------
        tuple of Tensor
            Each of shape (count, ...) and standard deviation 1. Complex noise is circular: real and imaginary
            part have the variance 1/2, E|noise|^2 = 1.

        Raises
        ------
        UnrollError
            Where a size is not given (U0507).
        """
        import torch

        real = dtype if dtype is not None else torch.get_default_dtype()
        real = real.to_real()
        origin = generator.device if generator is not None else torch.device("cpu")
        shapes = [self._shape(*noise, sizes) for noise in self._noises]
        found = []
        for (_, type_, _), shape in zip(self._noises, shapes, strict=True):
            drawn = torch.float32 if real.itemsize < 4 else real  # half precision rounds this draw
            if type_.field is Field.COMPLEX:
                drawn = drawn.to_complex()
            values = torch.randn((count, *shape), generator=generator, dtype=drawn, device=origin)
            kept = values.dtype if values.is_complex() else real
            found.append(values.to(device=device, dtype=kept))
        return tuple(found)

    def _shape(
        self, name: str, type_: Array, origin: Span, sizes: Mapping[str, int]
    ) -> tuple[int, ...]:
        known = {dim: size for dim, size in self.spec.typed.dims if size is not None} | dict(sizes)
        shape = []
        for dim in type_.shape:
            size = dim.substitute(known).value
            if size is None:
                missing = next(iter(sorted(dim.symbols - known.keys())))
                raise UnrollError([SizeUnknown(missing, f"the noise of `{name}`", origin)])
            shape.append(size)
        return tuple(shape)

    def _own(self, bind: Mapping[str, Any] | None) -> dict[str, Any]:
        """What is bound, without what the network alone needs."""
        other = {*self._elsewhere, *self.learned}
        return {name: v for name, v in (bind or {}).items() if name not in other}

    def _widened(self) -> tuple[bool, ...]:
        """For each input whether it is complex and its line gives real values."""
        found = (self.spec.graph.nodes[index].type for index in self.spec.graph.outputs)
        return tuple(
            declared.field is Field.COMPLEX
            and not (isinstance(made, Array) and made.field is Field.COMPLEX)
            for declared, made in zip(self._types, found, strict=True)
        )


@dataclass(frozen=True)
class MeasurementReference:
    """`measure` lines interpreted by NumPy: `reference(*targets, *noises)`."""

    program: Reference
    widened: tuple[bool, ...]

    def __call__(self, *arguments: Any) -> Any:
        """The inputs: an array, or a tuple of arrays where there are several."""
        results = self.program(*arguments)
        several = results if isinstance(results, tuple) else (results,)
        cast: tuple[NDArray[Any], ...] = tuple(
            value.astype("complex128") if widen else value
            for value, widen in zip(several, self.widened, strict=True)
        )
        return cast if isinstance(results, tuple) else cast[0]


def measurement(spec: Spec) -> Measurement | None:
    """What the `measure` lines of a program say, or None if it has none.

    A program that learns a constant with which data are made (`spec.with_roles(learn=...)`) has no such line
    any more: ask the one that it comes from.
    """
    lines = measures(spec.program)
    if not lines:
        return None
    types = {entry.name: entry.type for entry in spec.graph.inputs}
    read = {name.text for line in lines for name in names_in(line.value)}
    targets = tuple(entry.name for entry in spec.graph.targets if entry.name in read)
    noisy = noisy_lines(spec.program)
    derived = Spec(check_program(data_program(spec.program)))
    constants = {c.name for c in spec.graph.constants} | {p.name for p in spec.graph.parameters}
    own = {c.name for c in derived.graph.constants} | {p.name for p in derived.graph.parameters}
    return Measurement(
        inputs=tuple(line.name.text for line in lines),
        targets=targets,
        spec=derived,
        learned=tuple(p.name for p in derived.graph.parameters),
        _types=tuple(types[line.name.text] for line in lines),
        _noises=tuple((x.name.text, types[x.name.text], x.name.span) for x in noisy),
        _elsewhere=frozenset(constants - own),
    )


def _torch_as_declared(
    widened: tuple[bool, ...], module: nn.Module, arguments: Any, results: Any
) -> Any:
    several = results if isinstance(results, tuple) else (results,)
    cast = tuple(
        value.to(value.dtype.to_complex()) if widen else value
        for value, widen in zip(several, widened, strict=True)
    )
    return cast if isinstance(results, tuple) else cast[0]
