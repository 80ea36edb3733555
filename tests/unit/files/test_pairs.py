"""complex128, which the format of .safetensors does not know, comes back bit for bit."""

from pathlib import Path

import torch

import unroll_dsl

PAGE = """
algorithm a
dims m, n
input y : complex vector[m]
fixed c : complex scalar = 2
learnable B : complex matrix[n, m] = 0.5
state x : complex vector[n] = 0
phase (2):
    x <- 0.5 * x + c * (B @ y)
output x
"""


def test_a_complex_network_of_double_precision_is_saved_and_loaded(tmp_path: Path) -> None:
    spec = unroll_dsl.loads(PAGE)
    size, c = {"m": 3, "n": 4}, 1.5 - 0.25j
    net = spec.compile(dims=size, bind={"c": c}, dtype=torch.float64)
    with torch.no_grad():
        net.B += torch.randn(4, 3, dtype=torch.complex128)
    path = tmp_path / "net.safetensors"
    unroll_dsl.save_network(path, spec, net)
    y = torch.randn(2, 3, dtype=torch.complex128)
    assert torch.equal(unroll_dsl.load_network(path)(y), net(y))
