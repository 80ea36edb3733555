"""The mutation runner: what it changes, and that it tells what tests notice from what they do not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mutation.judged import Judgement, judgements, why_nobody_notices
from tests.mutation.running import Copy
from tests.mutation.slips import slips
from tests.mutation.which import NEAREST, nearest

ROOT = Path(__file__).resolve().parents[3]

MODULE = '''\
"""Doubles."""


def doubled(a: int) -> int:
    return 2 * a


def never_called(a: int) -> int:
    if a < 0:
        raise ValueError(f"{a + 1} is below 0")
    return a
'''

TESTS = """\
from module import doubled


def test_doubled():
    assert doubled(0) == 0
"""


@pytest.mark.parametrize(
    ("text", "kind", "new"),
    [
        ("x = a - b", "operator", "(a + b)"),
        ("x = a - b", "operands", "(b - a)"),
        ("x = a + b", "term left out", "a"),
        ("x = -a", "sign", "a"),
        ("x = a < b", "comparison", "(a <= b)"),
        ("x = a is not None", "comparison", "(a is None)"),
        ("x = a and b", "condition", "(a or b)"),
        ("x = a if b else c", "branches", "(c if b else a)"),
        ("x = y[3]", "off by one", "4"),
        ("x = 0.5", "factor", "1.0"),
        ("x = True", "constant", "False"),
        ("x = np.conj(a)", "conj dropped", "a"),
        ("x = a.conj()", "conj dropped", "a"),
        ("x = a.mH", "conj dropped", "a.mT"),
        ("x = torch.fft.ifftshift(a)", "function", "torch.fft.fftshift(a)"),
        ("x += 2", "operator", "x -= 2"),
        ("f(x)", "step left out", "pass"),
    ],
)
def test_slips(text: str, kind: str, new: str) -> None:
    assert (kind, new) in {(slip.kind, slip.new) for slip in slips("m.py", text)}


@pytest.mark.parametrize(
    "text",
    [
        '"""1 + 1"""',
        "raise ValueError(1 + 1)",
        'x = f"{1 + 1}"',
        "x: Literal[1]",
        "assert a + 1",
        "import a",
        'x = folder / "name"',
    ],
)
def test_what_people_read_is_left_alone(text: str) -> None:
    assert not slips("m.py", text)


def test_a_slip_changes_one_place() -> None:
    text = 'name = "größe"; x = (a - b) * c\n'
    (slip,) = (s for s in slips("m.py", text) if s.kind == "operands")
    assert slip.applied(text) == 'name = "größe"; x = ((b - a)) * c\n'
    with pytest.raises(ValueError, match=r"m\.py:1 no longer reads 'a - b'"):
        slip.applied(text.replace("größe", "size"))
    assert str(slip) == "m.py:1  operands: a - b -> (b - a)"


def test_what_nobody_could_notice_is_known_by_its_line_and_its_change() -> None:
    text = "def f(a, b):\n    return max(a,\n        b) + 0 * a\n"
    found = {(s.kind, s.old): s for s in slips("m.py", text)}
    entry = Judgement("m.py", "return max(a,", "max(a, b) + 0 * a", "max(a, b)", "0 is nothing")
    slip = found["term left out", "max(a,\n        b) + 0 * a"]
    assert why_nobody_notices(slip, text, (entry,)) == "0 is nothing"
    assert why_nobody_notices(found["function", "max(a,\n        b)"], text, (entry,)) is None
    assert why_nobody_notices(slip, text.replace("max(a,", "max( a,"), (entry,)) is None
    assert not entry.is_stale(text) and entry.is_stale(text.replace("0 *", "1 *"))
    below = Judgement("m.py", "b) + 0 * a", "0", "1", "why", under="return max(a,")
    assert not below.is_stale(text) and below.is_stale(text.replace("max(a,", "max( a,"))
    anywhere = Judgement("*", "...(a, b)...", "a", "b", "why")
    assert not anywhere.is_stale(text) and anywhere.is_stale("a, b")


def test_what_is_judged_is_still_in_the_code() -> None:
    known = judgements()
    assert known and all(entry.why for entry in known)
    texts = {e.path: (ROOT / e.path).read_text("utf-8") for e in known if e.path != "*"}
    assert [e for e in known if e.path != "*" and e.is_stale(texts[e.path])] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutation runs fork processes")
def test_a_run(tmp_path: Path) -> None:
    """Weak tests are told from strong ones, the files stay as they were."""
    (tmp_path / "module.py").write_text(MODULE)
    (tmp_path / "test_module.py").write_text(TESTS)
    command = [
        *(sys.executable, "-m", "tests.mutation", "module.py", "--root", str(tmp_path)),
        *("--tests", "test_module.py", "--imports", "pytest", "coverage", "--grace", "30"),
        *("--json", str(tmp_path / "verdicts.json")),
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {
        line.partition("  module")[2].partition("  [")[0]: line for line in done.stdout.splitlines()
    }
    noticed = {key: line.startswith("noticed") for key, line in lines.items() if key}
    assert noticed[".py:5  term left out: 2 * a -> 2"]
    assert not noticed[".py:5  off by one: 2 -> 3"]  # twice 0 is three times 0
    assert "no test reaches the line" in lines[".py:9  comparison: a < 0 -> (a <= 0)"]
    assert (tmp_path / "module.py").read_text() == MODULE
    (tmp_path / "test_module.py").write_text(TESTS.replace("0", "4", 1).replace("0", "8"))
    again = subprocess.run(
        [*command, "--again", str(tmp_path / "verdicts.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    tried = [line for line in again.stdout.splitlines() if " s  module" in line]
    assert "2 -> 3" in "".join(tried) and "-> 2 " not in "".join(tried)
    before, after = (done.stdout.splitlines()[-1].split(), again.stdout.splitlines()[-1].split())
    assert after[:4] == [*("all", str(int(before[1]) + 1), "of", before[3])]
    assert after[-2:] == ["before:", before[1]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutation runs fork processes")
def test_a_run_that_does_not_look_which_lines_are_reached(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(MODULE)
    (tmp_path / "test_module.py").write_text(TESTS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.mutation", "module.py", "--root", str(tmp_path)),
            *("--tests", "test_module.py::test_doubled", "--imports", "pytest", "--nearest"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5  term left out: 2 * a -> 2  [test_module.py::test_doubled]" in done.stdout
    assert "off by one: 2 -> 3  [they pass]" in done.stdout  # twice 0 is three times 0
    assert "comparison: a < 0 -> (a <= 0)  [they pass]" in done.stdout


def test_the_nearest_tests_are_there() -> None:
    named = {path.partition("::")[0] for paths in NEAREST.values() for path in paths}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    own = nearest("unroll_dsl/backends/numpy/faults.py", ROOT)
    assert own == NEAREST["unroll_dsl/backends/numpy/faults"]
    assert nearest("unroll_dsl/weights/held.py", ROOT)[0] == "tests/unit/weights"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutation runs fork processes")
def test_what_runs_for_ever_is_stopped(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "test_sleepy.py").write_text("import time\n\n\ndef test(): time.sleep(100)\n")
    begun = time.monotonic()
    answer = Copy(root, tmp_path, ()).run(("test_sleepy.py::test",), 1.0)
    assert answer.how == "too long"
    assert time.monotonic() - begun < 30
