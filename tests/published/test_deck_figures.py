"""Derived pages with the authors' weights: their figures. `make deck` runs those of whole test sets."""

from pathlib import Path

import pytest

from unroll_dsl.deck import AuthorsFigure, figure, slides


@pytest.mark.parametrize(
    ("stages", "expected"), [("7", 35.601), pytest.param("15", 35.850, marks=pytest.mark.slow)]
)
def test_deep_admm_net(shared_data: Path, stages: str, expected: float) -> None:
    (slide,) = slides({"admm_net"})
    assert {"stages": stages} in slide.tests
    found = figure(slide, {"stages": stages}, shared_data)
    assert isinstance(found, AuthorsFigure)
    assert found.found == pytest.approx(expected, abs=1e-3)
    assert found.authors == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_admm_csnet(shared_data: Path) -> None:
    (slide,) = slides({"admm_csnet"})
    found = figure(slide, slide.tests[0], shared_data)
    assert isinstance(found, AuthorsFigure)
    assert found.found == pytest.approx(33.788, abs=1e-3)


@pytest.mark.slow
def test_ista_net_plus_for_mri(shared_data: Path) -> None:
    (slide,) = slides({"ista_net_plus_mri"})
    found = figure(slide, slide.tests[0], shared_data)
    assert isinstance(found, AuthorsFigure)
    assert found.images == 50
    assert found.found == pytest.approx(38.703, abs=1e-3)
