"""Sparse codes to high precision, and a dictionary in which they are sparse.

The energy of a code z of a patch x is E = 1/2 ||x - Wd z||^2 + alpha ||z||_1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Progress = Callable[[int, int], object]


def codes(X: Tensor, Wd: Tensor, alpha: float, tolerance: float, most: int = 4000) -> Tensor:
    """The minimisers of E for patches X [batch, n], shape [batch, m].

    FISTA with restarts (O'Donoghue, Candès, 2015), until each sample violates the conditions of
    optimality by at most `tolerance`; samples that do are set aside.
    """
    G = Wd.mT @ Wd
    L = torch.linalg.eigvalsh(G)[-1]
    B, S = X @ Wd / L, torch.eye(len(G), dtype=G.dtype) - G / L
    result = torch.zeros_like(B)
    rows = torch.arange(len(X))
    z, v = torch.zeros_like(B), torch.zeros_like(B)
    t = X.new_ones(len(X), 1)
    threshold = float(alpha / L)
    for step in range(1, most + 1):
        following = torch.nn.functional.softshrink(v @ S + B, threshold)
        moved = following - z
        restart = ((v - following) * moved).sum(1, keepdim=True) > 0
        t = torch.where(restart, 1.0, t)
        grown = (1 + (1 + 4 * t * t).sqrt()) / 2
        v = following + torch.where(restart, 0.0, (t - 1) / grown) * moved
        t, z = torch.where(restart, 1.0, grown), following
        if step % 50 == 0 or step == most:
            left = violation(z, (z - (z @ S + B)) * L, alpha) > tolerance
            result[rows] = z
            if not left.any():
                break
            rows, z, v, t, B = rows[left], z[left], v[left], t[left], B[left]
    return result


def violation(z: Tensor, gradient: Tensor, alpha: float) -> Tensor:
    """How far codes are from optimal, shape [batch]: the largest entry of the smallest subgradient
    of E, given the gradient of its smooth part."""
    active = (gradient + alpha * z.sign()).abs()
    return torch.where(z != 0, active, (gradient.abs() - alpha).clamp(min=0)).amax(1)


def dictionary(
    X: Tensor, atoms: int, alpha: float, seed: int, rounds: int, progress: Progress
) -> Tensor:
    """A dictionary [n, atoms] of unit atoms that minimises the energy of patches X [batch, n].

    Codes by warm-started FISTA, then atoms one at a time by block coordinate descent (Mairal, Bach,
    Ponce, Sapiro, 2010, algorithm 2).
    """
    generator = torch.Generator().manual_seed(seed)
    D = X[torch.randperm(len(X), generator=generator)[:atoms]].mT.clone()
    D /= D.norm(dim=0)
    Z = X.new_zeros(len(X), atoms)
    for done in range(rounds):
        Z = _improved(X, D, Z, alpha, 20)
        A, C = Z.mT @ Z, X.mT @ Z
        for _ in range(2):
            for j in range(atoms):
                if A[j, j] > 1e-6:
                    atom = D[:, j] + (C[:, j] - D @ A[:, j]) / A[j, j]
                    D[:, j] = atom / atom.norm()
        progress(done + 1, rounds)
    return D


def _improved(X: Tensor, D: Tensor, Z: Tensor, alpha: float, steps: int) -> Tensor:
    """A few steps of FISTA from codes Z."""
    G = D.mT @ D
    L = torch.linalg.eigvalsh(G)[-1]
    S, B = torch.eye(len(G), dtype=G.dtype) - G / L, X @ D / L
    v, t = Z, 1.0
    for _ in range(steps):
        following = torch.nn.functional.softshrink(v @ S + B, float(alpha / L))
        grown = (1 + (1 + 4 * t * t) ** 0.5) / 2
        v = following + (t - 1) / grown * (following - Z)
        Z, t = following, grown
    return Z


def error(Z: Tensor, Z_star: Tensor) -> float:
    """The mean squared distance of codes from the optimal ones, as in the paper's table 1."""
    return float((Z - Z_star).square().sum(-1).mean())
