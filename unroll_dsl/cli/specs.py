"""From what a user typed to a spec: a path, or the name of an algorithm that comes along."""

from difflib import get_close_matches
from pathlib import Path

from unroll_dsl.cli.usage import UsageError
from unroll_dsl.resources import algorithm_names, algorithm_path


def locate(word: str) -> Path:
    """The file that `word` means: an existing path, else an algorithm that comes along.

    A path wins, so that a local `lista.unroll` is reached as such and `lista` is the packaged one.
    """
    path = Path(word)
    if path.is_file():
        return path
    names = algorithm_names()
    if word in names:
        return algorithm_path(word)
    if path.is_dir() and word not in names:
        raise UsageError(f"{word} is a folder", "give the name of a file or of an algorithm")
    if path.suffix or len(path.parts) > 1:
        raise UsageError(f"there is no file {word}", _near_file(path))
    raise UsageError(f"there is no algorithm `{word}`", _near_name(word, tuple(names)))


def _near_name(word: str, names: tuple[str, ...]) -> str:
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
    return "`unroll list` names those that come along; a file is given by its path"


def _near_file(path: Path) -> str:
    here = [p.name for p in path.parent.glob("*.unroll")] if path.parent.is_dir() else []
    near = get_close_matches(path.name, here, n=1, cutoff=0.5)
    if near:
        return f"did you mean {path.parent / near[0]}?"
    return f"`unroll new {path.stem}` writes one to start from"
