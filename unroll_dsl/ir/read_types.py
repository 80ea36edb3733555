"""Reads types and dimensions as the IR writes them: `complex image[1, h, w]`, `2 * n - 1`."""

from __future__ import annotations

import re

from unroll_dsl.types import (
    Activation,
    Array,
    Block,
    Bound,
    Conv,
    Declared,
    Dim,
    Field,
    Form,
    Layer,
    LinearMap,
    Step,
)
from unroll_dsl.types.blocks import Template
from unroll_dsl.types.steps import KINDS

_ARRAY = re.compile(
    r"(complex |boolean )?(scalar|vector|matrix|tensor|image|mask)(?:\[([^\[\]]*)\])?$"
)
_FIELDS = {"complex ": Field.COMPLEX, "boolean ": Field.BOOL, None: Field.REAL}
_FORMS = {"image": Form.IMAGE, "mask": Form.MASK}


def read_dim(text: str) -> Dim:
    """The dimension that `str(dim)` wrote: sums of products of integers and symbols."""
    total = Dim(())
    for sign, term in re.findall(r"([+-]?)\s*([^+-]+)", text):
        product = Dim.of(1)
        for factor in term.split("*"):
            factor = factor.strip()
            product = product * Dim.of(int(factor) if factor.isdigit() else factor)
        total = total - product if sign == "-" else total + product
    return total


_SPACES = re.compile(r"(?:[^,\[]|\[[^\]]*\])+")


class TypeReader:
    """Keeps what it has read: the same few types stand on every line."""

    def __init__(self) -> None:
        self._known: dict[str, Array | LinearMap | Layer] = {}
        self.templates: dict[str, Template] = {}
        self.blocks: dict[str, Block] = {}  # at the sizes of their uses

    def read(self, text: str) -> Array | LinearMap | Layer:
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]

    def array(self, text: str) -> Array:
        found = self.read(text)
        if not isinstance(found, Array):
            raise ValueError(f"not an array: {text}")
        return found

    def _read(self, text: str) -> Array | LinearMap | Layer:
        if text.startswith("linear "):
            domain, _, codomain = text.removeprefix("linear ").partition(" -> ")
            return LinearMap(Declared(self.array(domain), self.array(codomain)))
        match = _ARRAY.match(text)
        if match is None:
            return self._layer(text)
        prefix, kind, inside = match.groups()
        dims = tuple(read_dim(part) for part in inside.split(", ")) if inside else ()
        return Array(dims, _FIELDS[prefix], _FORMS.get(kind, Form.PLAIN))

    def _layer(self, text: str) -> Layer:
        if text.startswith("split(") and text.endswith(")"):
            return Layer(self._layer(text[6:-1]).steps, split=True)
        return Layer(tuple(self._step(part) for part in text.split(" >> ")))

    def named(self, key: str) -> Block:
        """The block of a key, `ResBlock[64]`."""
        name, _, sizes = key.removesuffix("]").partition("[")
        return self.block(name, sizes)

    def block(self, name: str, sizes: str) -> Block:
        """The block of that name at sizes as they are written."""
        return self._at(name, tuple(read_dim(part) for part in sizes.split(", ")) if sizes else ())

    def _at(self, name: str, sizes: tuple[Dim, ...]) -> Block:
        bare = Block(name, sizes)
        if bare.key not in self.blocks:
            self.blocks[bare.key] = self.templates[name].at(sizes, self._at)
        return self.blocks[bare.key]

    def _step(self, text: str) -> Conv | Activation | Block | Bound | Step:
        if text.startswith("network "):
            domains, _, codomain = text.removeprefix("network ").partition(" -> ")
            first, *more = (self.array(part) for part in _SPACES.findall(domains))
            return Bound(first, self.array(codomain), tuple(more))
        kind, _, inside = text.removesuffix("]").partition("[")
        if kind in self.templates:
            return self.named(text)
        if kind in KINDS and (kind != "conv" or "stride=" in inside or "dilation=" in inside):
            return _read_step(kind, inside)
        if not text.startswith("conv["):
            if not text.isidentifier():
                raise ValueError(f"not a type: {text}")
            return Activation(text)
        channels, size, *options = text[5:-1].split(", ")
        channels_in, _, channels_out = channels.partition(" -> ")
        given = dict(option.split("=") for option in options if "=" in option)
        return Conv(
            read_dim(channels_in),
            read_dim(channels_out),
            int(size),
            "bias" in options,
            given.get("padding", "zero"),
            int(given.get("groups", "1")),
        )


def _read_step(kind: str, inside: str) -> Step:
    channels: tuple[Dim, Dim] | None = None
    number: int | float | None = None
    flags: list[str] = []
    options: list[tuple[str, int]] = []
    for word in filter(None, inside.split(", ")):
        if " -> " in word:
            begin, _, end = word.partition(" -> ")
            channels = read_dim(begin), read_dim(end)
        elif "=" in word:
            key, _, value = word.partition("=")
            options.append((key, int(value)))
        elif word.isidentifier():
            flags.append(word)
        else:
            number = int(word) if word.isdigit() else float(word)
    return Step(kind, channels, number, tuple(flags), tuple(options))
