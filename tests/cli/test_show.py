"""`show`: the summary, and the files it writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_summary(unroll: Unroll) -> None:
    result = unroll("show", "lista", "--dims", "n=100,m=50", "--phases", "3")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("LISTA, learned iterative shrinkage-thresholding.\n")
    found = json.loads(
        unroll("show", "lista", "--dims", "n=100,m=50", "--phases", "3", "--json").out
    )
    assert found["phases"] == 3
    assert found["parameters"]["per_phase"] == "50"
    assert found["parameters"]["shared"] == str(50 * 100 + 50 * 50)


def test_unknown_sizes(unroll: Unroll) -> None:
    result = unroll("show", "lista", "--dims", "N=3")
    assert result.status == 2
    assert result.err.startswith("error: lista has no size `N`\n")
    assert unroll("show", "lista", "--dims", "n=3,n=4").status == 2
    assert unroll("show", "lista", "--dims", "n").status == 2


def test_pictures(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("show", "ista", "--latex", "i.tex", "--dot", "i.dot", "--svg", "i.svg")
    assert (result.status, result.out) == (0, "")
    assert result.err == "wrote i.tex\nwrote i.dot\nwrote i.svg\n"
    assert r"\begin{algorithm}" in (tmp_path / "i.tex").read_text()
    assert (tmp_path / "i.dot").read_text().startswith("digraph")
    assert ElementTree.parse(tmp_path / "i.svg").getroot().tag.endswith("svg")
    assert unroll("show", "ista", "--svg", "i.svg").status == 2
    assert unroll("show", "ista", "--svg", "i.svg", "--force").status == 0


def test_pictures_on_stdout(unroll: Unroll) -> None:
    assert unroll("show", "ista", "--dot", "-").out.startswith("digraph")


def test_warnings_and_errors(unroll: Unroll, bad: Path, tmp_path: Path) -> None:
    assert unroll("show", bad.name).status == 1
    spec = "algorithm a\ndims n\ninput y : vector[n]\nfixed c : scalar = 1\noutput 2 * y\n"
    (tmp_path / "a.unroll").write_text(spec)
    result = unroll("show", "a.unroll")
    assert result.status == 0
    assert "warning[W0401]" in result.err
