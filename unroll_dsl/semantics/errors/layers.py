"""U03: steps of layers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["LayerFault"]


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
        NO_NUMBER = ("`{step}` takes no number", "which says nothing here", "write `{step}`")
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
