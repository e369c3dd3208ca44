"""Spin density matrices along a decay chain.

With A[l, m_1, ..., m_n] the amplitude of a decay, rho the density matrix of the parent and D_k the
decay matrix of daughter k, the probability of a whole chain is

    sum rho[l, l'] A[l, m...] conj(A[l', m'...]) prod_k D_k[m_k, m'_k].

Read as a linear function of one matrix, the factor in front of it is what that particle needs:
the density matrix a daughter decays with (given its parent and the siblings decayed before it,
the others summed over), or the decay matrix a particle reports to its own parent. This is the
algorithm of D. J. Lange, NIM A 462 (2001) 152, sect. 2, and P. Richardson, hep-ph/0110108.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import ComplexArray, IntArray


@lean_kernel
def conditional_matrix(
    amplitude: ComplexArray,
    dims: IntArray,
    n: int,
    matrices: ComplexArray,
    known: Any,
    target: int,
    work: ComplexArray,
    out: ComplexArray,
) -> None:
    """Write the matrix that multiplies matrix `target` in the probability, normalised to trace 1.

    Parameters
    ----------
    amplitude
        (>= prod(dims),) amplitude in C order, index 0 the parent.
    dims
        (>= n,) number of spin states of the parent and of each daughter.
    n
        Number of indices: 1 + number of daughters.
    matrices
        (>= n, 5, 5); row 0 the parent's density matrix, row k the decay matrix of daughter k.
    known
        (>= n,) 0 where a matrix is the identity and is not read.
    target
        Index the result belongs to; its own matrix is not used.
    work
        (2, >= prod(dims)) scratch.
    out
        (5, 5) receives the result in its upper left corner.
    """
    size = 1
    for k in range(n):
        size *= dims[k]
    for i in range(size):
        work[0, i] = amplitude[i]
    here, inner = 0, size
    for k in range(n):
        d = dims[k]
        inner //= d
        if k == target or not known[k] or d == 1:
            continue
        for block in range(0, size, inner * d):
            for i in range(inner):
                for b in range(d):
                    total = 0.0 + 0.0j
                    for a in range(d):
                        total += matrices[k, a, b] * work[here, block + a * inner + i]
                    work[1 - here, block + b * inner + i] = total
        here = 1 - here
    inner = 1
    for k in range(target + 1, n):
        inner *= dims[k]
    d = dims[target]
    trace = 0.0
    for a in range(d):
        for b in range(d):
            total = 0.0 + 0.0j
            for block in range(0, size, inner * d):
                for i in range(inner):
                    total += work[here, block + a * inner + i] * np.conj(
                        amplitude[block + b * inner + i]
                    )
            out[a, b] = total
            if a == b:
                trace += total.real
    for a in range(d):
        for b in range(d):
            out[a, b] /= trace


@lean_kernel
def decay_probability(
    amplitude: ComplexArray, n_parent: int, size: int, density: ComplexArray, polarised: bool
) -> float:
    """Return Tr(rho A A^dagger).

    Parameters
    ----------
    amplitude
        (>= size,), index 0 the parent.
    n_parent
        Number of spin states of the parent.
    size
        Number of spin combinations.
    density
        (5, 5) density matrix of the parent, trace 1.
    polarised
        If False, `density` is not read and every state has weight 1 / n_parent.
    """
    inner = size // n_parent
    total = 0.0
    if not polarised:
        for i in range(size):
            total += amplitude[i].real ** 2 + amplitude[i].imag ** 2
        return total / n_parent
    for a in range(n_parent):
        for b in range(n_parent):
            product = 0.0 + 0.0j
            for i in range(inner):
                product += amplitude[a * inner + i] * np.conj(amplitude[b * inner + i])
            total += (density[a, b] * product).real
    return total


@lean_kernel
def largest_eigenvalue_bound(density: ComplexArray, n: int) -> float:
    """Return an upper bound of the largest eigenvalue (Gershgorin), exact for diagonal matrices."""
    bound = 0.0
    for a in range(n):
        row = 0.0
        for b in range(n):
            row += np.sqrt(density[a, b].real ** 2 + density[a, b].imag ** 2)
        bound = max(bound, row)
    return bound
