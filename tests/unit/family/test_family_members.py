"""The family of a problem: its pages run, start as they say and have as many parameters as they say."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.cli.main import main
from unroll_dsl.derive import method_names
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.family import Member, NoMember, Row, UntrainedStart, members
from unroll_dsl.family.table import command
from unroll_dsl.relax import relaxation_names
from unroll_dsl.verify.instance import draw

PHASES = 4


@cache
def family(problem: str, *only: str) -> tuple[Row, ...]:
    return members(unroll_dsl.load(problem).typed, only=only or None)


def found(problem: str, *only: str) -> list[Member]:
    return _derived(family(problem, *only))


def _derived(rows: Iterable[Row]) -> list[Member]:
    return [row for row in rows if isinstance(row, Member)]


def row(problem: str, method: str, name: str) -> Row:
    return next(r for r in family(problem, method) if r.choice.name == name)


def test_every_method_and_every_relaxation_of_what_it_gives() -> None:
    rows = family("lasso")
    assert tuple(r.choice.method.name for r in rows if not r.choice.name) == method_names()
    for method in method_names():
        names = [r.choice.name for r in rows if r.choice.method.name == method]
        plain = next(r for r in rows if r.choice.method.name == method)
        if isinstance(plain, NoMember):
            assert names == [""]
        else:
            assert tuple(names[1 : 1 + len(relaxation_names())]) == relaxation_names()
    assert {"lista", "lista_cp", "alista"} < {m.choice.name for m in found("lasso")}


def test_networks_start_where_they_say() -> None:
    """Against the interpreter's run of the method's own page, on random data. Knots cannot be laid on a weight that
    may be 0."""
    starts = set()
    text = unroll_dsl.load("lasso").program.file.text
    may_be_0 = unroll_dsl.loads(text.replace("scalar > 0", "scalar >= 0")).typed
    for member in (*found("lasso"), *_derived(members(may_be_0, only=["ista"]))):
        if not member.choice.relaxations:
            page = unroll_dsl.loads(member.text)
            instance = draw(page.graph, seed=6, batch=2)
            expected = output(page, instance)
            continue
        error = np.abs(output(unroll_dsl.loads(member.text), instance) - expected).max()
        error /= np.abs(expected).max()
        starts.add(member.start)
        match member.start:
            case UntrainedStart.EXACT:
                assert error < 1e-12, member.name
            case UntrainedStart.NEAR:
                assert error < 0.02, member.name
            case UntrainedStart.ELSEWHERE:
                assert error > 1e-3, member.name
    assert starts == set(UntrainedStart)


def output(spec: Any, instance: Any) -> Any:
    known = {c.name for c in spec.graph.constants}
    bind = {k: v for k, v in instance.bind.items() if k in known}
    dims = {k: v for k, v in instance.sizes.items() if k in dict(spec.graph.dims)}
    return spec.reference(PHASES, bind=bind, dims=dims)(*instance.inputs)


def test_entries_are_those_of_the_module() -> None:
    sizes = {"m": 5, "n": 8}
    bind = {"A": np.random.default_rng(0).standard_normal((5, 8))}
    last = {"lasso_fista_momentum": 1}  # what the last phase would extrapolate nobody reads
    chosen = [row("lasso", "ista", name) for name in ("shrinkage", "lista", "lista_cp", "support")]
    for member in (*chosen, row("lasso", "fista", "momentum")):
        assert isinstance(member, Member)
        net = unroll_dsl.loads(member.text).compile(phases=PHASES, bind=bind)
        said = member.per_phase.substitute(sizes) * PHASES + member.shared.substitute(sizes)
        entries = sum(p.numel() for p in net.parameters()) + last.get(member.name, 0)
        assert str(said) == str(entries), member.name


@pytest.mark.parametrize(("problem", "method"), [("lasso", "ista"), ("block_cs", "ista")])
def test_the_command_writes_the_page(
    problem: str, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for member in found(problem, method):
        capsys.readouterr()
        assert main(shlex.split(command(problem, member))[1:]) == 0
        assert capsys.readouterr().out == member.text


def test_pages_that_are_the_same_are_found() -> None:
    same = row("lasso", "admm", "learn")
    assert isinstance(same, Member) and same.same_as == "penalty"
    assert same.choice.relaxations == ("learn(rho)",)


def test_what_there_is_not_says_why() -> None:
    refused = row("lasso", "gradient", "")
    assert isinstance(refused, NoMember)
    assert refused.reason == "the l1 norm has no gradient everywhere"
    assert refused.place.text == "norm1(x)" and refused.instead[0] == "ista"
    none = row("lasso", "ista", "learn")
    assert isinstance(none, NoMember) and "no constants of its own" in none.reason
    layers = row("lasso", "ista", "ista_net")
    assert isinstance(layers, NoMember) and layers.reason.startswith("layers act on images")


def test_a_recipe_has_its_statements_with_its_own_problem_alone() -> None:
    own, other = row("block_cs", "ista", "ista_net"), row("emt", "ista", "ista_net")
    assert isinstance(own, Member) and "= Q @ y" in own.text
    assert isinstance(other, Member) and "Q @ y" not in other.text


def test_statements_are_put_into_the_problem() -> None:
    typed = unroll_dsl.load("cs_mri").typed
    rows = members(typed, only=("ista",), statements=("let D = grad(padding=circular)",))
    (only,) = rows
    assert isinstance(only, NoMember) and "does not go through `D`" in only.reason


def test_a_page_without_objective_is_refused() -> None:
    with pytest.raises(UnrollError) as error:
        members(unroll_dsl.load("baseline_tanh").typed)
    assert error.value.diagnostics[0].code == "U0601"
