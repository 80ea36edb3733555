"""Pictures as people have them: their own depth, all pages, the right way up."""

import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from unroll_dsl.files import CannotRead
from unroll_dsl.files.pictures import luma, read_pictures

RAMP = (np.arange(6 * 9).reshape(6, 9) * 1000).astype(np.uint16)
COLOURS = np.dstack([RAMP, RAMP // 2, RAMP // 3])
BYTES = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def only(path: Path) -> Any:
    (found,) = read_pictures(path)
    return found


def planes(colours: Any) -> Any:
    return np.moveaxis(colours, 2, 0)


@pytest.mark.parametrize("shape", ["grey", "rgb", "rgba", "grey and alpha"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_stay_sixteen(shape: str, suffix: str, tmp_path: Path) -> None:
    full = np.full_like(RAMP, 65535)
    pixels = {
        "grey": RAMP, "rgb": COLOURS, "rgba": np.dstack([COLOURS, full]),
        "grey and alpha": np.dstack([RAMP, full]),
    }[shape]  # fmt: skip
    path = tmp_path / f"deep.{suffix}"
    if suffix == "png":
        path.write_bytes(imagecodecs.png_encode(pixels))
    else:
        kind = "rgb" if shape.startswith("rgb") else "minisblack"
        tifffile.imwrite(path, pixels, photometric=kind, planarconfig="contig" if pixels.ndim == 3 else None)  # fmt: skip
    found = only(path)
    assert found.dtype == np.uint16
    expected = RAMP[None] if shape.startswith("grey") else planes(COLOURS)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.full((6, 9), -1000, np.int16), None),
        (np.full((6, 9), 500, np.uint32), None),
        (np.full((6, 9), -5, np.int8), None),
        (RAMP / 65535, None),
        ((RAMP / 65535).astype(np.float32), None),
        ((RAMP / 65535).astype(np.float16), None),
        (RAMP.astype(">u2"), None),
    ],
    ids=["i16", "u32", "i8", "f64", "f32", "f16", "big-endian"],
)
def test_numbers_of_any_type_in_tiff(pixels: Any, expected: Any, tmp_path: Path) -> None:
    order = ">" if pixels.dtype.byteorder == ">" else "<"
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="minisblack", byteorder=order)
    found = only(tmp_path / "x.tif")
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, pixels[None])


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_all_pages_are_read(kind: str, compression: str | None, tmp_path: Path) -> None:
    stack = np.stack([RAMP // 256, RAMP // 512, RAMP // 1024]).astype(kind)
    tifffile.imwrite(tmp_path / "p.tif", stack, photometric="minisblack", compression=compression)
    found = read_pictures(tmp_path / "p.tif")
    np.testing.assert_array_equal(np.concatenate(found), stack)


def test_pages_of_several_sizes(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "p.tif") as out:
        out.write(RAMP, photometric="minisblack")
        out.write(RAMP[:4, :5], photometric="minisblack")
    assert [page.shape for page in read_pictures(tmp_path / "p.tif")] == [(1, 6, 9), (1, 4, 5)]


def test_pages_of_colours(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p.tif", np.stack([COLOURS, COLOURS // 2]), photometric="rgb")
    first, second = read_pictures(tmp_path / "p.tif")
    np.testing.assert_array_equal(first, planes(COLOURS))
    np.testing.assert_array_equal(second, planes(COLOURS // 2))


def test_white_at_zero_is_turned(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "w.tif", RAMP, photometric="miniswhite")
    np.testing.assert_array_equal(only(tmp_path / "w.tif"), 65535 - RAMP[None])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    """What EXIF says in words: where the first row and the first column are to be seen."""
    upright = np.arange(1, 7, dtype=np.uint8).reshape(2, 3) * 40
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T,
        6: np.rot90(upright), 7: np.rot90(upright.T, 2), 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "o.png", exif=exif)
    np.testing.assert_array_equal(only(tmp_path / "o.png"), upright[None])
    for kind in (np.uint8, np.uint16, np.float32):
        tag = [(274, "H", 1, orientation, True)]
        pixels = np.ascontiguousarray(stored.astype(kind))
        tifffile.imwrite(tmp_path / "o.tif", pixels, photometric="minisblack", extratags=tag)
        np.testing.assert_array_equal(only(tmp_path / "o.tif"), upright[None])


def test_modes_of_eight_bits(tmp_path: Path) -> None:
    colour = Image.fromarray(BYTES)
    colour.quantize(256).save(tmp_path / "palette.png")
    expected = planes(np.asarray(colour.quantize(256).convert("RGB")))
    np.testing.assert_array_equal(only(tmp_path / "palette.png"), expected)
    colour.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    np.testing.assert_allclose(only(tmp_path / "cmyk.jpg"), planes(BYTES), atol=110)
    assert only(tmp_path / "cmyk.jpg").shape == (3, 6, 9)
    colour.convert("RGBA").save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(only(tmp_path / "alpha.png"), planes(BYTES))
    bits = BYTES[..., 0] > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    Image.fromarray(bits).save(tmp_path / "bits.tif")
    for name in ("bits.png", "bits.tif"):
        np.testing.assert_array_equal(only(tmp_path / name), bits[None] * np.uint8(255))


def test_flat_cmyk_is_the_colour_that_it_shows(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=100)
    np.testing.assert_allclose(only(tmp_path / "red.jpg")[:, 0, 0], [255, 0, 0], atol=2)


def test_luma_is_that_of_pillow_and_of_the_formula() -> None:
    found = luma(planes(BYTES))
    np.testing.assert_array_equal(found[0], np.asarray(Image.fromarray(BYTES).convert("L")))
    exact = BYTES @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found[0], exact, atol=0.5 + 1e-3)
    deep = luma(planes(COLOURS))
    assert deep.dtype == np.uint16
    np.testing.assert_allclose(deep[0], COLOURS @ np.array([0.299, 0.587, 0.114]), atol=0.5 + 1e-9)
    grey = np.repeat(RAMP[None], 3, axis=0)
    np.testing.assert_array_equal(luma(grey), RAMP[None])
    np.testing.assert_allclose(luma(planes(BYTES / 255))[0], exact / 255, rtol=1e-12)


def test_levels_beyond_sixteen_bits_in_png_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(CannotRead, match=r"x\.png: \w+"):
        read_pictures(tmp_path / "x.png")


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "bmp"])
@pytest.mark.parametrize("keep", [0, 40, 200])
def test_broken_pictures(suffix: str, keep: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8))
    picture.save(stream, {"tif": "TIFF", "jpg": "JPEG"}.get(suffix, suffix))
    (tmp_path / f"x.{suffix}").write_bytes(stream.getvalue()[:keep])
    with pytest.raises(CannotRead, match=rf"x\.{suffix}: \w+"):
        read_pictures(tmp_path / f"x.{suffix}")
