"""Goldens: texts kept beside the cases, compared, or rewritten with `--update-goldens`.

    pytest tests/conformance --update-goldens

Read the diff that it leaves before committing it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="rewrite the goldens of the conformance tests"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file at a path; with `--update-goldens` write it there."""
    update = bool(request.config.getoption("--update-goldens", default=False))

    def compare(path: Path, text: str) -> None:
        if update:
            path.write_bytes(text.encode("utf-8"))
            return
        assert path.exists(), f"no golden {path.name}: run with --update-goldens and read it"
        assert text == path.read_bytes().decode("utf-8")

    return compare
