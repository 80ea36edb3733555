"""What modules look like, of every shipped page, at every level and in both styles."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.resources import algorithm_names

GOLDENS = Path(__file__).parent / "emitted"
FORMS = (
    {"style": "readable"},
    {"style": "fast"},
    {"optimize": 0},
    {"optimize": 1},
)


@pytest.fixture(params=sorted(algorithm_names()))
def spec(request: pytest.FixtureRequest) -> unroll_dsl.Spec:
    return unroll_dsl.load(request.param)


def helpers(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    yield from (node for node in tree.body if isinstance(node, ast.FunctionDef))


def passed(tree: ast.Module, word: str) -> set[str | int]:
    """What calls of a function give: places and keywords; everything where it goes elsewhere by name."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    own = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == word]
    found: set[str | int] = {k.arg for c in own for k in c.keywords if k.arg}
    return found | {place for c in own for place in range(len(c.args))}


def test_pages_as_modules(spec: unroll_dsl.Spec) -> None:
    """They parse; the network is the first class, begins early and imports nothing but torch; no helper has
    a parameter that it does not read, or that no call gives; no kernel in what is to be read."""
    for form in FORMS:
        source = spec.source(**form)
        tree = ast.parse(source)
        first, *_ = (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))
        assert isinstance(first, ast.ClassDef)
        assert "forward" in {n.name for n in first.body if isinstance(n, ast.FunctionDef)}
        assert first.lineno < 40
        for helper in helpers(tree):
            read = {n.id for part in helper.body for n in ast.walk(part) if isinstance(n, ast.Name)}
            given = passed(tree, helper.name)
            optional = len(helper.args.args) - len(helper.args.defaults)
            for place, argument in enumerate(helper.args.args):
                assert argument.arg in read, (form, helper.name, argument.arg)
                if place >= optional and given:
                    assert place in given or argument.arg in given, (helper.name, argument.arg)
        if form.get("style") == "readable":
            assert not {"shrink", "convolve_few", "convolve_pair", "square_sum", "regular"} & {
                helper.name for helper in helpers(tree)
            }


def test_a_line_of_the_page_is_named_once_a_statement(spec: unroll_dsl.Spec) -> None:
    """Two statements in a row that come of one line share its comment."""
    for style in ("readable", "fast"):
        before = ""
        for line in spec.source(style=style).splitlines():
            comment = line.partition("# ")[2] if ".unroll:" in line else ""
            assert not comment or comment != before, line
            before = comment or (before if line.startswith(" " * 12) else "")


@pytest.mark.parametrize("name", ["admm_csnet", "admm_net", "fista_net", "ista_net_plus", "lista"])
def test_modules_to_be_read(name: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDENS / "readable" / f"{name}.py", unroll_dsl.load(name).source(style="readable"))


def test_one_body_a_phase() -> None:
    """FISTA-Net has one for outputs and loss, the last phase too; ADMM-Net a last one that lacks learnables,
    ADMM-CSNet one that lacks the network; what is to be read has that of ADMM-Net alone."""

    def copies(name: str, line: str, style: str) -> int:
        return unroll_dsl.load(name).source(style=style).count(line)  # type: ignore[arg-type]

    for style, of_csnet in (("fast", 2), ("readable", 1)):
        assert copies("fista_net", "r = self.M.adjoint(", style) == 1
        assert copies("ista_net_plus", "Phi.adjoint(", style) == 1
        assert copies("admm_net", "convolve_adjoint(self.rho", style) == 2
        assert copies("admm_csnet", "torch.fft.fft2(Aty", style) == of_csnet


def test_an_unknown_style() -> None:
    with pytest.raises(ValueError, match="style is 'readable' or 'fast', found 'quick'"):
        unroll_dsl.load("lista").source(style="quick")  # type: ignore[arg-type]
