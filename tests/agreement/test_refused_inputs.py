"""Inputs that do not fit are refused before anything is computed, by generated code itself."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

P = np.ones((4, 6))
IMAGE = torch.zeros(2, 1, 4, 6, dtype=torch.complex128)


@pytest.fixture(scope="module")
def mri() -> Any:
    return unroll_dsl.load("admm_csnet").compile(2, bind={"P": P})


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (
            IMAGE[..., :5],
            ValueError,
            r"`y` must have the shape \[..., 1, 4, 6\], found \[2, 1, 4, 5\]",
        ),
        (IMAGE[0, 0], ValueError, r"found \[4, 6\]"),
        (IMAGE.real, TypeError, r"must be torch.complex128, found torch.float64: give y.to"),
        (IMAGE.to(torch.complex64), TypeError, r"must be torch.complex128, found torch.complex64"),
        (IMAGE.to("meta"), ValueError, r"`y` is on meta, the network on cpu"),
    ],
)
def test_an_input_that_does_not_fit(mri: Any, y: Any, error: Any, words: str) -> None:
    for run in (mri, mri.trajectory, lambda y: mri.loss(y, IMAGE)):
        with pytest.raises(error, match=words):
            run(y)


def test_a_target_that_would_broadcast(mri: Any) -> None:
    with pytest.raises(ValueError, match="`target` must have the shape"):
        mri.loss(IMAGE, IMAGE[:, 0])


def test_any_batch_axes(mri: Any) -> None:
    assert mri(IMAGE[0]).shape == (1, 4, 6)
    assert mri(IMAGE[:, None].expand(2, 3, 1, 4, 6)[:, 0]).shape == (2, 1, 4, 6)


def test_a_real_input_that_is_complex() -> None:
    net = unroll_dsl.load("ista").compile(2, bind={"A": np.eye(3)})
    with pytest.raises(TypeError, match=r"must be torch.float64, found torch.complex128"):
        net(torch.ones(2, 3, dtype=torch.complex128))


def test_inputs_of_one_size() -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims n\ninput x, y : vector[n]\nstate s : vector[n] = x\n"
        "phase (2):\n    s <- s + y\noutput s\n"
    )
    net = spec.compile()
    with pytest.raises(ValueError, match=r"`y` must have the shape \[..., 3\], found \[2, 1\]"):
        net(torch.ones(2, 3), torch.ones(2, 1))


def test_measurements_of_another_matrix() -> None:
    Phi = np.linalg.qr(np.random.default_rng(0).standard_normal((16, 8)))[0].T
    net = unroll_dsl.load("ista_net").compile(
        bind={"Phi": Phi, "Q": np.ascontiguousarray(Phi.T)}, dims={"h": 4, "w": 4}
    )
    with pytest.raises(ValueError, match=r"linear map of \[8\] to \[1, 4, 4\] takes \[..., 8\]"):
        net(torch.ones(2, 10, dtype=torch.float64))


@pytest.mark.parametrize("field", ["", "complex "])
@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_where_no_constant_tells_the_precision(field: str, kind: torch.dtype) -> None:
    """`-y` of bytes would be 255, 254: computed in whole numbers, in silence."""
    net = unroll_dsl.loads(
        f"algorithm a\ndims n\ninput y : {field}vector[n]\noutput -y\n"
    ).compile()
    wanted = "complex64" if field else "float32"
    with pytest.raises(TypeError, match=rf"must be torch.{wanted}, found {kind}: give y.to"):
        net(torch.ones(3).to(kind))
    assert net(torch.ones(3, dtype=getattr(torch, wanted))).dtype == getattr(torch, wanted)
    assert net(torch.ones(3, dtype=torch.complex128 if field else torch.float64)).itemsize >= 8


def test_the_reference_computes_with_whole_numbers_as_with_others() -> None:
    spec = unroll_dsl.loads("algorithm a\ndims n\ninput y : vector[n]\noutput -y / 2\n")
    np.testing.assert_array_equal(spec.reference()(np.array([1, 2], np.uint8)), [-0.5, -1])
