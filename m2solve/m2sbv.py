r"""M2sBV: the two M2sB solutions weighed by the likelihood of the measured vertices.

s, both parent masses and the vertices are more constraints than unknowns. The exact ones give
two solutions (see `m2solve.m2sb`), mirrored in the plane of the visible momenta; the measured
ones, with their errors, say how likely each is (see `m2solve.vertices`):

.. math::

    w_j = L_j / (L_1 + L_2), \qquad L_j = L(r_0, r_{sig}, r_{tag} \mid P_j) .

With the true momenta the two are equally likely before the vertices are looked at, so w is the
probability that a solution is the right one, as far as the visible momenta are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from m2solve.kinematics import row_index
from m2solve.m2sb import m2sb
from m2solve.solution import UNPHYSICAL, Solution
from m2solve.vertices import log_likelihood
from simgen.errors import InputArrayError
from simgen.jit import lean_kernel
from simgen.stack import stack_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from m2solve.problem import Problem
    from simgen.typing import FloatArray, Int8Array


@dataclass(frozen=True)
class WeightedSolution(Solution):
    """A solution whose columns have weights.

    Attributes
    ----------
    weight : (n, s) array
        Probability of each solution, the largest first; their sum is 1. Columns beyond
        ``n_solutions`` have weight 0; nan where the input is unphysical.
    """

    weight: FloatArray

    def expectation(self, quantity: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of a quantity over the solutions of each event.

        Parameters
        ----------
        quantity : (n, s) array
            Its value for each solution, e.g. cos(theta) or M_recoil.

        Returns
        -------
        mean, spread : (n,) arrays
            The spread is that of the ambiguity alone; resolution comes on top.

        Raises
        ------
        InputArrayError
            If the shape is not that of `weight`.
        """
        values = np.asarray(quantity, dtype=np.float64)
        if values.shape != self.weight.shape:
            raise InputArrayError(
                f"quantity has shape {values.shape}; it must be {self.weight.shape}"
            )
        mean = np.sum(self.weight * values, axis=1)
        variance = np.sum(self.weight * (values - mean[:, np.newaxis]) ** 2, axis=1)
        return mean, np.sqrt(variance)


def m2sbv(problem: Problem) -> WeightedSolution:
    """Solve M2sB for every event and weigh its solutions with the vertices.

    Parameters
    ----------
    problem : Problem
        Candidates with parent masses and vertices.

    Returns
    -------
    WeightedSolution
        The solutions of M2sB, the more likely one first. Status as M2sB, and ``UNPHYSICAL`` where
        a vertex is not finite.
    """
    solution = m2sb(problem)
    vertices = problem.vertices
    if vertices is None:
        raise InputArrayError("M2sBV needs vertices")
    weight = np.empty(solution.k_sig.shape[:2])
    m2sbv_loop(
        solution.visible_sig,
        solution.visible_tag,
        problem.mass_sig,
        problem.mass_tag,
        vertices.flight_sig,
        vertices.flight_tag,
        vertices.weight_sig,
        vertices.weight_tag,
        vertices.weight_cross,
        1.0 / vertices.c_tau,
        weight,
        solution.value,
        solution.k_sig,
        solution.k_tag,
        solution.n_solutions,
        solution.status,
    )
    return WeightedSolution(
        "M2sBV",
        solution.value,
        solution.visible_sig,
        solution.visible_tag,
        solution.k_sig,
        solution.k_tag,
        solution.n_solutions,
        solution.status,
        weight,
    )


@lean_kernel
def m2sbv_loop(
    visible_sig: FloatArray,
    visible_tag: FloatArray,
    mass_sig: FloatArray,
    mass_tag: FloatArray,
    flight_sig: FloatArray,
    flight_tag: FloatArray,
    weight_sig: FloatArray,
    weight_tag: FloatArray,
    weight_cross: FloatArray,
    rate: float,
    weight: FloatArray,
    value: FloatArray,
    k_sig: FloatArray,
    k_tag: FloatArray,
    n_solutions: Int8Array,
    status: Int8Array,
) -> None:
    """Fill `weight`, and order the solutions of every event by it."""
    with_tag = flight_tag.shape[0] > 0
    logs = stack_array(1, 2)[0]
    for i in range(visible_sig.shape[0]):
        d = flight_sig[i]
        e = flight_tag[i] if with_tag else d
        if not math.isfinite(d[0] + d[1] + d[2] + e[0] + e[1] + e[2]):
            status[i] = UNPHYSICAL
        if status[i] == UNPHYSICAL:
            n_solutions[i] = 0
            value[i] = math.nan
            weight[i] = math.nan
            k_sig[i] = math.nan
            k_tag[i] = math.nan
            continue
        if n_solutions[i] == 1:
            weight[i, 0], weight[i, 1] = 1.0, 0.0
            continue
        mass1 = mass_sig[row_index(mass_sig.shape[0], i)]
        mass2 = mass_tag[row_index(mass_tag.shape[0], i)]
        w = row_index(weight_sig.shape[0], i)
        for j in range(2):
            logs[j] = log_likelihood(
                (visible_sig[i, 0] + k_sig[i, j, 0]) / mass1,
                (visible_sig[i, 1] + k_sig[i, j, 1]) / mass1,
                (visible_sig[i, 2] + k_sig[i, j, 2]) / mass1,
                (visible_tag[i, 0] + k_tag[i, j, 0]) / mass2,
                (visible_tag[i, 1] + k_tag[i, j, 1]) / mass2,
                (visible_tag[i, 2] + k_tag[i, j, 2]) / mass2,
                d,
                e,
                weight_sig[w],
                weight_tag[w],
                weight_cross[w],
                rate,
                with_tag,
            )
        if logs[1] > logs[0]:
            for k in range(4):
                k_sig[i, 0, k], k_sig[i, 1, k] = k_sig[i, 1, k], k_sig[i, 0, k]
                k_tag[i, 0, k], k_tag[i, 1, k] = k_tag[i, 1, k], k_tag[i, 0, k]
        weight[i, 0] = 1.0 / (1.0 + math.exp(-abs(logs[1] - logs[0])))
        weight[i, 1] = 1.0 - weight[i, 0]
