"""Solve for invisible momenta, and what follows from them.

The public names are imported when they are first used, so that ``import m2solve`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgen.lazy import lazy_names

if TYPE_CHECKING:
    from m2solve.invisible_density import (
        InvisibleDensity,
        density_of_sample,
        flat_density,
        phase_space_density,
        v_minus_a_density,
    )
    from m2solve.invisible_mass import m_hat, m_hat_squared
    from m2solve.m2sbv import WeightedSolution
    from m2solve.m2sbv_cone import ConePosterior, cone_posterior
    from m2solve.recoil import cos_theta_tag, m_recoil, m_recoil_squared
    from m2solve.solution import Solution, Status
    from m2solve.solver import VARIABLES, solve
    from m2solve.vertices import Vertices

__all__ = [
    "VARIABLES",
    "ConePosterior",
    "InvisibleDensity",
    "Solution",
    "Status",
    "Vertices",
    "WeightedSolution",
    "cone_posterior",
    "cos_theta_tag",
    "density_of_sample",
    "flat_density",
    "m_hat",
    "m_hat_squared",
    "m_recoil",
    "m_recoil_squared",
    "phase_space_density",
    "solve",
    "v_minus_a_density",
]

_HOME = {
    "VARIABLES": "solver",
    "ConePosterior": "m2sbv_cone",
    "InvisibleDensity": "invisible_density",
    "Solution": "solution",
    "Status": "solution",
    "Vertices": "vertices",
    "WeightedSolution": "m2sbv",
    "cone_posterior": "m2sbv_cone",
    "cos_theta_tag": "recoil",
    "density_of_sample": "invisible_density",
    "flat_density": "invisible_density",
    "m_hat": "invisible_mass",
    "m_hat_squared": "invisible_mass",
    "m_recoil": "recoil",
    "m_recoil_squared": "recoil",
    "phase_space_density": "invisible_density",
    "solve": "solver",
    "v_minus_a_density": "invisible_density",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
