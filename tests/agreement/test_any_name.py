"""Every name of the language in every role: what a page calls its values changes nothing."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.backends.torch.names import distinct, identifier
from unroll_dsl.verify import check

# One role a hole. Phases with learnables of their own are objects of a class ...
OWN = """\
algorithm {algorithm}
dims {dim}, {extent}
input {input} : vector[{dim}]
input {picture} : image[1, {dim}, {extent}]
fixed {matrix} : matrix[{dim}, {dim}]
fixed {number} : scalar = 0.7
fixed {scalar} : scalar
fixed {map} : linear vector[{dim}] -> vector[{dim}]
fixed {net} : network image[1, {dim}, {extent}] -> image[1, {dim}, {extent}]
let {setup} = {matrix}' @ {matrix} + I
let {call} = {matrix} @ {input}
learnable {shared} : scalar in (0, 2] = 0.3
learnable {own} : vector[{dim}] >= 0 per phase = 0.1
learnable {layer} : conv[1 -> 1, 3] per phase ~ xavier_normal
def {definition}({parameter}, {other}) = {parameter} / (1 + abs({parameter})) * {other}
let {phased} = {own} * {shared} / {dim}
state {state} : vector[{dim}] = 0
state {image} : image[1, {dim}, {extent}] = {picture}
state {counter} : scalar = 1
phase (2):
    {local} = solve({setup} + {shared} * diag({own} + 1), {call} - {map} @ {state}) * {number}
    {counter} <- (1 + sqrt(1 + 4 * {counter}^2)) / 2
    {state} <- {definition}({local}, {phased}) + {scalar} * prev({counter}) * soft({state}, {own})
    {image} <- {image} - {layer}({image}) + {net}({image})
    trace {trace} = {local} - {state}
output {out} = {state} + {call}, {image}
loss ({target} : vector[{dim}]):
    mean(({state} - {target})^2) + 0.1 * sum over phases sumsq({trace})
"""
# ... those without are methods of the network. The last phase needs less; systems are solved by iteration.
COMMON = """\
algorithm {algorithm}
dims {dim}, {extent} = 3
input {input} : vector[{dim}]
input {picture} : vector[{dim}]
fixed {matrix} : matrix[{dim}, {dim}]
fixed {number} : scalar > 0 = 0.7
fixed {scalar} : scalar
fixed {map} : linear vector[{dim}] -> vector[{dim}]
fixed {net} : scalar = 1
let {setup} = {matrix} * {scalar}
let {call} = {setup} @ {input} + abs({picture})
learnable {shared} : vector[{dim}] >= 0.1 = 0.3
learnable {own} : scalar = 0.1
learnable {layer} : scalar = {own} + {net}
def {definition}({parameter}, {other}) = {parameter} / (1 + abs({parameter})) * {other}
let {phased} = {own} * k / {extent}
state {state}, {image} : vector[{dim}] = {call}
state {counter} : scalar = 1
phase (3):
    {local} = solve({map}' @ {map} + {number} * I + diag(abs({image})), {call} - {state})
    {counter} <- {counter} + {phased}
    {state} <- {definition}({local}, {shared}) + {layer} * soft({state}, {number})
    {image} <- {image} + {counter} * {state}
    trace {trace} = {local} - {state}
output {out} = {state} + {call}, {picture}
loss ({target} : vector[{dim}]):
    mean(({state} - {target})^2) + 0.1 * sum over phases sumsq({trace})
"""
# ... and a network may have no phases at all.
NONE = """\
algorithm {algorithm}
dims {dim}, {extent}
input {input} : vector[{dim}]
input {picture} : image[1, {dim}, {extent}]
fixed {matrix} : matrix[{dim}, {dim}]
fixed {number} : scalar = 0.7
fixed {scalar} : scalar
fixed {map} : linear vector[{dim}] -> vector[{dim}]
fixed {net} : network image[1, {dim}, {extent}] -> image[1, {dim}, {extent}]
let {setup} = {matrix}' @ {matrix} + I
let {call} = {matrix} @ {input}
learnable {shared} : scalar in (0, 2] = 0.3
learnable {own} : vector[{dim}] >= 0 = 0.1
learnable {layer} : conv[1 -> 1, 3] ~ xavier_normal
def {definition}({parameter}, {other}) = {parameter} / (1 + abs({parameter})) * {other}
let {phased} = {own} * {shared} / {dim}
let {local} = solve({setup} + {shared} * diag(abs({call}) + 1), {call} - {map} @ {input})
let {image} = {net}({picture}) + {layer}({picture})
let {trace}, {state}, {counter} = 0
output {out} = {definition}({local}, {phased}) + {scalar} * {number} * {call}, {image}
loss ({target} : vector[{dim}]):
    mean(({out} - {target})^2)
""".replace("let {trace}, {state}, {counter} = 0\n", "")
PAGES = {"own": OWN, "common": COMMON, "none": NONE}

_ROLES = (
    "algorithm dim extent input picture matrix number scalar map net setup call shared own layer "
    "definition parameter other phased state image counter local trace out target"
)
_NAMES = (
    # what Python and torch keep for themselves
    "_ __ _x __x __class__ __init__ __dict__ _modules _parameters _buffers _origin x_ self cls lambda "
    "None True match case type_ torch Tensor nn math Callable dtype device training T data state_dict "
    "parameters type half float list int len range isinstance zip any tuple sum max print super "
    "enumerate ValueError T_destination "
    # what generated code is made of
    "value value_2 value_3 shared setup system folded total total_1 early last first phase phases states "
    "begin start forward loss trajectory traced phase_traced freeze compile checkpoint Phase LastPhase "
    "solve_dense shrink check_input conjugate_gradients convolve fixed_point positive within "
    "xavier_normal_layer x_prev v_2 lambda_ Aty "
    # what operators and papers call things
    "grad N n x y v w p g x1 target names noise"
)

ROLES, NAMES = _ROLES.split(), _NAMES.split()


def named(shift: int) -> dict[str, str]:
    """A name for each role: over all shifts, each role has each name (a Latin square)."""
    return {role: NAMES[(5 * i + shift) % len(NAMES)] for i, role in enumerate(ROLES)}


def numpy_of(values: Any) -> list[Any]:
    return [np.asarray(v.detach() if isinstance(v, torch.Tensor) else v) for v in values]


def close(found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    for a, b in zip(numpy_of(found), numpy_of(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def agrees(kind: str, names: dict[str, str]) -> None:
    """The network, its copies and the frozen one against the reference, at values of their own."""
    spec = unroll_dsl.loads(PAGES[kind].format(**names))
    rng = np.random.default_rng(0)
    bind: dict[str, Any] = {
        names["matrix"]: rng.standard_normal((4, 4)),
        names["scalar"]: 0.6,
        names["map"]: np.diag([0.2, 0.4, 0.6, 0.8]),
    }
    if kind != "common":
        bind[names["net"]] = torch.nn.Tanh()
    sizes = {names["dim"]: 4, names["extent"]: 5}
    picture = (3, 4) if kind == "common" else (3, 1, 4, 5)
    arrays = [rng.standard_normal(shape) for shape in ((3, 4), picture, (3, 4))]
    *inputs, _ = arrays
    tensors = [torch.from_numpy(array) for array in arrays]
    for level in (0, 2):
        given: dict[str, Any] = {"bind": bind, "dims": sizes, "optimize": level}
        net: Any = spec.compile(**given, seed=0)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.mul_(1.1)
        values = spec.values(net)
        assert set(values) == {names[role] for role in ("shared", "own", "layer")}
        reference = spec.reference(bind=bind, dims=sizes, init=values)
        outputs = net(*tensors[:2])
        close(outputs, reference(*inputs))
        loss = net.loss(*tensors)
        close([loss], [np.mean(reference.loss(*arrays))])
        loss.backward()
        if kind != "none":
            steps = zip(net.trajectory(*tensors[:2]), reference.trajectory(*inputs), strict=True)
            for ours, theirs in steps:
                close(ours.values(), [theirs[name] for name in ours])
        spelt = {identifier(names[role]): array for role, array in
                 zip(("input", "picture"), tensors, strict=False)}  # fmt: skip
        close(net(**spelt), outputs, 0)
        close(spec.compile(**given, seed=1, init=values)(*tensors[:2]), outputs, 1e-12)
        other = spec.compile(**given, seed=2)
        other.load_state_dict(net.state_dict())
        close(other(*tensors[:2]), outputs, 0)
        close(net.freeze()(*tensors[:2]), outputs, 1e-11)


FAST = range(5)  # between them every name has a role


def test_every_name_is_among_the_fast_ones() -> None:
    assert {name for shift in FAST for name in named(shift).values()} >= set(NAMES)


@pytest.mark.parametrize("shift", FAST)
def test_names_in_all_roles(shift: int) -> None:
    agrees(list(PAGES)[shift % len(PAGES)], named(shift))


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("shift", range(len(NAMES)))
def test_all_names_in_all_roles(kind: str, shift: int) -> None:
    agrees(kind, named(shift))


def test_two_names_never_become_one() -> None:
    assert distinct([*NAMES, *(f"{name}_" for name in NAMES), "x₁", "x₂"]) is None


# Each of these was no Python, silently wrong, or refused in the wrong words.
PROGRAMS = {
    "a size that two phases' arguments need": (
        "dims h, w, N = 8\ninput y : image[1, h, w]\n"
        "learnable K, M : tensor[N, 5, 5] per phase ~ normal(0, 0.01)\n"
        "state x : image[1, h, w] = y\nphase (2):\n"
        "    v = filters(K) @ x + filters(M) @ y\n    x <- x - filters(K)' @ v\n"
    ),
    "an input named as a loop's variable": (
        "dims n\ninput _ : vector[n]\nstate x : vector[n] = 0\nphase (3):\n    x <- 0.5 * x + _\n"
    ),
    "a size named phases": (
        "dims phases\ninput y : vector[phases]\n"
        "learnable W : matrix[phases, phases] ~ normal(0, 1)\nstate x : vector[phases] = 0\n"
        "phase (2):\n    x <- soft(0.5 * x + W @ y / phases, 0.1)\n"
    ),
    "a state named states": (
        "dims n\ninput y : vector[n]\nstate states : vector[n] = 0\nphase (2):\n"
        "    states <- soft(0.5 * states + y, 0.1)\noutput states\n"
    ),
    "a learnable named as a registry of torch": (
        "dims n\ninput y : vector[n]\nlearnable _modules : scalar = 0.5\n"
        "state x : vector[n] = 0\nphase (2):\n    x <- _modules * x + y\n"
    ),
    "a state named as the argument of a system": (
        "dims n\ninput y : vector[n]\nfixed M : linear vector[n] -> vector[n]\n"
        "state v : vector[n] = y\nphase (2):\n    v <- solve(M' @ M + I + diag(v * v), y)\noutput v\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_programs_with_unlucky_names(text: str) -> None:
    report = check(unroll_dsl.loads(f"algorithm q\n{text}" + "output x\n" * ("output" not in text)))
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]
    assert all(row.verdict.value != "skipped" for row in report.rows if row.group == "program")


@pytest.mark.parametrize("gradient", ["implicit", 2])
def test_names_of_loops_that_differentiate_less(gradient: Any) -> None:
    text = (
        "algorithm checkpoint\ndims phases\ninput states : vector[phases]\n"
        "learnable early, total : scalar = 0.5\nstate last, k_1 : vector[phases] = 0\nphase (60):\n"
        "    last <- early * last + states\n    k_1 <- 0.5 * k_1 + last * total\noutput k_1\n"
    )
    spec = unroll_dsl.loads(text)
    y = torch.randn(3, 5, dtype=torch.float64)
    nets = [spec.compile(gradient=g, dims={"phases": 5}).double() for g in ("unroll", gradient)]
    close([nets[1](y)], [nets[0](y)], 1e-12)
    if gradient == "implicit":
        word = identifier("early")
        (x,), (z,) = (torch.autograd.grad(net(y).sum(), getattr(net, word)) for net in nets)
        close([z], [x], 1e-6)
    kept: Any = spec.compile(checkpoint="phase", dims={"phases": 5}).double()
    close([kept(y)], [nets[0](y)], 1e-12)
