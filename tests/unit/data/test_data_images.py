"""Pictures and arrays as images: what is read, in which precision, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from safetensors.numpy import save_file
from scipy.io import savemat

from unroll_dsl.data import images
from unroll_dsl.data.errors import BadImages
from unroll_dsl.data.images import (
    Colour,
    Stored,
    cut,
    image_paths,
    join,
    read_images,
    read_stored,
    scaled,
)
from unroll_dsl.data.pictures import open_pictures

RNG = np.random.default_rng(0)


def read_picture(path: Path, colour: Colour = "luma") -> Stored:
    ((_, stored),) = read_stored(path, colour)
    return stored


@pytest.mark.parametrize("shape", [(33, 33), (40, 70), (66, 10)])
def test_blocks_join_to_the_image(shape: tuple[int, int]) -> None:
    image = RNG.uniform(0, 1, shape)
    blocks, grid = cut(image, 33)
    assert len(blocks) == (shape[0] // 33 + 1) * (shape[1] // 33 + 1)  # a full one is padded too
    np.testing.assert_array_equal(join(blocks, grid, shape), image)
    np.testing.assert_array_equal(blocks[0, :10, :10], image[:10, :10])


def test_folders_are_searched_in_order_and_hidden_files_left_alone(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.TIF", "a/.hidden.png", ".git/x.png", "c.txt", "a.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    names = [path.relative_to(tmp_path).as_posix() for path in image_paths(tmp_path)]
    assert names == ["a/z.TIF", "a.npy", "b.png"]


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="no images"):
        image_paths(tmp_path)
    with pytest.raises(BadImages, match="no folder"):
        image_paths(tmp_path / "none")


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_grey_levels_are_those_of_the_file(suffix: str, tmp_path: Path) -> None:
    levels = RNG.integers(0, 256, (6, 7), dtype=np.uint8)
    path = tmp_path / f"grey.{suffix}"
    Image.fromarray(levels).save(path)
    np.testing.assert_array_equal(read_picture(path), levels[None])
    ((_, image),) = read_images(path)
    np.testing.assert_array_equal(image, levels / 255)


def test_palettes_are_expanded(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    np.testing.assert_allclose(read_picture(tmp_path / "palette.png")[0], grey, atol=1)


def test_palettes_with_transparency_are_expanded_without_a_warning(tmp_path: Path) -> None:
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    picture = Image.fromarray(grey).convert("P")
    picture.save(tmp_path / "clear.png", transparency=bytes(range(256)))
    np.testing.assert_array_equal(read_picture(tmp_path / "clear.png")[0], grey)


def test_colours_become_luma_or_three_channels(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "colour.png")
    luma = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(read_picture(tmp_path / "colour.png")[0], luma, atol=0.51)
    whole = read_picture(tmp_path / "colour.png", "rgb")
    np.testing.assert_array_equal(whole, np.moveaxis(colours, 2, 0))


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    levels = RNG.integers(0, 65536, (4, 5), dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    ((_, image),) = read_images(tmp_path / "deep.png")
    np.testing.assert_array_equal(image, levels / 65535)


def test_arrays_are_images(tmp_path: Path) -> None:
    stack = RNG.uniform(0, 1, (3, 8, 9)) * np.exp(1j)
    np.savez(tmp_path / "some.npz", a=stack, b=np.ones((4, 5)))
    found = dict(read_images(tmp_path / "some.npz"))
    assert list(found) == ["some:a[0]", "some:a[1]", "some:a[2]", "some:b"]
    np.testing.assert_array_equal(found["some:a[1]"], stack[1])
    assert [name for name, _ in read_images(tmp_path / "some.npz:b")] == ["some"]


def test_matlab_and_safetensors_files_hold_images(tmp_path: Path) -> None:
    image = RNG.uniform(0, 1, (4, 5))
    savemat(tmp_path / "one.mat", {"image": image})
    save_file({"image": image}, tmp_path / "one.safetensors")
    for name in ("one.mat", "one.safetensors"):
        ((_, found),) = read_images(tmp_path / name)
        np.testing.assert_array_equal(found, image)


def test_a_large_stack_in_npy_is_mapped_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "LARGE", 100)
    np.save(tmp_path / "stack.npy", np.ones((3, 4, 5), np.float32))
    found = read_stored(tmp_path / "stack.npy")
    assert len(found) == 3
    assert all(isinstance(image, np.memmap) for _, image in found)


@pytest.mark.parametrize("name", ["nan.npy", "row.npy", "no.npy", "text.npy", "x.npz:none"])
def test_files_that_are_no_images(name: str, tmp_path: Path) -> None:
    np.save(tmp_path / "nan.npy", np.full((4, 4), np.nan))
    np.save(tmp_path / "row.npy", np.ones(4))
    np.savez(tmp_path / "x.npz", a=np.ones((2, 2)))
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(BadImages, match=r"not finite|neither an image|no such file|npy|holds no"):
        list(read_images(tmp_path / name))


@pytest.mark.parametrize("keep", [0, 30, 60])
def test_a_broken_picture_is_named(keep: int, tmp_path: Path) -> None:
    Image.fromarray(RNG.integers(0, 256, (30, 30), dtype=np.uint8)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[:keep])
    with pytest.raises(BadImages, match=r"b\.png: \w+"):
        read_picture(tmp_path / "b.png")


PICTURE = RNG.integers(0, 65536, (9, 12, 3), dtype=np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("large", [False, True])
def test_levels_of_either_byte_order_are_levels(
    order: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mapped into memory or read, scaled, cut into patches and resized: the same image."""
    monkeypatch.setattr(images, "LARGE", 0 if large else 10**9)
    levels = PICTURE[..., 0]
    np.save(tmp_path / "x.npy", levels.astype(f"{order}u2"))
    ((_, image),) = read_images(tmp_path / "x.npy")
    np.testing.assert_array_equal(image, levels / 65535)
    half = open_pictures([tmp_path / "x.npy"], scales=(0.5,)).stored([0])[0]
    Image.fromarray(levels).save(tmp_path / "x.png")
    same = open_pictures([tmp_path / "x.png"], scales=(0.5,)).stored([0])[0]
    np.testing.assert_array_equal(scaled(half), scaled(same))


@pytest.mark.parametrize(
    ("array", "count", "channels"),
    [
        (PICTURE, 1, 3),
        (np.dstack([PICTURE, PICTURE[..., 0]]), 1, 3),
        (PICTURE / 65535, 1, 3),
        (PICTURE[None].repeat(2, 0), 2, 3),
        (np.moveaxis(PICTURE, 2, 0)[None].repeat(2, 0), 2, 3),
        (PICTURE[None, None, ..., 0], 1, 1),
        (np.moveaxis(PICTURE, 2, 0), 3, 1),
        (PICTURE[:, :3, :3], 9, 1),
    ],
    ids=["h w 3", "h w 4", "floats", "n h w 3", "n 3 h w", "n 1 h w", "3 h w", "small stack"],
)
def test_colours_in_arrays(array: Any, count: int, channels: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    found = [stored for _, stored in read_stored(tmp_path / "x.npy", "rgb")]
    assert len(found) == count
    assert all(len(stored) == 3 for stored in found)
    first = scaled(found[0])
    if channels == 3:
        np.testing.assert_allclose(first, np.moveaxis(PICTURE / 65535, 2, 0), atol=1e-15)
        luma = scaled(read_stored(tmp_path / "x.npy")[0][1])
        np.testing.assert_allclose(luma[0], PICTURE / 65535 @ [0.299, 0.587, 0.114], atol=1e-5)
    else:
        np.testing.assert_array_equal(first[0], first[2])


def test_pages_are_images_of_their_own(tmp_path: Path) -> None:
    stack = np.moveaxis(PICTURE, 2, 0)
    tifffile.imwrite(tmp_path / "pages.tif", stack, photometric="minisblack")
    found = dict(read_images(tmp_path / "pages.tif"))
    assert list(found) == ["pages.tif[0]", "pages.tif[1]", "pages.tif[2]"]
    np.testing.assert_array_equal(found["pages.tif[1]"], stack[1] / 65535)


def test_of_several_arrays_of_a_workspace_one_is_asked_for(tmp_path: Path) -> None:
    label = RNG.uniform(0, 1, (8, 8))
    savemat(tmp_path / "scan.mat", {"label": label, "kspace": np.fft.fft2(label)})
    with pytest.raises(BadImages, match=r"scan.mat holds `kspace` \(8 x 8\), `label` \(8 x 8\): which"):  # fmt: skip
        list(read_images(tmp_path / "scan.mat"))
    ((_, found),) = read_images(tmp_path / "scan.mat:label")
    np.testing.assert_array_equal(found, label)
