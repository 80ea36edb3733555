"""Wrong values bound to right programs: what is reported must equal the `.err` in bad_bindings/."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics import UnrollError, render_all
from unroll_dsl.weights.container import put

FOLDER = Path(__file__).parent / "bad_bindings"

WD = np.ones((5, 8))


def lista(**arguments: object) -> object:
    return unroll_dsl.load("lista").compile(**arguments)  # type: ignore[arg-type]  # wrong ones


def step_lista(**arguments: object) -> object:
    return unroll_dsl.load("step_lista").compile(**arguments)  # type: ignore[arg-type]


def of(text: str, **arguments: object) -> object:
    return unroll_dsl.loads(text, "bad.unroll").compile(**arguments)  # type: ignore[arg-type]


NAN = np.where(WD > 0, np.nan, 0)
LEARNED_START = (
    "algorithm a\ndims n\ninput y : vector[n]\nlearnable w : vector[n] = 1\noutput w * y\n"
)
LEARNED_BY_START = (
    "algorithm a\ndims n\ninput y : vector[n]\nfixed A0 : vector[n]\n"
    "learnable A : vector[n] = A0\noutput A * y\n"
)
ALIKE = "algorithm a\ndims n\ninput y : vector[n]\nfixed µ, 𝜇 : scalar = 2\noutput µ * y - 𝜇\n"
BOUNDED = "algorithm a\ndims n\ninput y : vector[n]\nfixed t : scalar > 0\noutput t * y\n"
INTERVAL = (
    "algorithm a\ndims n\ninput y : vector[n]\nfixed a, b : scalar\n"
    "learnable t : scalar in [a, b] ~ normal(0, 1)\noutput t * y\n"
)
ENTRIES = "algorithm a\ndims n\ninput y : scalar\nfixed c : vector[n]\noutput y * c[2:4]\n"
PROBLEM = """\
problem lasso
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
minimize over x : vector[n]:
    1/2 * sumsq(A @ x - y) + norm1(x)
"""
NETWORK = """\
algorithm denoised
dims h, w
input y : image[1, h, w]
learnable D : network image[1, h, w] -> image[1, h, w]
output D(y)
"""
PER_PHASE = """\
algorithm denoised
dims h, w
input y : image[1, h, w]
learnable D : network image[1, h, w] -> image[1, h, w] per phase
state x : image[1, h, w] = y
phase (3):
    x <- D(x)
output x
"""
SMALL = torch.nn.Conv2d(1, 1, 3)

HARD_THRESHOLDING = """\
algorithm hard_thresholding
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
minimize over x:
    1/2 * sumsq(A @ x - y) + 0.1 * norm1(x)
state x : vector[n] = 0
phase (5):
    x <- hard(x - A' @ (A @ x - y) / L, 0.1)
output x
"""
SINGULAR = (
    "algorithm a\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"
    "state x : vector[n] = 0\nphase (1):\n    x <- solve(A' @ A, A' @ y)\noutput x\n"
)

MAP = """\
algorithm mapped
dims m, h, w
input y : vector[m]
fixed Phi : linear image[1, h, w] -> vector[m]
learnable D : conv[1 -> 2, 3] ~ xavier_normal
output D(Phi' @ y)
"""
OFFSET = (lambda x: x.flatten(1) + 1, lambda y: y.reshape(-1, 1, 2, 2))
SHORT = (lambda x: x.flatten(1)[:, 1:], lambda y: y.reshape(-1, 1, 2, 2))
FAILING = (lambda x: x.flatten(1) @ torch.eye(4, dtype=torch.int64), lambda y: y)
TRIPLED = (lambda x: x.flatten(1), lambda y: 3 * y.reshape(-1, 1, 2, 2))

SCHEDULE = """\
algorithm scheduled
dims n
input y : vector[n]
let step = 1 / (k - 12)
state x : vector[n] = 0
phase (4):
    x <- x - step * y
output x
"""
QUOTIENT = """\
algorithm quotient
dims n
input y : vector[n]
fixed a : scalar
let step = 1 / (a - 0.7)
output step * y
"""

CASES: dict[str, Callable[[], object]] = {
    "U0501_misspelt": lambda: lista(bind={"wd": WD}),
    "U0501_nothing_of_it": lambda: lista(bind={"Wd": WD}, init={"frobnicate": 1.0}),
    "U0501_unknown_size": lambda: lista(bind={"Wd": WD}, dims={"p": 3}),
    "U0501_fixed_by_let": lambda: step_lista(bind={"A": WD}, fix=["L"]),
    "U0502_not_given": lambda: lista(),
    "U0503_matrix_for_scalar": lambda: step_lista(bind={"A": WD}, init={"alpha": np.ones((2, 2))}),
    "U0503_vector_for_matrix": lambda: lista(bind={"Wd": WD[0]}),
    "U0504_complex": lambda: lista(bind={"Wd": WD + 1j}),
    "U0505_integers": lambda: lista(bind={"Wd": WD.astype(int)}),
    "U0505_two_dtypes": lambda: lista(
        bind={"Wd": torch.ones(5, 8)}, init={"We": torch.ones(8, 5, dtype=torch.float64)}
    ),
    "U0506_constant": lambda: of(BOUNDED, bind={"t": -1.0}),
    "U0537_interval": lambda: of(INTERVAL, bind={"a": 2.0, "b": 1.0}),
    "U0506_learnable": lambda: lista(bind={"Wd": WD}, init={"theta": -0.5}),
    "U0507_size": lambda: of(LEARNED_START),
    "U0508_sizes": lambda: lista(bind={"Wd": WD}, dims={"m": 3}),
    "U0550_entries": lambda: of(ENTRIES, bind={"c": np.ones(3)}),
    "U0509_count": lambda: step_lista(phases=3, bind={"A": WD}, init={"alpha": np.ones(5)}),
    "U0510_nan": lambda: lista(bind={"Wd": NAN}),
    "U0502_network": lambda: of(NETWORK),
    "U0551_tensors_alone": lambda: of(NETWORK, init={"D": SMALL.state_dict()}),
    "U0551_a_path": lambda: of(NETWORK, bind={"D": "drunet.pth"}),
    "U0551_a_function": lambda: of(NETWORK, bind={"D": lambda: 3.0}),
    "U0551_modules_of_phases_that_share": lambda: of(NETWORK, bind={"D": [SMALL, SMALL]}),
    "U0509_two_modules_for_three_phases": lambda: of(PER_PHASE, bind={"D": [SMALL, SMALL]}),
    "U0515_network_twice": lambda: of(NETWORK, bind={"D": SMALL}, init={"D": SMALL}),
    "U0521_tensors_of_another_module": lambda: of(
        NETWORK, bind={"D": SMALL}, init={"D": torch.nn.Conv2d(1, 1, 5, bias=False).state_dict()}
    ),
    "U0512_sharing": lambda: lista(bind={"Wd": WD}, learn={"alpha": "per layer"}),
    "U0513_phases": lambda: lista(phases=0, bind={"Wd": WD}),
    "U0514_problem": lambda: of(PROBLEM, bind={"A": WD}),
    "U0515_twice": lambda: lista(bind={"Wd": WD, "theta": 0.1}, init={"theta": 0.1}),
    "U0516_name": lambda: unroll_dsl.load("lsta"),
    "U0517_size": lambda: lista(bind={"Wd": WD}, dims={"m": 0}),
    "U0501_tensor_of_a_layer": lambda: of(
        MAP, bind={"Phi": np.ones((4, 4))}, init={"D": {"kernel": np.ones((2, 1, 3, 3))}}
    ),
    "U0503_kernel": lambda: of(
        MAP, bind={"Phi": np.ones((4, 4))}, init={"D": {"weight": np.ones((2, 1, 5, 5))}}
    ),
    "U0503_matrix_of_a_map": lambda: of(MAP, bind={"Phi": np.ones(4)}, dims={"h": 2, "w": 2}),
    "U0508_matrix_of_a_map": lambda: of(MAP, bind={"Phi": np.ones((4, 5))}, dims={"h": 2, "w": 2}),
    "U0519_map": lambda: of(MAP, bind={"Phi": "a path"}, dims={"h": 2, "w": 2, "m": 4}),
    "U0519_layer": lambda: of(
        MAP, bind={"Phi": np.ones((4, 4))}, init={"D": np.ones((2, 1, 3, 3))}
    ),
    "U0521_other_network": lambda: put(
        lista(bind={"Wd": WD}, phases=2),
        {"We": torch.ones(8, 5), "S": torch.ones(5)},
        "a.safetensors",
    ),
    "U0524_real": lambda: unroll_dsl.load("zero_filling").reference(bind={"P": np.ones((4, 6))})(
        np.ones((1, 4, 6))
    ),
    "U0510_input": lambda: unroll_dsl.load("zero_filling").reference(bind={"P": np.ones((4, 6))})(
        np.full((1, 4, 6), np.nan * 1j)
    ),
    "U0530_in_a_phase": lambda: of(SCHEDULE, phases=12),
    "U0530_of_what_is_bound": lambda: of(QUOTIENT, bind={"a": 0.7}),
    "U0523_devices": lambda: unroll_dsl.load("ista_net").compile(
        bind={"Phi": torch.ones(8, 16), "Q": torch.ones(16, 8, device="meta")},
        dims={"h": 4, "w": 4},
    ),
    "U0525_own_thresholds": lambda: unroll_dsl.load("lista").source(gradient="implicit"),
    "U0630_learned_matrix": lambda: unroll_dsl.certify(unroll_dsl.load("lfista")),
    "U0630_hard_threshold": lambda: unroll_dsl.certify(
        unroll_dsl.loads(HARD_THRESHOLDING, "bad.unroll")
    ),
    "U0545_own_thresholds": lambda: unroll_dsl.load("lista").compile("fixed_point"),
    "U0522_start_alone": lambda: of(LEARNED_BY_START, learn={"A0": "shared"}),
    "U0536_letters": lambda: of(ALIKE),
    "U0520_adjoint": lambda: of(MAP, bind={"Phi": TRIPLED}, dims={"h": 2, "w": 2, "m": 4}),
    "U0541_offset": lambda: of(MAP, bind={"Phi": OFFSET}, dims={"h": 2, "w": 2, "m": 4}),
    "U0503_image_of_a_map": lambda: of(MAP, bind={"Phi": SHORT}, dims={"h": 2, "w": 2, "m": 4}),
    "U0542_dtypes": lambda: of(MAP, bind={"Phi": FAILING}, dims={"h": 2, "w": 2, "m": 4}),
    "U0518_wide_matrix": lambda: unroll_dsl.loads(SINGULAR, "bad.unroll").reference(
        bind={"A": np.arange(6.0).reshape(2, 3)}
    )(np.ones(2)),
}


@pytest.mark.parametrize("case", CASES)
def test_messages(case: str, golden: Callable[[Path, str], None]) -> None:
    with pytest.raises(UnrollError) as caught:
        CASES[case]()
    assert case.split("_")[0] in {diagnostic.code for diagnostic in caught.value.diagnostics}
    golden(FOLDER / f"{case}.err", render_all(caught.value.diagnostics) + "\n")


def test_no_golden_is_left_over() -> None:
    assert {golden.stem for golden in FOLDER.glob("*.err")} == set(CASES)
