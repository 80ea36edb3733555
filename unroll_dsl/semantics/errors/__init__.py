"""What the semantic stage reports: U02 names, U03 types and shapes, U04 structure, W04 warnings."""

from unroll_dsl.semantics.errors.calls import *  # noqa: F403
from unroll_dsl.semantics.errors.entries import *  # noqa: F403
from unroll_dsl.semantics.errors.layers import *  # noqa: F403
from unroll_dsl.semantics.errors.maps import *  # noqa: F403
from unroll_dsl.semantics.errors.measures import *  # noqa: F403
from unroll_dsl.semantics.errors.names import *  # noqa: F403
from unroll_dsl.semantics.errors.numbers import *  # noqa: F403
from unroll_dsl.semantics.errors.operand import *  # noqa: F403
from unroll_dsl.semantics.errors.phases import *  # noqa: F403
from unroll_dsl.semantics.errors.shapes import *  # noqa: F403
from unroll_dsl.semantics.errors.structure import *  # noqa: F403
