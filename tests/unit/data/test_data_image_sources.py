"""Patches: where they lie, how they are turned, what follows for the program, what is held out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import unroll_dsl
from unroll_dsl.data import DataError, Source, open_source

TEXT = """
algorithm seen
dims {dims}
input y : {type}
state x : {type} = 0
phase (1):
    x <- y
output x
loss (target : {type}):
    sumsq(x - target)
"""


def program(type_: str = "image[1, h, w]", dims: str = "h, w") -> unroll_dsl.Spec:
    return unroll_dsl.loads(TEXT.format(type=type_, dims=dims))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five images of 12 x 15, in which each pixel of all has a level of its own."""
    for place in range(5):
        levels = (np.arange(180) + 20 * place).reshape(12, 15).astype(np.uint8)
        Image.fromarray(levels).save(tmp_path / f"{place}.png")
    return tmp_path


def opened(folder: Path, spec: unroll_dsl.Spec | None = None, **keys: Any) -> Source:
    table = {"kind": "images", "folder": str(folder), "validate": 0.0, **keys}
    return open_source(table, spec or program(), measured=("y",))[0]


def draw(source: Source, count: int, seed: int = 0) -> torch.Tensor:
    indices = [i % source.size for i in range(count)]
    return source.draw(indices, np.random.default_rng(seed))["target"]


def test_the_same_indices_and_random_numbers_give_the_same_bits(folder: Path) -> None:
    keys: dict[str, Any] = {"patch": 5, "augment": ["flip", "rotate", "scale"]}
    first, again = (draw(opened(folder, **keys), 40) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, draw(opened(folder, **keys), 40, seed=1))


def test_a_cache_that_is_too_small_changes_nothing(folder: Path) -> None:
    first, again = (draw(opened(folder, patch=5, memory=memory), 40) for memory in (1.0, 1e-9))
    assert torch.equal(first, again)


def test_patches_of_a_grid_are_those_of_the_images_in_order(folder: Path) -> None:
    source = opened(folder, patch=4, stride=3)
    assert source.size == 5 * 3 * 4
    found = draw(source, source.size).numpy()
    image = np.asarray(Image.open(folder / "1.png")) / np.float32(255)
    np.testing.assert_array_equal(found[12, 0], image[:4, :4].astype(np.float32))
    np.testing.assert_array_equal(found[12 + 5, 0], image[3:7, 3:7].astype(np.float32))


def test_double_precision_loses_nothing_of_a_picture(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((9, 9))
    np.save(tmp_path / "a.npy", image)
    table = {"folder": str(tmp_path), "patch": "whole", "validate": 0.0}
    source, _ = open_source(table, program(), measured=("y",), dtype=torch.float64)
    np.testing.assert_array_equal(draw(source, 1)[0, 0].numpy(), image)
    single, _ = open_source(table, program(), measured=("y",))
    np.testing.assert_array_equal(draw(single, 1)[0, 0].numpy(), image.astype(np.float32))


def test_patches_anywhere_reach_all_places_alike_often(folder: Path) -> None:
    source = opened(folder, patch=[11, 13])  # 2 x 3 places in each of 5 images
    corners = (255 * draw(source, 6000)[:, 0, 0, 0]).round().int()
    _, counts = torch.unique(corners, return_counts=True)
    assert len(counts) == 30
    assert counts.min() > 150 and counts.max() < 250  # 200 expected, deviation 14


def test_flips_and_turns_reach_all_8_positions_alike_often(folder: Path) -> None:
    source = opened(folder, patch=12, limit=1, augment=["flip", "rotate"], stride=12)
    _, counts = torch.unique(draw(source, 4000), dim=0, return_counts=True)
    assert len(counts) == 8
    assert counts.min() > 400 and counts.max() < 600


def test_patches_that_are_not_square_are_turned_half_way_round(folder: Path) -> None:
    source = opened(folder, patch="whole", limit=1, augment=["rotate"])
    assert len(torch.unique(draw(source, 50), dim=0)) == 2


def test_whole_images_are_an_epoch(folder: Path) -> None:
    source = opened(folder, patch="whole")
    assert (source.size, source.sizes) == (5, {"h": 12, "w": 15})
    assert draw(source, 5).shape == (5, 1, 12, 15)


def test_whole_images_of_different_sizes_are_refused(folder: Path) -> None:
    Image.new("L", (9, 9)).save(folder / "other.png")
    with pytest.raises(DataError, match=r"0\.png is 12 x 15 and .*other\.png is 9 x 9"):
        opened(folder, patch="whole")


def test_a_patch_larger_than_every_image_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="12 x 15, smaller than a patch of 33 x 33"):
        opened(folder)


@pytest.mark.parametrize(
    ("type_", "dims", "shape"),
    [
        ("vector[n]", "n", (36,)),
        ("matrix[h, w]", "h, w", (6, 6)),
        ("image[c, h, w]", "c, h, w", (1, 6, 6)),
        ("complex image[1, h, w]", "h, w", (1, 6, 6)),
    ],
)
def test_patches_take_the_form_of_the_target(
    type_: str, dims: str, shape: tuple[int, ...], folder: Path
) -> None:
    spec = program(type_, dims)
    found = draw(opened(folder, spec, patch=6, stride=6), 2)
    assert found.shape[1:] == shape
    assert found.is_complex() == type_.startswith("complex")
    plain = draw(opened(folder, patch=6, stride=6), 2)
    assert torch.equal(found.reshape(2, -1).real, plain.reshape(2, -1))


def test_colour_has_three_channels(folder: Path) -> None:
    source = opened(folder, program("image[c, h, w]", "c, h, w"), patch=6, colour="rgb")
    assert source.sizes == {"c": 3, "h": 6, "w": 6}
    assert draw(source, 2).shape == (2, 3, 6, 6)


def test_the_patch_is_that_of_sizes_that_are_settled(folder: Path) -> None:
    table = {"folder": str(folder)}
    source, _ = open_source(table, program(), dims={"h": 7, "w": 8}, measured=("y",))
    assert draw(source, 1).shape == (1, 1, 7, 8)
    source, _ = open_source({"kind": "samples"}, program("vector[n]", "n"), dims={"n": 81})
    assert draw(source, 1).shape == (1, 81)


def test_a_target_that_the_images_cannot_be_is_told_with_both_shapes(folder: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"`target` of `seen` is image\[1, h, w\] with h = 8; patches of 5 x 5 are 1 x 5 x 5",
    ):
        open_source({"folder": str(folder), "patch": 5}, program(), dims={"h": 8})
    with pytest.raises(DataError, match=r"image\[1, h, w\]; patches of 5 x 5 are 3 x 5 x 5"):
        opened(folder, patch=5, colour="rgb")


def test_what_is_held_out_is_no_part_of_training(folder: Path) -> None:
    table = {"folder": str(folder), "validate": 0.4, "patch": 12, "stride": 12}
    training, held_out = open_source(table, program(), seed=3)
    assert held_out is not None
    assert (training.size, held_out.size) == (3, 2)
    both = torch.cat([draw(training, 3), draw(held_out, 2)])
    assert len(torch.unique(both, dim=0)) == 5


def test_scaled_copies_of_what_is_held_out_are_no_part_of_training(folder: Path) -> None:
    table = {"folder": str(folder), "validate": 0.4, "patch": 6, "augment": ["scale"]}
    training, _ = open_source(table, program(), seed=3)
    assert len({plane.name for plane in training.pictures.planes}) == 3  # type: ignore[attr-defined]
    assert len(training.pictures.planes) == 12  # type: ignore[attr-defined]


def test_validation_may_have_a_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (folder / "4.png").rename(tmp_path / "other" / "4.png")
    _, held_out = open_source(
        {"folder": ".", "validate": "other", "patch": 12, "limit": 2}, program(), base=tmp_path
    )
    assert held_out is not None
    level = round(255 * float(draw(held_out, 1)[0, 0, 0, 0]))
    assert level == 20 * 4


def test_validation_is_not_random(folder: Path) -> None:
    table = {"folder": str(folder), "patch": 5, "augment": ["flip", "rotate"]}
    _, held_out = open_source(table, program())
    assert held_out is not None
    assert torch.equal(draw(held_out, held_out.size, 0), draw(held_out, held_out.size, 1))


def test_the_default_needs_no_folder_and_no_key() -> None:
    training, held_out = open_source({}, unroll_dsl.load("ista_net_plus"), measured=("y",))
    assert held_out is not None
    assert training.sizes == held_out.sizes == {"h": 33, "w": 33}
    assert 0 <= draw(training, 64).min() < draw(training, 64).max() <= 1


def test_samples_are_indices_of_the_epoch(folder: Path) -> None:
    source = opened(folder, patch="whole")
    with pytest.raises(IndexError, match="samples are 0 to 4, asked for 5"):
        source.draw([5], np.random.default_rng(0))
    assert source.draw([], np.random.default_rng(0))["target"].shape == (0, 1, 12, 15)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"pach": 33}, r"\[data\]: there is no key `pach` here; did you mean `patch`"),
        ({"patch": "hole"}, "'hole' is none of its values; did you mean `whole`"),
        ({"patch": 3.5}, r'\[data\] patch: found 3\.5, expected a whole number or "whole" or'),
        ({"patch": [3]}, r"found \[3\]; it is a side, \[height, width\]"),
        ({"patch": 0}, "found 0, expected 1 or more"),
        ({"augment": ["flop"]}, "'flop' is none of its values; did you mean `flip`"),
        ({"augment": "flip"}, "found 'flip', expected a list"),
        ({"stride": -1}, "stride: found -1"),
        ({"validate": 1.5}, r"validate: found 1\.5; it is a fraction"),
        ({"colour": "lumma"}, "did you mean `luma`"),
        ({"patch": "whole", "augment": ["scale"]}, "changes the size of whole images"),
        ({"patch": "whole", "stride": 3}, "whole images lie on no grid"),
        ({"limit": True}, "found True, expected a whole number"),
        ({"folder": "none"}, "there is no folder none"),
    ],
)
def test_what_a_table_says_wrong(keys: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(DataError, match=message):
        open_source({"kind": "images", "folder": str(folder), **keys}, program())


def test_a_patch_that_is_flipped_is_mirrored_left_to_right(folder: Path) -> None:
    source = opened(folder, patch="whole", limit=1, augment=["flip"])
    found = torch.unique(draw(source, 50), dim=0)
    image = torch.from_numpy(np.asarray(Image.open(folder / "0.png")) / np.float32(255))
    both = torch.stack([image, image.flip(1)])[:, None]
    assert len(found) == 2
    torch.testing.assert_close(found, torch.unique(both, dim=0))
