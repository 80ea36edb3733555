"""What an editor shows of a page: pure functions from a text and a place to places and words.

    page = open_page(text, "ista.unroll")
    hover(page, offset), completions(page, offset), fixes(page, diagnostic), ...

Places are offsets in code points, as everywhere; nothing here knows a protocol, imports torch or writes a file. A
page may be half typed: what could be read of it is answered for, the rest is left alone.
"""

from unroll_dsl.editor.completion import Completion, completions
from unroll_dsl.editor.fixes import Edit, Fix, applied, fixes
from unroll_dsl.editor.hints import Hint, hints
from unroll_dsl.editor.hovering import Hover, hover
from unroll_dsl.editor.navigation import declaration, references
from unroll_dsl.editor.outline import OutlineEntry, outline
from unroll_dsl.editor.page import OpenPage, open_page
from unroll_dsl.editor.renaming import CannotRename, rename, renameable

__all__ = [
    "CannotRename",
    "Completion",
    "Edit",
    "Fix",
    "Hint",
    "Hover",
    "OpenPage",
    "OutlineEntry",
    "applied",
    "completions",
    "declaration",
    "fixes",
    "hints",
    "hover",
    "open_page",
    "outline",
    "references",
    "rename",
    "renameable",
]
