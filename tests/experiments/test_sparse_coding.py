"""Experiments in small: the configurations are read, and what must hold of the papers' findings holds."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl
from experiments.__main__ import NAMES, main
from experiments.training import configuration
from unroll_dsl.train.opening import filled
from unroll_dsl.train.regimes import stages

HERE = Path(__file__).parents[2] / "experiments"
PROGRAMS = {  # of each configuration
    "gregor_lecun/baseline.toml": "baseline_tanh",
    "gregor_lecun/lista_100.toml": "lista",
    "gregor_lecun/lista_400.toml": "lista",
    "sparse_recovery/alista.toml": "alista",
    "sparse_recovery/alista_ss.toml": HERE / "sparse_recovery/alista_ss.unroll",
    "sparse_recovery/lista.toml": HERE / "sparse_recovery/lista.unroll",
    "sparse_recovery/lista_cp.toml": "lista_cp",
    "sparse_recovery/lista_cpss.toml": "lista_cpss",
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_configurations_fit_their_programs(name: str) -> None:
    spec = unroll_dsl.load(PROGRAMS[name])
    config = filled(spec, configuration(HERE / name), {})
    assert set(config.dims) <= {dim for dim, _ in spec.graph.dims}
    assert set(config.bind) <= {constant.name for constant in spec.graph.constants}
    planned = stages(config, spec, 1000)
    assert len(planned) == (48 if config.train.regime == "layerwise" else 1)


def test_every_configuration_is_tested() -> None:
    found = {
        str(path.relative_to(HERE))
        for folder in ("gregor_lecun", "sparse_recovery")
        for path in (HERE / folder).glob("*.toml")
    }
    assert found == set(PROGRAMS)


def test_refuses_a_file_as_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main([NAMES[0], "--quick", "--out", str(tmp_path / "taken")]) == 2
    assert "taken" in capsys.readouterr().err


def _quick(name: str, out: Path) -> dict[str, Any]:
    assert main([name, "--quick", "--out", str(out)]) == 0
    assert {"results.json", "plot.png", "plot.svg"} <= set(os.listdir(out))
    found: dict[str, Any] = json.loads((out / "results.json").read_text("utf-8"))
    return found


@pytest.mark.slow
def test_an_iteration_of_lista_is_worth_many_of_fista(tmp_path: Path) -> None:
    (size,) = _quick("gregor_lecun", tmp_path)["sizes"]
    error = {encoder["name"]: encoder["error"] for encoder in size["encoders"]}
    tanh, shrink, first, *deeper = error.values()  # in the order of the paper's table 1
    assert tanh > shrink > first > max(deeper)
    (one,) = (e for e in size["encoders"] if e["name"] == "LISTA 1")
    assert one["fista_iterations"] >= 10


@pytest.mark.slow
def test_learned_networks_recover_what_as_many_iterations_do_not(tmp_path: Path) -> None:
    networks = _quick("sparse_recovery", tmp_path)["networks"]
    last = {network["name"]: network["nmse_db"][-1] for network in networks}
    for name in ("LISTA", "LISTA-CP", "LISTA-CPSS", "ALISTA"):
        assert last[name] < last["FISTA"] - 1, name
    assert min(last, key=lambda name: last[name]).startswith("ALISTA")
    again = _quick("sparse_recovery", tmp_path)  # finished runs are kept
    assert again["networks"] == networks
