"""Apply an algorithm to arrays from files.

An input may have a leading batch axis. The `torch` backend runs the generated module, `numpy` the
reference, both in double precision. If the spec says what is minimised, its value at the output is
reported (the mean over the batch).
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.files import refuse_to_overwrite
from unroll_dsl.cli.options import add_values, values
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit, UsageError, did_you_mean
from unroll_dsl.cli.values import by_name, pair, phases
from unroll_dsl.files import array_formats

if TYPE_CHECKING:
    from unroll_dsl import Spec


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="path, or name of an algorithm")
    parser.add_argument(
        "--phases", type=phases, metavar="K", help="how many (as the file says), or fixed_point"
    )
    parser.add_argument(
        "--input",
        type=pair,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"an input, one sample or a batch: {array_formats()}; FILE:MEMBER of several arrays",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="write the output here: .npy, .npz, .csv or .txt",
    )
    parser.add_argument("--backend", choices=("torch", "numpy"), default="torch", help="(torch)")
    parser.add_argument("--force", action="store_true", help="write over an existing file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_values(parser)


def run(options: Namespace) -> int:
    if options.output is not None:
        refuse_to_overwrite(options.output, force=options.force)
    spec = load(options.file, no_colour=options.no_colour)
    from unroll_dsl.cli.arrays import check_output, write_arrays
    from unroll_dsl.cli.execution import execute

    inputs = _inputs(spec, options)
    if options.output is not None:
        check_output(options.output, len(spec.graph.outputs))
    outcome = execute(
        spec,
        inputs,
        backend=options.backend,
        phases=options.phases,
        quiet=options.json,
        values=values(spec, options),
    )
    if options.output is not None:
        write_arrays(options.output, outcome.outputs, force=options.force)
    if options.json:
        print_json(outcome.to_json())
    else:
        print(outcome.to_text())
        if options.output is not None:
            said(f"wrote {options.output}")
    return Exit.FINE


def _inputs(spec: "Spec", options: Namespace) -> dict[str, Any]:
    """The arrays of all inputs, in the order in which the spec declares them."""
    from unroll_dsl.cli.arrays import one_sample, read_array

    given = by_name(options.input, "--input")
    declared = {entry.name: entry.type for entry in spec.graph.inputs}
    for name in given:
        if name not in declared:
            mend = did_you_mean(name, tuple(declared)) or f"its inputs: {', '.join(declared)}"
            raise UsageError(f"{spec.name} has no input `{name}`", mend)
    missing = [name for name in declared if name not in given]
    if missing:
        calls = " ".join(f"--input {name}={name}.npy" for name in missing)
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageError(f"no value for the input {names}", f"add `{calls}`")
    return {
        name: one_sample(Path(given[name]), read_array(name, given[name]), declared[name].rank)
        for name in declared
    }
