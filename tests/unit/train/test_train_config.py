"""Configurations: what is wrong is said with the key, what is right survives the way to TOML and back."""

import re
import tomllib
from dataclasses import asdict, fields
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl
from unroll_dsl.train.config import Config, Group, Log, Saving, StageTable, Training, Validation
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.regimes import stages
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
        ({"train": {"gradient": 0}}, "`train.gradient` is at least 1, found 0", None),
        ({"phases": "rest"}, '`phases` is a number of phases or "fixed_point", found', None),
        ({"phases": -1}, "`phases` is at least 0, found -1", None),
        ({"fix": "t"}, "`fix` is a list of texts, found 't'", None),
        ({"learn": {"t": 1}}, "`learn` is a table of texts, found {'t': 1}", None),
        ({"data": 3}, "`data` is a table, found 3", None),
        ({"log": {"tensorboard": 1}}, "`log.tensorboard` is true or false, found 1", None),
        (
            {"train": {"regime": "layerwize"}},
            "`train.regime` is one of",
            "did you mean `layerwise`?",
        ),
        ({"train": 3}, "`train` is a table, found 3", None),
        ({"group": {"match": "x"}}, "`group` is a list of tables: write [[group]]", None),
        ({"stage": [{"phase": 3}]}, "[stage[1]] has no key `phase`", "did you mean `phases`?"),
        ({"dims": {"n": 1.5}}, "`dims` is a table of whole numbers", None),
        ({"dims": {"n": 0}}, "`dims` is at least 1, found 0", None),
        ({"seed": 2**63}, "`seed` is at most 9223372036854775807, found 9223372036854775808", None),
        (
            {"train": {"optimizer": "sgd", "momentum": 5}},
            "`train.momentum` is below 1, found 5",
            None,
        ),
        (
            {"train": {"optimizer": "sgd", "momentum": 1}},
            "`train.momentum` is below 1, found 1",
            None,
        ),
        (
            {"train": {"momentum": 0.9}},
            '`train.momentum` is of sgd, and `train.optimizer` is "adam"',
            'leave it out, or take `optimizer = "sgd"`',
        ),
        ({"train": {"decay": 1.5}}, "`train.decay` is at most 1, found 1.5", None),
        ({"train": {"refine": [0.5, 0]}}, "`train.refine` is above 0, found 0.0", None),
        ({"train": {"counts": [1, 0]}}, "`train.counts` is at least 1, found 0", None),
        ({"group": [{}, {"rate": -0.5}]}, "`group[2].rate` is at least 0, found -0.5", None),
        ({"group": [{"weight_decay": -2}]}, "`group[1].weight_decay` is at least 0", None),
        ({"stage": [{"rate": 0}]}, "`stage[1].rate` is above 0, found 0.0", None),
        ({"validate": {"every": 0}}, "`validate.every` is at least 1, found 0", None),
        ({"validate": {"patience": -1}}, "`validate.patience` is at least 0, found -1", None),
        ({"log": {"every": 0}}, "`log.every` is at least 1, found 0", None),
        ({"save": {"every": 0}}, "`save.every` is at least 1, found 0", None),
        ({"train": {"rate": nan}}, "`train.rate` is a number, found nan", None),
        ({"train": {"clip": inf}}, "`train.clip` is a number, found inf", None),
        ({"train": {"refine": [0.1, nan]}}, "`train.refine[2]` is a number, found nan", None),
        ({"bind": {"alpha": nan}}, "`bind.alpha` is a number, found nan", None),
        ({"bind": {"P": {"ratio": nan}}}, "`bind.P.ratio` is a number, found nan", None),
        ({"data": {"snr": -inf}}, "`data.snr` is a number, found -inf", None),
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


def test_values_at_the_ends_of_ranges_are_taken() -> None:
    """A group's rate of 0 is 0, and -1 that of the run; what is left out is -1."""
    made = config(
        {
            "seed": 2**63 - 1,
            "train": {"optimizer": "sgd", "momentum": 0.999, "decay": 1, "clip": 0, "warmup": 0},
            "group": [{"rate": 0, "weight_decay": 0}, {"rate": -1}, {}],
        }
    )
    assert [group.rate for group in made.group] == [0, -1, -1]
    assert [group.weight_decay for group in made.group] == [0, -1, -1]
    assert made.stage == () and config({"stage": [{}]}).stage[0].rate == -1


@pytest.mark.parametrize("counts", [[3, 1, 3], [1, 1, 3]])
def test_counts_of_phases_grow(counts: list[int]) -> None:
    made = config({"train": {"regime": "curriculum", "counts": counts}})
    with pytest.raises(TrainingError, match=r"`train\.counts` grows from stage to stage, found"):
        stages(made, unroll_dsl.load("lista_cp"), 1)


def test_tables_are_laid_over_tables_and_over_nothing_else() -> None:
    table = {"train": {"rate": 1, "steps": 2}, "phases": 3}
    assert merged(table, {"train": {"steps": 5}}) == {**table, "train": {"rate": 1, "steps": 5}}
    assert merged(table, {"train": 7}) == {"train": 7, "phases": 3}
    assert merged(table, {"phases": {"a": 1}}) == {**table, "phases": {"a": 1}}
    assert merged(table, {"new": {"a": 1}}) == {**table, "new": {"a": 1}}
    assert table == {"train": {"rate": 1, "steps": 2}, "phases": 3}


def test_every_stage_of_ones_own_has_the_steps_of_the_run_unless_it_says_others() -> None:
    table = {"train": {"steps": 7, "rate": 0.5, "start": "classical"}}
    made = config({**table, "stage": [{"steps": 3, "name": "a"}, {"rate": 0.1}]})
    found = stages(made, unroll_dsl.load("lista_cp"), 1)
    assert [(s.name, s.steps, s.rate) for s in found] == [("a", 3, 0.5), ("stage 2", 7, 0.1)]
    assert {s.start for s in found} == {"classical"} and not any(s.optional for s in found)


def test_what_is_left_out_is_as_the_docs_say() -> None:
    assert asdict(Config()) == {
        "phases": 0,
        "tol": 1e-6,
        "max_phases": 1000,
        "seed": 0,
        "learn": {},
        "fix": (),
        "base": "",
        "bind": {},
        "dims": {},
        "data": {},
        "train": {
            "steps": 2000,
            "epochs": 0.0,
            "batch": 64,
            "optimizer": "adam",
            "rate": 1e-4,
            "momentum": 0.0,
            "weight_decay": 0.0,
            "schedule": "constant",
            "decay": 0.5,
            "decay_every": 500,
            "warmup": 0,
            "clip": 0.0,
            "accumulate": 1,
            "precision": "float32",
            "device": "auto",
            "compile": False,
            "checkpoint": "",
            "gradient": "unroll",
            "regime": "whole",
            "refine": (0.2, 0.02),
            "counts": (),
            "start": "",
        },
        "group": (),
        "stage": (),
        "validate": {"every": 500, "metric": "", "patience": 0, "batch": 0, "samples": 0},
        "log": {"every": 50, "tensorboard": False},
        "save": {"every": 500},
    }
    assert asdict(Group()) == {"match": "", "rate": -1.0, "weight_decay": -1.0, "freeze": False}
    stage = {"name": "", "phases": 0, "learn": {}, "train": (), "steps": 0, "rate": -1.0}
    assert asdict(StageTable()) == stage


@pytest.mark.parametrize(
    ("key", "ends", "outside"),
    [
        ("phases", (0, 1), (-1,)),
        ("tol", (1e-300,), (0,)),
        ("max_phases", (1,), (0,)),
        ("seed", (0,), (-1,)),
        ("train.steps", (1,), (0,)),
        ("train.epochs", (0, 0.5), (-0.1,)),
        ("train.batch", (1,), (0,)),
        ("train.rate", (1e-300,), (0,)),
        ("train.weight_decay", (0,), (-0.1,)),
        ("train.decay", (1e-300, 1), (0, 1.1)),
        ("train.decay_every", (1,), (0,)),
        ("train.warmup", (0, 1), (-1,)),
        ("train.clip", (0, 0.1), (-0.1,)),
        ("train.accumulate", (1,), (0,)),
        ("train.gradient", (1,), (0,)),
        ("train.refine", ([1e-300], []), ([0],)),
        ("train.counts", ([1], []), ([0],)),
        ("validate.every", (1,), (0,)),
        ("validate.patience", (0, 1), (-1,)),
        ("validate.batch", (0, 1), (-1,)),
        ("validate.samples", (0, 1), (-1,)),
        ("log.every", (1,), (0,)),
        ("save.every", (1,), (0,)),
        ("group", ([{"rate": 0}], [{"rate": -1}], [{"weight_decay": 0}]), ([{"rate": -0.1}],)),
        ("group", ([{"weight_decay": -1}],), ([{"weight_decay": -0.1}],)),
        ("stage", ([{"rate": 1e-300}], [{"rate": -1}]), ([{"rate": 0}],)),
        ("stage", ([{"phases": 0}], [{"steps": 0}]), ([{"phases": -1}], [{"steps": -1}])),
    ],
)
def test_ranges_end_where_they_should(
    key: str, ends: tuple[Any, ...], outside: tuple[Any, ...]
) -> None:
    def made(value: Any) -> Config:
        for part in reversed(key.split(".")):
            value = {part: value}
        return config(value)

    for value in ends:
        made(value)
    for value in outside:
        with pytest.raises(TrainingError):
            made(value)


def test_momentum_is_from_0_to_below_1() -> None:
    for value in (0, 0.999):
        config({"train": {"optimizer": "sgd", "momentum": value}})
    for value in (-0.1, 1):
        with pytest.raises(TrainingError, match=r"train\.momentum"):
            config({"train": {"optimizer": "sgd", "momentum": value}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c = 3", {"a": {"b": {"c": 3}}}),
        ("a=[1, 2]", {"a": [1, 2]}),
        ("a=true", {"a": True}),
        ("a = cosine ", {"a": "cosine"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_a_setting_is_toml_or_a_word(text: str, expected: dict[str, Any]) -> None:
    assert setting(text) == expected


@pytest.mark.parametrize("text", ["=3", " =3", "a"])
def test_a_setting_has_a_key(text: str) -> None:
    with pytest.raises(TrainingError, match="is not of the form"):
        setting(text)


def test_the_written_file_says_what_each_key_is_about() -> None:
    lines = to_toml(config({"group": [{"match": "a"}, {"match": "b"}]})).splitlines()
    assert "batch = 64 # samples an update, all processes together" in lines
    assert 'optimizer = "adam" # adam | adamw | sgd' in lines
    assert "weight_decay = 0.0" in lines
    assert (
        'checkpoint = "" # "" | phase; phase: keep the states between phases alone, to save memory'
        in lines
    )
    assert lines.count("[[group]]") == 2 and "[[stage]]" not in lines
    first = next(i for i, line in enumerate(lines) if line.startswith("["))
    assert all(" = " in line for line in lines[:first] if line)


def test_long_values_are_told_in_short() -> None:
    with pytest.raises(TrainingError) as caught:
        config({"train": {"steps": "x" * 100}})
    assert caught.value.message.endswith("found '" + 56 * "x" + "...")
    with pytest.raises(TrainingError, match="found '" + 57 * "x" + "'$"):
        config({"train": {"steps": "x" * 57}})
