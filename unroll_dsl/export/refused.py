"""What cannot be exported, in words."""

from unroll_dsl.mendable import Mendable


class CannotExport(Mendable):
    """A network that a format has no way to say, or a runtime that is not there."""
