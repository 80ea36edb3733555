"""`python -m tests.mutation_pages [NAME ...]`: mutate pages by machine, and count what `check` catches.

A page that fails as it is, alone or against itself, is not counted: its mutants would fail with it.

--per-kind N    mutants of each kind a page (2)
--seed S        of the draw (0)
--escaped       print those that are not caught
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import torch

from tests.mutation_pages.measure import Effect, Outcome, fault, measured
from tests.mutation_pages.mutants import KINDS, mutants
from unroll_dsl.loading import load
from unroll_dsl.resources import algorithm_names


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--per-kind", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--escaped", action="store_true")
    options = parser.parse_args(given)
    torch.set_num_threads(1)
    found: dict[str, list[Outcome]] = {}
    for name in options.names or sorted(algorithm_names()):
        began = time.process_time()
        spec = load(name)
        wrong = fault(spec)
        if wrong:
            print(f"{spec.name:<22} not counted, it fails as it is: {wrong}", flush=True)
            continue
        made = mutants(spec, options.per_kind, options.seed)
        found[spec.name] = [measured(spec, mutant) for mutant in made]
        print(
            line(spec.name, found[spec.name]), f"{time.process_time() - began:6.1f} s", flush=True
        )
        if options.escaped:
            show_escaped(found[spec.name])
    every = [outcome for outcomes in found.values() for outcome in outcomes]
    print(line("all pages", every))
    for kind in KINDS:
        print(line(f"  {kind}", [o for o in every if o.mutant.kind == kind]))


def line(title: str, outcomes: list[Outcome]) -> str:
    """Mutants; those that change nothing; of those that move the fixed point, caught alone; of all that
    change anything, caught against the page as it was."""
    effects = Counter(o.effect for o in outcomes)
    moved = [o for o in outcomes if o.effect is Effect.FIXED_POINT]
    changed = [o for o in outcomes if o.effect is not Effect.NOTHING]
    alone, against = sum(o.alone for o in moved), sum(o.against for o in changed)
    return (
        f"{title:<22} {len(outcomes):4} mutants, {effects[Effect.NOTHING]:3} change nothing; "
        f"alone {alone:3} of {len(moved):3}; against {against:3} of {len(changed):3}"
    )


def show_escaped(outcomes: list[Outcome]) -> None:
    for o in outcomes:
        if o.effect is Effect.FIXED_POINT and not o.alone:
            print(f"    alone   {o.mutant.kind:8} {o.mutant.before}  =>  {o.mutant.after}")
        if o.effect is not Effect.NOTHING and not o.against:
            print(f"    against {o.mutant.kind:8} {o.mutant.before}  =>  {o.mutant.after}")


if __name__ == "__main__":
    main()
