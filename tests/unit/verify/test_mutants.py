"""A few pages mutated by machine; `python -m tests.mutation_pages` does so with all."""

import pytest

import unroll_dsl
from tests.mutation_pages.measure import Effect, measured
from tests.mutation_pages.mutants import KINDS, mutants


@pytest.mark.parametrize("name", ["gradient_descent", "ista"])
def test_what_moves_the_fixed_point_is_caught(name: str) -> None:
    spec = unroll_dsl.load(name)
    made = mutants(spec, 1)
    assert {mutant.kind for mutant in made} >= {*KINDS} - {"stale"}
    outcomes = [measured(spec, mutant) for mutant in made]
    assert sum(o.effect is Effect.FIXED_POINT for o in outcomes) >= 3
    escaped = [
        (o.mutant.before, o.mutant.after)
        for o in outcomes
        if (o.effect is Effect.FIXED_POINT and not o.alone)
        or (o.effect is not Effect.NOTHING and not o.against)
    ]
    assert escaped == []


def test_a_page_is_no_mutant_of_itself() -> None:
    spec = unroll_dsl.load("fista")
    texts = {mutant.spec.program.file.text for mutant in mutants(spec, 3)}
    assert len(texts) >= 12
    assert spec.program.file.text not in texts
