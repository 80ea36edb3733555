"""`repeat (3):` within a phase, and what has a value in each of its steps."""

from pathlib import Path

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.report import latex
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import parse, same_tree, to_text
from unroll_dsl.syntax.pages import page_text

PROGRAM = """# Denoising within a phase.
algorithm nested
dims n
input y : vector[n]
learnable mu  : scalar per phase = 0.5 * k
learnable tau : scalar in (0, 1) per step = 0.25
learnable w   : vector[n] per phase per step = 0.1
state x : vector[n] = y
phase (2):
    z = x - mu * (x - y)
    repeat (3):
        # begins anew in each phase
        state v, u : vector[n] = z
        g = v - z + w * tanh(v)
        v <- v - tau * g
        u <- u + 0.5 * (v - prev(v))
    x <- v + prev(x) * u
output x
"""
TAU = np.array([0.25, 0.5, 0.125])


def by_hand(y: np.ndarray, w: np.ndarray) -> np.ndarray:
    x = y
    for phase in range(2):
        z = x - 0.5 * (phase + 1) * (x - y)
        v, u = z, z
        for step in range(3):
            v_next = v - TAU[step] * (v - z + w[phase, step] * np.tanh(v))
            u, v = u + 0.5 * (v_next - v), v_next
        x = v + x * u
    return x


def test_each_step_reads_its_own_value_and_states_begin_anew() -> None:
    generator = np.random.default_rng(0)
    y, w = generator.normal(size=4), generator.normal(size=(2, 3, 4))
    spec = unroll_dsl.loads(PROGRAM)
    init = {"tau": TAU, "w": w}
    found = spec.reference(init=init, dims={"n": 4})(y)
    np.testing.assert_allclose(found, by_hand(y, w), rtol=1e-13)
    net = spec.compile(init=init, dims={"n": 4}).double()
    np.testing.assert_allclose(net(torch.as_tensor(y)).detach(), by_hand(y, w), rtol=1e-6)


def test_learnables_of_steps_are_one_array_that_is_saved_and_loaded(tmp_path: Path) -> None:
    spec = unroll_dsl.loads(PROGRAM)
    net = spec.compile(dims={"n": 4})
    shapes = {name: tuple(value.shape) for name, value in net.named_parameters()}
    assert shapes["tau"] == (3,) and shapes["phases.0.w"] == (3, 4)
    with torch.no_grad():
        for value in net.parameters():
            value.mul_(0.7)
    unroll_dsl.save_network(tmp_path / "net.safetensors", spec, net)
    again = unroll_dsl.load_network(tmp_path / "net.safetensors")
    y = torch.randn(5, 4)
    torch.testing.assert_close(again(y), net(y), rtol=0, atol=0)


@pytest.mark.parametrize("write", [to_text, page_text])
def test_a_loop_is_printed_and_read_again(write: object) -> None:
    program = parse(SourceFile("nested.unroll", PROGRAM)).program
    assert program is not None and callable(write)
    text = write(program)
    assert "    repeat (3):\n" in text and "        state v, u : vector[n] = z" in text
    again = parse(SourceFile("nested.unroll", text)).program
    assert again is not None and same_tree(again.statements, program.statements)


def test_a_loop_in_latex_counts_its_steps() -> None:
    text = latex(unroll_dsl.loads(PROGRAM).typed)
    assert r"\For{$j = 1, \dots, 3$}" in text
    assert r"$v^{(k,j)} = v^{(k,j-1)} - \tau^{(j)}\,g$" in text
    assert r"v^{(k,0)} = z" in text and r"v^{(k)} = v^{(k,3)}" in text
    assert r"w^{(k,j)}" in text
