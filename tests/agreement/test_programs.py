"""Small programs that no packaged algorithm is like: `check` finds torch and NumPy agreed."""

import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import check
from unroll_dsl.verify.report import Verdict

PROGRAMS = {
    "a phase that reads no state": """
algorithm no_state
input y : scalar
state x : scalar = 0
phase (2):
    x <- 2 * y
output x
""",
    "a state that only the output reads": """
algorithm side
dims n
input y : vector[n]
state z, x : vector[n] = 0
phase (3):
    x <- 2 * prev(z)
    z <- soft(y + 0.5 * z, 0.1)
output x
""",
    "real and complex matrices on complex vectors": """
algorithm mixed
dims m, n
input y : complex vector[m]
fixed A : matrix[m, n]
fixed C : complex matrix[m, n]
learnable rho : scalar > 0 = 0.5
state x : complex vector[n] = 0
phase (3):
    x <- solve(A' @ A + rho * I, A' @ y + rho * soft(x, 0.1)) + 0.1 * C' @ (A @ x)
output x
""",
    "a complex matrix on real vectors": """
algorithm promoted
dims m, n
input y : vector[m]
fixed C : complex matrix[m, n]
state x : complex vector[n] = 0
phase (2):
    x <- x + 0.1 * C' @ (y - real(C @ x))
output x
""",
    "a loss over traces, the phase number and values per phase": """
algorithm traced
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
learnable B : matrix[n, m] = A' / L
learnable theta : scalar > 0 per phase = 0.1
learnable mu : scalar >= 0 per phase = 0.1
state x, t : vector[n] = 0
phase (4):
    r = A @ x - y
    t <- soft(x, mu)
    x <- soft(x - B @ r, theta) + 0.1 * prev(t)
    trace residual = r
output x
loss (target : vector[n]):
    mean((x - target)^2) + 0.01 * sum over phases (sumsq(residual) + k * theta^2)
""",
    "an objective with a value per phase": """
algorithm continuation
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
let L = norm(A)^2
learnable lambda : scalar > 0 per phase = 0.2 * 0.9^k
minimize over x:
    1/2 * sumsq(A @ x - y) + lambda * norm1(x)
state x : vector[n] = 0
phase (4):
    x <- soft(x - A' @ (A @ x - y) / L, lambda / L)
output x
""",
    "every activation, one of them learned": """
algorithm activations
dims h, w
input y : image[1, h, w]
learnable N : conv[1 -> 4, 3, bias] >> plf >> conv[4 -> 4, 3, groups=2] >> leaky_relu >> conv[4 -> 2, 2] >> elu >> conv[2 -> 1, 3, padding=reflect] >> gelu per phase ~ normal(0, 0.5)
state x : image[1, h, w] = y
phase (2):
    x <- x + N(y - x)
output x
""",
    "a piecewise linear function of real and imaginary parts, before its convolution": """
algorithm parts
dims h, w
input y : complex image[3, h, w]
learnable N : plf >> conv[3 -> 3, 3] ~ xavier_uniform
state x : complex image[3, h, w] = y
phase (2):
    x <- 0.5 * x + split(N)(x)
output x
""",
    "an output with a name, in the loss": """
algorithm named
dims n
input y : vector[n]
learnable rho : scalar = 0.5
state x : vector[n] = 0
loss (target : vector[n]):
    sumsq(x_hat - target) + sumsq(x)
phase (2):
    x <- x - rho * (x - y)
output x_hat = 2 * x, x
""",
    "several coils, data consistency by conjugate gradients": """
algorithm modl
dims c, h, w
input y : complex image[c, h, w]
input S : complex image[c, h, w]
fixed P : mask[h, w]
learnable rho : scalar > 0 = 0.1
learnable N : conv[1 -> 4, 3] >> relu >> conv[4 -> 1, 3] ~ xavier_normal
let A = P * fft2 @ coils(S)
state x : complex image[1, h, w] = A' @ y
phase (3):
    z = x - split(N)(x)
    x <- solve(A' @ A + rho * I, A' @ y + rho * z)
output x
""",
    "functions of maps and of layers": """
algorithm fm
dims m, n, h, w
input y : vector[m]
fixed A : matrix[m, n]
fixed P : linear vector[n] -> vector[m]
fixed Q : linear vector[n] -> image[1, h, w]
learnable D : conv[1 -> 4, 3] ~ xavier_normal
learnable N : conv[4 -> 1, 3] ~ xavier_normal
def residual(M, v, b) = M' @ (M @ v - b)
def gram(M) = M' @ M
def block(F, G, u, t):
    d = F(u)
    return u + G(soft(d, t))
state x : vector[n] = 0
phase (3):
    r = x - 0.1 * residual(P, x, y) - 0.1 * residual(A, x, y)
    s = solve(gram(P) + 0.5 * I, r)
    x <- s + Q' @ block(D, N, Q @ x, 0.01)
output x
""",
}


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_every_check_passes(text: str) -> None:
    report = check(unroll_dsl.loads(text))
    assert [row for row in report.rows if row.verdict is Verdict.FAILED] == []
    assert sum(row.verdict is Verdict.PASSED for row in report.rows) >= 4


def test_a_trajectory_has_every_state_in_every_phase() -> None:
    spec = unroll_dsl.loads(PROGRAMS["a state that only the output reads"])
    net = spec.compile(phases=3)
    y = torch.ones(2, 4)
    ours, theirs = net.trajectory(y), spec.reference(phases=3).trajectory(y.numpy())
    assert [set(states) for states in ours] == [{"z", "x"}] * 3
    for found, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found["x"].double(), torch.as_tensor(expected["x"]))


def test_functions_that_passes_write_cannot_be_called() -> None:
    with pytest.raises(unroll_dsl.UnrollError, match="cholesky"):
        unroll_dsl.loads("""
algorithm internal
dims n
input y : vector[n]
fixed A : matrix[n, n]
output cholesky(A) @ y
""")


def test_learning_a_weight_of_the_objective_in_every_phase() -> None:
    A = torch.randn(4, 6, dtype=torch.float64)
    net = unroll_dsl.load("ista").compile(phases=3, bind={"A": A}, learn={"lambda": "per phase"})
    assert sorted(dict(net.named_parameters())) == [f"phases.{k}.lambda_" for k in range(3)]
