"""The one place that locates grammars/ and algorithms/: beside the package in a checkout, within
it once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_data"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent


def grammar_path(name: str) -> Path:
    """The path of a file of grammars/, such as `unroll.lark` or `prelude.unroll`."""
    return _ROOT / "grammars" / name


def algorithm_path(name: str) -> Path:
    """The path that a packaged algorithm has or would have."""
    return _ROOT / "algorithms" / f"{name}.unroll"


def problem_path(name: str) -> Path:
    """The path that a packaged problem has or would have."""
    return _ROOT / "algorithms" / "problems" / f"{name}.unroll"


def packaged_path(name: str) -> Path | None:
    """The path of a packaged algorithm or, where none has the name, of a packaged problem."""
    if name in algorithm_names():
        return algorithm_path(name)
    return problem_path(name) if name in problem_names() else None


def beside(word: str, ending: str) -> Path:
    """The file beside a program, named after it: `ista_net` and `weights.toml` make
    ista_net.weights.toml. `word` is the name of a packaged algorithm, or a path."""
    if word in algorithm_names():
        return _ROOT / "algorithms" / f"{word}.{ending}"
    path = Path(word)
    return path.with_name(f"{path.stem}.{ending}")


def algorithm_names() -> tuple[str, ...]:
    """The packaged algorithms, in order."""
    return tuple(sorted(path.stem for path in (_ROOT / "algorithms").glob("*.unroll")))


def problem_names() -> tuple[str, ...]:
    """The packaged problems, in order: objectives without an iteration."""
    return tuple(sorted(path.stem for path in (_ROOT / "algorithms" / "problems").glob("*.unroll")))
