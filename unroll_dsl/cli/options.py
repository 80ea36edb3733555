"""Options that several commands share: roles of constants and values from files."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, TypedDict

from unroll_dsl.cli.values import by_name, learn, pair, sizes
from unroll_dsl.files import array_formats

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
    """`bind`, `init` and `dims` as `compile` and `reference` take them."""
    from unroll_dsl.cli.arrays import values_of

    return {
        "bind": values_of(spec, by_name(options.bind, "--bind")),
        "init": values_of(spec, by_name(options.init, "--init")),
        "dims": dict(by_name(options.dims, "--dims")),
    }
