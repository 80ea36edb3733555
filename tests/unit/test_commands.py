"""The commands as functions, and what notebooks show of what they return."""

import inspect
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

import unroll_dsl as u
from unroll_dsl.runs.comparing import compared_runs
from unroll_dsl.runs.reading import NOTHING
from unroll_dsl.train.run import Run
from unroll_dsl.verify.report import Report, Row, Verdict

DOCS = Path(__file__).parents[2] / "docs" / "python.md"
FUNCTIONS = [n for n in u.__all__ if n[0].islower()]


def well_formed(html: str) -> str:
    """The text of HTML whose tags all close."""
    tree = xml.etree.ElementTree.fromstring(f"<div>{html}</div>")
    return " ".join(tree.itertext())


def test_the_public_face_is_what_dir_shows() -> None:
    assert dir(u) == sorted(u.__all__)
    assert not {"Any", "TYPE_CHECKING", "annotations"} & {*dir(u)}


def test_importing_it_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, unroll_dsl as u; u.check, u.show, u.format, u.derive, u.train, u.certify;"
        "print([m for m in ('torch', 'numpy', 'matplotlib', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented_and_typed(name: str) -> None:
    found = getattr(u, name)
    signature = inspect.signature(found)
    function = sys.modules[found.__module__].__dict__[name] if inspect.isfunction(found) else None
    assert (function or found).__doc__
    assert signature.return_annotation not in (inspect.Signature.empty, "Any")
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
    assert f"`{name}`" in DOCS.read_text("utf-8")


def test_the_examples_of_the_page_run() -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL):
        exec(block, names)
    assert "net" in names


def test_a_program_is_shown_as_equations() -> None:
    shown = u.load("ista")._repr_latex_()
    assert shown.startswith("$$\n\\begin{aligned}") and shown.endswith("\\end{aligned}\n$$")
    assert r"x &\leftarrow \mathcal{S}_{\lambda / L}" in shown
    assert shown.count("{") == shown.count("}")


def test_all_that_come_along_are_shown() -> None:
    for name in u.algorithms():
        shown = u.load(name)._repr_latex_()
        assert shown.count(r"\left") >= shown.count(r"\right") and "None" not in shown
        assert r"\leftarrow" in shown or "output" in shown


def test_a_check_is_a_table() -> None:
    rows = (
        Row("adjoints", "`A` & <A'>", Verdict.PASSED, 1e-16, 1e-12, "exact"),
        Row("states", "float64", Verdict.FAILED, 1.0, 1e-12),
    )
    report = Report("small", 0, {"n": 3}, 4, rows)
    text = well_formed(report._repr_html_())
    assert "`A` & <A'>" in text and "1.00e-16 (at most 1e-12)" in text
    assert "1 of 2 checks FAILED" in text and str(report).endswith("1 of 2 checks FAILED")


def test_check_takes_names_and_programs() -> None:
    report = u.check("ista", dims={"m": 4, "n": 6}, phases=2)
    assert report.passed and report.sizes == {"m": 4, "n": 6}
    assert u.check(u.load("ista"), dims={"m": 4, "n": 6}, phases=2).rows == report.rows


def test_show_of_an_algorithm_and_of_a_problem() -> None:
    assert "applies A x 1, A' x 1" in str(u.show("ista"))
    assert "l1 norm of x, convex" in str(u.show("lasso"))
    assert "l1 norm of x, convex" in well_formed(u.show("lasso")._repr_html_())


def test_derive_shows_the_way_and_the_page() -> None:
    derived = u.derive("lasso", "ista", relax="threshold(shared)")
    assert "learnable" in derived.text and str(derived) == derived.text
    shown = derived._repr_markdown_()
    assert shown.count("$$") % 2 == 0 and derived.text.rstrip() in shown
    assert repr(derived).startswith("<Derived ") and "threshold" in repr(derived)
    with pytest.raises(ValueError, match="no method `ist`"):
        u.derive("lasso", "ist")


def test_format_of_a_text_and_of_a_file(tmp_path: Path) -> None:
    text = "algorithm p\ninput y:vector[n]\noutput y\n"
    (tmp_path / "p.unroll").write_text(text)
    assert u.format(text) == u.format(tmp_path / "p.unroll") == text.replace("y:v", "y : v")
    assert (tmp_path / "p.unroll").read_text() == text
    with pytest.raises(u.UnrollError, match="U0101"):
        u.format(tmp_path / "q.unroll")


def test_explain() -> None:
    assert "U0301" in u.explain("U0301")
    with pytest.raises(LookupError):
        u.explain("U9999")


def test_load_of_a_text_says_what_takes_it() -> None:
    with pytest.raises(u.UnrollError, match=r"loads\(text\)"):
        u.load("algorithm a\noutput 1\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    text = (
        "algorithm small\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"
        "measure y = A @ s\nlearnable t : scalar >= 0 per phase = 0.1\nstate x : vector[n] = 0\n"
        "phase (2):\n    x <- soft(x - A' @ (A @ x - y) / norm(A)^2, t)\noutput x\n"
        "loss (s : vector[n]):\n    sumsq(x - s)\n"
    )
    return u.train(
        u.loads(text),
        tmp_path_factory.mktemp("runs") / "run",
        {
            "dims": {"m": 4, "n": 6},
            "data": {"kind": "sparse", "samples": 16, "validate": 8},
            "train": {"steps": 4, "batch": 8},
            "validate": {"every": 2},
        },
    )


def test_a_run_is_shown_with_its_last_validation(trained: Run) -> None:
    html = trained._repr_html_()
    assert "polyline" in html and "small" in well_formed(html)


def test_evaluate_and_compare_take_runs_and_folders(trained: Run) -> None:
    judged = u.evaluate(trained, "nmse")
    assert [f.metric.name for f in judged.figures] == ["nmse"]
    assert "nmse" in well_formed(judged._repr_html_())
    found = u.compare(trained.path, classical="ista", iterations=5)
    text = well_formed(found._repr_html_())
    assert "ista" in text and "How many classical iterations" in text
    same = compared_runs([trained.path], NOTHING, ["ista"], 5).comparison
    assert [c.quality for c in same.networks] == [c.quality for c in found.networks]
    with pytest.raises(ValueError, match="no run"):
        u.compare()


def test_report_is_a_page_in_a_frame(trained: Run, tmp_path: Path) -> None:
    page = u.report(trained, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    shown = page._repr_html_()
    assert shown.startswith("<iframe sandbox=") and "<script" not in shown


def test_packages_can_be_called_and_have_a_signature() -> None:
    assert [*inspect.signature(u.derive).parameters][:2] == ["problem", "method"]
    assert u.derive.method_names()  # type: ignore[attr-defined]
