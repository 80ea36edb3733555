"""docs/functions.md says what the records say, and its examples run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.operators.registry import names
from unroll_dsl.types import Array
from unroll_dsl.typeset.manual import SAMPLES, Example, entries, examples, page

PAGE = Path(__file__).parents[2] / "docs" / "functions.md"
WITHOUT = {"prev", "split"}  # which need a phase, and a network


@pytest.fixture(scope="module")
def found() -> tuple[Example, ...]:
    return examples()


def test_the_page_of_the_functions(golden: Callable[[Path, str], None]) -> None:
    golden(PAGE, page())


def test_every_name_has_an_entry_and_every_entry_an_example(found: tuple[Example, ...]) -> None:
    assert {*names()} <= {entry.name for entry in entries()}
    shown = {example.text for example in found}
    for entry in entries():
        assert entry.name in WITHOUT or shown & {*entry.tried}, entry.name
        assert not entry.way_back or shown & {*entry.way_back}, entry.name


def test_the_examples_run_and_give_what_the_page_says(found: tuple[Example, ...]) -> None:
    outputs = ", ".join(f"e{place} = {example.text}" for place, example in enumerate(found))
    spec = unroll_dsl.loads(SAMPLES + f"output {outputs}\n")
    rng = np.random.default_rng(0)

    def drawn(type_: object) -> np.ndarray:
        assert isinstance(type_, Array)
        sizes = {name: size for name, size in spec.graph.dims if size is not None}
        values = rng.uniform(0.2, 0.9, [size.substitute(sizes).value for size in type_.shape])
        if values.ndim == 2 and values.shape[0] == values.shape[1]:
            values = values @ values.T  # a root, say, is of such a matrix
        return values + 0.1j if "complex" in str(type_) else values

    constants = {c.name: drawn(c.type) for c in spec.graph.constants}
    values = spec.reference(bind=constants)(*(drawn(i.type) for i in spec.graph.inputs))
    for example, value in zip(found, values, strict=True):
        is_complex = example.value.startswith("complex")
        assert np.iscomplexobj(value) == is_complex, example
        assert np.isfinite(value).all(), example
