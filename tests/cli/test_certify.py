"""`certify`: every command of docs/certify.md and what it answers; JSON; runs; exit statuses."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

pytest.importorskip("PEPit", reason="needs PEPit: pip install 'unroll_dsl[certify]'")

Unroll = Callable[..., Any]  # the fixture `unroll`

PAGE = (Path(__file__).parents[2] / "docs" / "certify.md").read_text("utf-8")
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


def same(found: str, shown: str) -> None:
    """Words are equal, numbers but for what solvers differ by; what a row is known to may differ."""
    ours, theirs = (
        [re.sub(r"\s*\(known to .*\)$", "", line) for line in text.strip().splitlines()]
        for text in (found, shown)
    )
    assert [NUMBER.sub("#", line) for line in ours] == [NUMBER.sub("#", line) for line in theirs]
    for a, b in zip(
        NUMBER.findall("\n".join(ours)), NUMBER.findall("\n".join(theirs)), strict=True
    ):
        assert float(a) == pytest.approx(float(b), rel=1e-4)


def test_the_page(unroll: Unroll, tmp_path: Path) -> None:
    (program,) = re.findall(r"```unroll\n(.*?)```", PAGE, re.S)
    (tmp_path / "silver.unroll").write_text(program)
    commands = re.findall(r"```\n\$ unroll ([^\n]*)\n(.*?)```", PAGE, re.S)
    assert len(commands) == 4
    for command, shown in commands:
        result = unroll(*command.split())
        same(result.out + result.err, shown)
        assert result.status == ("error[" in shown)


def test_json_and_wrong_calls(unroll: Unroll) -> None:
    result = unroll("certify", "gradient_descent", "--at", "1,3", "--json")
    found = json.loads(result.out)
    assert [row["phases"] for row in found["bounds"]] == [1, 3]
    assert found["bounds"][1]["bound"] == pytest.approx(1 / 14, abs=1e-6)
    assert found["L"] is None and found["measure"] == "objective"
    refused = unroll("certify", "lista", "--json")
    assert refused.status == 1 and "U0601" in refused.out + refused.err
    for wrong in (("--class", "linear"), ("--at", "0"), ("--at", "1,x"), ("--smoothness", "-1")):
        assert unroll("certify", "ista", *wrong).status == 2
    assert unroll("certify", "no_such_page").status == 1


def test_a_network_in_a_file(unroll: Unroll, tmp_path: Path) -> None:
    """The values that it has learned count, and the numbers of its phases."""
    A = np.diag([2.0, 1.0, 0.5])
    spec = unroll_dsl.load("step_lista")
    net: Any = spec.compile(2, bind={"A": A}, dtype=torch.float64)
    with torch.no_grad():
        for phase, alpha in zip(net.phases, (0.3, 0.45), strict=True):
            phase.alpha.fill_(alpha)
    unroll_dsl.save_network(tmp_path / "net.safetensors", spec, net, bind={"A": A})
    np.save(tmp_path / "A.npy", A)
    found = json.loads(unroll("certify", "net.safetensors", "--bind", "A=A.npy", "--json").out)
    assert found["L"] == pytest.approx(4.0)
    assert found["proximal_steps"] == pytest.approx([1.2, 1.8])
    init = {"alpha": [0.3, 0.45]}
    there = unroll_dsl.certify(spec, 2, bind={"A": A}, init=init)
    assert [row["bound"] for row in found["bounds"]] == pytest.approx([there[1], there[2]])
    assert there[2] != pytest.approx(1 / 8, rel=1e-3)
    assert unroll("certify", "net.safetensors", "--bind", "A=A.npy", "--phases", "3").status == 2
