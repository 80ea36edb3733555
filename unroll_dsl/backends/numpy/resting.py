"""Where the phases of one sample come to rest."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.backends.resting import DEPTH, Rest

States = dict[str, Array]


def come_to_rest(step: Callable[[States], States], start: States, rest: Rest) -> States:
    """What a phase makes of the states that it leaves where they are.

    Anderson acceleration (H. F. Walker, P. Ni: Anderson acceleration for fixed-point iterations. SIAM
    Journal on Numerical Analysis, 2011): the next point is the combination of the last images that would
    rest if the phase were affine, by least squares. A point that gains less than a tenth of what this foresees is
    given up for the plain image, and what was before is forgotten, so that an iteration that converges by
    itself still does. Says so where the phases run out.
    """
    tolerance = max(rest.tolerance, 10 * float(np.finfo(np.float64).eps))

    def image_of(x: Array) -> Array:
        return _joined(step(_parted(x, start)))

    x = _joined(start)
    image = image_of(x)
    largest, steps, turns, done = np.abs(image), list[Array](), list[Array](), 1
    while True:
        move = image - x
        left = _moves_by(move, image, largest, start)
        if left <= tolerance or done >= rest.phases:
            break
        size = foreseen = float(np.linalg.norm(move))
        point = image
        noise = 2 * float(np.finfo(np.float64).eps * np.linalg.norm(image))
        told = [i for i, turn in enumerate(turns) if np.linalg.norm(turn) > noise]
        if told:  # what rounding turns says nothing
            turned = np.stack([turns[i] for i in told], 1)
            weights, *_ = np.linalg.lstsq(turned, move, rcond=None)
            point = image - np.stack([steps[i] for i in told], 1) @ weights
            foreseen = float(np.linalg.norm(move - turned @ weights))
        new, done = image_of(point), done + 1
        if told and not size - np.linalg.norm(new - point) > 0.1 * (size - foreseen):
            point, steps, turns = image, [], []
            new, done = image_of(point), done + 1
        steps = [*steps, new - image][-DEPTH:]
        turns = [*turns, new - point - move][-DEPTH:]
        x, image, largest = point, new, np.maximum(largest, np.abs(new))
        if not np.isfinite(image).all():
            left = np.inf
            break
    if not left <= tolerance:
        warnings.warn(
            f"a state did not come to rest in {rest.phases} phases: the last one moved it by {left:.1e} of "
            f"its size, more than {tolerance:.1e}",
            RuntimeWarning,
            stacklevel=2,
        )
    return step(_parted(image, start))


def _moves_by(move: Array, image: Array, largest: Array, like: States) -> float:
    """By how much the states move, of the size that each has; the most of them."""
    found = 0.0
    triples = zip(*(_parted(v, like).values() for v in (move, image, largest)), strict=True)
    for part, now, most in triples:
        eps, tiny = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
        # what falls to 0 comes to rest there
        size = max(float(np.linalg.norm(now)), float(eps * np.linalg.norm(most)), float(tiny))
        found = np.maximum(found, float(np.linalg.norm(part)) / size)  # NaN stays
    return float(found)


def _joined(states: States) -> Array:
    """The states as one real vector."""
    parts = [np.ravel(v) for v in states.values()]
    return np.concatenate(
        [np.concatenate([v.real, v.imag]) if np.iscomplexobj(v) else v for v in parts]
    )


def _parted(x: Array, like: States) -> States:
    found, begin = {}, 0
    for name, value in like.items():
        size = value.size
        part = x[begin : begin + size]
        begin += size
        if np.iscomplexobj(value):
            part = part + 1j * x[begin : begin + size]
            begin += size
        found[name] = part.reshape(value.shape)
    return found
