"""A program from its name, its path or its text."""

from __future__ import annotations

from pathlib import Path

from unroll_dsl.backends.errors import UnknownAlgorithm
from unroll_dsl.driver import Checked, check_path, check_source
from unroll_dsl.resources import algorithm_names, packaged_path
from unroll_dsl.source import SourceFile
from unroll_dsl.spec import Spec


def load(source: str | Path) -> Spec:
    """Load a packaged algorithm by its name, or a file by its path.

    Raises
    ------
    UnrollError
        With all diagnostics, if the program has errors or is not found.
    """
    return Spec(check_named(source))


def loads(text: str, name: str = "<text>") -> Spec:
    """Load a program from its text."""
    return Spec(check_source(SourceFile(name, text)))


def check_named(source: str | Path) -> Checked:
    """Check a packaged algorithm by its name, or a file by its path."""
    if isinstance(source, str) and (packaged := packaged_path(source)) is not None:
        return check_path(packaged, f"{source}.unroll")
    if isinstance(source, str) and "\n" in source:
        unknown = UnknownAlgorithm(source, ())
        return Checked(None, None, None, None, (unknown,))
    path = Path(source)
    if isinstance(source, str) and path.suffix != ".unroll" and not path.exists():
        file = f"{source}.unroll"
        unknown = UnknownAlgorithm(
            source, algorithm_names(), file if Path(file).is_file() else None
        )
        return Checked(None, None, None, None, (unknown,))
    return check_path(path)
