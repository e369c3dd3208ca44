"""Density and decay matrices against numpy's einsum."""

from __future__ import annotations

import numpy as np
import pytest

from simgen.engine.density import (
    conditional_matrix,
    decay_probability,
    largest_eigenvalue_bound,
)

LETTERS = "abcdef"


def random_density(rng, n):
    """Return a positive matrix of trace 1."""
    a = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    rho = a @ a.conj().T
    return rho / np.trace(rho).real


def padded(matrix):
    """Return a matrix as the engine stores it, the rest not a number."""
    out = np.full((5, 5), np.nan + 0j)
    out[: len(matrix), : len(matrix)] = matrix
    return out


def expected_matrix(amplitude, matrices, target):
    """Contract A and conj(A) with every known matrix but the target's."""
    n = amplitude.ndim
    bra, ket = LETTERS[:n], LETTERS[:n].upper()
    operands, terms = [amplitude, amplitude.conj()], [bra, ket]
    for k in range(n):
        if k != target:
            known = matrices[k]
            operands.append(np.eye(amplitude.shape[k]) if known is None else known)
            terms.append(bra[k] + ket[k])
    found = np.einsum(",".join(terms) + "->" + bra[target] + ket[target], *operands)
    return found / np.trace(found)


@pytest.mark.parametrize("target", [0, 1, 2])
@pytest.mark.parametrize("known", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("dims", [(3, 3, 2), (2, 1, 5), (1, 3, 3), (5, 2, 4)])
def test_conditional_matrix_is_the_contraction(dims, known, target):
    rng = np.random.default_rng(sum(dims) + 10 * target + len(known))
    amplitude = rng.normal(size=dims) + 1j * rng.normal(size=dims)
    matrices = [random_density(rng, d) if k in known else None for k, d in enumerate(dims)]
    stored = np.array(
        [padded(np.eye(d) if m is None else m) for d, m in zip(dims, matrices, strict=True)]
    )
    flags = np.array([m is not None for m in matrices], dtype=np.uint8)
    out = np.zeros((5, 5), dtype=complex)
    conditional_matrix(
        amplitude.ravel(),
        np.array(dims),
        len(dims),
        stored,
        flags,
        target,
        np.zeros((2, amplitude.size), dtype=complex),
        out,
    )
    n = dims[target]
    np.testing.assert_allclose(
        out[:n, :n], expected_matrix(amplitude, matrices, target), rtol=1e-12, atol=1e-14
    )
    # a density matrix again
    assert np.trace(out[:n, :n]) == pytest.approx(1.0)
    assert np.linalg.eigvalsh(out[:n, :n]).min() > -1e-12


@pytest.mark.parametrize("dims", [(3, 1), (3, 2), (1, 3, 3), (2, 2, 1)])
@pytest.mark.parametrize("polarised", [False, True])
def test_decay_probability_is_the_trace(dims, polarised):
    rng = np.random.default_rng(len(dims))
    amplitude = rng.normal(size=dims) + 1j * rng.normal(size=dims)
    rho = random_density(rng, dims[0]) if polarised else np.eye(dims[0]) / dims[0]
    flat = amplitude.reshape(dims[0], -1)
    expected = np.trace(rho.T @ flat @ flat.conj().T).real
    found = decay_probability(amplitude.ravel(), dims[0], amplitude.size, padded(rho), polarised)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_eigenvalue_bound_is_one(n):
    rng = np.random.default_rng(n)
    for _ in range(100):
        rho = random_density(rng, n)
        assert largest_eigenvalue_bound(padded(rho), n) >= np.linalg.eigvalsh(rho)[-1] - 1e-14


def test_eigenvalue_bound_is_exact_for_diagonal_matrices():
    rho = np.diag([0.5, 0.5, 0.0]).astype(complex)
    assert largest_eigenvalue_bound(padded(rho), 3) == 0.5
