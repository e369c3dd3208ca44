"""M2sBV with ``m_nunu: posterior``: the mass is unknown, one angle is left, with a posterior.

tau -> l nu nu leaves an unknown mass to the invisible system, and with it one angle (see
`m2solve.m2sbv_cone`); so does tau -> rho nu if the pi0 is lost. The prior is flat in m^2 from 0 to
(m_tau - m_prong)^2, which is phase space of the decay chain. The V-A matrix element as a prior
gives the same figure of merit within 0.2 % (measured on phase-space events, Belle II).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from m2solve.invisible_density import flat_density
from m2solve.m2sbv_cone import cone_posterior
from m2solve.recoil import m_recoil
from m2solve.solution import UNPHYSICAL
from simgen.io.layout import MOMENTUM, Columns
from simgen.particles import particle_table

if TYPE_CHECKING:
    from detector.candidate_table import CandidateTable
    from m2solve.vertices import Vertices
    from simgen.typing import FloatArray


def posterior_columns(
    table: CandidateTable, prong: str, parent_mass: float, vertices: Vertices
) -> Columns:
    """Return the columns of M2sBV for candidates whose tau decays to one kind of prong.

    Parameters
    ----------
    table
        Candidates, n rows.
    prong
        Name of the visible particle, for instance ``mu-``.
    parent_mass
        Mass of the B, GeV.
    vertices
        Measured vertices of the same candidates.

    Returns
    -------
    dict
        cos_theta is the median and m_recoil belongs to it; their uncertainties are the root mean
        square distance of the truth, nan where no angle is allowed (status ``PROJECTED``).
    """
    particles = particle_table()
    end = particles.by_name("tau-").mass - particles.by_name(prong).mass
    found = cone_posterior(
        table.visible_sig,
        table.visible_tag,
        table.total,
        table.p_kl,
        density=flat_density(end**2),
        m_tag=0.0,
        parent_mass=parent_mass,
        vertices=vertices,
    )
    usable = found.status != UNPHYSICAL
    sigma = found.cos_theta_sigma
    median, below, above = (
        m_recoil(table.p_kl, found.cos_theta + distance, table.total, parent_mass)
        for distance in (0.0, -sigma, sigma)
    )
    k_sig, k_tag = found.k_sig[:, 0], found.k_tag[:, 0]
    columns: Columns = {
        "m_recoil": median,
        "cos_theta": found.cos_theta,
        "m_recoil_other": median,
        "value": np.maximum(_mass(table.visible_sig + k_sig), _mass(table.visible_tag + k_tag)),
        "status": found.status,
        "n_solutions": usable.astype(np.int8),
        # M_recoil falls with cos(theta).
        "m_recoil_sigma": 0.5 * (below - above),
        "cos_theta_sigma": sigma,
        "weight": np.where(usable, 1.0, np.nan),
        "weight_other": np.where(usable, 0.0, np.nan),
    }
    for i, name in enumerate(MOMENTUM):
        columns[f"k_sig/{name}"] = columns[f"k_sig_other/{name}"] = k_sig[:, i]
    return columns


def _mass(p: FloatArray) -> FloatArray:
    """Return the masses of four-momenta (n, 4)."""
    return np.asarray(np.sqrt(np.maximum(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1), 0.0)))
