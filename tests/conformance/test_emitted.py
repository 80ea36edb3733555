"""The modules that the torch backend writes, kept as files: read the diff when one changes."""

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.resources import algorithm_names

GOLDENS = Path(__file__).parent / "emitted"
# One for each shape of a module: no parameters; shared ones; a phase class; a last phase of its own;
# a factor at set-up; no phases; numbers of a phase; targets; layers, kernels, what a loss reads of phases.
NAMES = (
    "admm_csnet", "admm_lasso", "admm_net", "baseline_shrink", "fista", "fista_net", "group_lasso",
    "ista_net_plus", "lamp", "lfista", "lista", "lista_cpss", "pdhg", "step_lista", "tista",
)  # fmt: skip

# Runs a module where nothing of this project can be imported.
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("unroll_dsl", "lark", "ruff", "networkx"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Refuse())
import torch
namespace = {"__name__": "lista"}
exec(compile(open(sys.argv[1]).read(), "lista.py", "exec"), namespace)
torch.manual_seed(0)
net = namespace["Lista"](torch.randn(5, 8), phases=3)
Z = net(torch.randn(4, 5))
net.loss(torch.randn(4, 5), torch.zeros(4, 8)).backward()
assert Z.shape == (4, 8) and net.S.grad is not None
print("fine")
"""


@pytest.mark.parametrize("name", NAMES)
def test_modules_read_as_before(name: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDENS / f"{name}.py", unroll_dsl.load(name).source())


@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_torch_is_the_only_import_from_outside(name: str) -> None:
    tree = ast.parse(unroll_dsl.load(name).source())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert imported - {"collections.abc", "warnings"} == {"torch"}  # words of the standard library


def test_a_module_runs_where_nothing_else_is_installed(tmp_path: Path) -> None:
    (tmp_path / "lista.py").write_text(unroll_dsl.load("lista").source(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "lista.py")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


@pytest.mark.parametrize("name", ["fista", "lista", "lamp"])
def test_the_text_does_not_grow_with_the_phases(name: str) -> None:
    spec = unroll_dsl.load(name)
    few, many = spec.source(phases=9).splitlines(), spec.source(phases=900).splitlines()
    different = [pair for pair in zip(few, many, strict=True) if pair[0] != pair[1]]
    assert [(a.count("9"), b.count("900")) for a, b in different] == [(1, 1)]
