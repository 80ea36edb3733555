"""Damaged pages: no traceback, no answer later than two seconds. `make fuzz-text` goes on for as long as one likes."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz_text.mutations import MOST, mutated
from tests.fuzz_text.trial import tried

FOUND = {
    "a phase where the grammar has none": b"0\n phase:",
    "brackets of another kind, again and again": b"input y : image[1, h, w]\nlet x = (" + b"f(]" * 20_000,
    "thousands of names that are not there": b"algorithm a\n"
    + b"".join(b"let a%d = b%d * c%d\n" % (i, i, i) for i in range(2500)),
    "a product of forty sums": b"algorithm a\ninput y : vector["
    + b"*".join(b"(n%d+1)" % i for i in range(40)) + b"]\ndims "
    + b",".join(b"n%d" % i for i in range(40)) + b"\noutput y\n",
}  # fmt: skip


@pytest.mark.parametrize("data", FOUND.values(), ids=FOUND.keys())
def test_what_was_found(data: bytes) -> None:
    assert len(data) <= MOST
    assert tried(data) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_pages_that_somebody_damaged(seed: int) -> None:
    assert tried(mutated(Random(seed))) is None
