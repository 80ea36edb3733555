"""Options that several commands share: roles of constants, values from files, settings of training."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from unroll_dsl.cli.refusals import BIND
from unroll_dsl.cli.values import by_name, count, learn, pair, sizes
from unroll_dsl.files import PICTURES, array_formats

if TYPE_CHECKING:
    from unroll_dsl import Spec


def add_roles(parser: ArgumentParser) -> None:
    """`--learn` and `--fix`."""
    parser.add_argument(
        "--learn",
        type=learn,
        action="append",
        default=[],
        metavar="NAME[=per-phase]",
        help="make a fixed value learnable, shared or per phase",
    )
    parser.add_argument(
        "--fix",
        action="append",
        default=[],
        metavar="NAME",
        help="fix a learnable at its classical value",
    )


def roles(options: Namespace) -> tuple[dict[str, str], tuple[str, ...]]:
    """`learn` and `fix` as `compile` and `source` take them."""
    return by_name(options.learn, "--learn"), tuple(options.fix)


def add_values(parser: ArgumentParser) -> None:
    """`--bind`, `--init` and `--dims`."""
    for option, what in (
        ("--bind", f"value of a fixed name: a number, or a file: {array_formats()}; FILE:MEMBER"),
        ("--init", "value that a learnable starts from instead of its classical one"),
    ):
        parser.add_argument(
            option, type=pair, action="append", default=[], metavar="NAME=VALUE", help=what
        )
    parser.add_argument(
        "--dims", type=sizes, default=(), metavar="n=9,m=6", help="sizes that nothing else tells"
    )


class Values(TypedDict):
    """Keyword arguments that `compile` and `reference` share."""

    bind: dict[str, Any]
    init: dict[str, Any]
    dims: dict[str, int]


def values(spec: "Spec", options: Namespace) -> Values:
    """`bind`, `init` and `dims` as `compile` and `reference` take them.

    All in double precision, in which commands compute: of files of several precisions none is in the way.
    """
    from unroll_dsl.cli.arrays import in_double, values_of

    return {
        "bind": in_double(values_of(spec, by_name(options.bind, "--bind"))),
        "init": in_double(values_of(spec, by_name(options.init, "--init"))),
        "dims": dict(by_name(options.dims, "--dims")),
    }


def add_training(parser: ArgumentParser, rate: str) -> None:
    """`--batch`, `--rate`, `--seed`, `--bind`, `--dims`; `rate` is the one that is taken by default."""
    parser.add_argument("--batch", type=count, metavar="N", help="samples an update (64)")
    parser.add_argument("--rate", type=float, metavar="R", help=f"learning rate ({rate})")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything random (0)")
    parser.add_argument(
        "--bind", type=pair, action="append", default=[], metavar="NAME=FILE", help=BIND
    )
    parser.add_argument(
        "--dims", type=sizes, default=(), metavar="n=9,m=6", help="sizes that nothing else tells"
    )


def bound(options: Namespace) -> dict[str, float | str]:
    """`--bind` as the table `bind` of a configuration has it: numbers, and whole paths."""
    return {name: _number_or_path(text) for name, text in by_name(options.bind, "--bind").items()}


def source(data: Path) -> dict[str, str]:
    """`--data` as the table `data` has it: a folder of images, one image, or a file of arrays."""
    single = data.is_file() and data.suffix.lower() not in PICTURES
    return {"file" if single else "folder": str(data.resolve())}


def _number_or_path(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return str(Path(text).resolve())
