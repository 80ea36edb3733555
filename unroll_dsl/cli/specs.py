"""From what a user typed to a spec: a path, or the name of an algorithm that comes along."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from unroll_dsl.cli.terminal import report_diagnostics
from unroll_dsl.cli.usage import UsageError
from unroll_dsl.resources import algorithm_names, algorithm_path

if TYPE_CHECKING:
    from unroll_dsl import Spec


def locate(word: str) -> Path:
    """The file that `word` means: an existing file, else an algorithm that comes along."""
    path = Path(word)
    if path.is_file():
        return path
    names = algorithm_names()
    if word in names:
        return algorithm_path(word)
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path  # meant as a file: that it cannot be read is reported by who reads it
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    if near:
        mend = f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
    else:
        mend = "`unroll list` names those that come along; a file is given by its path"
    raise UsageError(f"there is no algorithm `{word}`", mend)


def load(word: str, *, no_colour: bool = False) -> "Spec":
    """The spec that `word` means, checked; its warnings are shown."""
    import unroll_dsl

    spec = unroll_dsl.load(locate(word))
    report_diagnostics(spec.warnings, no_colour=no_colour)
    return spec
