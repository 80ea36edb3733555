"""Networks written for other runtimes give what they give; what cannot be written is refused by its name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import unroll_dsl
from tests.agreement.test_levels import made
from unroll_dsl.export.checked import agreement
from unroll_dsl.export.programs import as_pairs
from unroll_dsl.export.refused import CannotExport
from unroll_dsl.export.taken import Frozen, frozen
from unroll_dsl.export.writing import formats
from unroll_dsl.resources import algorithm_names

NAMED = ("lista", "ista_net_plus", "admm_csnet", "tv_admm", "admm_lasso", "fista_net")
QUICK = (
    "lista",
    "tv_admm",
    "fista_net",
    "ista_net_plus",
    "dpir",
)  # of what a folder may hold, one each
OUTSIDE = {"dpir", "red"}  # they call a network from outside


def of(name: str, dtype: torch.dtype = torch.float32) -> Frozen:
    """A shipped network with drawn values, at the sizes of its inputs."""
    network, inputs, _ = made(name, 3)
    graph: Any = network._origin.graph
    dims = {}
    for entry, value in zip(graph.inputs, inputs, strict=True):
        for dim, size in zip(entry.type.shape, value.shape[1:], strict=True):
            if str(dim) in dim.symbols:
                dims[str(dim)] = size
    return frozen(network.to(dtype), dims)


SMALL = "algorithm small\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"


def small(lines: str, **options: Any) -> Any:
    matrix = torch.arange(24.0).reshape(4, 6).sin()
    return unroll_dsl.loads(SMALL + lines).compile(bind={"A": matrix}, seed=0, **options)


ISTA = "state x : vector[n] = 0\nphase (3):\n    x <- soft(x - 0.1 * A' @ (A @ x - y), 0.01)\noutput x\n"


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("admm_lasso", torch.float64),
        pytest.param("tv_admm", torch.float32, marks=pytest.mark.slow),
        pytest.param("fista_net", torch.float32, marks=pytest.mark.slow),
        pytest.param("fista_net", torch.float64, marks=pytest.mark.slow),
        pytest.param("lista", torch.float64, marks=pytest.mark.slow),
    ],
)
def test_programs_of_torch(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    frozen_ = of(name, dtype)
    off = formats()["pt2"](frozen_, tmp_path / "net.pt2")
    assert off <= (1e-5 if dtype is torch.float32 else 1e-10)
    loaded = torch.export.load(tmp_path / "net.pt2").module()
    for batch in (1, 7):
        given = frozen_.samples(batch)
        found = loaded(*given)
        found = found if isinstance(found, tuple) else (found,)
        agreement(frozen_, given, found, "here")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*algorithm_names()} - {"tv_admm", "fista_net"}))
def test_programs_of_every_algorithm(name: str, tmp_path: Path) -> None:
    assert formats()["pt2"](of(name), tmp_path / "net.pt2") < 1e-3


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in sorted(algorithm_names())
    ],
)
def test_folders(name: str, tmp_path: Path) -> None:
    if name in OUTSIDE:
        with pytest.raises(CannotExport, match="is made with `N`, which is no value"):
            formats()["py"](of(name), tmp_path)
        return
    assert formats()["py"](of(name), tmp_path) == 0


def test_a_folder_needs_torch_alone(tmp_path: Path) -> None:
    frozen_ = of("ista_net_plus")
    formats()["py"](frozen_, tmp_path / "net")
    given = frozen_.samples(2)
    torch.save((given, frozen_.expected(*given)), tmp_path / "values.pt")
    code = """
import sys
sys.modules["unroll_dsl"] = None
import torch
from load import load
given, (expected,) = torch.load("../values.pt")
assert torch.equal(load()(*given), expected)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "net", check=True)


def test_what_gives_something_else_is_refused() -> None:
    frozen_ = of("lista")
    given = frozen_.samples(3)
    (right,) = frozen_.expected(*given)
    assert agreement(frozen_, given, [right * (1 + 1e-6)], "it") < 1e-5
    with pytest.raises(CannotExport, match="it gives another `Z` than the network"):
        agreement(frozen_, given, [right * (1 + 1e-3)], "it")
    with pytest.raises(CannotExport):
        agreement(frozen_, given, [right * float("nan")], "it")


def test_names_of_what_is_given() -> None:
    made_ = frozen(small(ISTA.replace("output x", "output xhat = 2 * x, x, A @ x, A @ x")))
    assert made_.outputs == ("xhat", "x", "output", "output4")
    assert [(t.name, t.shape, t.is_complex) for t in made_.inputs] == [("y", (4,), False)]


def test_refusals(tmp_path: Path) -> None:
    network = small(ISTA)
    with pytest.raises(CannotExport, match="no format `tflite`"):
        unroll_dsl.export(network, tmp_path / "net.tflite")
    with pytest.raises(CannotExport, match=r"no network of `Spec\.compile`"):
        unroll_dsl.export(network.freeze(), tmp_path / "net.pt2")
    image = unroll_dsl.loads("algorithm p\ndims h, w\ninput y : image[1, h, w]\noutput 2 * y\n")
    with pytest.raises(CannotExport, match="size h of input `y` is not known") as error:
        unroll_dsl.export(image.compile(), tmp_path / "net.pt2")
    assert error.value.mend == "give it: h=..., w=..."
    assert unroll_dsl.export(image.compile(), tmp_path / "net.pt2", dims={"h": 8, "w": 6}) == 0


def test_a_network_at_rest_has_no_program(tmp_path: Path) -> None:
    with pytest.raises(CannotExport, match=r"cannot be followed by torch\.export"):
        unroll_dsl.export(small(ISTA, phases="fixed_point"), tmp_path / "net.pt2")


def test_pairs() -> None:
    z = torch.tensor([1 + 2j])
    assert as_pairs((z, z.real))[0].tolist() == [[1.0, 2.0]]
    assert as_pairs((z, z.real))[1].tolist() == [1.0]


@pytest.mark.slow
def test_compiled_code(tmp_path: Path) -> None:
    network = small(ISTA)
    assert unroll_dsl.export(network, tmp_path / "net.pt2", format="aoti") < 1e-5
    run = torch._inductor.aoti_load_package(str(tmp_path / "net.pt2"))
    y = torch.randn(9, 4)
    with torch.no_grad():
        torch.testing.assert_close(run(y), network(y))


# ---- ONNX ---------------------------------------------------------------------------------------


def onnx_or_skip() -> None:
    for module in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(module, reason="needs the extra `export`")


def test_onnx_without_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnxscript", sys)
    monkeypatch.setitem(sys.modules, "onnx", sys)
    with pytest.raises(CannotExport, match="ONNX needs `onnxruntime`") as error:
        unroll_dsl.export(small(ISTA), tmp_path / "net.onnx")
    assert error.value.mend == "pip install 'unroll_dsl[export]'"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_onnx(name: str, tmp_path: Path) -> None:
    onnx_or_skip()
    assert formats()["onnx"](of(name), tmp_path / "net.onnx") < 1e-4


@pytest.mark.slow
def test_onnx_in_double_precision(tmp_path: Path) -> None:
    onnx_or_skip()
    assert formats()["onnx"](of("lista", torch.float64), tmp_path / "net.onnx") < 1e-10


@pytest.mark.slow
def test_onnx_has_no_solutions_of_systems(tmp_path: Path) -> None:
    onnx_or_skip()
    page = (
        "algorithm s\ndims n\ninput M : matrix[n, n]\ninput y : vector[n]\n"
        "output solve(M' @ M + 2 * I, y)\n"
    )
    network = unroll_dsl.loads(page).compile(dims={"n": 4})
    with pytest.raises(CannotExport, match=r"has `aten\.\w+`, which ONNX has not"):
        unroll_dsl.export(network, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "docs/export.md", "exec"), {})
    assert (tmp_path / "lista.pt2").is_file()
