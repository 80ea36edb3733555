"""The table of what is seen where, held against programs: every sort of name read in every place."""

from __future__ import annotations

import pytest

from unroll_dsl.driver import check_source
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import BODIES, Place
from unroll_dsl.semantics.visibility import REFUSED, SEEN
from unroll_dsl.source import SourceFile

PAGE = """\
algorithm places
dims n = 3
def of_itself(a) = a
def body(a) = a + {DEFINITION}
def block layer(a) = a + {BLOCK}
input y : scalar
input s : vector[4]
fixed f : scalar = 1
learnable w : scalar = 1
let l = 2
let other = {LET}
learnable N : layer ~ xavier_uniform
learnable v : scalar = {INITIAL}
learnable b : scalar > {BOUND} = 1000
state x : scalar = {START}
phase (2):
    q = {PHASE} + body(1) + sum(N(s))
    c = x + 1
    trace t = c
    x <- x + c + q * f * w * other * v * b * l * y * n
minimize over z : scalar:
    z^2 + {OBJECTIVE}
output x + {OUTPUT}
loss (target : scalar):
    (target - x)^2 + {LOSS} + sum over phases (t + {PHASE_SUM})
measure y = target + {MEASURE}
"""
NAMES = {
    Sort.DIMENSION: "n",
    Sort.INPUT: "y",
    Sort.FIXED: "f",
    Sort.LEARNABLE: "w",
    Sort.LET: "l",
    Sort.STATE: "x",
    Sort.LOCAL: "c",
    Sort.TRACE: "t",
    Sort.DEFINITION: "of_itself",
    Sort.BLOCK: "layer",
}
# seen as names, and refused for what their values depend on
DEPENDS = {
    (Sort.INPUT, Place.INITIAL),
    (Sort.INPUT, Place.BOUND),
    (Sort.LEARNABLE, Place.BOUND),
    (Sort.INPUT, Place.MEASURE),
}


def _codes(sort: Sort, place: Place) -> list[str]:
    """Codes of the errors, which all stand at one name."""
    words = {p.name: "1" for p in Place} | {place.name: NAMES[sort]}
    text = PAGE.format(**words)
    checked = check_source(SourceFile("places.unroll", text))
    if sort is Sort.TRACE and place is Place.PHASE_SUM:
        assert checked.graph is not None  # local there
    found = [d for d in checked.diagnostics if d.is_error]
    # what is wrong in the body of a function or a block is told where it is called
    assert {d.labels()[0].span.text for d in found} <= {NAMES[sort], "body(1)", "N(s)"}
    assert len({d.labels()[0].span for d in found}) <= 1
    return [d.code for d in found]


@pytest.mark.parametrize("place", list(Place), ids=lambda p: p.name)
@pytest.mark.parametrize("sort", list(NAMES), ids=lambda s: s.name)
def test_every_sort_of_name_in_every_place(sort: Sort, place: Place) -> None:
    codes = _codes(sort, place)
    if (sort, place) == (Sort.TRACE, Place.PHASE_SUM):
        assert codes == []
    elif (sort, place) in DEPENDS:
        assert codes
    else:
        assert bool(codes) == (place not in SEEN[sort])


def test_every_refusal_has_words() -> None:
    for sort, places in SEEN.items():
        for place in set(Place) - places:
            if sort is Sort.BLOCK and place not in BODIES:
                assert _codes(sort, place) == ["U0350"]  # a layer that nobody declares
                continue
            assert (sort, place) in REFUSED or (sort, None) in REFUSED
