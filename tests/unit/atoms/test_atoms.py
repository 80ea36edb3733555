"""Every atom against what nobody here wrote: SciPy's minimisers, differences, samples, Moreau's identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

import unroll_dsl
from unroll_dsl.atoms.model import Atom, Domain, Shape
from unroll_dsl.atoms.registry import atoms

SHAPES = {Shape.ANY: "vector[3]", Shape.VECTOR: "vector[3]", Shape.MATRIX: "matrix[2, 2]",
          Shape.IMAGE: "image[2, 1, 2]", Shape.SYMMETRIC: "matrix[2, 2]"}  # fmt: skip
LARGE = 1e200  # what stands for infinity is larger
TINY = 1e-9

# What it is to lie in a set, to rounding, in words of numpy; parameters have the values of their examples.
LINE = np.linspace(-1, 2, 3)
MEMBERS: Mapping[str, Callable[[Any], bool]] = {
    "nonneg": lambda v: v.min() >= 0,
    "nonpositive": lambda v: v.max() <= 0,
    "box": lambda v: v.min() >= -0.3 and v.max() <= 0.5,
    "l1_ball": lambda v: np.abs(v).sum() <= 0.7 + TINY,
    "l2_ball": lambda v: np.linalg.norm(v) <= 0.7 + TINY,
    "linf_ball": lambda v: np.abs(v).max() <= 0.7 + TINY,
    "l0_ball": lambda v: np.count_nonzero(v) <= 2,
    "simplex": lambda v: v.min() >= 0 and abs(v.sum() - 1) < TINY,
    "zero": lambda v: not v.any(),
    "half_space": lambda v: LINE @ v <= 0.4 + TINY,
    "hyperplane": lambda v: abs(LINE @ v - 0.4) < TINY,
    "sphere": lambda v: abs(np.linalg.norm(v) - 1) < TINY,
    "pixel_balls": lambda v: np.linalg.norm(v, axis=0).max() <= 0.7 + TINY,
    "rank_ball": lambda v: abs(np.linalg.det(v)) < TINY,
    "orthogonal": lambda v: np.abs(v.T @ v - np.eye(2)).max() < TINY,
    "psd": lambda v: np.abs(v - v.T).max() < TINY and np.linalg.eigvalsh(v).min() > -TINY,
}

every = pytest.mark.parametrize("atom", atoms(), ids=lambda atom: atom.name)


def function_of(atom: Atom, formula: str, field: str = "", **scalars: float) -> Any:
    """A formula of an atom as a function of its argument (v, p or g) and of numbers."""
    for p in atom.parameters:
        if p.static:
            formula = re.sub(rf"\b{p.name}\b", p.example, formula)
    changing = [p for p in atom.parameters if not p.static]
    lines = [f"fixed {p.name} : {_type(p, atom)} = {p.example}" for p in changing]
    lines = [line.replace("size(v)", "3") for line in lines]
    lines += [f"fixed {name} : scalar = {value!r}" for name, value in scalars.items()]
    space = field + SHAPES[atom.shape]
    text = "\n".join([
        "algorithm formula", *(f"input {x} : {space}" for x in _arguments(formula)), *lines,
        f"output {formula}",
    ])  # fmt: skip
    dtype = torch.complex128 if field else torch.float64
    net = unroll_dsl.loads(text + "\n").compile(dtype=dtype)

    def run(*arguments: Any) -> Any:
        with torch.no_grad():
            return net(*(torch.as_tensor(a).to(dtype) for a in arguments)).numpy()

    return run


def _type(parameter: Any, atom: Atom) -> str:
    return SHAPES[atom.shape] if parameter.per_entry else "scalar"


def _arguments(formula: str) -> list[str]:
    found = [x for x in ("v", "p", "g") if re.search(rf"\b{x}\b", formula)]
    return found or ["v"]


def point(atom: Atom, seed: int, scale: float = 1.0) -> Any:
    shape = {"vector[3]": (3,), "matrix[2, 2]": (2, 2), "image[2, 1, 2]": (2, 1, 2)}[
        SHAPES[atom.shape]
    ]
    value = scale * np.random.default_rng(seed).standard_normal(shape)
    return value + value.T if atom.shape is Shape.SYMMETRIC else value


@pytest.mark.parametrize("atom", [a for a in atoms() if a.indicator], ids=lambda atom: atom.name)
def test_the_projection_is_nearest(atom: Atom) -> None:
    """It lies in the set; no other member, near or far, is nearer; of a convex set by the obtuse angle."""
    image = function_of(atom, atom.prox or "", t=1.0)
    inside = MEMBERS[atom.name]
    rng = np.random.default_rng(1)
    for seed in range(4):
        v = point(atom, seed, 1.5)
        if atom.shape is Shape.SYMMETRIC:
            v = v + rng.standard_normal(v.shape)  # any matrix
        found = np.asarray(image(v), float)
        assert inside(found)
        for scale in (2.0, 0.3, 1e-2, 1e-4):
            for _ in range(25):
                member = np.asarray(image(found + scale * rng.standard_normal(v.shape)), float)
                assert inside(member)
                assert np.linalg.norm(v - found) <= np.linalg.norm(v - member) + 1e-9
                if atom.convex:
                    assert np.sum((v - found) * (member - found)) <= 1e-9


@pytest.mark.parametrize(
    "atom", [a for a in atoms() if a.prox and not a.indicator], ids=lambda atom: atom.name
)
def test_the_proximal_map_minimises(atom: Atom) -> None:
    """No point that SciPy finds is better, none of thousands near and far, and no other start."""
    t = 0.4
    phi = function_of(atom, atom.spellings[0])
    image = function_of(atom, atom.prox or "", t=t)
    rng = np.random.default_rng(0)
    for seed in range(3):
        v = point(atom, seed, 1.5)
        axes = tuple(range(1, v.ndim + 1))

        def objective(z: Any, v: Any = v, axes: Any = axes) -> Any:
            value = 0.5 * np.sum((z - v) ** 2, axis=axes) + t * phi(z)
            return np.where(np.isnan(value), np.inf, value)  # logarithms beyond the domain

        found = np.asarray(image(v), float)
        best = objective(found[None])[0]
        assert best < LARGE, "the proximal map leaves the domain"
        for scale in (3.0, 1.0, 0.1, 1e-2, 1e-3):
            around = found + scale * rng.standard_normal((500, *v.shape))
            assert objective(around).min() >= best - 1e-9
            entries = rng.random((500, *v.shape)) < 0.5  # some entries stay: corners lie there
            assert objective(np.where(entries, found, around)).min() >= best - 1e-9
        result = minimize(
            lambda z, v=v, f=objective: min(float(f(z.reshape(1, *v.shape))[0]), 1e6),
            np.where(np.abs(found) > 0, found, 0.1).ravel() + 0.05,
            method="Nelder-Mead",
            options={"maxfev": 150},
        )
        assert result.fun >= best - 1e-9


@pytest.mark.parametrize("atom", [a for a in atoms() if a.gradient], ids=lambda atom: atom.name)
def test_the_gradient_is_that_of_differences(atom: Atom) -> None:
    phi = function_of(atom, atom.spellings[0])
    gradient = function_of(atom, atom.gradient or "")
    v = np.abs(point(atom, 5)) + 0.3 if atom.where else point(atom, 5)
    found = np.broadcast_to(gradient(v), v.shape)
    for place in np.ndindex(v.shape):
        e = np.zeros_like(v)
        e[place] = 1e-6
        assert found[place] == pytest.approx((phi(v + e) - phi(v - e)) / 2e-6, abs=2e-7)


@pytest.mark.parametrize("atom", [a for a in atoms() if a.smooth], ids=lambda atom: atom.name)
def test_the_lipschitz_constant_bounds_and_is_nearly_reached(atom: Atom) -> None:
    gradient = function_of(atom, atom.gradient or "")
    constant = float(function_of(atom, f"0 * sum(v) + ({atom.lipschitz})")(point(atom, 0)))
    largest = 0.0
    for seed in range(60):
        a = point(atom, seed, 10 ** -(seed % 5))
        b = a + point(atom, seed + 1000, 1e-3)
        change = np.broadcast_to(gradient(a), a.shape) - np.broadcast_to(gradient(b), a.shape)
        largest = max(largest, float(np.linalg.norm(change) / np.linalg.norm(a - b)))
    assert largest <= constant * (1 + 1e-6) + 1e-9
    assert constant == 0 or largest >= 0.5 * constant


@pytest.mark.parametrize(
    "atom", [a for a in atoms() if a.convex and a.prox], ids=lambda atom: atom.name
)
def test_moreau(atom: Atom) -> None:
    """prox of s f* at p = p - s prox of f / s at p / s, with f = w * phi."""
    if atom.conjugate is None:
        return
    w, s = 0.6, 0.35
    dual = function_of(atom, atom.conjugate, w=w, s=s)
    weight = 1 / s if atom.indicator else w / s
    primal = function_of(atom, atom.prox or "", t=weight)
    for seed in range(5):
        p = point(atom, seed, 2.0)
        expected = p - s * primal(p / s)
        np.testing.assert_allclose(np.broadcast_to(dual(p), p.shape), expected, atol=1e-12)


@pytest.mark.parametrize(
    "atom", [a for a in atoms() if a.prox and a.domain is Domain.ANY], ids=lambda atom: atom.name
)
def test_complex_values(atom: Atom) -> None:
    """A phase factor goes through the proximal map, and real values give what they gave."""
    if any(p.per_entry for p in atom.parameters):
        return
    real = function_of(atom, atom.prox or "", t=0.4)
    whole = function_of(atom, atom.prox or "", "complex ", t=0.4)
    v = point(atom, 2, 1.5)
    turn = np.exp(0.7j)
    np.testing.assert_allclose(whole(turn * v), turn * real(v), atol=1e-12)


@pytest.mark.parametrize(
    "atom", [a for a in atoms() if a.linear_minimiser], ids=lambda atom: atom.name
)
def test_the_linear_minimiser_is_in_the_set_and_below_it(atom: Atom) -> None:
    corner = function_of(atom, atom.linear_minimiser or "")
    inside = function_of(atom, atom.prox or "", t=1.0)
    for seed in range(5):
        g = point(atom, seed)
        z = np.asarray(corner(g))
        assert MEMBERS[atom.name](z)
        for other in range(20):
            member = np.asarray(inside(point(atom, 100 + other, 3.0)))
            assert np.sum(g * z) <= np.sum(g * member) + 1e-9


@every
def test_spellings_agree(atom: Atom) -> None:
    inside = function_of(atom, atom.prox, t=1.0) if atom.indicator else lambda v: v
    v = 0.999 * inside(point(atom, 4, 0.2))
    v = np.abs(v) + 0.1 if atom.where and not atom.indicator else v
    first = function_of(atom, atom.spellings[0])(v)
    for spelling in atom.spellings[1:]:
        assert function_of(atom, spelling)(v) == pytest.approx(first, rel=1e-12)


def test_the_table_is_complete() -> None:
    """Each atom has a source, and either a gradient or a proximal map."""
    for atom in atoms():
        assert atom.source and atom.latex
        assert atom.gradient or atom.prox, atom.name
