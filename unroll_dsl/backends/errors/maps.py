"""U05: what was given for a linear map or for a layer."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.errors.place import declared_at
from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True)
class CannotActAsMap(Diagnostic):
    """What was given for a linear map or for a layer cannot act as one.

    A `linear X -> Y` takes a matrix on flattened arrays, an object with a forward and an adjoint, or a
    pair of functions; a layer takes its tensors by name:

        spec.compile(bind={"Phi": Phi}, init={"D": {"weight": weight}})
    """

    code = "U0519"
    title = "neither a map nor a layer"
    name: str
    declared: str
    found: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` is {self.declared}, and {self.found} cannot act as one"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, f"declared as {self.declared}")

    def help(self) -> str | None:
        if self.declared.startswith("linear"):
            return "give a matrix, an object with `adjoint`, or a pair of functions"
        return f"give its tensors by name: `{{'{self.name}': module.state_dict()}}`"


@dataclass(frozen=True)
class NotANetwork(Diagnostic):
    """What was given for a network from outside is no module and makes none.

    Bind a module, of which each phase that learns its own gets a copy; a function or a class that makes
    one; or, per phase, a list with a module for each phase. Tensors go beside the module:

        spec.compile(bind={"N": DRUNet}, init={"N": torch.load("drunet.pth")})
    """

    code = "U0551"
    title = "no network"
    name: str
    declared: str
    origin: Span | None
    found: str
    kind: str
    is_learnt: bool

    def message(self) -> str:
        words = "a network that is trained" if self.is_learnt else "a network"
        return f"`{self.name}` is {words}, found {self.found}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, f"declared as {self.declared}")

    def help(self) -> str | None:
        match self.kind:
            case "tensors":
                return f'give the module too: `bind={{"{self.name}": module}}`'
            case "several":
                return "give one module: phases share it; a list of modules needs `per phase`"
            case "function" if self.is_learnt:
                return f"a function that is not trained is `fixed {self.name} : ...`"
            case _:
                return "give an `nn.Module`, or a function that makes one"


@dataclass(frozen=True)
class NotAdjoint(Diagnostic):
    """The two functions of a linear map that was bound are not adjoint to each other.

    `<A x, y>` must be `<x, A' y>` for all x and y: gradients and solvers rely on it. It is tried on random
    arguments and on images of these, and held against what rounding explains: an adjoint that is 1 % too
    large is found at every size, in single precision too. Wrong:

        spec.compile(bind={"A": (lambda x: 2 * x, lambda y: y)})

    Right:

        spec.compile(bind={"A": (lambda x: 2 * x, lambda y: 2 * y)})
    """

    code = "U0520"
    title = "forward and adjoint do not match"
    name: str
    gap: float
    origin: Span | None

    def message(self) -> str:
        return (
            f"`{self.name}`: forward and adjoint do not match, <A x, y> and <x, A' y> differ by "
            f"{self.gap:.1e} of their size"
        )

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "a linear map has one adjoint")

    def help(self) -> str | None:
        return "look for a scale, a flip or a conjugation that only one of the two has"


@dataclass(frozen=True)
class NotLinear(Diagnostic):
    """A function that was bound to a linear map is not linear.

    `A (x + c z)` must be `A x + c A z`. An offset, a cut at 0, noise that is drawn anew at each call, a
    scale that is taken from the argument are the usual causes. Wrong:

        spec.compile(bind={"A": (lambda x: physics(x), physics.A_adjoint)})       # it adds noise

    Right:

        spec.compile(bind={"A": (physics.A, physics.A_adjoint)})
    """

    code = "U0541"
    title = "a map that is not linear"
    name: str
    bend: float
    origin: Span | None

    def message(self) -> str:
        if self.bend != self.bend:
            return f"`{self.name}` gives values that are not finite"
        return (
            f"`{self.name}` is not linear: the image of a sum and the sum of images differ by "
            f"{self.bend:.1e} of their size"
        )

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared linear")

    def help(self) -> str | None:
        return "look for an offset, for noise, for a cut at 0; what is no linear map is a `network`"


@dataclass(frozen=True)
class MapFails(Diagnostic):
    """A function that was bound to a linear map raises an error for arguments of its declared space.

    Most often it holds numbers of another precision, or is on another device, than the network. Functions
    see one batch axis. Wrong:

        spec.compile(bind={"A": physics, "b": b64})         # a physics that holds float32 alone

    Right, one of:

        spec.compile(bind={"A": physics.double(), "b": b64})
        spec.compile(bind={"A": physics, "b": b64.float()})
    """

    code = "U0542"
    title = "a map that cannot be applied"
    name: str
    dtype: str
    error: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` cannot be applied to {self.dtype} arguments: {self.error}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared here")

    def help(self) -> str | None:
        return "give both functions for a batch of one, of the precision and device of the network"
