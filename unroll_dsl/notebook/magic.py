"""The cell magic `%%unroll`."""

from __future__ import annotations

import keyword
from typing import Any

from unroll_dsl.driver import check_source
from unroll_dsl.notebook.marked import Marked
from unroll_dsl.source import SourceFile
from unroll_dsl.spec import Spec

_NAME = "unroll"


def register(shell: Any) -> None:
    """Give a shell of IPython the magic `%%unroll`."""

    def unroll(line: str, cell: str) -> Spec | Marked:
        """A program in the cell. It is bound to the name after `%%unroll`, by default that of the algorithm.

        Shows its equations, or the page with what is wrong below each line.
        """
        return run_cell(line, cell, shell.user_ns)

    shell.register_magic_function(unroll, magic_kind="cell", magic_name=_NAME)


def run_cell(line: str, cell: str, names: dict[str, Any]) -> Spec | Marked:
    """Check a cell's program and bind its `Spec` in `names`.

    Parameters
    ----------
    line
        What stands behind `%%unroll`: a name for the program, or nothing.

    Returns
    -------
    Spec or Marked
        The program; where it has errors, the page with diagnostics under its lines, and nothing is bound.
    """
    wanted = line.strip()
    if wanted and (not wanted.isidentifier() or keyword.iskeyword(wanted)):
        raise ValueError(f"`%%{_NAME}` takes one name for the program, not `{wanted}`")
    file = SourceFile("<cell>", cell)
    checked = check_source(file)
    if checked.has_errors:
        return Marked(file, checked.diagnostics)
    spec = Spec(checked)
    names[wanted or spec.name] = spec
    if checked.diagnostics:
        _show(Marked(file, checked.diagnostics))
    return spec


def _show(marked: Marked) -> None:
    """Warnings, above what the cell gives."""
    from IPython.display import display

    display(marked)  # type: ignore[no-untyped-call]
