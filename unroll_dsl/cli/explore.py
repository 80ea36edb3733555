"""Train the networks of a problem's family, each for the same time on the same data, and compare them.

    unroll explore lasso --out DIR --budget 10m --dims n=100,m=50
    unroll explore block_cs --out DIR --data IMAGES --method ista
    unroll explore --resume DIR                              go on with one that was stopped
    unroll explore --resume DIR --budget 20m                 ... with more time than it began with

The folder has a run of each network (`unroll report`, `unroll train --resume`), explore.html, and the page of the best one,
best.unroll. A problem without a loss is learnt by the squared distance to a target, measured as its square says.
"""

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.files import write_text
from unroll_dsl.cli.options import add_training, bound, source
from unroll_dsl.cli.problems import add_methods, add_statements, methods
from unroll_dsl.cli.refusals import DATA, refusals
from unroll_dsl.cli.specs import load
from unroll_dsl.cli.terminal import print_json, said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, count

if TYPE_CHECKING:
    from unroll_dsl.explore.judge import Judged

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """`90s`, `10m`, `2h` in seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        found = float(number) * _UNITS[unit]
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ArgumentTypeError(f"`{text}` is no time: 90s, 10m, 2h")
    return found


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="PROBLEM", help="path, or name of a problem")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder to make")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with this one")
    parser.add_argument("--budget", type=seconds, metavar="TIME", help="90s, 10m, 2h (10m)")
    add_methods(parser)
    add_statements(parser)
    parser.add_argument("--data", type=Path, metavar="PATH", help=DATA)
    parser.add_argument("--phases", type=count, metavar="K", help="of each network (10)")
    add_training(parser, rate="1e-3")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as for `unroll train`"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    begun = time.monotonic()
    with refusals():
        from unroll_dsl.explore import Settings, explore, resume
        from unroll_dsl.explore.judge import judge
        from unroll_dsl.explore.page import page
        from unroll_dsl.runs.page import html

        if options.resume is not None:
            if options.file is not None or options.out is not None:
                raise UsageError(
                    "an exploration goes on as it began",
                    f"`unroll explore --resume {options.resume}`",
                )
            found = resume(options.resume, budget=options.budget, say=said, begun=begun)
        else:
            if options.file is None:
                raise UsageError("what is to be explored?", "`unroll explore PROBLEM --out DIR`")
            if options.out is None:
                raise UsageError("no folder for the exploration", "`--out DIR`")
            settings = Settings(options.budget or 600.0, methods(options), _tables(options))
            spec = load(options.file, no_colour=options.no_colour, quiet=True)
            statements = tuple(options.statements)
            found = explore(
                spec.typed, options.out, settings, statements=statements, say=said, begun=begun
            )
        said("comparing")
        judged = judge(found, found.until)
        write_text(found.path / "explore.html", html(page(judged)), force=True)
    if options.json:
        print_json(judged.to_json())
    else:
        _print(judged)
    said(f"the page is {found.path / 'explore.html'}, the best one's {found.path / 'best.unroll'}")
    return Exit.FINE


def _print(judged: "Judged") -> None:
    """The networks from the best, then the algorithms after as many iterations, as lines of text."""
    from unroll_dsl.runs.against import metric_label
    from unroll_dsl.runs.examples import figure

    found = judged.comparison
    curves = (*found.networks, *found.classical)
    width = max(len(curve.name) for curve in curves)
    print(f"{metric_label(found.metric)}, {found.count} samples")
    for curve in curves:
        words = f"{curve.parameters:,} learned numbers" if not curve.classical else "learns nothing"
        count = f"{curve.phases[-1]:.0f} {'iterations' if curve.classical else 'phases'}"
        print(f"  {curve.name:<{width}}  {figure(curve.last, found.metric):>10}  {count}, {words}")


def _tables(options: Namespace) -> dict[str, Any]:
    """The tables of a configuration of training that the options say."""
    from unroll_dsl.train.tables import merged, setting

    train = {k: getattr(options, k) for k in ("batch", "rate") if getattr(options, k) is not None}
    tables: dict[str, Any] = {
        **{k: getattr(options, k) for k in ("phases", "seed") if getattr(options, k) is not None},
        "train": train,
        "dims": dict(by_name(options.dims, "--dims")),
        "bind": bound(options),
    }
    if options.data is not None:
        if not options.data.exists():
            raise UsageError(f"there is no {options.data}")
        tables["data"] = source(options.data)
    for text in options.set:
        tables = merged(tables, setting(text))
    return tables
