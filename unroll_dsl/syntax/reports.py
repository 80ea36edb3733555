"""The errors of this stage, loaded when the first is reported: most files have none.

    from unroll_dsl.syntax import reports as e

Forty dataclasses take longer to set up than a page of text takes to parse.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unroll_dsl.syntax.errors import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        from unroll_dsl.syntax import errors

        return getattr(errors, name)
