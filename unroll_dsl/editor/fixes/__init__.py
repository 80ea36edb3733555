"""Exact mends: for the mistakes whose message names what to write, the edits that write it.

A module here knows the mends of some errors: functions that are registered with `proposals` for the class of a
diagnostic. What is offered has been tried: checked anew, the page no longer has the mistake.
"""

from unroll_dsl.editor.edits import Edit, Fix, applied
from unroll_dsl.editor.fixes import declarations, formulas, layout, lines, words  # noqa: F401
from unroll_dsl.editor.fixes.proposals import fixes, proposals

__all__ = ["Edit", "Fix", "applied", "fixes", "proposals"]
