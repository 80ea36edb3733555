"""`unroll reproduce` over whole test sets: the figures that the authors' own code gives."""

import json
from pathlib import Path
from typing import Any

import pytest

from unroll_dsl.cli.main import main


def reproduced(capsys: pytest.CaptureFixture[str], data: Path, *words: str) -> dict[str, Any]:
    assert main(["reproduce", *words, "--data", str(data), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def expected(shared_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_data / "expected_results.json").read_text())
    return found


SETS = {
    "Set11, ISTA-Net": (("ista_net",), "set11/ista/25"),
    "Set11, ISTA-Net+": (("ista_net_plus",), "set11/plus/25"),
    "BSD68, ISTA-Net+": (("ista_net_plus", "--set", "BSD68"), "bsd68/plus/25"),
    "brain, ISTA-Net+": (("ista_net_plus_mri",), "mri/20"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_image_by_image(
    name: str, shared_data: Path, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    words, key = SETS[name]
    theirs = expected["ista_net"][key]
    found = reproduced(capsys, shared_data, *words)
    assert len(found["rows"]) == len(theirs["images"])
    for row in found["rows"]:
        psnr, ssim, *start = theirs["images"][row["image"]]
        assert row["psnr"] == pytest.approx(psnr, abs=0.01)
        assert row["ssim"] == pytest.approx(ssim, abs=1e-3)
        if start:
            assert row["start_psnr"] == pytest.approx(start[0], abs=0.01)
            assert row["start_ssim"] == pytest.approx(start[1], abs=1e-3)
    assert found["mean"]["psnr"] == pytest.approx(theirs["psnr"], abs=0.001)
    assert found["measured"] == pytest.approx(theirs["psnr"], abs=0.001)


@pytest.mark.parametrize("stages", [7, 15])
def test_deep_admm_net_from_matlab_files(
    stages: int,
    shared_data: Path,
    expected: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = expected["deep_admm_net_port"][f"brain1/stage{stages}"]
    found = reproduced(capsys, shared_data, "admm_net", "--stages", str(stages))
    assert found["mean"]["psnr"] == pytest.approx(theirs["psnr"], abs=1e-3)
    assert found["mean"]["nmse"] == pytest.approx(theirs["nmse"], abs=1e-5)
    assert found["mean"]["start_psnr"] == pytest.approx(28.1144, abs=1e-3)
    assert found["mean"]["start_nmse"] == pytest.approx(0.14067, abs=1e-5)


def test_admm_csnet(
    shared_data: Path,
    expected: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    theirs = expected["admm_csnet_new01"]["0.2"]
    found = reproduced(capsys, shared_data, "admm_csnet", "--out", str(tmp_path))
    assert found["mean"]["psnr"] == pytest.approx(theirs["psnr"], abs=1e-3)
    assert found["mean"]["nmse"] == pytest.approx(theirs["nmse"], abs=1e-5)
    assert found["mean"]["start_nmse"] == pytest.approx(theirs["nmse_zf"], abs=1e-5)
    assert found["mean"]["start_psnr"] == pytest.approx(theirs["psnr_zf"], abs=1e-3)
    assert {p.name for p in tmp_path.iterdir()} == {"figure.png", "test_new01_complex64.png"}


def test_other_data_has_no_published_number_beside_it(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = str(shared_data / "images" / "BrainImages_test" / "brain_test_01.png")
    found = reproduced(capsys, shared_data, "admm_net", "--images", image)
    assert found["published"] is None and found["measured"] is None
    assert found["mean"]["psnr"] > found["mean"]["start_psnr"] + 5
