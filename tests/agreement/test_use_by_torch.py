"""What torch and its libraries do to any module they do to these: flatten, store, differentiate, build."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.func import functional_call, hessian, jacfwd, jacrev, jvp, vjp
from torch.nn.utils import parameters_to_vector, vector_to_parameters

import unroll_dsl
from tests.agreement.test_levels import made, several
from unroll_dsl.resources import algorithm_names


def flattened(net: Any, inputs: Any, targets: Any) -> None:
    """As a vector and back, by a step of an optimiser that needs one, and through a file."""
    for held in (*net.parameters(), *net.buffers(), *net.freeze().buffers()):
        assert held.is_contiguous()
    parameters = list(net.parameters())
    if not parameters or any(p.is_complex() for p in parameters):
        return
    vector = parameters_to_vector(parameters)
    vector_to_parameters(vector, parameters)
    before = several(net(*inputs))
    optimiser = torch.optim.LBFGS(parameters, lr=1e-3, max_iter=2)

    def closure() -> Any:
        optimiser.zero_grad()
        outputs = several(net(*inputs))
        loss = torch.stack([x.abs().square().sum() for x in outputs]).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert any((a - b).abs().max() > 0 for a, b in zip(several(net(*inputs)), before, strict=True))


def differentiated(net: Any, inputs: list[torch.Tensor]) -> None:
    """Forth along a direction and back from another one give the same number."""
    torch.manual_seed(0)
    held = {name: p.detach() for name, p in net.named_parameters()}

    def run(parameters: dict[str, torch.Tensor], *xs: torch.Tensor) -> torch.Tensor:
        outputs = several(functional_call(net, parameters, xs))
        return torch.cat([torch.view_as_real(x + 0j).flatten() for x in outputs])

    moved = {name: torch.randn_like(p) for name, p in held.items()}
    directions = [torch.randn_like(x) for x in inputs]
    value, forth = jvp(run, (held, *inputs), (moved, *directions))
    weights = torch.randn_like(value)
    by_parameters, *by_inputs = pulled_back(run, (held, *inputs), weights)
    pairs = [(by_parameters[name], moved[name]) for name in held]
    pairs += list(zip(by_inputs, directions, strict=True))
    expected = sum((a.conj() * b).sum().real for a, b in pairs)
    torch.testing.assert_close((weights * forth).sum(), expected, rtol=1e-9, atol=1e-9)
    with torch.no_grad():  # kernels of our own take other ways there
        _, again = jvp(run, (held, *inputs), (moved, *directions))
    torch.testing.assert_close(again, forth, rtol=1e-9, atol=1e-10)


def pulled_back(run: Callable[..., Any], at: tuple[Any, ...], weights: torch.Tensor) -> list[Any]:
    """Derivatives of the product with `weights`, of the first argument by name: by torch.func, or by backward()
    where conjugate gradients say that they have no second derivatives, for which torch.func asks."""
    held, *inputs = at
    try:
        return list(vjp(run, *at)[1](weights))
    except RuntimeError as why:
        if "conjugate gradients have no second derivatives" not in str(why):
            raise
    leaves = {name: p.clone().requires_grad_() for name, p in held.items()}
    starts = [x.clone().requires_grad_() for x in inputs]
    run(leaves, *starts).backward(weights)
    return [{name: p.grad for name, p in leaves.items()}, *(x.grad for x in starts)]


@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_algorithms(name: str, tmp_path: Any) -> None:
    net, inputs, targets = made(name, 2)
    if net.state_dict():
        save_file(net.state_dict(), tmp_path / "net.safetensors")
    differentiated(net, inputs)
    flattened(net, inputs, targets)
    if net.state_dict():
        net.load_state_dict(load_file(tmp_path / "net.safetensors"))
        fresh, _, _ = made(name, 2)
        if not any("layer" in str(p.initial) or "xavier" in str(p.initial)
                   for p in unroll_dsl.load(name).graph.parameters):  # fmt: skip
            for a, b in zip(several(net(*inputs)), several(fresh(*inputs)), strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_second_derivatives_and_whole_jacobians() -> None:
    net, inputs, targets = made("lista", 2)
    x, target = inputs[0][0], targets[0][0]
    held = {name: p.detach() for name, p in net.named_parameters()}

    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, *given: torch.Tensor) -> Any:
            return self.net.loss(*given)

    loss = Loss()

    def by_start(theta: torch.Tensor) -> Any:
        given = {f"net.{name}": p for name, p in held.items()}
        return functional_call(loss, {**given, "net.phases.0.theta": theta}, (x, target))

    theta = held["phases.0.theta"]
    torch.testing.assert_close(hessian(by_start)(theta), jacrev(jacrev(by_start))(theta))
    forth, back = (f(lambda v: net(v))(x) for f in (jacfwd, jacrev))
    torch.testing.assert_close(forth, back)
    torch.testing.assert_close(forth, torch.autograd.functional.jacobian(net, x))


ITERATED = (
    "algorithm q\ndims n, m\ninput y : vector[m]\nfixed A : linear vector[n] -> vector[m]\n"
    "learnable r : scalar > 0 = 0.7\nstate x : vector[n] = 0\n"
    "phase (2):\n    x <- solve(A' @ A + r * I, A' @ y + r * x)\noutput x\n"
)


def test_iterated_solutions_have_forward_derivatives_and_refuse_what_they_lack() -> None:
    torch.manual_seed(0)
    A, y = torch.randn(6, 4, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    net: Any = unroll_dsl.loads(ITERATED).compile(bind={"A": A})

    def solved(r: torch.Tensor) -> torch.Tensor:
        x = torch.zeros(4, dtype=torch.float64)
        for _ in range(2):
            x = torch.linalg.solve(A.mT @ A + r * torch.eye(4), A.mT @ y + r * x)
        return x

    def by_step(r: torch.Tensor) -> Any:
        return functional_call(net, {"r": r}, (y,))

    r = torch.tensor(0.7, dtype=torch.float64)
    torch.testing.assert_close(jacfwd(by_step)(r), jacrev(solved)(r))
    with pytest.raises(RuntimeError, match=r"use backward\(\) or torch.func.jacfwd"):
        jacrev(by_step)(r)


def turned(array: Any) -> dict[str, Callable[[], Any]]:
    """The same values as memory may hold them."""
    return {
        "reversed": lambda: array[::-1, ::-1].copy()[::-1, ::-1],
        "Fortran's": lambda: np.asfortranarray(array),
        "a part": lambda: np.pad(array, 2)[2:-2, 2:-2],
        "a tensor turned": lambda: torch.from_numpy(array.T.copy()).mT,
        "a tensor conjugated": lambda: torch.from_numpy(array + 0j).conj().real,
    }


@pytest.mark.parametrize("how", turned(np.eye(2)))
def test_values_however_they_lie_in_memory(how: str) -> None:
    array = np.random.default_rng(0).standard_normal((5, 8))
    spec, value = unroll_dsl.load("lista"), turned(array)[how]()
    theta = np.abs(array[:2])
    init = {"We": array.T.copy(), "theta": theta}
    plain: Any = spec.compile(2, bind={"Wd": array}, init=init)
    turned_init = {"We": value.T if isinstance(value, np.ndarray) else value.mT,
                   "theta": theta[::-1, ::-1].copy()[::-1, ::-1]}  # fmt: skip
    given: dict[str, Any] = {"bind": {"Wd": value}, "init": turned_init}
    net: Any = spec.compile(2, **given)
    X = torch.randn(3, 5, dtype=torch.float64)
    torch.testing.assert_close(net(X), plain(X), rtol=0, atol=0)
    assert all(p.is_contiguous() for p in (*net.parameters(), *net.buffers()))
    np.testing.assert_allclose(spec.reference(2, **given)(X.numpy()), plain(X).detach(), rtol=1e-12)


LAYERED = (
    "algorithm q\ndims h, w, m\ninput y : vector[m]\nfixed Phi : linear image[1, h, w] -> vector[m]\n"
    "fixed W : matrix[h, h]\nlet P = inv(W' @ W + I)\nlearnable t : scalar per phase = 0.1\n"
    "learnable D : conv[1 -> 3, 3, bias] >> relu >> conv[3 -> 1, 3] per phase ~ xavier_normal\n"
    "state x : image[1, h, w] = 0\nphase (2):\n"
    "    x <- soft(x + D(x) - norm(P) * x / 8 - 0.1 * (Phi' @ (Phi @ x - y)), t)\noutput x\n"
)


VALUES = {
    "Phi": torch.linspace(-1, 1, 5 * 12).view(5, 12).sin(),
    "W": torch.linspace(-1, 1, 9).view(3, 3).cos(),
}


def build(**more: Any) -> Any:
    spec = unroll_dsl.loads(LAYERED)
    return spec.compile(bind=VALUES, dims={"h": 3, "w": 4}, seed=0, **more)


def alike(net: Any, other: Any) -> None:
    pairs = zip(
        (*net.parameters(), *net.buffers()), (*other.parameters(), *other.buffers()), strict=True
    )
    for a, b in pairs:
        assert a.dtype == b.dtype and a.device == b.device
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_what_surrounds_compile_changes_nothing() -> None:
    plain = build()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        alike(build(), plain)
    with torch.device("meta"):
        alike(build(), plain)  # bound values say where a network is
    with torch.no_grad():
        alike(build(), plain)
    torch.set_default_dtype(torch.float64)
    try:
        alike(build(), plain)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        net = build()
        frozen = net.freeze()
    alike(net, plain)
    y = torch.randn(2, 5)
    net(y).sum().backward()
    torch.testing.assert_close(frozen(y), net(y))


def test_networks_without_memory() -> None:
    net = build(device="meta")
    assert {p.device.type for p in (*net.parameters(), *net.buffers())} == {"meta"}
    assert net(torch.empty(2, 5, device="meta")).shape == (2, 1, 3, 4)


def test_half_precision_computes_or_is_refused_in_words() -> None:
    net = build().bfloat16()
    y = torch.randn(2, 5)
    with torch.no_grad():
        assert net(y.bfloat16()).dtype == torch.bfloat16
        torch.testing.assert_close(net(y.bfloat16()).float(), build()(y), rtol=0.1, atol=0.1)
    frequencies: Any = unroll_dsl.load("zero_filling").compile(bind={"P": torch.ones(4, 6)}).half()
    with pytest.raises(TypeError, match="`y` is complex, and there is no arithmetic"):
        frequencies(torch.ones(1, 4, 6, dtype=torch.complex64))
