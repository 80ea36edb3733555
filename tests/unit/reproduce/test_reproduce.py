"""Blocks, figures of merit, protocols, and a small run on made-up images."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage.metrics import peak_signal_noise_ratio

import unroll_dsl
from unroll_dsl.reproduce import reproduce
from unroll_dsl.reproduce.images import BadImages, cut, image_paths, join, psnr, read_grey
from unroll_dsl.reproduce.protocol import BadProtocol, Protocol, read_protocol
from unroll_dsl.resources import beside

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(33, 33), (40, 70), (66, 10)])
def test_blocks_join_to_the_image(shape: tuple[int, int]) -> None:
    image = RNG.uniform(0, 255, shape)
    blocks, grid = cut(image, 33)
    assert len(blocks) == (shape[0] // 33 + 1) * (shape[1] // 33 + 1)  # a full one is padded too
    np.testing.assert_array_equal(join(blocks, grid, shape), image)
    np.testing.assert_array_equal(blocks[0, :10, :10], image[:10, :10])


def test_psnr_is_that_of_scikit_image() -> None:
    truth, found = RNG.uniform(0, 255, (2, 20, 30))
    assert psnr(found, truth) == pytest.approx(
        peak_signal_noise_ratio(truth, found, data_range=255)
    )
    assert math.isinf(psnr(truth, truth))


def test_palettes_are_expanded(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    np.testing.assert_allclose(read_grey(tmp_path / "palette.png"), grey, atol=1)


@pytest.mark.parametrize("name", ["ista_net", "ista_net_plus", "ista_net_plus_mri"])
def test_packaged_protocols_read(name: str) -> None:
    protocol = read_protocol(beside(name, "protocol.toml"))
    fixed = {c.name for c in unroll_dsl.load(name).graph.constants}
    assert set(protocol.data) - {"images", "weights"} == fixed
    assert protocol.published_psnr(protocol.defaults)


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="no images"):
        image_paths(tmp_path)
    with pytest.raises(BadImages, match="no folder"):
        image_paths(tmp_path / "none")


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    """A network of two phases with random weights, two images, blocks of 8 x 8."""
    spec = unroll_dsl.load("ista_net")
    matrix = np.linalg.qr(RNG.standard_normal((64, 64)))[0][:16].astype(np.float32)
    bind = {"Phi": matrix, "Q": np.ascontiguousarray(matrix.T)}
    net = spec.compile(2, bind=bind, dims={"h": 8, "w": 8}, seed=0)
    renamed = {}
    names = {
        "rho": "lambda_step", "theta": "soft_thr", "F.0.weight": "conv1_forward",
        "F.2.weight": "conv2_forward", "Ft.0.weight": "conv1_backward",
        "Ft.2.weight": "conv2_backward",
    }  # fmt: skip
    for key, tensor in net.state_dict().items():
        _, k, ours = key.split(".", 2)
        renamed[f"fcs.{k}.{names[ours]}"] = tensor.reshape(tensor.shape or (1,))
    save_file(renamed, tmp_path / "weights.safetensors")
    (tmp_path / "images").mkdir()
    for name, shape in (("a", (20, 17)), ("b", (9, 30))):
        Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(
            tmp_path / "images" / f"{name}.png"
        )
    protocol = Protocol("blocks", 8, "y", "Phi", None, {}, {}, {"s/1": 30.0})
    return {
        "spec": spec, "net": net, "protocol": protocol, "images": tmp_path / "images",
        "weights": tmp_path / "weights.safetensors", "names": beside("ista_net", "weights.toml"),
        "bind": bind, "choices": {"set": "s", "ratio": "1"},
    }  # fmt: skip


def test_a_run_is_the_network_on_every_block(small: dict[str, Any]) -> None:
    net = small.pop("net")
    kept: list[Any] = []
    result = reproduce(**small, each=kept.append)
    assert [row.image for row in result.rows] == ["a.png", "b.png"]
    assert result.published == 30.0
    truth = kept[0].truth / 255
    blocks, grid = cut(truth, 8)
    y = (
        torch.as_tensor(blocks, dtype=torch.float32).flatten(1)
        @ torch.as_tensor(small["bind"]["Phi"]).mT
    )
    with torch.no_grad():
        expected = join(net(y).squeeze(1).double().numpy(), grid, truth.shape)
    np.testing.assert_allclose(kept[0].found, np.clip(expected, 0, 1) * 255, atol=1e-3)
    assert result.rows[0].psnr == psnr(kept[0].found, kept[0].truth)


def test_a_matrix_of_another_size_is_refused(small: dict[str, Any]) -> None:
    del small["net"]
    small["bind"] = {"Phi": np.ones((4, 100)), "Q": np.ones((100, 4))}
    with pytest.raises((BadProtocol, unroll_dsl.UnrollError), match=r"64|100"):
        reproduce(**small)


@pytest.mark.parametrize("text", ["kind = 'x'", "kind = 'blocks'", "= 3"])
def test_protocols_that_say_too_little(tmp_path: Path, text: str) -> None:
    (tmp_path / "n.protocol.toml").write_text(text)
    with pytest.raises(BadProtocol):
        read_protocol(tmp_path / "n.protocol.toml")
