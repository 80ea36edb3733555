"""Protocols, and a small run on made-up images."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import unroll_dsl
from unroll_dsl.data.images import cut, join
from unroll_dsl.data.metrics import psnr
from unroll_dsl.reproduce import reproduce, run
from unroll_dsl.reproduce.protocol import BadProtocol, Protocol, read_protocol
from unroll_dsl.resources import algorithm_names, beside
from unroll_dsl.weights.container import save_network

RNG = np.random.default_rng(0)
PROTOCOLS = [name for name in algorithm_names() if beside(name, "protocol.toml").is_file()]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_packaged_protocols_fit_their_programs(name: str) -> None:
    protocol = read_protocol(beside(name, "protocol.toml"))
    graph = unroll_dsl.load(name).graph
    required = {c.name for c in graph.constants if c.default is None}
    assert set(protocol.data) - {"images", "weights"} == required
    assert [entry.name for entry in graph.inputs] == [protocol.input]
    for place in protocol.data.values():
        place.format(**protocol.defaults)
    for figures in (protocol.published, protocol.measured):
        assert all(len(key.split("/")) == len(protocol.defaults) for key in figures)


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
    protocol = Protocol(
        "blocks", "y", side=8, operator="Phi", start="Q",
        defaults={"set": "s", "ratio": "1"}, published={"s/1": 30.0},
    )  # fmt: skip
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
    truth = kept[0].truth
    blocks, grid = cut(truth, 8)
    y = (
        torch.as_tensor(blocks, dtype=torch.float32).flatten(1)
        @ torch.as_tensor(small["bind"]["Phi"]).mT
    )
    with torch.no_grad():
        expected = join(net(y).squeeze(1).double().numpy(), grid, truth.shape)
    np.testing.assert_allclose(kept[0].found, np.clip(expected, 0, 1), atol=1e-5)
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


def test_choices_that_a_protocol_has_not() -> None:
    protocol = Protocol("blocks", "y", defaults={"set": "s"})
    with pytest.raises(BadProtocol, match="no --stages; it has --set"):
        protocol.choices({"stages": "7"})


def sampled(tmp_path: Path, mask: Any, image: Any, **changes: Any) -> Any:
    """ADMM-CSNet, untrained, of two phases on an image."""
    np.save(tmp_path / "image.npy", image)
    protocol = Protocol("k-space", "y", mask="P", clip=False, **changes)
    return reproduce(
        unroll_dsl.load("admm_csnet"),
        protocol,
        images=tmp_path / "image.npy",
        weights=None,
        names=tmp_path,
        bind={"P": mask},
        choices={"set": "s"},
        phases=2,
    )


def test_masks_are_taken_as_the_protocol_says(tmp_path: Path) -> None:
    image = RNG.standard_normal((8, 8)) + 1j * RNG.standard_normal((8, 8))
    mask = np.zeros((8, 8))
    mask[:3, :2] = 1
    plain = sampled(tmp_path, mask, image).rows
    moved = sampled(tmp_path, np.fft.fftshift(mask), image, centred=True).rows
    assert plain == moved
    with pytest.raises(BadProtocol, match="zero frequency"):
        sampled(tmp_path, mask, image, centred=True)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProtocol, match=r"image is 8 x 8, the mask `P` 4 x 6"):
        sampled(tmp_path, np.ones((4, 6)), np.ones((8, 8)))


def test_the_network_of_a_run_needs_no_names(small: dict[str, Any], tmp_path: Path) -> None:
    expected = reproduce(**{key: value for key, value in small.items() if key != "net"})
    net = small.pop("net")
    small["weights"] = tmp_path / "best.safetensors"
    save_network(small["weights"], small["spec"], net)
    small["names"] = tmp_path / "there is none"
    assert reproduce(**small).rows == expected.rows


def test_a_network_is_tested_at_other_sizes_with_what_it_was_made_with(tmp_path: Path) -> None:
    """Trained on small images with another depth, role and noise level; its own program counts."""
    spec, image = unroll_dsl.load("admm_csnet"), RNG.standard_normal((8, 8)) * (1 + 1j)
    net: Any = spec.compile(
        3, bind={"P": np.ones((4, 6))}, init={"rho": 0.3}, fix=["gamma"], seed=0
    )
    save_network(tmp_path / "net.safetensors", spec, net)
    np.save(tmp_path / "image.npy", image)
    mask = np.ones((8, 8))
    mask[::2, 1:] = 0
    given: dict[str, Any] = {
        "images": tmp_path / "image.npy",
        "names": tmp_path,
        "bind": {"P": mask},
        "choices": {"set": "s"},
    }
    protocol = Protocol("k-space", "y", mask="P", clip=False)
    (row,) = reproduce(spec, protocol, weights=tmp_path / "net.safetensors", **given).rows
    same: Any = spec.compile(3, bind={"P": mask}, fix=["gamma"], dims={"h": 8, "w": 8})
    same.load_state_dict({key: value.double() for key, value in net.state_dict().items()})
    y = torch.from_numpy(mask * np.fft.fft2(image, norm="ortho"))[None]
    with torch.no_grad():
        assert row.psnr == pytest.approx(psnr(same(y)[0].numpy(), image))
    weights, lista = tmp_path / "net.safetensors", unroll_dsl.load("lista")
    with pytest.raises(BadProtocol, match="this is a test of <Spec lista"):
        reproduce(lista, protocol, weights=weights, **given)


@pytest.mark.parametrize("shape", [(5, 7), (6, 8), (5, 8)])
def test_masks_stored_with_zero_in_the_middle_are_brought_to_the_corner(
    shape: tuple[int, int],
) -> None:
    """At odd sizes too, where fftshift would miss it by a line."""
    mask = np.zeros(shape)
    mask[shape[0] // 2, shape[1] // 2] = 1
    mask[shape[0] // 2 - 1, shape[1] // 2] = 1
    centred: Any = SimpleNamespace(mask="P", centred=True)
    found = run._uncentred(centred, {"P": mask, "rho": 1.0})
    assert found["rho"] == 1.0
    assert {tuple(place) for place in np.argwhere(found["P"]).tolist()} == {
        (0, 0),
        (shape[0] - 1, 0),
    }
    cornered: Any = SimpleNamespace(mask="P", centred=False)
    assert run._uncentred(cornered, {"P": found["P"]})["P"] is found["P"]
    with pytest.raises(BadProtocol, match="stored with the zero frequency first"):
        run._uncentred(cornered, {"P": mask})
