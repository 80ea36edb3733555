"""Steps of a layer besides plain convolutions and activations: what each takes, makes and consists of.

`conv` with a stride or a dilation, `deconv`, `dense`, pooling, up-sampling, norms, `prelu`, `softmax`, `dropout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from unroll_dsl.types.dims import Dim


class Takes(Enum):
    """The number in the brackets of a step."""

    NOTHING = auto()
    WHOLE = auto()  # a whole number of at least 1
    SHARE = auto()  # a number in [0, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of step. `of_channels`: it needs the channels of what stands beside it, of which it may have
    `tensors` of their number."""

    name: str
    arrow: bool = False  # `[in -> out, ...]`
    takes: Takes = Takes.NOTHING
    flags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    of_channels: bool = False
    tensors: tuple[str, ...] = ()
    images: bool = True  # acts on [channels, h, w] and nothing else


_AFFINE = ("weight", "bias")
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("conv", True, Takes.WHOLE, ("bias",), ("stride", "dilation", "groups")),
        Kind("deconv", True, Takes.WHOLE, ("bias",), ("stride",)),
        Kind("dense", True, flags=("bias",), images=False),
        Kind("max_pool", takes=Takes.WHOLE),
        Kind("avg_pool", takes=Takes.WHOLE),
        Kind("up", takes=Takes.WHOLE, flags=("nearest", "bilinear")),
        Kind("instance_norm"),
        Kind("group_norm", takes=Takes.WHOLE, of_channels=True, tensors=_AFFINE),
        Kind("layer_norm", of_channels=True, tensors=_AFFINE),
        Kind("batch_norm", of_channels=True, tensors=(*_AFFINE, "running_mean", "running_var")),
        Kind("prelu", of_channels=True, tensors=("weight",)),
        Kind("softmax", of_channels=True, images=False),
        Kind("dropout", takes=Takes.SHARE, images=False),
    )
}


@dataclass(frozen=True, slots=True)
class Step:
    """`kind[in -> out, number, flag, option=...]`."""

    kind: str
    channels: tuple[Dim, Dim] | None = None
    number: int | float | None = None
    flags: tuple[str, ...] = ()
    options: tuple[tuple[str, int], ...] = ()

    def option(self, word: str) -> int:
        return dict(self.options).get(word, 1)

    @property
    def size(self) -> int:
        """Of a kernel, a window or a factor."""
        assert isinstance(self.number, int)
        return self.number

    @property
    def bias(self) -> bool:
        return "bias" in self.flags

    @property
    def padding(self) -> int:
        """Zeros around an image for `conv` and `deconv`: such that a stride divides or multiplies its sides.
        An odd kernel of `conv` stands on the pixels that are kept, as published networks have it."""
        size, stride = self.size, self.option("stride")
        if self.kind == "deconv":
            return -(-(size - stride) // 2)
        return self.option("dilation") * (size // 2) if size % 2 else (size - stride) // 2

    def fault(self) -> str | None:
        """Why no image has a size behind it, in words, or None."""
        if self.kind not in ("conv", "deconv"):
            return None
        size, stride = self.size, self.option("stride")
        if self.kind == "deconv" and size < stride:
            return f"a kernel of {size} leaves gaps at a stride of {stride}"
        even = size % 2 == 0 and self.kind == "conv"
        if even and ((size - stride) % 2 or size < stride or self.option("dilation") > 1):
            return f"a kernel of {size} has no middle at a stride of {stride}"
        return None

    def __str__(self) -> str:
        words = [] if self.channels is None else [f"{self.channels[0]} -> {self.channels[1]}"]
        words += [] if self.number is None else [str(self.number)]
        words += [*self.flags, *(f"{key}={value}" for key, value in self.options)]
        return f"{self.kind}[{', '.join(words)}]" if words else self.kind


def stepped(step: Step, shape: tuple[Dim, ...]) -> tuple[Dim, ...] | str:
    """The shape behind a step, or what it takes."""
    if step.kind == "dense":
        assert step.channels is not None
        begin, end = step.channels
        fits = bool(shape) and shape[-1] == begin
        return (*shape[:-1], end) if fits else f"an array whose last axis is {begin}"
    if not KINDS[step.kind].images:
        return shape
    if len(shape) != 3:
        return "an image"
    channels, *sides = shape
    if step.channels is not None:
        begin, end = step.channels
        if channels != begin:
            return f"an image of {begin} channels"
        channels = end
    factor = step.size if step.kind in ("max_pool", "avg_pool", "up") else step.option("stride")
    if step.kind in ("up", "deconv"):
        return (channels, *(side * factor for side in sides))
    smaller = [side.over(factor) for side in sides]
    known = [side for side in smaller if side is not None]
    if len(known) < len(smaller):
        return f"an image whose sides are multiples of {factor}"
    return (channels, *known)
