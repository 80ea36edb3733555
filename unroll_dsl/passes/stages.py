"""When each value is known: set-up, call, phase or output.

The rule is part of the IR (its text and its verifier state it), so it lives in `ir/stages.py`;
passes and backends read it here.
"""

from unroll_dsl.ir.stages import reachable, roots, stages

__all__ = ["reachable", "roots", "stages"]
