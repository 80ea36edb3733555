"""Curves come from metrics.csv and learned.jsonl, whole lines alone."""

from pathlib import Path

from unroll_dsl.runs.history import (
    History,
    evolution_panels,
    read_history,
    read_learned,
    training_panels,
)

CSV = """\
step,stage,loss,val.loss,val.psnr,rate
0,1,,2.0,10.0,
10,1,1.5,,,0.1
20,2,1.0,1.2,12.0,0.1
30,2,0.5,1.0,1"""


def test_a_column_has_the_steps_at_which_it_has_a_value(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(CSV)
    history = read_history(tmp_path / "metrics.csv")
    assert history.curve("val.psnr") == ((0.0, 20.0), (10.0, 12.0))


def test_a_row_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(CSV)
    assert read_history(tmp_path / "metrics.csv").rows == 3


def test_training_and_validation_loss_share_their_axes(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(CSV)
    loss, metric, *_ = training_panels(read_history(tmp_path / "metrics.csv"), {"psnr": "PSNR, dB"})
    assert [(line.label, line.y) for line in loss.lines] == [
        ("training", (1.5, 1.0)),
        ("validation", (2.0, 1.2)),
    ]
    assert metric.y_label == "PSNR, dB"


def test_stages_are_marked_where_they_begin(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(CSV)
    assert training_panels(read_history(tmp_path / "metrics.csv"))[0].marks == (20.0,)


def test_nothing_recorded_gives_no_panels() -> None:
    assert training_panels(History({})) == ()


def test_lines_of_learned_values_survive_a_cut(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text('{"step": 5, "values": {"t": [1, 2]}}\n{"step": 6, "val')
    assert read_learned(tmp_path / "l.jsonl") == ((5.0, {"t": [1, 2]}),)


def test_a_value_per_phase_has_a_line_for_each_phase() -> None:
    learned = ((0.0, {"t": [1.0, 2.0], "s": 3.0}), (5.0, {"t": [1.5, 2.5], "s": 4.0}))
    phases, shared = evolution_panels(learned, {"t"}, {"t": "threshold"})
    assert [line.y for line in phases.lines] == [(1.0, 1.5), (2.0, 2.5)]
    assert (phases.y_label, [line.y for line in shared.lines]) == ("threshold", [(3.0, 4.0)])
