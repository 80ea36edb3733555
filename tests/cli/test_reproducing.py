"""`unroll reproduce` with data of one's own: what is given is used, and named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from PIL import Image

from tests.cli.conftest import Unroll
from unroll_dsl.reproduce.protocol import BadProtocol, Protocol

RNG = np.random.default_rng(0)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of images, one image beside its transform, masks and a matrix."""
    (tmp_path / "mine").mkdir()
    levels = RNG.integers(0, 256, (32, 40), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "mine" / "a.png")
    label = RNG.uniform(0, 1, (32, 40))
    scipy.io.savemat(tmp_path / "scan.mat", {"label": label, "kspace": np.fft.fft2(label)})
    mask = RNG.random((32, 40)) < 0.3
    mask[np.ix_([0, 1, 2, -1, -2], [0, 1, 2, -1, -2])] = True
    scipy.io.savemat(tmp_path / "mask.mat", {"P": mask.astype(np.uint8)})
    np.save(tmp_path / "centred.npy", np.fft.fftshift(mask))
    np.save(tmp_path / "Phi.npy", np.linalg.qr(RNG.standard_normal((1089, 109)))[0].T)
    np.save(tmp_path / "Q.npy", np.load(tmp_path / "Phi.npy").T)
    np.save(tmp_path / "zeros.npy", np.zeros((32, 40)))
    return tmp_path


ZERO_FILLING = ("reproduce", "zero_filling")


def test_what_was_given_is_named(own: Path, unroll: Unroll) -> None:
    command = (*ZERO_FILLING, "--images", "mine", "--bind", "P=mask.mat")
    result = unroll(*command)
    assert result.status == 0, result.err
    words = " ".join(result.out.split("┏")[0].split())
    share = 100 * (scipy.io.loadmat(own / "mask.mat")["P"] != 0).mean()
    assert words == f"zero_filling, images: mine, P: mask.mat, {share:.3g} % sampled"
    assert "BrainImages_test" not in result.out
    found = json.loads(unroll(*command, "--json").out)
    assert found["choices"] == {}
    assert found["used"] == {"images": "mine", "P": "mask.mat"}
    assert found["sampling"] == pytest.approx(share / 100)
    assert found["published"] is None
    assert found["mean"]["is"] == "over the images; psnr: of the decibels"


def test_the_matrix_that_is_given_measures(own: Path, unroll: Unroll) -> None:
    command = ("reproduce", "ista_net", "--images", "mine", "--untrained", "--phases", "1")
    bind = ("--bind", "Phi=Phi.npy", "--bind", "Q=Q.npy")
    found = json.loads(unroll(*command, *bind, "--json").out)
    assert found["sampling"] == pytest.approx(109 / 1089)
    assert found["used"] == {"images": "mine", "weights": "none", "Phi": "Phi.npy", "Q": "Q.npy"}
    result = unroll(*command, *bind, "--ratio", "10")
    assert result.status == 2
    assert "--ratio chooses nothing: images and weights and Phi and Q are given" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--images", "scan.mat", "--bind", "P=mask.mat"), "scan.mat holds `kspace` (32 x 40), `label`"),
        (("--images", "mine", "--bind", "P=centred.npy"), "its low frequencies at the wrong place"),
        (("--images", "mine", "--bind", "Q=mask.mat"), "zero_filling has no `Q` to bind"),
        (("--images", "mine"), "where is `P`? Give --data DIR, or --bind P=FILE"),
        (("--images", "none", "--bind", "P=mask.mat"), "there is no folder none"),
        (("--images", "mine", "--data", "none"), "there is no folder none for the data of this test"),
        (("--images", "mine", "--data", "."), "is not there: "),
        (("--images", "mine", "--bind", "P=mask.mat", "--stages", "7"), "this test has no --stages"),
    ],
)  # fmt: skip
def test_wrong_calls(arguments: tuple[str, ...], words: str, own: Path, unroll: Unroll) -> None:
    result = unroll(*ZERO_FILLING, *arguments)
    assert result.status == 2
    assert words in result.err


def test_figures_that_are_no_numbers_are_an_error_and_valid_json(own: Path, unroll: Unroll) -> None:
    command = (*ZERO_FILLING, "--images", "zeros.npy", "--bind", "P=mask.mat", "--json")
    result = unroll(*command)
    assert result.status == 1
    assert "error: `nmse` of zeros is no number" in result.err

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(result.out, parse_constant=refuse)
    assert found["mean"]["nmse"] is None


PROTOCOL = Protocol(
    "blocks", "y", side=8, operator="Phi",
    defaults={"set": "s", "ratio": "25"},
    data={"images": "images/{set}", "Phi": "ratio{ratio}/phi.npy"},
    published={"s/25": 30.0, "s/1": 20.0},
)  # fmt: skip


@pytest.mark.parametrize(("ratio", "folder"), [("1", "ratio01"), ("01", "ratio01"), ("25", "ratio25"), ("4", "ratio004")])  # fmt: skip
def test_a_ratio_finds_its_folder_with_zeros_or_without(
    ratio: str, folder: str, tmp_path: Path
) -> None:
    for name in ("ratio01", "ratio25", "ratio004"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "phi.npy").write_text("")
    choices = PROTOCOL.choices({"ratio": ratio})
    assert PROTOCOL.place("Phi", tmp_path, choices) == tmp_path / folder / "phi.npy"
    with pytest.raises(BadProtocol, match="holds ratio004, ratio01, ratio25"):
        PROTOCOL.place("Phi", tmp_path, PROTOCOL.choices({"ratio": "50"}))


def test_published_figures_are_found_under_either_spelling() -> None:
    for ratio, figure in (("25", 30.0), ("1", 20.0), ("01", 20.0), ("4", None)):
        choices = PROTOCOL.choices({"ratio": ratio})
        assert PROTOCOL.figure(PROTOCOL.published, choices) == figure
