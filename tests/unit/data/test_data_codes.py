"""Signals, and once a dictionary is bound their codes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import unroll_dsl
from unroll_dsl.data import DataError, bindings, coding, completed, open_source, samples
from unroll_dsl.data.codes import CodeSource, weight
from unroll_dsl.data.signals import signals

LISTA = unroll_dsl.load("lista")
RNG = np.random.default_rng(0)
SMALL = {"kind": "codes", "samples": 300, "validate": 40}


def opened(**keys: Any) -> tuple[CodeSource, CodeSource]:
    training, held_out = open_source({**SMALL, **keys}, LISTA, seed=3)
    assert isinstance(training, CodeSource) and isinstance(held_out, CodeSource)
    return training, held_out


def dictionary(atoms: int = 60, rows: int = 100) -> torch.Tensor:
    D = torch.from_numpy(RNG.standard_normal((rows, atoms))).float()
    return D / D.norm(dim=0)


def draw(source: Any) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = source.draw(range(source.size), np.random.default_rng(0))
    return found


def test_signals_are_those_of_the_demo() -> None:
    pictures = [
        [samples.picture(n) for n in names] for names in (samples.TRAINING, samples.HELD_OUT)
    ]
    both = signals(pictures[0], pictures[1], (300, 40), 10, np.random.default_rng(3))
    for source, expected in zip(opened(), both, strict=True):
        assert source.names == ("X",)
        assert torch.equal(draw(source)["X"], torch.from_numpy(expected).float())


def test_with_a_dictionary_come_the_codes() -> None:
    D = dictionary()
    for source in (completed(part, {"Wd": D}) for part in opened()):
        assert source.names == ("X", "Z_star")
        assert source.sizes == {"n": 100, "m": 60}
        found = draw(source)
        gradient = (found["Z_star"] @ D.mT - found["X"]) @ D
        assert coding.violation(found["Z_star"], gradient, 0.5).max() < 2e-4


def test_the_dictionary_is_learned_of_the_signals() -> None:
    source, _ = opened()
    table = {"Wd": {"make": "dictionary", "signals": 200, "rounds": 3}}
    D = bindings(table, LISTA, source, dims={"m": 30})["Wd"]
    assert isinstance(D, torch.Tensor) and D.shape == (100, 30)
    torch.testing.assert_close(D.norm(dim=0), torch.ones(30))
    few = bindings({"Wd": {**table["Wd"], "rounds": 1}}, LISTA, source, dims={"m": 30})["Wd"]

    def energy(D: Any) -> float:
        pair = draw(completed(source, {"Wd": D}))
        residual = (pair["X"] - pair["Z_star"] @ D.mT).square().sum() / 2
        return float(residual + 0.5 * pair["Z_star"].abs().sum())

    assert energy(D) < energy(few)


def test_without_targets_the_signals_are_all() -> None:
    source, _ = open_source(SMALL, unroll_dsl.load("step_lista"))
    assert completed(source, {}).names == ("y",)


def test_photographs_of_a_folder(tmp_path: Path) -> None:
    for place in range(4):
        levels = RNG.integers(0, 256, (30, 30), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / f"{place}.png")
    (tmp_path / "broken.png").write_bytes(b"")
    training, held_out = opened(folder=str(tmp_path), patch=8, held_out=0.25)
    assert training.sizes == {"n": 64}
    assert (training.size, held_out.size) == (300, 40)
    assert "broken.png" in training.problems()[0] and not held_out.problems()


def test_the_weight_is_that_of_the_program() -> None:
    assert weight(None, LISTA, {}) == 0.5
    assert weight(None, unroll_dsl.load("ista"), {}) == 0.1
    assert weight(None, LISTA, {"alpha": 0.2}) == 0.2
    assert weight(0.3, LISTA, {"alpha": 0.2}) == 0.3


@pytest.mark.parametrize(
    ("keys", "bound", "message"),
    [
        ({}, {}, r"with 100 rows; found none; bind it: \[bind\]"),
        ({}, {"Wd": dictionary(5, 90)}, "with 100 rows; found none"),
        ({}, {"Wd": dictionary(), "We": dictionary()}, "found `Wd`, `We`; name it"),
        (
            {"dictionary": "Wx"},
            {"Wd": dictionary()},
            "`Wx` is no bound matrix of 100 rows; did you mean `Wd`?",
        ),
    ],
)
def test_a_dictionary_that_is_not_there(
    keys: dict[str, Any], bound: dict[str, torch.Tensor], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        completed(opened(**keys)[0], bound)


def test_a_signal_that_is_no_square_patch() -> None:
    with pytest.raises(DataError, match=r"`X` of `lista` is vector\[n\] with n = 90; .* are 81"):
        open_source(SMALL, LISTA, dims={"n": 90})


def test_programs_that_take_no_signal() -> None:
    with pytest.raises(DataError, match=r"`ista_net` has to be given none"):
        open_source(SMALL, unroll_dsl.load("ista_net"), measured=("y",))


def test_without_a_count_there_are_as_many_patches_as_the_pictures_have(tmp_path: Path) -> None:
    """50 000 are wanted, and the pictures have fewer that are not flat; a count that is given is held to."""
    rng = np.random.default_rng(0)
    for place in range(3):
        levels = rng.integers(0, 256, (30, 30), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / f"{place}.png")
    table = {"kind": "codes", "folder": str(tmp_path)}
    training, held_out = open_source(table, LISTA)
    assert held_out is not None
    assert (training.size, held_out.size) == (2 * 21 * 21, 21 * 21)
    with pytest.raises(DataError, match="1000 different patches of 10 x 10 are asked for"):
        open_source({**table, "samples": 1000}, LISTA)
    with pytest.raises(DataError, match="500 different patches of 10 x 10 are asked for"):
        open_source({**table, "validate": 500}, LISTA)
    assert open_source({**table, "validate": 0}, LISTA)[1] is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"alpha": -0.5}, r"\[data\] alpha: found -0\.5, expected above 0"),
        ({"tolerance": 0.0}, r"\[data\] tolerance: found 0\.0, expected above 0"),
        ({"patch": 0}, r"\[data\] patch: found 0, expected 1 or more"),
        ({"samples": 0}, r"\[data\] samples: found 0, expected 1 or more"),
        ({"validate": -1}, r"\[data\] validate: found -1, expected 0 or more"),
        ({"memory": -1.0}, r"\[data\] memory: found -1\.0, expected 0 or more"),
    ],
)
def test_settings_out_of_range_are_told(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_source({"kind": "codes", **keys}, LISTA)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("lista", 'bind it: [bind] Wd = {make = "dictionary"}'),
        (
            "baseline_tanh",
            "`baseline_tanh` binds no matrix: give signals and their codes from a file",
        ),
    ],
)
def test_a_dictionary_that_is_lacking_is_asked_for(name: str, mend: str) -> None:
    source, _ = open_source(SMALL, unroll_dsl.load(name))
    with pytest.raises(
        DataError, match="are of a bound matrix with 100 rows; found none"
    ) as caught:
        completed(source, {})
    assert str(caught.value.mend).startswith(mend)
