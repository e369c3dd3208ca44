r"""Densities of the squared mass of an invisible system: the priors of `cone_posterior`.

For tau -> l nu nu the invisible system is two neutrinos of squared mass :math:`q^2`:

.. math::

    \frac{dN}{dq^2} \propto |p_l| \quad\text{(phase space)}, \qquad
    \frac{dN}{dq^2} \propto |p_l| \left[q^2 (p_\tau \cdot p_l)
        + 2 (p_\tau \cdot q)(p_l \cdot q)\right] \quad\text{(V-A)},

with :math:`|p_l|` the lepton momentum in the rest frame of the tau. The second follows from the
squared matrix element :math:`(p_\tau \cdot k_{\bar\nu})(p_l \cdot k_\nu)` of the muon-decay
theory, integrated over the directions of the neutrinos in their rest frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simgen.errors import InputArrayError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray

POINTS = 401


@dataclass(frozen=True)
class InvisibleDensity:
    """dN/dm^2 in equal steps of m^2 from 0 to `highest`, linear in between and zero beyond.

    Attributes
    ----------
    values : (k,) array
        Density at the k points; any normalisation.
    highest : float
        m^2 of the last point in GeV^2.
    """

    values: FloatArray
    highest: float

    def __post_init__(self) -> None:
        usable = self.values.ndim == 1 and self.values.size >= 2 and np.all(self.values >= 0.0)
        if not (usable and np.all(np.isfinite(self.values)) and np.sum(self.values) > 0.0):
            raise InputArrayError(
                "values of an InvisibleDensity must be at least two finite numbers, none negative "
                "and not all zero"
            )
        if not (np.isfinite(self.highest) and self.highest > 0.0):
            raise InputArrayError(f"highest = {self.highest} GeV^2; it must be positive")


def flat_density(highest: float) -> InvisibleDensity:
    """Return a density that does not depend on m^2.

    As a prior of `cone_posterior` this is phase space: there the azimuth of the parent already
    carries the momenta of the visible decay products, which `phase_space_density` and
    `v_minus_a_density` have integrated over. Its medians are unbiased on phase-space events.

    Parameters
    ----------
    highest : float
        End of the range in GeV^2.

    Raises
    ------
    InputArrayError
        If `highest` is not positive.
    """
    return InvisibleDensity(np.ones(2), float(highest))


def phase_space_density(m_parent: float, m_lepton: float) -> InvisibleDensity:
    """Return the density for parent -> lepton nu nu without a matrix element.

    Parameters
    ----------
    m_parent, m_lepton : float
        Masses in GeV, e.g. those of tau and muon.

    Raises
    ------
    InputArrayError
        If the decay is not possible.
    """
    q2, momentum = _lepton_momentum(m_parent, m_lepton)
    return InvisibleDensity(momentum, float(q2[-1]))


def v_minus_a_density(m_parent: float, m_lepton: float) -> InvisibleDensity:
    """Return the density for parent -> lepton nu nu with the V-A matrix element, unpolarised.

    Parameters and errors are those of `phase_space_density`.
    """
    q2, momentum = _lepton_momentum(m_parent, m_lepton)
    parent_lepton = 0.5 * (m_parent**2 + m_lepton**2 - q2)
    parent_q = 0.5 * (m_parent**2 - m_lepton**2 + q2)
    lepton_q = 0.5 * (m_parent**2 - m_lepton**2 - q2)
    element = q2 * parent_lepton + 2.0 * parent_q * lepton_q
    return InvisibleDensity(np.maximum(momentum * element, 0.0), float(q2[-1]))


def density_of_sample(m_squared: ArrayLike, highest: float, bins: int = 60) -> InvisibleDensity:
    """Return the density of a sample of squared masses, e.g. the truth of simulated events.

    Parameters
    ----------
    m_squared : (n,) array
        Squared masses in GeV^2; those outside 0 ... `highest` are left out.
    highest : float
        End of the range in GeV^2.
    bins : int
        Number of histogram bins; the density is linear between their centres.

    Raises
    ------
    InputArrayError
        If no number is in the range.
    """
    counts, edges = np.histogram(np.asarray(m_squared, dtype=np.float64), bins, (0.0, highest))
    centres = 0.5 * (edges[1:] + edges[:-1])
    grid = np.linspace(0.0, highest, POINTS)
    return InvisibleDensity(np.interp(grid, centres, counts.astype(np.float64)), float(highest))


def _lepton_momentum(m_parent: float, m_lepton: float) -> tuple[FloatArray, FloatArray]:
    """Return the grid of q^2 and the lepton momentum in the parent's rest frame on it."""
    if not 0.0 <= m_lepton < m_parent < np.inf:
        raise InputArrayError(
            f"m_parent = {m_parent}, m_lepton = {m_lepton} GeV; the lepton must be the lighter one"
        )
    q2 = np.linspace(0.0, (m_parent - m_lepton) ** 2, POINTS)
    energy = (m_parent**2 + m_lepton**2 - q2) / (2.0 * m_parent)
    return q2, np.sqrt(np.maximum(energy**2 - m_lepton**2, 0.0))
