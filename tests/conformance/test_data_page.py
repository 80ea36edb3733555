"""docs/data.md: its examples are data that open and bind, its tables the keys and defaults that there are."""

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import unroll_dsl
from unroll_dsl.data import bindings, completed, default_bindings, metric, metric_names, open_source
from unroll_dsl.data.making import MAKERS
from unroll_dsl.data.opening import KINDS, default_kind

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples name: photographs of 40 x 40, others, and pairs."""
    path = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name, count in (("photos", 6), ("held", 2)):
        (path / name).mkdir()
        for place in range(count):
            levels = rng.integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(levels).save(path / name / f"{place}.png")
    np.savez(path / "pairs.npz", truth=np.ones((10, 6)), y=np.ones((10, 4)), A=np.ones((4, 6)))
    return path


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_example(name: str, text: str, folder: Path) -> None:
    table = tomllib.loads(text)
    spec = unroll_dsl.load(name)
    measured = () if name == "lista" else ("y",)
    dims = table.get("dims", {})
    pair = open_source(table["data"], spec, base=folder, dims=dims, measured=measured)
    kind = table["data"].get("kind", default_kind(table["data"], spec, measured))
    given = table.get("bind", {})
    bind = {**given, **default_bindings(spec, given, kind)}
    values = bindings(bind, spec, pair[0], base=folder, dims=dims)
    for source in pair:
        assert source is not None and not source.problems()
        found = completed(source, values).draw([0], np.random.default_rng(0))
        assert {entry.name for entry in spec.graph.targets} <= set(found)
    spec.compile(bind=values, dims={**dims, **pair[0].sizes}, seed=0)


@pytest.mark.parametrize("kind", KINDS)
def test_table_of_keys(kind: str) -> None:
    section = PAGE.split(f"### {kind}\n")[1].split("\n## ")[0].split("\n### ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \|(?: `(.*?)`)? \|", section, re.MULTILINE))
    assert told == {
        field.name: written(field) for field in fields(KINDS[kind][0]) if field.name != "kind"
    }


def written(field: Any) -> str:
    """A default as TOML, nothing where a key has none."""
    default = field.default if field.default_factory is MISSING else field.default_factory()
    match default:
        case None | _Missing():
            return ""
        case str():
            return f'"{default}"'
        case tuple():
            return "[" + ", ".join(default) + "]"
        case _:
            return str(default)


_Missing = type(MISSING)


def test_table_of_what_is_made() -> None:
    rows = re.findall(r'^\| `"(\w+)"` \| (.*?) \|', PAGE, re.MULTILINE)
    told = {name: dict(re.findall(r"`(\w+)(?: = (.*?))?`", keys)) for name, keys in rows}
    assert told == {
        name: {field.name: written(field) for field in fields(maker.settings)}
        for name, maker in MAKERS.items()
    }


def test_table_of_metrics() -> None:
    told = re.findall(r"^\| `(\w+)` \| (higher|lower) \|", PAGE, re.MULTILINE)
    assert told == [(name, metric(name).better) for name in metric_names()]


def test_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out.startswith("tensor(")
