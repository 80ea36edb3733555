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


def algorithm_names() -> tuple[str, ...]:
    """The packaged algorithms, in order."""
    return tuple(sorted(path.stem for path in (_ROOT / "algorithms").glob("*.unroll")))
