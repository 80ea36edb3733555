"""Programs whose text is what they are, so that a file with the text is enough to make the network again."""

from __future__ import annotations

from unroll_dsl.source import SourceFile
from unroll_dsl.spec import Spec, loads
from unroll_dsl.syntax import parse
from unroll_dsl.syntax.printer import same_tree, to_text


def standalone(spec: Spec) -> Spec:
    """`spec`, printed and read again where other roles have made its text another program's."""
    file = spec.program.file
    parsed = parse(SourceFile(file.name, file.text)).program
    if parsed is not None and same_tree(parsed, spec.program):
        return spec
    return loads(to_text(spec.program), file.name)
