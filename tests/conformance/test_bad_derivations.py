"""Problems that a derivation refuses: what is reported must equal the `.err` in bad_derivations/.

The first line of a case says what is asked: `# derive: gradient`, `# derive: admm; z = D @ x`,
`# relax: step,momentum`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from unroll_dsl.derive import Options, derive
from unroll_dsl.diagnostics import UnrollError, render_all
from unroll_dsl.driver import check_path
from unroll_dsl.relax import relax, split_options

FOLDER = Path(__file__).parent / "bad_derivations"
CASES = sorted(FOLDER.glob("*.unroll"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_refusals(
    case: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    verb, words = case.read_text("utf-8").split("\n")[0].removeprefix("# ").split(": ")
    method, *splits = words.split("; ")
    checked = check_path(Path(case.name))
    assert checked.typed is not None and not checked.has_errors
    if verb == "relax":
        with pytest.raises(UnrollError) as caught:
            relax(checked.typed, split_options(words))
    else:
        with pytest.raises(UnrollError) as caught:
            derive(checked.typed, method, Options(split=tuple(splits)))
    golden(case.with_suffix(".err"), render_all(caught.value.diagnostics) + "\n")
    assert all(d.code == case.stem[:5] for d in caught.value.diagnostics)


def test_no_golden_is_left_over() -> None:
    assert {g.with_suffix(".unroll") for g in FOLDER.glob("*.err")} == set(CASES)
