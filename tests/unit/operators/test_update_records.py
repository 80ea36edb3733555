"""Steps and momentum: the torch expressions are the formulas, for factors that are tensors or numbers."""

import numpy as np
import pytest
import torch

from unroll_dsl.operators.registry import function


@pytest.mark.parametrize("factor", [-1.3, -0.2, 0.0, 0.7, 2.0])
@pytest.mark.parametrize("name", ["axpy", "axmy", "extrapolate"])
def test_expressions_are_the_formulas(name: str, factor: float) -> None:
    record = function(name)
    rng = np.random.default_rng(0)
    x, r = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 5))
    names = [parameter.name for parameter in record.parameters]
    scope = {"torch": torch, "Tensor": torch.Tensor}
    exec(record.helper or "", scope)
    for template, t in (
        (record.torch, torch.tensor(factor, dtype=torch.float64)),
        (record.torch_number or record.torch, factor),
    ):
        values = dict(zip(names, (torch.as_tensor(x), torch.as_tensor(r), t), strict=True))
        found = eval(template, {**scope, **values})
        np.testing.assert_allclose(found, record.numpy(x, r, factor), rtol=1e-13, atol=1e-14)
