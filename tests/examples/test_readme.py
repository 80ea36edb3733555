"""The README's code, as it is printed."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.cli.main import main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(heading: str, place: int = 0) -> str:
    """A block of Python below a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)[place]


def first_network() -> dict[str, Any]:
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(block("Ten lines to a first network"), names)
    return names


def test_the_first_network_is_the_classical_iteration(capsys: Any) -> None:
    names = first_network()
    assert "class" in capsys.readouterr().out
    y = torch.randn(8, 50, dtype=torch.float64)
    with torch.no_grad():
        np.testing.assert_allclose(names["net"](y), names["ref"](y.numpy()), atol=1e-12)
    assert len(names["states"]) == 20


def test_the_first_network_is_saved_and_comes_back(tmp_path: Path) -> None:
    names = first_network()
    with torch.no_grad():
        names["net"].get_parameter("lambda_").fill_(0.23)
    names |= {"folder": tmp_path}
    y = torch.randn(8, 50, dtype=torch.float64)
    unroll_dsl.save_network(tmp_path / "ista.safetensors", names["spec"], names["net"])
    again: Any = unroll_dsl.load_network(tmp_path / "ista.safetensors", bind={"A": names["A"]})
    assert again.get_parameter("lambda_").item() == 0.23
    assert torch.equal(again(y), names["net"](y))


def test_what_is_faster_and_smaller_computes_the_same() -> None:
    names = first_network()
    exec(block("Ten lines to a first network", 1), names)
    y = torch.randn(8, 50, dtype=torch.float64)
    with torch.no_grad():
        expected = names["net"](y)
        for word in ("frozen", "lean", "plain"):
            torch.testing.assert_close(names[word](y), expected, rtol=1e-10, atol=1e-12)


def test_an_objective_an_iteration_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of the opening, run as printed, print what stands below them; the network is the iteration."""
    monkeypatch.chdir(tmp_path)
    opening = README.split("\n## ")[0]
    problem, *sessions = re.findall(r"```\n(.*?)```", opening, re.DOTALL)
    assert problem.startswith("problem sparse\n")
    (tmp_path / "sparse.unroll").write_text(problem, encoding="utf-8")
    printed = [s for s in sessions if s.startswith("$ ")]
    assert len(printed) == 2
    for session in printed:
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE):
            words, _, tail = command.partition(" | ")
            first, *arguments = shlex.split(words)
            if first == "tail":
                out = Path(arguments.pop()).read_text(encoding="utf-8")
                tail = shlex.join(["tail", *arguments])
            else:
                assert first == "unroll" and main(arguments) == 0
                captured = capsys.readouterr()
                out = captured.out + captured.err
            lines = out.splitlines(keepends=True)
            count = int(tail.removeprefix("tail -")) if tail else len(lines)
            assert "".join(lines[-count:]) == expected
    A = np.random.default_rng(0).standard_normal((6, 9))
    y = np.random.default_rng(1).standard_normal((4, 6))
    network = unroll_dsl.load(tmp_path / "lista.unroll")
    iteration = unroll_dsl.load(tmp_path / "sparse.unroll").derive("ista").spec
    expected = iteration.reference(bind={"A": A})(y)
    np.testing.assert_allclose(network.reference(bind={"A": A})(y), expected, atol=1e-12)
