"""Names of a program never hide what a generated module defines for itself."""

import ast
from types import ModuleType

import pytest

from unroll_dsl.backends.torch import kernels, layers, refusing
from unroll_dsl.backends.torch.names import RESERVED
from unroll_dsl.operators import registry


def defined(text: str) -> set[str]:
    return {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def texts(module: ModuleType) -> list[str]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith(("def ", "class "))
    ]


@pytest.mark.parametrize("module", [kernels, layers, refusing])
def test_functions_of_the_backend_are_reserved(module: ModuleType) -> None:
    found = set().union(*(defined(text) for text in texts(module)))
    assert found
    assert found <= RESERVED


def test_functions_of_operators_are_reserved() -> None:
    records = [*registry.functions(), *registry.linear_operators()]
    found = set().union(*(defined(record.helper) for record in records if record.helper))
    assert found
    assert found <= RESERVED
