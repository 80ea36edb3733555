"""What cannot be exported, in words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from unroll_dsl.mendable import Mendable


class CannotExport(Mendable):
    """A network that a format has no way to say, or a runtime that is not there."""


@contextmanager
def among_themselves() -> Iterator[None]:
    """What libraries warn each other of while they translate is no news of the network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
