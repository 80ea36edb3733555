"""What the syntax stage reports: U01."""

from unroll_dsl.syntax.errors.blocks import *  # noqa: F403
from unroll_dsl.syntax.errors.expressions import *  # noqa: F403
from unroll_dsl.syntax.errors.files import *  # noqa: F403
from unroll_dsl.syntax.errors.layout import *  # noqa: F403
from unroll_dsl.syntax.errors.statements import *  # noqa: F403
