"""U03: steps of layers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["BlockDoesNotType", "BlockFault", "LayerFault"]


@dataclass(frozen=True)
class LayerFault(Diagnostic):
    """A step of a layer says what cannot be.

    `deconv[64 -> 32, 4, stride=2]` has channels, the side of its kernel and options; `up[2, bilinear]` a factor
    and a word; norms and `prelu` stand beside a convolution, which tells their channels. Wrong:

        learnable N : conv[1 -> 32, 2, stride=3] >> relu

    Right:

        learnable N : conv[1 -> 32, 3, stride=3] >> relu
    """

    code = "U0345"
    title = "step of a layer that cannot be"
    span: Span
    step: str
    why: Why
    text: str = ""

    class Why(Enum):
        """What is wrong, where, and the mend."""

        ARROW = (
            "`{step}` says which channels enter and which leave",
            "no `->` in it",
            "for instance `{step}[64 -> 32{text}]`",
        )
        NO_ARROW = (
            "`{step}` keeps its channels",
            "which it does not change",
            "the convolution beside it tells them",
        )
        WHOLE = (
            "`{step}` takes one whole number of at least 1",
            "found {text}",
            "for instance `{example}`",
        )
        SHARE = (
            "`{step}` takes the share of entries that are dropped, at least 0 and below 1",
            "found {text}",
            "for instance `{step}[0.1]`",
        )
        NO_NUMBER = ("`{step}` takes no number", "which says nothing here", "write `{text}`")
        OPTION = (
            "an option of `{step}` is a whole number of at least 1",
            "found {text}",
            "for instance `stride=2`",
        )
        CHANNELS = (
            "`{step}` stands beside a convolution, which tells its channels",
            "none in this chain",
            "put it behind one: `conv[1 -> 32, 3] >> {step}`",
        )
        GROUPS = (
            "channels are divided into groups of one size",
            "{text}",
            "take a number that divides the channels",
        )
        SIZE = (
            "no image has a size behind `{step}`",
            "{text}",
            "an odd kernel has a middle: 3, or 4 with a stride of 2",
        )
        PADDING = (
            "a convolution with a stride or a dilation is padded with zeros",
            "`{text}` is not said of one",
            "remove it, or keep the size and take every second pixel: `downsample(2) @ N(x)`",
        )
        REPEATS = (
            "a chain is repeated a whole number of times, at least once",
            "found {text}",
            "for instance `(...) * 4`",
        )

    def _words(self, place: int) -> str:
        examples = {"group_norm": "group_norm[8]", "deconv": "deconv[64 -> 32, 4, stride=2]"}
        example = examples.get(self.step, f"{self.step}[2]")
        words = {"step": self.step, "text": self.text, "example": example}
        return self.why.value[place].format_map(words)

    def message(self) -> str:
        return self._words(0)

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self._words(1)),)

    def help(self) -> str | None:
        return self._words(2)


@dataclass(frozen=True)
class BlockFault(Diagnostic):
    """A named block is written or used as it cannot be.

    `def block ResBlock[c](x) = x + (conv[c -> c, 3] >> relu)(x)` has sizes in square brackets and takes arrays; it
    stands in the chain of a declaration, `conv[2 -> 64, 3] >> ResBlock[64] * 4`, or in another block. Each use has
    tensors of its own. Wrong:

        learnable N : ResBlock[64, 3] ~ kaiming_normal

    Right:

        learnable N : ResBlock[64] ~ kaiming_normal
    """

    code = "U0350"
    title = "named block that cannot be"
    span: Span
    block: str
    why: Why
    form: str = ""
    found: str = ""
    definition: Span | None = None

    class Why(Enum):
        """What is wrong, where, and the mend."""

        SIZES = (
            "the sizes of a block are `{form}`",
            "found {found}",
            "give as many sizes as it has",
        )
        BRACKETS = (
            "a block has its sizes in its brackets, and nothing else",
            "no `->` and no option here",
            "for instance `{block}[64]`",
        )
        SMALL = ("a size is at least 1", "{found}", "for instance `{block}[64]`")
        MANY = (
            "a block is made of at most {form} layers",
            "`{block}` would be made of {found}",
            "use smaller blocks, or several learnables",
        )
        ARGUMENTS = (
            "block `{block}` takes no array",
            "nothing to act on",
            "for instance `def block {block}[c](x) = ...`",
        )
        RECURSION = (
            "block `{block}` is made of itself",
            "this use comes back to it",
            "repeat a block so often as it is needed: `{block}[64] * 4`",
        )
        OUTSIDE = (
            "a layer has tensors of its own, which a declaration makes",
            "applied where it is written",
            "declare it, `learnable N : {form} ~ kaiming_normal`, and apply `N(x)`",
        )
        RESULT = (
            "block `{block}` gives no array",
            "this is {found}",
            "apply it: `return N(x)`",
        )
        RANKS = (
            "a block is given arrays of the same numbers of axes wherever it is used",
            "{form} in one place, {found} in another",
            "write a second block",
        )
        MIDDLE = (
            "`{form}` takes {found} arrays, and a chain hands one on",
            "behind another step",
            "apply it in a block of its own: `{block}(x, y)`",
        )

    def _words(self, place: int) -> str:
        words = {"block": self.block, "form": self.form, "found": self.found}
        return self.why.value[place].format_map(words)

    def message(self) -> str:
        return self._words(0)

    def labels(self) -> tuple[Label, ...]:
        here = Label(self.span, self._words(1))
        if self.definition is None:
            return (here,)
        return here, Label(self.definition, f"`{self.block}` is defined here")

    def help(self) -> str | None:
        return self._words(2)


@dataclass(frozen=True)
class BlockDoesNotType(Diagnostic):
    """The body of a block has no meaning at these sizes, or for these arrays.

    A block is checked at the sizes and with the arrays of each use; channels of a skip agree, and pooling comes
    back to the size it began with where sides are declared as multiples: `image[1, 4 * h, 4 * w]`. Wrong:

        def block Wide[c](x) = x + conv[c -> 2 * c, 3](x)

    Right:

        def block Wide[c](x) = conv[c -> 2 * c, 1](x) + conv[c -> 2 * c, 3](x)
    """

    code = "U0351"
    title = "block that cannot take these arrays"
    span: Span
    block: str
    arguments: tuple[str, ...]
    cause: Diagnostic
    definition: Span

    def inner(self) -> Diagnostic:
        """What is wrong, in the innermost block."""
        return self.cause.inner() if isinstance(self.cause, BlockDoesNotType) else self.cause

    def message(self) -> str:
        return f"block `{self.block}` cannot take {' and '.join(self.arguments)}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self.inner().message()), *self.inner().labels())

    def help(self) -> str | None:
        return self.inner().help()

    def notes(self) -> tuple[str, ...]:
        line = self.definition.file.line(self.definition.line).strip()
        return (f"`{self.block}` is {line}",)
