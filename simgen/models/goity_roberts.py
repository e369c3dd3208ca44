"""GOITY_ROBERTS: four-body decays B -> D(*) pi l nu.

J. L. Goity, W. Roberts, Phys. Rev. D 51 (1995) 3459, hep-ph/9406236: heavy quark symmetry and
chiral perturbation theory for soft pions. With v, v' the velocities of B and D(*), p the pion's
momentum, L the leptons' current and epsilon_0123 = 1, for D

    Omega = -i h M m epsilon(., v, v', p) + A_1 p + A_2 M v + A_3 m v'

and for D*, with polarisation e (terms f_3, f_4, g_1, g_2, g_3, g_5 of the paper are 0),

    i/2 (h_1 M m epsilon(L, e, v, v') + h_2 M epsilon(L, e, v, p) + h_3 m epsilon(L, e, v', p))
    + (L.(f_1 M v + f_2 m v')) (e.p) + (L.(f_5 m v' + f_6 p)) M (e.v) + k (L.e)
    + i/2 g_4 m (L.v') epsilon(e, v, v', p)

The form factors are sums of poles in p.v (B*, and states with light quarks in P wave, j = 1/2 and
3/2, D wave, and radial excitation), without those of D* and D** going on shell, which decay
files list on their own; so it is in EvtGen, whose constants are used. The sign of i is that of a
decaying quark; it is opposite for an antiquark. A kaon in place of the pion (B_s) is treated
like one, with the pion's couplings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import carray

from simgen.jit import kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.models.semileptonic import (
    antiquark_decays,
    lepton_current,
    meson_spin_states,
)
from simgen.spin import vector_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_SCALAR, _HALF = 0, 1
_MESONS = (411, 421, 413, 423)  # D and D*

_G, _F_PI = 0.5, 0.093  # coupling of the pion, its decay constant in GeV
# Couplings of the pion to excited states, and their complex mass differences to the ground
# state, delta - i Gamma/2, GeV: j = 1/2 P wave, D wave, radial excitation.
_ALPHA_1, _ALPHA_2, _ALPHA_3 = -1.430, -0.140, 0.690
_DELTA_1, _DELTA_2, _DELTA_3 = 0.392 - 0.520j, 0.709 - 0.2025j, 0.563 - 0.0955j
_DELTA_B, _DELTA_D = 0.0460 - 0.000005j, 0.1421 - 0.00003j  # B* - B, D* - D
# Sizes of wave functions in S, P and D waves, and the energy of the light quarks, GeV.
_BETA_S, _BETA_P, _BETA_D = 0.285, 0.280, 0.260
_LAMBDA_BAR = 0.750
_SP, _SD = _BETA_S**2 + _BETA_P**2, _BETA_S**2 + _BETA_D**2
_NORM_1 = np.sqrt(0.5) * _LAMBDA_BAR / _BETA_S * (2.0 * _BETA_S * _BETA_P / _SP) ** 2.5
_NORM_2 = np.sqrt(0.125) * (_LAMBDA_BAR / _BETA_S) ** 2 * (2.0 * _BETA_S * _BETA_D / _SD) ** 3.5


@kernel
def isgur_wise_functions(w: float) -> tuple[float, float, float, float]:
    """Return xi, xi^(1), rho_1 and rho_2 at w = v.v'."""
    x = _LAMBDA_BAR * _LAMBDA_BAR * (w * w - 1.0)
    xi = np.exp(-x / (4.0 * _BETA_S**2))
    return (
        xi,
        -np.sqrt(2.0 / 3.0) * x / (4.0 * _BETA_S**2) * xi,
        _NORM_1 * np.exp(-x / (2.0 * _SP)),
        _NORM_2 * np.exp(-x / (2.0 * _SD)),
    )


@kernel
def _d_form_factors(w: float, pv: float, pw: float) -> tuple[complex, complex, complex, complex]:
    """Return h M m, A_1, A_2 M and A_3 m of B -> D pi; `pv` is p.v and `pw` is p.v'."""
    xi, xi_1, rho_1, rho_2 = isgur_wise_functions(w)
    ground = _G * xi / (pv + _DELTA_B)
    radial = _ALPHA_3 * xi_1 / (pv + _DELTA_3)
    d_wave = _ALPHA_2 * rho_2 / (pv + _DELTA_2)
    p_wave = _ALPHA_1 * rho_1 * pv / (pv + _DELTA_1)
    side = ground + radial + d_wave * (w - 1.0) / 3.0
    along_v = (ground + radial) * (pv + pw) + p_wave
    along_v += 2.0 / 3.0 * d_wave * (0.5 * (w * pw - pv) + pw - w * pv)
    along_w = -p_wave - d_wave * (pw - w * pv)
    scale = 1.0 / (2.0 * _F_PI)
    return side * scale, -(1.0 + w) * side * scale, along_v * scale, along_w * scale


@kernel
def _write_d(p: Any, anti: bool, current: Any, a: Any) -> None:
    """Write the two amplitudes of B -> D pi l nu; `current` is (2, 4), (x, y, z, t) each."""
    meson, w, pv, pw = _invariants(p)
    h, a1, a2, a3 = _d_form_factors(w, pv, pw)
    side = -1.0j * h if anti else 1.0j * h
    px, py, pz, energy = p[2, 0], p[2, 1], p[2, 2], p[2, 3]
    vx, vy, vz = p[1, 0] / meson, p[1, 1] / meson, p[1, 2] / meson
    nx, ny, nz = vy * pz - vz * py, vz * px - vx * pz, vx * py - vy * px
    for j in range(2):
        x, y, z, t = current[j, 0], current[j, 1], current[j, 2], current[j, 3]
        l_p = energy * t - px * x - py * y - pz * z
        l_w = w * t - vx * x - vy * y - vz * z
        a[0, j] = side * (nx * x + ny * y + nz * z) + a1 * l_p + a2 * t + a3 * l_w


@kernel
def _write_d_star(p: Any, anti: bool, current: Any, a: Any) -> None:
    """Write the (3, 2) amplitudes of B -> D* pi l nu."""
    meson, w, pv, pw = _invariants(p)
    xi, xi_1, rho_1, rho_2 = isgur_wise_functions(w)
    # All with 1/F_pi left out, and h_1 M m, h_2 M, h_3 m, f_1 M, f_2 m, f_5 M m, f_6 M, g_4 m.
    b_pole, d_pole = _G * xi / (pv + _DELTA_B), _G * xi / (pw + _DELTA_D)
    contact = _G * xi / pw
    radial = _ALPHA_3 * xi_1 / (pv + _DELTA_3)
    d_wave = _ALPHA_2 * rho_2 / (pv + _DELTA_2)
    p_wave = _ALPHA_1 * rho_1 * pv / (pv + _DELTA_1)
    h1 = -(b_pole + radial) * pv - p_wave + d_wave * ((1.0 + 2.0 * w) * pv - pw) / 3.0
    h2 = -b_pole - radial - d_wave * (1.0 + w) / 3.0
    h3 = -b_pole - radial + d_wave * (1.0 + w) / 3.0 + contact * (1.0 + w)
    f6 = 0.5 * (b_pole - contact + radial + d_wave * (w - 1.0) / 3.0)
    f1 = 0.5 * (d_pole - b_pole - radial - d_wave * (w - 1.0) / 3.0)
    f5 = 0.5 * (_G * xi + (b_pole + radial) * pv + p_wave)
    f5 += 0.5 * d_wave * (pw - pv / 3.0 - 2.0 / 3.0 * w * pv)
    k = 0.5 * ((b_pole + radial) * (pw - w * pv) + contact * (pv - w * pw))
    k += -0.5 * p_wave * (w - 1.0) - d_wave * (w - 1.0) * (pw - w * pv) / 3.0
    g4 = contact + 2.0 / 3.0 * d_wave
    half_i = -0.5j if anti else 0.5j
    px, py, pz, energy = p[2, 0], p[2, 1], p[2, 2], p[2, 3]
    vx, vy, vz = p[1, 0] / meson, p[1, 1] / meson, p[1, 2] / meson
    nx, ny, nz = vy * pz - vz * py, vz * px - vx * pz, vx * py - vy * px  # v' x p
    for i in range(3):
        ex, ey, ez, et = vector_state(p[1, 0], p[1, 1], p[1, 2], p[1, 3], meson, i)
        e_p = et * energy - ex * px - ey * py - ez * pz
        e_n = ex * nx + ey * ny + ez * nz
        # e x v' and e x p
        wx, wy, wz = ey * vz - ez * vy, ez * vx - ex * vz, ex * vy - ey * vx
        qx, qy, qz = ey * pz - ez * py, ez * px - ex * pz, ex * py - ey * px
        for j in range(2):
            x, y, z, t = current[j, 0], current[j, 1], current[j, 2], current[j, 3]
            l_p = energy * t - px * x - py * y - pz * z
            l_w = w * t - vx * x - vy * y - vz * z
            l_e = et * t - ex * x - ey * y - ez * z
            l_w_cross, l_p_cross = wx * x + wy * y + wz * z, qx * x + qy * y + qz * z
            # epsilon(a, b, v, d) = a.(b x d), and by first components where v is absent
            l_e_w_p = t * e_n - et * (nx * x + ny * y + nz * z) + w * l_p_cross - energy * l_w_cross
            odd = h1 * l_w_cross + h2 * l_p_cross + h3 * l_e_w_p - g4 * l_w * e_n
            even = f1 * (t + l_w) * e_p + (f5 * l_w + f6 * l_p) * et + k * l_e
            a[i, j] = (half_i * odd + even) / _F_PI


@kernel
def _invariants(p: Any) -> tuple[float, float, float, float]:
    """Return m, w, p.v and p.v' of rows parent, meson and pion."""
    energy = p[1, 3]
    meson = np.sqrt(energy * energy - p[1, 0] ** 2 - p[1, 1] ** 2 - p[1, 2] ** 2)
    along = p[1, 0] * p[2, 0] + p[1, 1] * p[2, 1] + p[1, 2] * p[2, 2]
    return meson, energy / meson, p[2, 3], (energy * p[2, 3] - along) / meson


def goity_roberts_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:  # noqa: ARG001
    """B -> D(*) pi l nu."""
    p = carray(momenta, (5, 4))
    ids = carray(pdgids, 5)
    mass = np.sqrt(p[3, 3] ** 2 - p[3, 0] ** 2 - p[3, 1] ** 2 - p[3, 2] ** 2)
    current = np.empty((2, 4), np.complex128)
    for j in range(2):
        row = lepton_current(p[1:], mass, j, ids[3] < 0)
        current[j, 0], current[j, 1], current[j, 2], current[j, 3] = row
    anti = antiquark_decays(ids[0])
    if meson_spin_states(ids[1]) == 1:
        _write_d(p, anti, current, carray(out, (1, 2)))
    else:
        _write_d_star(p, anti, current, carray(out, (3, 2)))


class SoftPionModel(DecayModel):
    """GOITY_ROBERTS, whose first daughter is a D or a D*."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        problem = self._parameter_problem(parameters)
        if problem is not None:
            return problem
        if not daughters or abs(daughters[0].pdgid) not in _MESONS:
            found = ", ".join(d.name for d in daughters)
            return f"{self.name} decays to D or D*, pi, a lepton and a neutrino, found [{found}]"
        variant = DecayModel(
            name=self.name,
            amplitude=self.amplitude,
            reference=self.reference,
            parent_spin2=_SCALAR,
            daughter_spins2=(daughters[0].spin2, _SCALAR, _HALF, _HALF),
        )
        return variant.problem((), parent, daughters)


GOITY_ROBERTS = SoftPionModel(
    name="GOITY_ROBERTS",
    amplitude=goity_roberts_amplitude,
    reference="J. L. Goity, W. Roberts, Phys. Rev. D 51 (1995) 3459, hep-ph/9406236",
)
