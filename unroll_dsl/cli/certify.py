"""Bound the worst case of an iteration over a class of functions, with the steps that a page or a trained network has.

    unroll certify ista                              steps in units of 1 / L: any matrix, any data
    unroll certify page.unroll --bind A=A.npy        steps of other constants
    unroll certify RUN                               the steps, thresholds and momenta that were learned

What the phases do is read off the page: gradients of the smooth terms of its objective, proximal maps of the
others, and combinations of points. What cannot be said so is refused. PEPit solves for the worst function.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.options import add_values, values
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import print_json
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, count

if TYPE_CHECKING:
    from unroll_dsl import Spec


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="path, name of an algorithm, run or network")
    parser.add_argument("--phases", type=count, metavar="K", help="how many (as the file says)")
    parser.add_argument("--at", type=_numbers, metavar="1,2,4", help="the rows of the table")
    parser.add_argument(
        "--class", dest="of", choices=("convex", "quadratic"), default="convex", help="(convex)"
    )
    parser.add_argument(
        "--measure",
        choices=("objective", "distance", "gradient"),
        default="objective",
        help="what is bounded: F(x_K) - F* (the default), |x_K - x*|^2, |grad F(x_K)|^2",
    )
    parser.add_argument(
        "--smoothness", type=_positive, metavar="L", help="in place of the objective's own"
    )
    parser.add_argument(
        "--strong-convexity", type=_positive, metavar="MU", help="of the smooth terms (0)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_values(parser)


def run(options: Namespace) -> int:
    spec, given = _opened(options)
    from unroll_dsl.certify import table
    from unroll_dsl.certify.run import certify

    try:
        found = certify(
            spec,
            at=options.at,
            of=options.of,
            smoothness=options.smoothness,
            strong=options.strong_convexity,
            measure=options.measure,
            **given,
        )
    except ModuleNotFoundError as error:
        mend = "`pip install 'unroll_dsl[certify]'` installs it"
        raise UsageError(f"certificates need {error.name}, which is not installed", mend) from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    if options.json:
        print_json(table.to_json(found))
    else:
        print(table.to_text(found))
    return Exit.FINE


def _opened(options: Namespace) -> "tuple[Spec, dict[str, Any]]":
    """The program, and `certify`'s arguments: its own values over those of a run or network."""
    path = Path(options.file)
    if not path.is_dir() and path.suffix != ".safetensors":
        spec = load(options.file, no_colour=options.no_colour)
        return spec, {"phases": options.phases, **values(spec, options)}
    from unroll_dsl.cli.arrays import read_value
    from unroll_dsl.cli.refusals import refusals

    with refusals():
        from unroll_dsl.runs.reading import Asked, read_solver

        if options.init:
            raise UsageError("a network has its own values: `--init` is for pages")
        bind = {k: read_value(k, v) for k, v in by_name(options.bind, "--bind").items()}
        asked = Asked(bind=bind, dims=dict(by_name(options.dims, "--dims")))
        solver = read_solver(path, asked)
    given = {"bind": solver.bind, "init": solver.values, "dims": solver.dims}
    if options.phases is not None and options.phases > solver.phases:
        raise UsageError(f"the network has {solver.phases} phases", "leave `--phases` out")
    at = options.at or ([options.phases] if options.phases is not None else None)
    options.at = at
    return solver.spec, {"phases": solver.phases, **given}


def _numbers(text: str) -> list[int]:
    return [count(word.strip()) for word in text.split(",")]


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError(f"`{text}` is not a number above 0")
    return number
