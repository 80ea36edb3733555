"""Train LISTA on natural images and compare it with FISTA, as Gregor and LeCun (2010) did.

Patches of photographs are coded in a learned dictionary. From lista.unroll come networks of 1, 3
and 7 phases; before training they equal ISTA, afterwards the table says how many iterations of
FISTA reach the same error. Takes less than 3 minutes on two cores and leaves the generated module,
the weights and a plot behind.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from unroll_dsl.cli.terminal import print_json
from unroll_dsl.cli.usage import Exit


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), metavar="DIR", help="(demo-output)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything that is random (0)")
    parser.add_argument("--quick", action="store_true", help="a smaller run, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    from unroll_dsl.demo.run import run_demo

    result = run_demo(options.out, seed=options.seed, quick=options.quick, json_only=options.json)
    if options.json:
        print_json(result.to_json())
    return Exit.FINE
