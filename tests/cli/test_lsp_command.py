"""`unroll lsp` without its extra; what it says to an editor is in tests/lsp."""

from tests.cli.conftest import Unroll


def test_a_missing_extra_is_told_by_its_name(process: Unroll) -> None:
    code = """
import sys
sys.modules.update({"pygls": None, "lsprotocol": None})
from unroll_dsl.cli.main import main
sys.exit(main(["lsp", "--stdio"]))
"""
    result = process(code=code)
    assert result.status == 2 and result.out == ""
    assert "needs `lsprotocol`, which is not installed" in result.err
    assert "pip install 'unroll_dsl[lsp]'" in result.err
