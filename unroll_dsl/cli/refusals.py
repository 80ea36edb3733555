"""What `train`, `report`, `eval` and `compare` share: refusals in the user's words, options for other data."""

import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.terminal import said
from unroll_dsl.cli.usage import UsageError
from unroll_dsl.cli.values import by_name, pair, sizes
from unroll_dsl.files import ARRAYS, PICTURES, array_formats

if TYPE_CHECKING:
    from unroll_dsl.runs.reading import Asked


DATA = (
    f"a folder of images ({', '.join((*PICTURES, *ARRAYS))}), an image, or a file of arrays by name"
)
BIND = f"a number, or a file: {array_formats()}; FILE:MEMBER of several arrays"


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what is wrong with a folder, with data or with a file of weights into usage errors."""
    from unroll_dsl.data.errors import DataError
    from unroll_dsl.files import CannotRead
    from unroll_dsl.runs.classical import DoesNotFit
    from unroll_dsl.train.errors import TrainingError

    try:
        with shown_warnings():
            yield
    except (TrainingError, DataError, CannotRead) as error:
        raise UsageError(error.message, error.mend) from error
    except DoesNotFit as error:
        raise UsageError(str(error)) from error
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            raise
        raise UsageError(str(error)) from error


@contextmanager
def shown_warnings() -> Iterator[None]:
    """What is suspicious is told as everything else is, without a place in the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *place: said(f"warning: {message}")
        yield


def add_data(parser: ArgumentParser) -> None:
    """`--data`, `--bind` and `--dims`."""
    parser.add_argument(
        "--data", type=Path, metavar="PATH", help=f"{DATA} (the run's validation set)"
    )
    parser.add_argument(
        "--bind",
        type=pair,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"fixed value, in place of the run's own: {BIND}",
    )
    parser.add_argument("--dims", type=sizes, default=(), metavar="n=9,m=6", help="sizes, likewise")


def asked(options: Namespace, metric: str = "", *, of_several: bool = False) -> "Asked":
    """What the options of `add_data` ask for, of one network or of several."""
    from unroll_dsl.cli.arrays import read_value
    from unroll_dsl.runs.reading import Asked

    if options.data is not None and not options.data.exists():
        raise UsageError(f"there is no {options.data}")
    bind = {k: read_value(k, v) for k, v in by_name(options.bind, "--bind").items()}
    return Asked(options.data, metric, bind, dict(by_name(options.dims, "--dims")), of_several)
