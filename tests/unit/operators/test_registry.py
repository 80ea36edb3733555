"""The registry finds every record, in one order, without importing numpy or torch."""

import ast
import subprocess
import sys

import pytest

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.operators import arithmetic, registry
from unroll_dsl.operators.model import Function, Kind, LinearOperator


def test_records_are_found_by_name() -> None:
    assert isinstance(registry.lookup("abs"), Function)
    assert isinstance(registry.lookup("fft2"), LinearOperator)
    assert registry.lookup("no_such_function") is None


def test_names_are_those_that_a_program_may_write() -> None:
    names = registry.names()
    assert {"abs", "topk", "linspace", "fft2", "vec"} <= set(names)
    assert not {"add", "not", "cholesky_solve", "diagonal_matrix"} & set(names)
    assert len(set(names)) == len(names)


def test_the_order_does_not_depend_on_the_process() -> None:
    script = "from unroll_dsl.operators.registry import names; print(*names())"
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert tuple(found.stdout.split()) == registry.names()


def test_loading_all_records_imports_neither_numpy_nor_torch() -> None:
    script = (
        "import sys; from unroll_dsl.operators import registry; registry.functions();"
        "registry.linear_operators(); print({'numpy', 'torch'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_a_name_is_given_to_one_record_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "RECORDS", (*arithmetic.RECORDS, arithmetic.RECORDS[0]))
    registry._records.cache_clear()
    try:
        with pytest.raises(InternalError, match="`add`"):
            registry.lookup("add")
    finally:
        monkeypatch.undo()
        registry._records.cache_clear()


@pytest.mark.parametrize("record", registry.functions(), ids=lambda record: record.name)
def test_functions_are_complete(record: Function) -> None:
    """Every array parameter and every placeholder of its kind is in the torch expression."""
    assert record.summary.endswith(".")
    assert callable(record.numpy) and record.torch
    wanted = [p.name for p in record.parameters if not p.static]
    wanted = ["VALUES", "AXIS"] if record.kind is Kind.JOIN else wanted
    wanted += ["AXES"] if record.kind is Kind.REDUCTION else []
    read = {n.id for n in ast.walk(ast.parse(record.torch)) if isinstance(n, ast.Name)}
    assert set(wanted) <= read
    if record.helper:
        assert '"""' in record.helper and "-> Tensor:" in record.helper


@pytest.mark.parametrize("record", registry.linear_operators(), ids=lambda record: record.name)
def test_operators_have_all_of_a_backend_or_nothing(record: LinearOperator) -> None:
    assert record.summary.endswith(".")
    assert (record.numpy_forward is None) == (record.numpy_adjoint is None)
    assert (record.torch_forward is None) == (record.torch_adjoint is None)
    assert (record.numpy_forward is None) == (record.torch_forward is None)
