"""Real and complex data through every kind of map: what the checker accepts, the verifier accepts and
both backends run, to the same values, at all levels and frozen; adjoints keep inner products."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.driver import check_source
from unroll_dsl.source import SourceFile
from unroll_dsl.types import Array, Field
from unroll_dsl.verify.derived import exact
from unroll_dsl.verify.instance import draw

TOLERANCE = 1e-12
TOGETHER = 24
LEVELS = (0, 1, 2)

# an r is real, a c complex; images have 2 channels
NAMES = """\
fixed sr  : scalar
fixed sc  : complex scalar
fixed vr  : vector[n]
fixed vc  : complex vector[n]
fixed wr  : vector[m]
fixed wc  : complex vector[m]
fixed Ar  : matrix[m, n]
fixed Ac  : complex matrix[m, n]
fixed Br  : matrix[n, n]
fixed Bc  : complex matrix[n, n]
fixed Tr  : linear vector[n] -> vector[m]
fixed Tc  : linear complex vector[n] -> complex vector[m]
fixed Gr  : linear image[2, h, w] -> vector[m]
fixed Gc  : linear complex image[2, h, w] -> complex vector[m]
fixed Gm  : linear image[2, h, w] -> complex vector[m]
fixed ur  : image[2, h, w]
fixed uc  : complex image[2, h, w]
fixed cr  : vector[2]
fixed cc  : complex vector[2]
fixed P   : mask[h, w]
fixed Pc  : complex mask[h, w]
fixed Fr  : tensor[2, 2, 3, 3]
fixed Fc  : complex tensor[2, 2, 3, 3]
fixed kr  : matrix[3, 3]
fixed kc  : complex matrix[3, 3]
fixed Sr  : image[2, h, w]
fixed Sc  : complex image[2, h, w]
fixed angles : vector[4]
fixed Lh  : linear vector[h] -> vector[h]
"""
HEAD = "algorithm fields\ndims m, n, h = 8, w = 8\n"

ON_VECTORS = (
    "Ar", "Ac", "Br", "Bc", "Tr", "Tc", "diag(vr)", "diag(vc)", "diag(wc)", "I", "sc * I", "Ar'", "Ac'",
    "Tr'", "Tc'", "Gr", "Gc'",
)  # fmt: skip
ON_IMAGES = (
    "fft2", "ifft2", "dct2", "grad", "grad(padding=circular)", "divergence", "wavelet(haar, levels=1)",
    "blur(kr)", "blur(kc)", "blur(kr, padding=circular)", "blur(kc, padding=circular)", "filters(Fr)",
    "filters(Fc)", "filters(Fr, padding=circular)", "filters(Fc, padding=circular)", "downsample(2)",
    "radon(angles)", "vec(2, h, w)", "diag(ur)", "diag(uc)", "diag(cr)", "diag(cc)", "diag(P)",
    "diag(Pc)", "coils(Sr)", "coils(Sc)", "Gr", "Gc", "Gm", "I",
)  # fmt: skip


# r0 is a real input of the first of these spaces, c0 a complex one
SPACES = (
    "vector[n]", "vector[m]", "image[2, h, w]", "image[4, h, w]", "image[2, 4, 4]", "image[2, 4, 8]",
    "vector[2 * h * w]", "vector[h]", "vector[w]", "image[1, h, w]",
)  # fmt: skip
DECLARATIONS = NAMES + "".join(
    f"input {letter}{place} : {field}{space}\n"
    for place, space in enumerate(SPACES)
    for letter, field in (("r", ""), ("c", "complex "))
)
TO_VECTORS = ("r0", "c0", "r1", "c1", "r2", "c2")
TO_IMAGES = ("r2", "c2", "r3", "c3", "r4", "c4", "r5", "c5", "r6", "c6", "r1", "c1", "r9", "c9")


def maps_of(atoms: Sequence[str]) -> Iterator[str]:
    """Maps made of one atom, and of two."""
    for atom in atoms:
        yield atom
        yield f"({atom})'"
        yield f"(sr * {atom})"
        yield f"(sc * {atom})"
        yield f"(sc * {atom})'"
        yield f"({atom} / sc)'"
        yield f"(-{atom})"
    for first, second in itertools.product(atoms, repeat=2):
        yield f"({first} @ {second})"
        yield f"({first} @ {second})'"
        yield f"({first} + {second})"
        yield f"({first} - sc * {second})'"
    for entries in ("P", "Pc", "ur", "uc", "cc", "vc"):
        for atom in atoms:
            yield f"({entries} * {atom})"
            yield f"({entries} * {atom})'"


def applied(atoms: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Maps applied, their norms and systems."""
    for map_ in maps_of(atoms):
        for name in names:
            yield f"{map_} @ {name}"
    for atom in atoms:
        for name in names:
            yield f"norm({atom} @ {name})"
            yield f"sumsq({atom} @ {name} + sc * ({atom} @ {name}))"
            yield f"dot({atom} @ {name}, sc * ({atom} @ {name}))"
            yield f"solve({atom}' @ {atom} + 2 * I, {name})"
            yield f"solve({atom}' @ {atom} + (3 + sc) * I, {name})"
            yield f"solve((sc * {atom})' @ (sc * {atom}) + 2 * I, {name})"
            yield f"solve(sc * ({atom}' @ {atom} + 2 * I), {name})"
            yield f"solve(4 * I + 0.1 * {atom}, {name})"
            yield f"{atom} @ {name} + P * ({atom} @ {name})"


def values() -> Iterator[str]:
    """Arithmetic of arrays and functions of entries."""
    shown = (
        "sr",
        "sc",
        "vr",
        "vc",
        "r0",
        "c0",
        "r2",
        "c2",
        "P",
        "Pc",
        "cr",
        "cc",
        "ur",
        "uc",
        "Ar",
        "Ac",
        "kc",
    )
    for a, b in itertools.product(shown, repeat=2):
        yield from (f"{a} {sign} {b}" for sign in "+-*")
        if b not in ("P", "Pc"):  # which have zeros
            yield f"{a} / {b}"
        yield f"{a} == {b}"
        yield f"where(abs({a}) > 0.5, {a}, {b})"
        yield f"dot({a}, {b})"
    for name in shown:
        yield from (f"{word}({name})" for word in (
            "abs", "sign", "exp", "sin", "cos", "tanh", "real", "imag", "conj", "sum", "mean", "sumsq",
            "norm1", "norm2", "norm_inf", "norm0", "norm", "nonneg", "l2_ball", "cumsum", "tr", "pixel_soft",
        ))  # fmt: skip
        yield from (f"soft({name}, {t})" for t in ("0.3", "sr^2", "abs(sc)", "abs(vr)"))
        yield from (f"{word}({name}, 0.3)" for word in (
            "hard", "garrote", "block_soft", "pixel_soft", "linf_ball", "elastic_net", "support_soft",
        ))  # fmt: skip
        yield f"outer({name}, vc)"
        yield f"firm({name}, 0.3, 0.6)"
        yield f"-{name}"
        yield f"{name}^2"
        yield f"{name}'"
        yield f"({name} > 0.1) * {name}"
    yield from ("sqrt(c0)", "log(c0)", "inv(Bc + 4 * I)", "pinv(Ac)", "solve(Br + 4 * I, Ac')",
                "solve(Bc + 4 * I, Ar')", "norm(Ac)", "P @ r8", "Pc @ r8", "P @ c8", "P' @ c7", "Lh @ P @ r8",
                "(Lh @ P) @ r8", "(Lh @ P)' @ c7", "(Lh @ Pc)' @ r7", "(P @ kr)", "P @ P",
                 "Ar @ diag(vc) @ r0", "(Ar @ diag(vc))' @ r1", "(Ac @ diag(vr))' @ r1",
                "diag(wc) @ Ar @ r0", "(Ar + sc * Ar) @ r0", "(Br + sc * I)' @ r0", "(sc * Br)' @ c0",
                "(Br + diag(vc))' @ r0", "fft2' @ (P * (fft2 @ r2))", "(sc * I) @ (Br @ Bc)", "vec(n, 1)' @ c0",
                "diag(vc) @ Br", "Ar @ Br @ c0", "Ar @ (sc * Br) @ r0", "Ar @ (sc * I)", "(sc * I) @ Ar'")  # fmt: skip


def accepted(found: Sequence[str]) -> list[str]:
    """Those in which the checker finds no error."""
    return [t for t in found if not check_source(SourceFile("one", program([t]))).has_errors]


def program(outputs: Sequence[str]) -> str:
    """One output for each of the expressions."""
    used = {word for text in outputs for word in re.findall(r"\w+", text)}
    lines = [x for x in DECLARATIONS.splitlines(keepends=True) if x.split()[1] in used]
    lines += [f"let o{place} = {text}\n" for place, text in enumerate(outputs)]
    return f"{HEAD}{''.join(lines)}output {', '.join(f'o{i}' for i in range(len(outputs)))}\n"


def several(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def run(text: str) -> tuple[list[np.ndarray], list[list[np.ndarray]], list[Array], float]:
    """The reference's outputs, those of the levels and of the frozen network, and their types."""
    spec = unroll_dsl.loads(text)
    spec = spec.over(exact(spec.graph))  # every system solved to rounding
    found = draw(spec.graph)
    given = {"bind": found.bind, "init": found.init, "dims": found.sizes}
    reference = spec.reference(**given)
    expected = [np.asarray(o) for o in several(reference(*found.inputs))]
    tolerance = max(TOLERANCE, 20 * reference.condition * np.finfo(float).eps)
    inputs = [torch.as_tensor(x) for x in found.inputs]
    types = [spec.graph.nodes[o].type for o in spec.graph.outputs]
    computed = []
    with torch.no_grad():
        for level in LEVELS:
            net = spec.compile(**given, dtype=torch.float64, optimize=level)
            computed.append([as_numpy(o) for o in several(net(*inputs))])
        computed.append([as_numpy(o) for o in several(net.freeze()(*inputs))])
    return expected, computed, types, tolerance


def as_numpy(value: Any) -> np.ndarray:
    if isinstance(value, float):  # what no input changes, in a frozen network
        value = torch.tensor(value, dtype=torch.float64)
    return value.resolve_conj().numpy()


def wrong(
    text: str, expected: np.ndarray, computed: Sequence[np.ndarray], type_: Array, tolerance: float
) -> str | None:
    is_complex = type_.field is Field.COMPLEX
    if np.iscomplexobj(expected) and not is_complex:
        return f"{text}: the reference is complex, its type {type_}"
    for level, value in zip(("0", "1", "2", "frozen"), computed, strict=True):
        if np.iscomplexobj(value) != is_complex:
            return f"{text}: level {level} gives {value.dtype}, its type is {type_}"
        if value.shape != expected.shape and value.ndim == expected.ndim:
            return f"{text}: level {level} gives {value.shape}, not {expected.shape}"
        scale = max(float(np.abs(expected).max(initial=0)), 1)
        gap = float(np.abs(value - expected).max(initial=0)) / scale
        if not gap <= tolerance:
            return f"{text}: level {level} is off by {gap:.1e}"
    return None


def failures(texts: Sequence[str]) -> list[str]:
    """What goes wrong, a line each, in programs of many outputs."""
    found: list[str] = []
    for start in range(0, len(texts), TOGETHER):
        found += _failures(texts[start : start + TOGETHER])
    return found


def _failures(texts: Sequence[str]) -> list[str]:
    """Of one program; it is taken apart where it fails as a whole."""
    try:
        expected, computed, types, tolerance = run(program(texts))
    except Exception as error:
        if len(texts) > 1:
            half = len(texts) // 2
            return _failures(texts[:half]) + _failures(texts[half:])
        return [f"{texts[0]}: {type(error).__name__}: {str(error).strip().splitlines()[0]}"]
    told = [
        wrong(text, expected[i], [c[i] for c in computed], types[i], tolerance)
        for i, text in enumerate(texts)
    ]
    return [line for line in told if line is not None]


KINDS = {
    "values": lambda: [*values()],
    "vectors": lambda: [*applied(ON_VECTORS, TO_VECTORS)],
    "images": lambda: [*applied(ON_IMAGES, TO_IMAGES)],
}
# how many of each are tried every time, and how many where there is time
FEW = {"values": 100, "vectors": 150, "images": 60}
MANY = {"values": 3000, "vectors": 4000, "images": 4000}


def sample(kind: str, count: int, seed: int) -> list[str]:
    texts = KINDS[kind]()
    return random.Random(seed).sample(texts, min(count, len(texts)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_checker_accepts_runs_alike_everywhere(kind: str) -> None:
    found = accepted(sample(kind, FEW[kind], seed=0))
    assert len(found) >= FEW[kind] / 8
    assert failures(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_the_checker_accepts_runs_alike_everywhere(kind: str) -> None:
    found = accepted(sample(kind, MANY[kind], seed=1))
    assert len(found) >= MANY[kind] / 8
    assert failures(found) == []


# each was once refused by the verifier, or by torch
ONCE = (
    "grad @ r2 + sc * grad @ r2", "(sc * I) @ r2", "(sc * I + Br) @ c0", "(sc * I) @ (Ar' @ r1)",
    "(Gr / sc)' @ c1", "(Tr + Tc) @ c0", "Gc' @ r1", "Gm @ r2", "Gm' @ r1", "(Gr @ I) @ c2",
    "(sc * I @ Tr)' @ r1", "solve((sc * Tr)' @ (sc * Tr) + 2 * I, r0)", "solve(Tr' @ Tr + (3 + sc) * I, c0)",
    "solve(sc * I' @ (sc * I) + (3 + sc) * I, r1)", "(diag(cr) @ diag(Pc)) @ r2", "coils(Sr)' @ r2",
    "(Lh @ P) @ r8", "(Lh @ P)' @ c7",
)  # fmt: skip


def test_what_was_once_wrong() -> None:
    assert accepted(ONCE) == list(ONCE)
    assert failures(ONCE) == []


def test_what_does_not_fit_is_refused_in_words() -> None:
    """Sinograms of other angles, once accepted and then computed of what was there."""
    refused = ("radon(angles)' @ r2", "(ur * radon(angles)) @ r2", "(Lh @ Gr) @ r2")
    assert accepted(refused) == []


@pytest.mark.parametrize(
    ("atoms", "name"),
    [
        (ON_VECTORS, "c0"),
        (ON_VECTORS, "c1"),
        (ON_IMAGES, "c2"),
        (ON_IMAGES, "c9"),
        (ON_IMAGES, "c3"),
    ],
)
def test_adjoints_keep_inner_products(atoms: Sequence[str], name: str) -> None:
    """<M x, M z> = <x, M' M z> for every map made of one or two atoms, with z = x * x."""
    maps = random.Random(2).sample([*maps_of(atoms)], 120)
    texts = accepted(
        [f"dot({m} @ {name}, {m} @ ({name} * {name})) - dot({name}, ({m})' @ ({m} @ ({name} * {name})))"
         for m in maps]
    )  # fmt: skip
    assert len(texts) >= 8
    spec = unroll_dsl.loads(program(texts))
    found = draw(spec.graph, batch=1)
    reference = spec.reference(bind=found.bind, dims=found.sizes)
    for text, gap in zip(texts, several(reference(*found.inputs)), strict=True):
        assert abs(complex(np.asarray(gap).item())) < 1e-9, text
