"""Configurations: what is wrong is said with the key, what is right survives the way to TOML and back."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from unroll_dsl.train.config import Config, Group, Log, Saving, StageTable, Training, Validation
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.tables import config, merged, read_file, setting, to_toml

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("table", "message", "mend"),
    [
        ({"train": {"stpes": 3}}, "[train] has no key `stpes`", "did you mean `steps`?"),
        ({"trian": {}}, "the run has no key `trian`", "did you mean `train`?"),
        ({"train": {"steps": "many"}}, "`train.steps` is a whole number, found 'many'", None),
        ({"train": {"steps": True}}, "`train.steps` is a whole number, found True", None),
        ({"train": {"steps": 0}}, "`train.steps` is at least 1, found 0", None),
        ({"train": {"rate": -1}}, "`train.rate` is above 0, found -1.0", None),
        ({"train": {"gradient": "half"}}, '`train.gradient` is "unroll", "implicit" or', None),
        (
            {"train": {"regime": "layerwize"}},
            "`train.regime` is one of",
            "did you mean `layerwise`?",
        ),
        ({"train": 3}, "`train` is a table, found 3", None),
        ({"group": {"match": "x"}}, "`group` is a list of tables: write [[group]]", None),
        ({"stage": [{"phase": 3}]}, "[stage] has no key `phase`", "did you mean `phases`?"),
        ({"dims": {"n": 1.5}}, "`dims` is a table of whole numbers", None),
    ],
)
def test_what_is_wrong(table: dict[str, object], message: str, mend: str | None) -> None:
    with pytest.raises(TrainingError) as caught:
        config(table)
    assert message in caught.value.message
    assert mend is None or caught.value.mend == mend


def test_names_the_file_and_what_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[train\n")
    with pytest.raises(TrainingError, match=r"run\.toml is not TOML: .*line 1"):
        read_file(path)
    with pytest.raises(TrainingError, match=r"none\.toml: No such file"):
        read_file(tmp_path / "none.toml")


def test_toml_and_back(tmp_path: Path) -> None:
    table = {
        "phases": 4,
        "learn": {"alpha": "per phase"},
        "bind": {"Phi": {"make": "orthonormal_rows", "ratio": 0.25}, "Q": "q.npy", "t": 0.5},
        "data": {"kind": "images", "augment": ["flip", "rotate"]},
        "train": {"refine": [0.5], "gradient": 5, "warmup": 7},
        "group": [{"match": "theta", "rate": 1e-3}, {"match": "W", "freeze": True}],
        "stage": [{"phases": 2, "train": ["theta"]}, {"learn": {"alpha": "shared"}}],
    }
    made = config(table)
    path = tmp_path / "run.toml"
    path.write_text(to_toml(made))
    again = config({**read_file(path), "base": made.base})
    assert again == made


def test_a_file_sets_where_relative_paths_start(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("phases = 3\n")
    assert config(read_file(tmp_path / "a.toml")).base == str(tmp_path.resolve())


def test_settings_on_the_command_line() -> None:
    found = merged(setting("train.rate=1e-3"), setting("train.schedule=cosine"))
    assert found == {"train": {"rate": 1e-3, "schedule": "cosine"}}
    with pytest.raises(TrainingError, match=r"not of the form key\.sub=value"):
        setting("train.rate")


def test_the_docs_have_every_key() -> None:
    text = (ROOT / "docs" / "training.md").read_text("utf-8")
    for kind in (Config, Training, Group, StageTable, Validation, Log, Saving):
        for entry in fields(kind):
            assert f"`{entry.name}`" in text or f"[{entry.name}]" in text, entry.name


def test_examples_of_the_docs_are_configurations() -> None:
    text = (ROOT / "docs" / "training.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        config(tomllib.loads(example))
