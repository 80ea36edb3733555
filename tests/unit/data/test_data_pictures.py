"""Collections: what is left out and told of, what is kept in memory, what is read again."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unroll_dsl.data.errors import BadImages
from unroll_dsl.data.images import image_paths
from unroll_dsl.data.pictures import open_pictures

RNG = np.random.default_rng(1)


def save(path: Path, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    levels = RNG.integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return levels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in range(5):
        save(tmp_path / f"{place}.png")
    return tmp_path


def test_an_unreadable_image_among_others_is_left_out_and_told_of(folder: Path) -> None:
    (folder / "2.png").write_bytes(b"no picture")
    pictures = open_pictures(image_paths(folder))
    assert [plane.name for plane in pictures.planes] == ["0.png", "1.png", "3.png", "4.png"]
    (line,) = pictures.problems
    assert line.startswith(f"{folder / '2.png'}: cannot identify")


def test_an_unreadable_file_by_itself_is_an_error(folder: Path) -> None:
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(BadImages, match=r"2\.png: cannot identify"):
        open_pictures([folder / "2.png"])


def test_a_folder_with_nothing_readable_is_an_error(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(BadImages, match=r"no image can be used: .*0\.png.*\(and 2 more\)"):
        open_pictures(image_paths(folder))


def test_an_image_smaller_than_a_patch_is_left_out(folder: Path) -> None:
    save(folder / "small.png", (10, 40))
    pictures = open_pictures(image_paths(folder), least=(12, 12))
    assert len(pictures.planes) == 5
    assert pictures.problems == (
        f"{folder / 'small.png'}: 10 x 40, smaller than a patch of 12 x 12",
    )


def test_a_complex_image_is_left_out_where_the_program_is_real(folder: Path) -> None:
    np.save(folder / "z.npy", np.ones((20, 30)) * 1j)
    assert "complex" in open_pictures(image_paths(folder), real=True).problems[0]
    assert not open_pictures(image_paths(folder)).problems


def test_levels_are_kept_as_bytes_within_the_budget(folder: Path) -> None:
    pictures = open_pictures(image_paths(folder), budget=3 * 20 * 30)
    assert [kept is not None for kept in pictures.cache] == [True] * 3 + [False] * 2
    assert sum(kept.nbytes for kept in pictures.cache if kept is not None) == 3 * 20 * 30


def test_what_is_read_again_is_the_same(folder: Path) -> None:
    scales = (1.0, 0.7)
    kept = open_pictures(image_paths(folder), scales=scales)
    again = open_pictures(image_paths(folder), scales=scales, budget=0)
    assert again.cache == (None,) * 10
    for place, image in again.stored(range(10)).items():
        np.testing.assert_array_equal(image, kept.cache[place])


def test_a_file_that_has_changed_is_an_error(folder: Path) -> None:
    pictures = open_pictures(image_paths(folder), budget=0)
    save(folder / "1.png", (8, 8))
    with pytest.raises(BadImages, match=r"1\.png: has changed"):
        pictures.stored([1])


def test_other_scales_are_smaller_images_of_the_same(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(100), np.arange(60)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    whole, small = open_pictures([tmp_path / "ramp.png"], scales=(1.0, 0.5)).stored([0, 1]).values()
    assert small.shape == (1, 50, 30)
    np.testing.assert_allclose(small[0, 5:-5, 5:-5], whole[0, 10:-10:2, 10:-10:2] + 1.0, atol=1.01)


def test_a_scale_below_the_patch_is_not_there(folder: Path) -> None:
    pictures = open_pictures(image_paths(folder), scales=(1.0, 0.5), least=(12, 12))
    assert {plane.scale for plane in pictures.planes} == {1.0}
    assert not pictures.problems
