"""Random well-typed programs: every expression is made for the type that its place asks for.

`write(Random(seed))` gives the text of one program; equal seeds give equal texts. What is made of the
language: real and complex vectors, images, matrices, masks, maps from outside and of the library,
compositions, sums, scalings and adjoints of maps, `solve` on positive definite systems, layers, values
shared and per phase, schedules, `let`s, functions, `prev`, traces, losses, several outputs.

Values stay of the order of 1, so that rounding can be told from a wrong result; conditions that would
flip with the last bit (a `sign` of a computed value) are not written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Space:
    """The type of an array: `form` is scalar, vector or image; `shape` its sizes as written."""

    form: str
    shape: tuple[str, ...] = ()
    complex: bool = False

    def __str__(self) -> str:
        sizes = f"[{', '.join(self.shape)}]" if self.shape else ""
        return f"{'complex ' if self.complex else ''}{self.form}{sizes}"

    @property
    def real(self) -> Space:
        return Space(self.form, self.shape)

    @property
    def channels(self) -> int:
        return int(self.shape[0])


SCALAR = Space("scalar")


@dataclass(slots=True)
class Named:
    """A name that expressions may read: an array, a map between two spaces, or a layer.

    `when` says from where: 0 fixed values, 1 learnables and inputs too, 2 in the phase alone.
    """

    name: str
    space: Space
    when: int
    domain: Space | None = None
    kind: str = "value"  # or map, layer
    moves: bool = False  # has a value per phase, or depends on one


@dataclass(slots=True)
class Writer:
    """One program as it is written: its lines, and the names that they declare."""

    rng: Random
    images: bool
    complex: bool
    lines: list[str] = field(default_factory=list)
    names: list[Named] = field(default_factory=list)
    count: int = 0
    inputs: set[str] = field(default_factory=set)
    head: int = 0  # where declarations that are found wanting go

    # ---- choices --------------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def number(self) -> str:
        return self.rng.choice(["0.1", "0.25", "0.3", "0.5", "0.7", "-0.2", "-0.4", "1.1"])

    def space(self, *, scalar: bool = False) -> Space:
        complex_ = self.complex and self.chance(0.5)
        if scalar and self.chance(0.2):
            return Space("scalar", (), complex_)
        if self.images and self.chance(0.85):
            return Space("image", (self.rng.choice(["1", "1", "2"]), "h", "w"), complex_)
        return Space("vector", (self.rng.choice(["m", "n"]),), complex_)

    def known(
        self, when: int, kind: str, test: Callable[[Named], bool], *, moving: bool = True
    ) -> list[Named]:
        return [
            named
            for named in self.names
            if named.when <= when
            and named.kind == kind
            and (moving or not named.moves)
            and test(named)
        ]

    # ---- arrays ---------------------------------------------------------------------------------

    def array(self, space: Space, depth: int, when: int, *, moving: bool = True) -> str:
        """An expression of type `space`, in brackets where it is not a single word.

        `when` and `moving` say which names it may read: see `Named`.
        """
        if depth <= 0 or self.chance(0.12):
            return self.leaf(space, when, moving=moving)
        ways = [self._sum, self._sum, self._scaled, self._product, self._nonlinear, self._nonlinear]
        if space.form != "scalar":
            ways += [self._mapped, self._mapped, self._mapped]
            if self.chance(0.35):
                ways += [self._solved, self._solved]
        else:
            ways += [self._reduced, self._reduced]
        if space.form == "image" and not space.complex:
            ways += [self._layered, self._layered]
        if not space.complex and self.complex and space.form != "scalar":
            ways += [self._made_real]
        return self.rng.choice(ways)(space, depth - 1, when, moving)

    def leaf(self, space: Space, when: int, *, moving: bool = True) -> str:
        found = self.known(when, "value", lambda v: v.space == space, moving=moving)
        if not found and space.complex:
            found = self.known(when, "value", lambda v: v.space == space.real, moving=moving)
        given = [v for v in found if v.name in self.inputs]
        if given and self.chance(0.4):
            return self.rng.choice(given).name
        if found and not (space == SCALAR and self.chance(0.3)):
            # the latest are the likeliest, so that what is computed is used
            weights = range(1, len(found) + 1)
            return self.rng.choices(found, weights)[0].name
        if space.form == "scalar":
            return self.number()
        return self.number_array(space)

    def number_array(self, space: Space) -> str:
        """Of an array of numbers alone the type is not known; a declared one stands for it."""
        found = self.known(0, "value", lambda v: v.space == space.real)
        if found:
            return f"({self.number()} * {self.rng.choice(found).name})"
        name = self.fresh("c")
        self.lines.insert(self.head, f"fixed {name} : {space.real}")
        self.head += 1
        self.names.insert(0, Named(name, space.real, 0))
        return name

    def _sum(self, space: Space, depth: int, when: int, moving: bool) -> str:
        sign = self.rng.choice(["+", "+", "-", "-"])
        a = self.array(space, depth, when, moving=moving)
        other = space.real if space.complex and self.chance(0.3) else space
        b = self.array(other, depth, when, moving=moving)
        if self.chance(0.5) and other == space:
            a, b = b, a
        return f"({a} {sign} {self.number()} * {b})" if self.chance(0.5) else f"({a} {sign} {b})"

    def scalar(self, depth: int, when: int, moving: bool) -> str:
        """A real number within about [-1, 1]."""
        if self.chance(0.6):
            return self.leaf(SCALAR, when, moving=moving)
        return f"tanh({self.array(SCALAR, depth, when, moving=moving)})"

    def positive(self, depth: int, when: int, moving: bool) -> str:
        """A number well above 0."""
        known = self.known(when, "positive", lambda _: True, moving=moving)
        if known and self.chance(0.7):
            return self.rng.choice(known).name
        return self.rng.choice(["0.5", "1", "2", f"(0.5 + {self.scalar(depth, when, moving)}^2)"])

    def _scaled(self, space: Space, depth: int, when: int, moving: bool) -> str:
        inner = self.array(space, depth, when, moving=moving)
        way = self.rng.randrange(4)
        if way == 0:
            return f"(-{inner})"
        if way == 1:
            return f"({inner} / {self.positive(depth, when, moving)})"
        if way == 2 and space.complex:
            complex_scalars = self.known(
                when, "value", lambda v: v.space == Space("scalar", (), True), moving=moving
            )
            if complex_scalars:
                return f"({self.rng.choice(complex_scalars).name} * {inner})"
        return f"({self.scalar(depth, when, moving)} * {inner})"

    def _product(self, space: Space, depth: int, when: int, moving: bool) -> str:
        a = self.array(space, depth, when, moving=moving)
        masks = self.known(when, "mask", lambda _: True)
        if space.form == "image" and masks and self.chance(0.5):
            return f"({masks[0].name} * {a})"
        other = space.real if self.chance(0.5) else space
        b = self.array(other, depth, when, moving=moving)
        if other.complex:
            return f"({a} * {b} / (1 + abs({b})))"
        return f"({a} * tanh({b}))" if self.chance(0.6) else f"({a} / (1.5 + sin({b})))"

    def _nonlinear(self, space: Space, depth: int, when: int, moving: bool) -> str:
        a = self.array(space, depth, when, moving=moving)
        if space.complex:
            t = self.positive(0, when, moving)
            return self.rng.choice(
                [f"soft({a}, 0.1 * {t})", f"conj({a})", f"({a} / (1 + abs({a})))"]
            )
        ways = [f"tanh({a})", f"sigmoid({a})", f"softplus({a})", f"sin({a})", f"cos({a})"]
        ways += [f"soft({a}, 0.1)", f"soft({a}, 0.2 * {self.positive(0, when, moving)})"]
        ways += [f"sqrt(1 + {a}^2)", f"exp(-{a}^2)", f"log(1.5 + {a}^2)", f"({a}^2 / (1 + {a}^2))"]
        if self.chance(0.3):
            b = self.array(space, depth, when, moving=moving)
            ways = [f"max({a}, 0.3 + {b})", f"min({a}, {b} - 0.2)"]
            ways += [f"where({a} > 0.4 + {b}, {a}, {self.leaf(space, when, moving=moving)})"]
        functions = self.known(0, "function", lambda _: True)
        if functions and self.chance(0.4):
            ways = [f"{self.rng.choice(functions).name}({a}, {self.positive(0, when, moving)})"]
        return self.rng.choice(ways)

    def _made_real(self, space: Space, depth: int, when: int, moving: bool) -> str:
        a = self.array(Space(space.form, space.shape, True), depth, when, moving=moving)
        return self.rng.choice(
            [f"real({a})", f"imag({a})", f"real(conj({a}))", f"sqrt(1 + abs({a})^2)"]
        )

    def _reduced(self, space: Space, depth: int, when: int, moving: bool) -> str:
        inner = self.space()
        if not space.complex:
            a = self.array(inner, depth, when, moving=moving)
            b = self.array(inner, depth, when, moving=moving)
            ways = [f"mean(abs({a}))", f"(sumsq({a}) / size({a}))", f"norm2(1 + abs({a}))"]
            if not inner.complex:
                ways += [
                    f"max({a})",
                    f"(dot({a}, {b}) / size({a}))",
                    f"mean({a})",
                    f"tanh(sum({a}))",
                ]
            return f"tanh({self.rng.choice(ways)})"
        a = self.array(Space(inner.form, inner.shape, True), depth, when, moving=moving)
        return f"mean({a})"

    # ---- maps -----------------------------------------------------------------------------------

    def _mapped(self, space: Space, depth: int, when: int, moving: bool) -> str:
        domain = self.domain_for(space)
        map_ = self.map(domain, space, 2, when, moving)
        if map_ is None:
            return self._sum(space, depth, when, moving)
        return f"({map_} @ {self.array(domain, depth, when, moving=moving)})"

    def domain_for(self, space: Space) -> Space:
        """A space from which some map leads to `space`."""
        complex_ = space.complex and self.chance(0.7)
        if self.chance(0.4):
            return Space(space.form, space.shape, complex_)
        if space.form == "vector":
            if self.images and self.chance(0.4):
                return Space("image", ("1", "h", "w"), complex_)
            return Space("vector", (self.rng.choice(["m", "n"]),), complex_)
        if self.chance(0.3):
            return Space("vector", (self.rng.choice(["m", "n"]),), complex_)
        return Space("image", (self.rng.choice(["1", "2"]), "h", "w"), complex_)

    def map(self, domain: Space, space: Space, depth: int, when: int, moving: bool) -> str | None:
        """A linear map from `domain` to `space`, or None where none is known."""
        if domain.complex and not space.complex:
            return None
        ways: list[Callable[[], str | None]] = [lambda: self.map_leaf(domain, space, when, moving)]
        if depth > 0:
            ways += [
                lambda: self._map_sum(domain, space, depth, when, moving),
                lambda: self._map_scaled(domain, space, depth, when, moving),
                lambda: self._map_composed(domain, space, depth, when, moving),
                lambda: self._map_adjoint(domain, space, depth, when, moving),
            ]
        for _ in range(4):
            found = self.rng.choice(ways)()
            if found is not None:
                return found
        return self.map_leaf(domain, space, when, moving)

    def map_leaf(self, domain: Space, space: Space, when: int, moving: bool) -> str | None:
        ways = []
        for named in self.known(when, "map", lambda _: True, moving=moving):
            field_fits = space.complex or not named.space.complex
            assert named.domain is not None
            ends = (named.domain.real, named.space.real)
            if ends == (domain.real, space.real) and field_fits:
                ways.append(named.name)
            if ends == (space.real, domain.real) and field_fits:
                ways.append(f"{named.name}'")
        if domain.real == space.real:
            ways += self._square_maps(space, when, moving)
        if {domain.form, space.form} == {"image"}:
            ways += self._image_maps(domain.channels, space.channels)
        return self.rng.choice(ways) if ways else None

    def _square_maps(self, space: Space, when: int, moving: bool) -> list[str]:
        ways = []
        diagonals = self.known(
            when,
            "value",
            lambda v: v.space.real == space.real and (space.complex or not v.space.complex),
            moving=moving,
        )
        if diagonals and space.form == "vector":
            ways.append(f"diag({self.rng.choice(diagonals).name})")
        if space.form == "image":
            kernels = self.known(when, "kernel", lambda _: True, moving=moving)
            ways += [f"blur({k.name}, padding=circular)" for k in kernels]
            ways += [f"blur({k.name})" for k in kernels[:1]]
            if space.complex:
                ways += ["fft2", "fft2'", "ifft2"]
            ways += ["dct2"]
        return ways

    def _image_maps(self, begin: int, end: int) -> list[str]:
        gradients = ["grad", "grad(padding=circular)"]
        if (begin, end) == (1, 2):
            return gradients
        if (begin, end) == (2, 1):
            return [f"{g}'" for g in gradients] + ["divergence"]
        return []

    def _map_sum(
        self, domain: Space, space: Space, depth: int, when: int, moving: bool
    ) -> str | None:
        a = self.map(domain, space, depth - 1, when, moving)
        b = self.map(domain, space, depth - 1, when, moving)
        return None if a is None or b is None else f"({a} {self.rng.choice('+-')} {b})"

    def _map_scaled(
        self, domain: Space, space: Space, depth: int, when: int, moving: bool
    ) -> str | None:
        a = self.map(domain, space, depth - 1, when, moving)
        if a is None:
            return None
        masks = self.known(when, "mask", lambda _: True)
        if masks and space.form == "image" and self.chance(0.4):
            return f"({masks[0].name} * {a})"
        if space.complex and self.chance(0.3):
            known = self.known(
                when, "value", lambda v: v.space == Space("scalar", (), True), moving=moving
            )
            if known:
                return f"({self.rng.choice(known).name} * {a})"
        scale = self.leaf(SCALAR, when, moving=moving)
        return self.rng.choice([f"(-{a})", f"({scale} * {a})", f"({a} / 2)"])

    def _map_composed(
        self, domain: Space, space: Space, depth: int, when: int, moving: bool
    ) -> str | None:
        between = self.domain_for(space)
        first = self.map(domain, between, depth - 1, when, moving)
        second = self.map(between, space, depth - 1, when, moving)
        return None if first is None or second is None else f"({second} @ {first})"

    def _map_adjoint(
        self, domain: Space, space: Space, depth: int, when: int, moving: bool
    ) -> str | None:
        back = self.map(
            Space(space.form, space.shape, domain.complex),
            Space(domain.form, domain.shape, domain.complex),
            depth - 1,
            when,
            moving,
        )
        return None if back is None else f"({back})'"

    def _solved(self, space: Space, depth: int, when: int, moving: bool) -> str:
        """The solution of a positive definite system of condition about 10."""
        domain = self.domain_for(space)
        map_ = (
            self.map(space, domain, 1, when, moving)
            if domain.complex or not space.complex
            else None
        )
        shift = self.positive(0, when, moving)
        terms = [f"{shift} * I"]
        if map_ is not None:
            terms.insert(self.rng.randrange(2), f"({map_})' @ ({map_})")
        if space.form == "vector" and self.chance(0.3):
            found = self.known(when, "value", lambda v: v.space == space.real, moving=moving)
            if found:
                terms.append(f"diag({self.rng.choice(found).name}^2)")
        right = self.array(space, depth, when, moving=moving)
        return f"solve({' + '.join(terms)}, {right})"

    def _layered(self, space: Space, depth: int, when: int, moving: bool) -> str:
        found = self.known(when, "layer", lambda v: v.space == space, moving=moving)
        if not found:
            return self._sum(space, depth, when, moving)
        layer = self.rng.choice(found)
        assert layer.domain is not None
        return f"{layer.name}({self.array(layer.domain, depth, when, moving=moving)})"


# ---- declarations ---------------------------------------------------------------------------------


def write(rng: Random) -> str:
    """The text of a random program."""
    w = Writer(rng, images=rng.random() < 0.5, complex=rng.random() < 0.4)
    w.lines += ["algorithm made", "dims h, w, m, n" if w.images else "dims m, n"]
    for _ in range(rng.choice([1, 1, 2, 3])):
        name, space = w.fresh("y"), w.space()
        w.lines.append(f"input {name} : {space}")
        w.names.append(Named(name, space, 1))
        w.inputs.add(name)
    w.head = len(w.lines)
    _constants(w)
    _functions(w)
    _learnables(w)
    _lets(w)
    states = _states(w)
    _phase(w, states)
    _end(w, states)
    return "\n".join(w.lines) + "\n"


def _constants(w: Writer) -> None:
    for _ in range(w.rng.choice([1, 1, 2])):
        begin, end = w.rng.choice(["m", "n"]), w.rng.choice(["m", "n"])
        complex_ = w.complex and w.chance(0.5)
        name = w.fresh("A")
        w.lines.append(f"fixed {name} : {'complex ' if complex_ else ''}matrix[{end}, {begin}]")
        domain = Space("vector", (begin,), complex_)
        w.names.append(Named(name, Space("vector", (end,), complex_), 0, domain, "map"))
    if w.chance(0.4):
        name, value = w.fresh("s"), w.number().removeprefix("-")
        per_phase = " per phase" if w.chance(0.3) else ""
        schedule = f"{value} * 0.9^k" if per_phase else value
        w.lines.append(f"fixed {name} : scalar > 0{per_phase} = {schedule}")
        w.names.append(Named(name, SCALAR, 0, moves=bool(per_phase)))
        w.names.append(Named(name, SCALAR, 0, kind="positive", moves=bool(per_phase)))
    if w.complex and w.chance(0.5):
        name = w.fresh("z")
        w.lines.append(f"fixed {name} : complex scalar")
        w.names.append(Named(name, Space("scalar", (), True), 0))
    if w.images:
        _image_constants(w)


def _image_constants(w: Writer) -> None:
    if w.chance(0.5):
        name = w.fresh("P")
        w.lines.append(f"fixed {name} : mask[h, w]")
        w.names.append(Named(name, Space("mask", ("h", "w")), 0, kind="mask"))
    if w.chance(0.5):
        name, rows, columns = w.fresh("K"), w.rng.choice("135"), w.rng.choice("1357")
        w.lines.append(f"fixed {name} : matrix[{rows}, {columns}]")
        w.names.append(Named(name, SCALAR, 0, kind="kernel"))
    if w.chance(0.4):
        name, complex_ = w.fresh("T"), w.complex and w.chance(0.4)
        word = "complex " if complex_ else ""
        w.lines.append(f"fixed {name} : linear {word}image[1, h, w] -> {word}vector[m]")
        domain = Space("image", ("1", "h", "w"), complex_)
        w.names.append(Named(name, Space("vector", ("m",), complex_), 0, domain, "map"))


def _functions(w: Writer) -> None:
    if w.chance(0.3):
        name = w.fresh("f")
        body = w.rng.choice(
            ["tanh(v / t)", "sign(v) * relu(abs(v) - 0.1 * t)", "v / (1 + t * v^2)"]
        )
        w.lines.append(f"def {name}(v, t) = {body}")
        w.names.append(Named(name, SCALAR, 0, kind="function"))


def _learnables(w: Writer) -> None:
    for _ in range(w.rng.choice([0, 1, 2, 3])):
        name, per_phase = w.fresh("p"), w.chance(0.5)
        word = " per phase" if per_phase else ""
        kind = w.rng.randrange(4)
        if kind == 0:
            bound = w.rng.choice([" > 0", " in (0, 2]", " >= 0.05"])
            start = w.rng.choice(["0.5", "0.8", "0.3 + 0.2 / k" if per_phase else "0.6"])
            w.lines.append(f"learnable {name} : scalar{bound}{word} = {start}")
            w.names.append(Named(name, SCALAR, 1, moves=per_phase))
            w.names.append(Named(name, SCALAR, 1, kind="positive", moves=per_phase))
        elif kind == 1:
            space = w.space()
            start = w.rng.choice([f"= {w.number()}", "~ normal(0, 0.5)"])
            start = f"= {w.number()}" if space.complex else start
            w.lines.append(f"learnable {name} : {space}{word} {start}")
            w.names.append(Named(name, space, 1, moves=per_phase))
        elif kind == 2:
            maps = w.known(
                0,
                "map",
                lambda v: v.domain is not None and v.domain.form == v.space.form == "vector",
            )
            source = w.rng.choice(maps)
            assert source.domain is not None
            begin, end = source.domain.shape[0], source.space.shape[0]
            field_ = "complex " if source.space.complex else ""
            w.lines.append(
                f"learnable {name} : {field_}matrix[{begin}, {end}]{word} = {w.number()} * {source.name}'"
            )
            w.names.append(Named(name, source.domain, 1, source.space, "map", moves=per_phase))
        elif w.images:
            _layer(w, name, word)
        else:
            w.lines.append(f"learnable {name} : scalar{word} = {w.number()}")
            w.names.append(Named(name, SCALAR, 1, moves=per_phase))


def _layer(w: Writer, name: str, word: str) -> None:
    begin, between, end = w.rng.choice("12"), w.rng.choice("3468"), w.rng.choice("12")
    bias = w.rng.choice(["", "", ", bias"])
    padding = w.rng.choice(
        ["", "", ", padding=circular", ", padding=reflect", ", padding=replicate"]
    )
    size = w.rng.choice("1335")
    act = w.rng.choice(["relu", "tanh", "softplus"])
    chain = w.rng.choice(
        [
            f"conv[{begin} -> {end}, {size}{bias}{padding}]",
            f"conv[{begin} -> {between}, {size}] >> conv[{between} -> {end}, 3{bias}]",
            f"conv[{begin} -> {between}, {size}{bias}] >> {act} >> conv[{between} -> {end}, 3{padding}]",
        ]
    )
    w.lines.append(f"learnable {name} : {chain}{word} ~ xavier_normal")
    domain, space = (Space("image", (c, "h", "w")) for c in (begin, end))
    w.names.append(Named(name, space, 1, domain, "layer", moves=bool(word)))


def _lets(w: Writer) -> None:
    for _ in range(w.rng.choice([0, 0, 1, 2])):
        when = w.rng.choice([0, 1])
        name = w.fresh("l")
        before = len(w.names)
        if w.chance(0.4):
            space = w.space()
            domain = w.domain_for(space)
            map_ = w.map(domain, space, 2, when, True)
            if map_ is None:
                continue
            moves = _moves(w, map_)
            w.lines.append(f"let {name} = {map_}")
            w.names.append(Named(name, space, max(when, _when(w, map_)), domain, "map", moves))
        else:
            space = w.space(scalar=True)
            value = w.array(space, 2, when)
            w.lines.append(f"let {name} = {value}")
            w.names.append(Named(name, space, when, moves=_moves(w, value)))
        assert len(w.names) > before


def _words(text: str) -> set[str]:
    for sign in "()'@*+-/^,=>":
        text = text.replace(sign, " ")
    return set(text.split())


def _moves(w: Writer, text: str) -> bool:
    words = _words(text)
    return any(named.moves and named.name in words for named in w.names)


def _when(w: Writer, text: str) -> int:
    words = _words(text)
    return max((named.when for named in w.names if named.name in words), default=0)


def _states(w: Writer) -> list[Named]:
    found = []
    for _ in range(w.rng.choice([1, 1, 2, 3])):
        space = w.space(scalar=True)
        name = w.fresh("x")
        # numbers start states; what an input has passed through starts others
        start = "0" if w.chance(0.5) else w.array(space, 1, 1, moving=False)
        w.lines.append(f"state {name} : {space} = {start}")
        found.append(Named(name, space, 2, moves=True))
    w.names += found
    return found


def _phase(w: Writer, states: list[Named]) -> None:
    w.lines.append(f"phase ({w.rng.choice([1, 2, 2, 3, 4])}):")
    inner = len(w.names)
    for state in states:
        for _ in range(w.rng.choice([0, 0, 1, 2])):
            name, space = w.fresh("r"), w.space(scalar=True)
            w.lines.append(f"    {name} = {w.array(space, 2, 2)}")
            w.names.append(Named(name, space, 2, moves=True))
        value = w.array(state.space, 3, 2)
        if w.chance(0.3):
            value = f"{value} + 0.3 * ({state.name} - prev({state.name}))"
        elif w.chance(0.2):
            other = w.rng.choice(states)
            if other.space == state.space:
                value = f"{value} - 0.2 * prev({other.name})"
        w.lines.append(f"    {state.name} <- {value}")
    if w.chance(0.3):
        name, space = w.fresh("t"), w.space()
        w.lines.append(f"    trace {name} = {w.array(space, 2, 2)}")
        w.names.append(Named(name, space, 2, kind="trace"))
    w.names[inner:] = [named for named in w.names[inner:] if named.kind == "trace"]


def _end(w: Writer, states: list[Named]) -> None:
    """Outputs and a loss: of last values of states, inputs and what no phase changes."""
    for state in states:
        state.when, state.moves = 1, False
    outputs = [state.name for state in states if state is states[-1] or w.chance(0.5)]
    if w.chance(0.3):
        outputs.append(w.array(w.space(scalar=True), 1, 1, moving=False))
    w.lines.append(f"output {', '.join(outputs)}")
    if w.chance(0.5):
        target = w.rng.choice(states).space
        w.lines.append(f"loss (g : {target}):")
        w.names.append(Named("g", target, 1))
        value = f"{w.rng.choice(states).name}"
        terms = [f"mean(abs({value})^2)", f"sumsq({w.leaf(target, 1, moving=False)} - g)"]
        traces = w.known(2, "trace", lambda _: True)
        terms += [f"0.1 * sum over phases sumsq({t.name})" for t in traces]
        w.lines.append(f"    {' + '.join(terms)}")
